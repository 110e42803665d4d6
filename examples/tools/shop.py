"""The orders of a small shop, and where their parcels are."""

from __future__ import annotations

import asyncio
from typing import Literal, TypedDict

from fondation import RunContext, ToolError

Stage = Literal["packed", "on its way", "delivered"]


class Order(TypedDict):
    number: str
    articles: list[str]
    total: float
    """In euros."""


ORDERS: dict[str, Order] = {
    "A-17": {"number": "A-17", "articles": ["teapot", "two cups"], "total": 49.5},
    "A-18": {"number": "A-18", "articles": ["kettle"], "total": 35.0},
}
STAGES: dict[str, tuple[Stage, ...]] = {"A-17": ("packed", "on its way"), "A-18": ("packed", "on its way", "delivered")}


def find_order(number: str) -> Order:
    """Look up an order: its articles and what they cost.

    Args:
        number: The number of the order, like "A-17".
    """
    if number not in ORDERS:
        raise ToolError(f"There is no order {number}; ask the customer for the number on the receipt.")
    return ORDERS[number]


async def track_parcel(number: str, context: RunContext) -> dict[str, Stage]:
    """Track the parcel of an order.

    Args:
        number: The number of the order, like "A-17".
    """
    stages = STAGES.get(number)
    if stages is None:
        raise ToolError(f"There is no parcel for {number}.")
    for stage in stages:
        context.emit("parcel", {"number": number, "stage": stage})  # the page shows it as a data-parcel part
        await asyncio.sleep(0.1)
    return {"stage": stages[-1]}
