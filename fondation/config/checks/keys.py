"""The keys of model providers: warnings here, since the file is right; `serve` does not start without them."""

from __future__ import annotations

from collections.abc import Mapping

from fondation.config.document import Document
from fondation.config.environment import LIKE_A_VARIABLE
from fondation.config.models import ModelConfig
from fondation.config.words import near

OPENROUTER_BEGINNING = "sk-or-v1-"


def check_keys(document: Document, environment: Mapping[str, str]) -> None:
    """A key that is not set, and one that is not OpenRouter's; each variable once, at the first model that needs it."""
    seen: set[str] = set()
    for name in document.mapping("models"):
        variable, provider = _key(document, name)
        if variable is None or variable in seen:
            continue
        seen.add(variable)
        path = ("models", name)
        written = (*path, "api_key_env")
        place = written if written in document.source.keys else path
        key = environment.get(variable)
        if not key:
            guess = near(variable, environment, LIKE_A_VARIABLE)
            help = f"set it, in the environment or in .env: {variable}=..."
            help = f'did you mean "{guess}"? else {help}' if guess and place == written else help
            document.warning(place, "unset-key", f"{variable}, the key of models.{name}, is not set", help)
        elif provider == "openrouter" and not key.startswith(OPENROUTER_BEGINNING):
            message = f"{variable}, the key of models.{name}, does not begin with {OPENROUTER_BEGINNING}"
            document.warning(place, "odd-key", message, "OpenRouter's keys do; look whether it is the right one")


def _key(document: Document, name: str) -> tuple[str | None, str]:
    """The variable that holds a model's key, and its provider; (None, "") for a model that is broken."""
    fields = {key: document.text("models", name, key) for key in ("provider", "base_url", "api_key_env")}
    for key in fields:
        if ("models", name, key) in document.dropped | document.unknown:
            return None, ""
    written = {key: value for key, value in fields.items() if value is not None}
    model = ModelConfig.model_construct(None, **written)  # only to ask; the rest of it may be broken
    return model.key_variable, model.provider
