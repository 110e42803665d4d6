"""The till of the shop."""

from __future__ import annotations

SMALL = 20.0
"""Euros that may be refunded without asking anybody."""


def refund(order: str, amount: float) -> dict[str, object]:
    """Refund an amount of an order.

    Args:
        order: The number of the order, like "A-17".
        amount: In euros.
    """
    return {"order": order, "refunded": amount}


def is_large(amount: float) -> bool:
    return amount > SMALL
