"""The format of tools: what a model may call, who runs it, and who must agree first."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from fondation.config import scalars
from fondation.config.base import Duration, EntryPoint, ShortSection, Text, WordSection


class Approval(WordSection):
    """When a call waits for a person's yes: never, always, or a mapping that says when and whose."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    words: ClassVar = {"never": None, "always": {}}
    word_form: ClassVar = scalars.APPROVAL

    when: EntryPoint | None = None
    """A function that says whether a call must wait, given its arguments by name; by default every call waits."""
    by: list[Text] = Field(default_factory=list, min_length=1, json_schema_extra={"uniqueItems": True})
    """Roles that may answer besides the chat's owner; none exist until the server knows roles."""
    expires: Duration = 3600.0
    """How long a call waits; an answer that comes later is refused."""


class ToolConfig(ShortSection):
    """Something that models may call: an entry point, or a mapping with one, or with runs_on: client."""

    short_field: ClassVar = "python"
    short_form: ClassVar = scalars.ENTRY_POINT

    python: EntryPoint | None = None
    """The function that does the work, written module:attribute; a tool of the page has runs_on: client instead."""
    runs_on: Literal["server", "client"] = "server"
    """client: the page runs the tool, and the run waits for its answer."""
    description: Text | None = None
    """What the model reads about the tool. A function's own docstring will do."""
    parameters: dict[str, JsonValue] | None = None
    """The arguments of a tool that the page runs, as a JSON Schema: {type: object, properties: ...}."""
    timeout: Duration = 30.0
    """The longest a call may take; then it is cancelled and the model is told."""
    max_calls: int | None = Field(default=None, ge=1)
    """The most calls of this tool in one run; one that goes on after an answer counts on."""
    approval: Annotated[Approval | None, BeforeValidator(Approval.long_form)] = Field(
        default=None, json_schema_extra={"default": "never"}
    )
    """Whether a call waits for a person's yes: never, always, or {when: module:attribute, by: [role], expires: 1h}."""
