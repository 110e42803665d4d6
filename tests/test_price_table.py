from __future__ import annotations

from fondation.price_table import can_estimate, is_listed


def test_the_table_speaks_of_providers_at_their_own_addresses_only() -> None:
    assert can_estimate("openai", None)
    assert can_estimate("openai", "https://api.openai.com/v1/")
    assert can_estimate("openrouter", None)
    assert not can_estimate("openai", "http://127.0.0.1:11434/v1")
    assert not can_estimate("simulated", None)


def test_a_model_is_listed_where_it_has_a_published_price() -> None:
    assert is_listed("openai", "gpt-5-nano")
    assert is_listed("openai", "gpt-4o-mini-2024-07-18")
    assert not is_listed("openai", "our-own-model")
    assert not is_listed("openai", "")
