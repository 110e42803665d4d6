"""Tools: what a model may call. One module a kind; `open_tool` knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.tools.base import Tool

if TYPE_CHECKING:
    from fondation.config import ToolConfig

__all__ = ["Tool", "open_tool"]


def open_tool(name: str, config: ToolConfig) -> Tool:
    """A tool as declared, ready to call. Raises `EntryPointError` where its function cannot be loaded."""
    if config.python is None:
        from fondation.tools.client import ClientTool

        return ClientTool(name, config)
    from fondation.tools.python import PythonTool

    return PythonTool(name, config.python, config)
