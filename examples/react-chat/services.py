"""The services behind the agents, each made up: put your own behind the same signatures."""

from __future__ import annotations


async def get_weather(location: str) -> dict[str, object]:
    """Get the current weather for a location.

    Args:
        location: City name.
    """
    return {"location": location, "temperature": 22, "condition": "Sunny"}


async def search_web(query: str) -> dict[str, object]:
    """Search the web for information.

    Args:
        query: Search query.
    """
    return {"query": query, "results": [f"A page about {query}", f"Another page about {query}"]}


def check_system_status() -> dict[str, str]:
    """Check whether all systems are operational."""
    return {"status": "All systems operational"}


def check_invoice(invoiceId: str) -> dict[str, object]:
    """Check the status of an invoice.

    Args:
        invoiceId: The number on the invoice.
    """
    return {"invoiceId": invoiceId, "status": "Paid", "amount": 99.99}
