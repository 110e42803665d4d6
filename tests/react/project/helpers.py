"""The tools of the agents that the pages talk to."""

from __future__ import annotations

from fondation import RunContext, ToolError


def get_weather(city: str, context: RunContext) -> dict[str, object]:
    """Tell the weather."""
    if city == "Nowhere":
        raise ToolError("There is no such city.")
    context.emit("progress", {"percent": 50})
    return {"city": city, "degrees": 21}


def check_invoice(invoiceId: str) -> dict[str, object]:
    """Check the status of an invoice."""
    return {"invoiceId": invoiceId, "status": "Paid", "amount": 99.99}


def draw_chart(context: RunContext) -> None:
    """Draw a chart, in two goes."""
    context.emit("chart", {"points": [1, 2]}, id="chart-1", transient=False)
    context.emit("chart", {"points": [1, 2, 3]}, id="chart-1", transient=False)
    context.emit("note", None)


def pay_back(amount: int) -> dict[str, int]:
    """Pay money back."""
    return {"paid": amount}
