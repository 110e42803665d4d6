"""Invoices, as a billing system would return them."""

from __future__ import annotations

from typing import TypedDict


class Invoice(TypedDict):
    invoiceId: str
    status: str
    amount: float


def check_invoice(invoiceId: str) -> Invoice:
    """Check the status of an invoice.

    Args:
        invoiceId: The number on the invoice, for example "INV-42".
    """
    return {"invoiceId": invoiceId, "status": "Paid", "amount": 99.99}
