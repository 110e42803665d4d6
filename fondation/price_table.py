"""What the kept price table speaks of: the prices that providers publish."""

from __future__ import annotations

ESTIMATED_PROVIDERS = {"openai": "https://api.openai.com/v1", "openrouter": "https://openrouter.ai/api/v1"}
"""The providers that the table knows, and where they are. At another address anything may answer, under any name, at
any price."""


def can_estimate(provider: str, base_url: str | None) -> bool:
    """Whether the table speaks of this provider at this address (None: its own)."""
    own = ESTIMATED_PROVIDERS.get(provider)
    return own is not None and (base_url is None or base_url.rstrip("/") == own)


def is_listed(provider: str, model: str) -> bool:
    """Whether the table has a price for a model of such a provider."""
    from genai_prices import Usage, calc_price

    try:
        calc_price(Usage(), model, provider_id=provider)
    except (LookupError, ValueError):
        return False
    return True
