"""Invoices: look them up in your own system here."""

from __future__ import annotations

from fondation import ToolError


def check_invoice(invoice_id: str) -> dict[str, str | float]:
    """Check the status of an invoice.

    Args:
        invoice_id: The number on the invoice, for example "INV-42".
    """
    if not invoice_id.startswith("INV-"):
        raise ToolError(f"There is no invoice {invoice_id}: numbers begin with INV-.")
    return {"invoice_id": invoice_id, "status": "Paid", "amount": 99.99}
