"""The format of budgets: how much may be spent, by whom, in which period, and what happens then."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from fondation.config import scalars
from fondation.config.base import EntryPoint, Money, NameText, Percent, Section, Text, WordSection, text_schema

Per = Literal["run", "session", "user", "agent", "model"]
Period = Literal["hour", "day", "week", "month"]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


OneOrMore = Annotated[
    list[Text],
    BeforeValidator(_as_list),
    WithJsonSchema(
        {
            "type": ["string", "array"],
            **text_schema(scalars.NOT_BLANK),
            "items": {"type": "string", **text_schema(scalars.NOT_BLANK)},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]
"""A text, or a list of them; in Python always a list."""


class BudgetScope(Section):
    """The calls that a budget counts: those that fit every key that is written."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    agent: OneOrMore | None = None
    """The calls of this agent, or of these."""
    model: OneOrMore | None = None
    """The calls to this model, or to these, by their names in the file."""
    user: OneOrMore | None = None
    """The calls for this user, or for these; anonymous is everyone without a user."""


class OnExceed(WordSection):
    """What happens to a call that a budget has no room for: stop, or a mapping with the model that answers instead."""

    words: ClassVar = {"stop": None}
    word_form: ClassVar = scalars.ON_EXCEED

    use: str
    """The name of the model that answers instead."""


class BudgetConfig(Section):
    """What may be spent on model calls: a limit for each bucket and period."""

    name: NameText
    """A name of your own: what messages and `fondation budgets` call it."""
    limit: Money
    """The most that may be spent, like $5.00."""
    per: Per | None = None
    """run, session, user, agent or model: each has the limit for itself; left out, everyone spends from one."""
    where: BudgetScope | None = None
    """The calls that count: those of some agents, models or users; left out, every call."""
    every: Period | None = None
    """hour, day, week (from Monday) or month, in usage.timezone: then it starts anew; left out, never."""
    warn_at: Percent | None = None
    """A share of the limit, like 80%: where it is first passed in a period, a warning is sent."""
    on_warn: EntryPoint | None = None
    """A function, sync or async, that is given an event when warn_at is passed."""
    on_exceed: Annotated[OnExceed | None, BeforeValidator(OnExceed.long_form)] = Field(
        default=None, json_schema_extra={"default": "stop"}
    )
    """What happens to a call that there is no room for: stop, or {use: NAME}, a model that answers instead."""

    @property
    def substitute(self) -> str | None:
        """The name of the model that answers where there is no room; None: the run stops."""
        return None if self.on_exceed is None else self.on_exceed.use
