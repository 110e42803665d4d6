"""agents.yaml -> Config. `load` reads and checks a file; it never raises for what a user can get wrong."""

from __future__ import annotations

from fondation.config.budgets import BudgetConfig, BudgetScope, OnExceed
from fondation.config.database import database_file
from fondation.config.loaded import Loaded
from fondation.config.loading import load
from fondation.config.models import AgentConfig, Config, Cors, Memory, ModelConfig, Price, Server, Storage, Usage
from fondation.config.problems import Problem, render
from fondation.config.routes import ContextValue, Limits, OnDisconnect, RouteConfig, Suggestions, Titles
from fondation.config.settings import Settings
from fondation.config.tools import Approval, ToolConfig

__all__ = [
    "AgentConfig",
    "Approval",
    "BudgetConfig",
    "BudgetScope",
    "Config",
    "ContextValue",
    "Cors",
    "Limits",
    "Loaded",
    "Memory",
    "ModelConfig",
    "OnDisconnect",
    "OnExceed",
    "Price",
    "Problem",
    "RouteConfig",
    "Server",
    "Settings",
    "Storage",
    "Suggestions",
    "Titles",
    "ToolConfig",
    "Usage",
    "database_file",
    "load",
    "render",
]
