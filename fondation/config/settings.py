"""The settings of a model call: known names are typed, anything else goes under `extra` and is sent as it is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from fondation.config.base import Section, Text

RESERVED_SETTINGS = (
    "model",
    "models",
    "messages",
    "tools",
    "tool_choice",
    "stream",
    "stream_options",
    "n",
    "user",
    "session_id",
)
"""What fondation itself puts into a request: no setting, and not under `extra` either."""

Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Share = Annotated[float, Field(ge=0, le=1)]
Extra = Annotated[
    dict[str, JsonValue],
    WithJsonSchema({"type": "object", "propertyNames": {"not": {"enum": list(RESERVED_SETTINGS)}}}),
]
TextOrList = Annotated[
    str | list[str],
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]


class Reasoning(Section):
    """How much a model thinks before it answers."""

    effort: Effort | None = None
    """How hard the model thinks: max, xhigh, high, medium, low, minimal or none."""
    max_tokens: int | None = Field(default=None, ge=1)
    """The most tokens for thinking."""
    exclude: bool | None = None
    """Think, but keep the thoughts out of the answer."""
    enabled: bool | None = None
    """Think with the model's default effort."""
    summary: Literal["auto", "concise", "detailed"] | None = None
    """How detailed the summary of the thoughts is."""


class Settings(Section):
    """Settings of a model call. Only the names that are written are sent."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    """0 is the most even answer, 2 the most varied."""
    top_p: Share | None = None
    """Choose among the most likely tokens that together have this probability."""
    top_k: int | None = Field(default=None, ge=0)
    """Choose among this many of the most likely tokens; 0 is all."""
    min_p: Share | None = None
    """The least probability of a token, as a share of the most likely one's."""
    top_a: Share | None = None
    """Like min_p, with the square of the most likely token's probability."""
    max_tokens: int | None = Field(default=None, ge=1)
    """The most tokens of an answer; newer servers call it max_completion_tokens."""
    max_completion_tokens: int | None = Field(default=None, ge=1)
    """The most tokens of an answer, thoughts included."""
    frequency_penalty: Penalty | None = None
    """Above 0: tokens become less likely the more often they were used."""
    presence_penalty: Penalty | None = None
    """Above 0: tokens that were used at all become less likely."""
    repetition_penalty: float | None = Field(default=None, ge=0, le=2)
    """Above 1: repetition becomes less likely."""
    seed: int | None = None
    """The same seed and request give the same answer, where the model can."""
    stop: TextOrList | None = None
    """A text, or a list of them, that ends the answer where it appears."""
    logit_bias: dict[str, float] | None = None
    """Token id to a number from -100 (never) to 100 (always)."""
    logprobs: bool | None = None
    """Ask for the probability of each token."""
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    """How many alternatives of each token to report; needs logprobs."""
    parallel_tool_calls: bool | None = None
    """Whether the model may ask for several tools at once."""
    reasoning: Reasoning | None = None
    """How much the model thinks before it answers."""
    reasoning_effort: Effort | None = None
    """The short form of reasoning.effort."""
    verbosity: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How long answers are."""
    response_format: dict[str, JsonValue] | None = None
    """The form of the answer, like {type: json_object}."""
    service_tier: Text | None = None
    """The provider's service tier, like flex or priority."""
    metadata: dict[str, str] | None = None
    """Labels that the provider keeps with the request, at most 16 of them."""
    provider: dict[str, JsonValue] | None = None
    """OpenRouter's routing: order, only, ignore, allow_fallbacks, data_collection, sort, max_price and more."""
    plugins: list[dict[str, JsonValue]] | None = None
    """OpenRouter's plugins, like [{id: web}]."""
    extra: Extra = Field(default_factory=dict)
    """Anything else, sent as it is at the top level of the request."""

    def merged(self, over: Settings) -> Settings:
        """These settings with those of `over` in their place, name by name, also inside `extra`."""
        both = {**self._written(), **over._written()}
        extra = {**self.extra, **over.extra}
        return Settings.model_validate({**both, "extra": extra} if extra else both)

    def as_request(self) -> dict[str, JsonValue]:
        """The keys for the top level of a request: what was written, with `extra` spread among it."""
        return {**self._written(), **self.extra}

    def _written(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"extra"})
