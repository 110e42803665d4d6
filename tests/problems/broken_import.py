"""A module of tools that needs a package."""

import no_such_package  # type: ignore[import-not-found]  # noqa: F401
