"""fondation: an agent server. Agents are declared in YAML and served as an AI SDK UI message stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.context import RunContext
from fondation.errors import ToolError

if TYPE_CHECKING:
    from fondation.server import create_app

__version__ = "0.1.0"
__all__ = ["RunContext", "ToolError", "__version__", "create_app"]


def __getattr__(name: str) -> object:
    """Import the server only for those who embed it: tools import this package too."""
    if name == "create_app":
        from fondation.server import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
