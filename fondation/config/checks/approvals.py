"""Who may answer a call that waits: the chat's owner, and nobody else while the server knows no roles."""

from __future__ import annotations

from fondation.config.document import Document


def check_approvals(document: Document) -> None:
    """Roles that nobody has."""
    for tool in document.mapping("tools"):
        path = ("tools", tool, "approval", "by")
        if document.value(*path):
            message = (
                f"tools.{tool}.approval.by names roles, but the server knows none: only the chat's owner may answer"
            )
            document.warning(path, "unknown-role", message, "remove by; or leave it for a server that knows roles")
