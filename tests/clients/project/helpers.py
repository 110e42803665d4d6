"""The tools of the agents that the clients talk to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fondation import RunContext, ToolError


async def get_weather(city: str, seconds: float = 0.0) -> dict[str, str]:
    """Tell the weather.

    Args:
        city: The city's name.
        seconds: How long it takes.
    """
    await asyncio.sleep(seconds)
    return {"city": city, "sky": "clear"}


def check_invoice(invoiceId: str) -> dict[str, object]:
    """Check the status of an invoice."""
    return {"invoiceId": invoiceId, "status": "Paid", "amount": 99.99}


def find_city(name: str) -> None:
    """Find a city."""
    raise ToolError(f"There is no city called {name}.")


def crash() -> None:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError("could not connect with password hunter2")


def show_progress(context: RunContext) -> str | None:
    """Show a progress bar."""
    context.emit("progress", {"percent": 50})
    context.emit("report", {"version": 1}, id="report-1", transient=False)
    context.emit("report", {"version": 2}, id="report-1", transient=False)
    return None


def refund(order: str, amount: float = 0.0) -> dict[str, object]:
    """Pay an order back."""
    with Path(__file__).with_name("refunds.txt").open("a") as refunds:
        refunds.write(f"{order} {amount:g}\n")
    return {"order": order, "refunded": amount}
