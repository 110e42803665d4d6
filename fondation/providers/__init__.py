"""Where models live: the table of providers. A provider's module is imported when a model of it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fondation.providers.base import Provider

if TYPE_CHECKING:
    from fondation.config.models import ModelConfig
    from fondation.http import HttpClient


def _openrouter(model: ModelConfig, key: str | None, http: HttpClient) -> Provider:
    from fondation.providers.openrouter import OpenRouterProvider

    return OpenRouterProvider(model.id, http, key=key, base_url=model.base_url, timeout=model.timeout)


def _openai(model: ModelConfig, key: str | None, http: HttpClient) -> Provider:
    from fondation.providers.openai import OpenAIProvider

    return OpenAIProvider(model.id, http, key=key, base_url=model.base_url, timeout=model.timeout)


def _simulated(model: ModelConfig, key: str | None, http: HttpClient) -> Provider:
    from fondation.providers.simulated import SimulatedProvider

    return SimulatedProvider(model.id)


PROVIDERS: dict[str, Callable[[ModelConfig, str | None, HttpClient], Provider]] = {
    "openrouter": _openrouter,
    "openai": _openai,
    "simulated": _simulated,
}


def create_provider(model: ModelConfig, key: str | None, http: HttpClient) -> Provider:
    """The provider that answers for `model`; `key` is its API key, None where it needs none."""
    return PROVIDERS[model.provider](model, key, http)
