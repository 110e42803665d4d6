from __future__ import annotations

from fondation import RunContext


def get_weather(city: str) -> dict[str, object]:
    """The weather in a city."""
    return {"city": city, "temperature": 18, "conditions": "cloudy"}


def write(characters: int) -> str:
    """Write a text."""
    return "x" * characters


def crash() -> str:
    """Fail."""
    raise RuntimeError("the backend of sk-secret-key went away")


def refund(invoice: str, amount: float) -> str:
    """Refund an invoice."""
    return f"refunded {amount:g} for {invoice}"


async def show_progress(context: RunContext) -> str:
    """Tell the page how far it is."""
    context.emit("progress", {"percent": 50})
    context.emit("report", {"pages": 2}, id="report-1", transient=False)
    return "done"
