"""The HTTP server: `create_app` makes it, `serve` runs it."""

from __future__ import annotations

from fondation.server.app import create_app
from fondation.server.serving import serve

__all__ = ["create_app", "serve"]
