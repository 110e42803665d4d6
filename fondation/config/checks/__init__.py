"""What the schema cannot say: references that must resolve, templates that must parse, tools that must import.

A check is a function of the document that adds problems; a new one is a line in the table of its step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fondation.config.checks.agents import check_agents
from fondation.config.checks.approvals import check_approvals
from fondation.config.checks.budgets import check_budgets
from fondation.config.checks.chats import check_chats
from fondation.config.checks.client_tools import check_client_tools
from fondation.config.checks.hooks import check_hooks
from fondation.config.checks.keys import check_keys
from fondation.config.checks.models import check_models
from fondation.config.checks.parameters import check_parameters
from fondation.config.checks.references import check_references
from fondation.config.checks.routes import check_routes
from fondation.config.checks.server import check_server, check_storage
from fondation.config.checks.templates import check_templates
from fondation.config.checks.tools import check_tools
from fondation.config.checks.unused import check_unused
from fondation.config.document import Document

NAMES = (
    check_references,
    check_agents,
    check_models,
    check_client_tools,
    check_approvals,
    check_parameters,
    check_routes,
    check_chats,
    check_budgets,
    check_server,
)


def check(
    document: Document, folder: Path, environment: Mapping[str, str], *, check_imports: bool, check_environment: bool
) -> None:
    """Names, then templates, then entry points, then the environment; at last what nothing uses."""
    for check_names in NAMES:
        check_names(document)
    check_templates(document)
    check_tools(document, importing=check_imports)
    check_hooks(document, importing=check_imports)
    check_storage(document, folder, environment if check_environment else {}, writing=check_environment)
    if check_environment:
        check_keys(document, environment)
    check_unused(document)
