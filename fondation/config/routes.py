"""The format of routes: where an agent is met, what a run there may use, and what its page is sent."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from fondation.config import scalars
from fondation.config.base import Duration, Section, ShortSection, Size, SwitchSection, WordSection

ContextName = Annotated[str, StringConstraints(pattern=f"^{scalars.CONTEXT_NAME.core}$")]


ContextType = Literal["string", "integer", "number", "boolean"]


class Limits(Section):
    """What a run may use. Under a route they go over the global ones."""

    max_rounds: int = Field(default=5, ge=1)
    """The most rounds of a run: the first agent and each handoff begin one."""
    max_steps: int = Field(default=10, ge=1)
    """The most steps (model turns) of one round."""
    run_timeout: Duration = 300.0
    """The longest a run may take; waiting for a person does not count."""
    max_body_size: Size = 4_000_000
    """The largest request body; a KB is 1000 bytes."""
    max_message_length: int | None = Field(default=None, ge=1)
    """The most characters of a user's message; by default only max_body_size counts."""
    max_tool_result: Size = 256_000
    """The largest tool result; what is longer is cut, and the model is told."""
    max_concurrent_runs: int = Field(default=500, ge=1)
    """The most runs at the same time; more are answered with 503."""


class ContextValue(Section):
    """A value that the page sends in the body's `context`."""

    type: ContextType = "string"
    """string, integer, number or boolean."""
    default: Annotated[
        str | int | float | bool | None, WithJsonSchema({"type": ["string", "integer", "number", "boolean"]})
    ] = None
    """The value when the page sends none; without a default it is nothing."""
    max_length: int | None = Field(default=None, ge=1)
    """The most characters of a string."""


def _without_default(schema: JsonDict) -> None:
    del schema["default"]


class OnDisconnect(WordSection):
    """What a run does that nobody reads any more: cancel, continue, or a mapping with the time that it has."""

    model_config = ConfigDict(json_schema_extra={"required": ["grace"]})
    words: ClassVar = {"cancel": {"kind": "cancel"}, "continue": {"kind": "continue"}}
    word_form: ClassVar = scalars.ON_DISCONNECT

    kind: SkipJsonSchema[Literal["cancel", "continue", "grace"]] = "grace"
    grace: Duration = Field(default=0.0, json_schema_extra=_without_default)
    """How long the run waits for a reader who comes back, before it is cancelled."""


class Titles(SwitchSection):
    """Titles of chats, made by a model from their first message."""

    model: str | None = None
    """The name of the model that writes them; by default the agent's own."""


class Suggestions(SwitchSection):
    """What the user may ask next, made by a model from the answer."""

    model: str | None = None
    """The name of the model that writes them; by default the agent's own."""
    count: int = Field(default=3, ge=1, le=10)
    """How many there are."""


class RouteConfig(ShortSection):
    """Where an agent is met: its name, or a mapping with it."""

    short_field: ClassVar = "agent"
    short_form: ClassVar = scalars.NOT_BLANK

    agent: str
    """The agent that answers here first."""
    sticky: bool = True
    """The next turn begins at the agent that last answered."""
    context: dict[ContextName, ContextValue] = Field(default_factory=dict)
    """Values read from the body's context, by name; what is not declared here is dropped."""
    limits: Limits = Limits()
    """Limits of this route, over the global ones."""
    chats: Literal["server", "client"] = "server"
    """Who keeps the conversation: server, or client (each request brings the whole of it)."""
    client: int = Field(default=5, ge=4, le=7)
    """The lowest major version of the AI SDK that the pages have; 4 is served the data stream of its time."""
    on_disconnect: Annotated[OnDisconnect, BeforeValidator(OnDisconnect.long_form)] = Field(
        default=OnDisconnect(kind="cancel"), json_schema_extra={"default": "cancel"}
    )
    """What becomes of a run when its last reader is gone: cancel, continue, or {grace: 30s}."""
    show: list[Literal["reasoning", "sources", "usage"]] = Field(
        default=["reasoning"], json_schema_extra={"uniqueItems": True}
    )
    """What the page is sent besides text and tools: reasoning, sources, usage (tokens and cost of each step)."""
    titles: Annotated[Titles | None, BeforeValidator(Titles.long_form)] = Field(
        default=None, json_schema_extra={"default": False}
    )
    """Whether new chats are given a title: true, false, or {model: NAME} for a cheaper model."""
    suggestions: Annotated[Suggestions | None, BeforeValidator(Suggestions.long_form)] = Field(
        default=None, json_schema_extra={"default": False}
    )
    """Whether the user is offered what to ask next: true, false, or {model: NAME, count: 3}."""
