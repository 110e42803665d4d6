"""agents.yaml -> Config. `load` reads and checks a file; it never raises for what a user can get wrong."""

from __future__ import annotations

from fondation.config.database import database_file
from fondation.config.loaded import Loaded
from fondation.config.loading import load
from fondation.config.models import (
    AgentConfig,
    Config,
    ContextValue,
    Cors,
    Limits,
    ModelConfig,
    Price,
    RouteConfig,
    Server,
    Storage,
    ToolConfig,
    Usage,
)
from fondation.config.problems import Problem, render
from fondation.config.settings import Settings

__all__ = [
    "AgentConfig",
    "Config",
    "ContextValue",
    "Cors",
    "Limits",
    "Loaded",
    "ModelConfig",
    "Price",
    "Problem",
    "RouteConfig",
    "Server",
    "Settings",
    "Storage",
    "ToolConfig",
    "Usage",
    "database_file",
    "load",
    "render",
]
