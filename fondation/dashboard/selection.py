"""Which calls a visitor looks at, as the address of the page says it: `?since=7d&agent=Billing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlencode

from fondation.errors import FondationError
from fondation.usage.filters import Filters
from fondation.usage.periods import Period, parse_moment


class BadSelection(FondationError):
    """What is asked for cannot be understood; the text says what to type.

    `field` is the field of a `Selection` in which it stands, None where it is elsewhere.
    """

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Selection:
    """Texts as they were typed; an empty one selects nothing, so all is shown."""

    since: str = ""
    until: str = ""
    agent: str = ""
    model: str = ""
    user: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Selection:
        """From the parameters of an address; others than these are not looked at."""
        typed = {name: query.get(name, "") for name in cls.__dataclass_fields__}
        return cls(**{**typed, "since": typed["since"].strip(), "until": typed["until"].strip()})

    def filters(self, now: datetime) -> Filters:
        """The same for reports; `now` brings the time zone. Raises `BadSelection`."""
        period = Period(_moment("since", self.since, now), _moment("until", self.until, now))
        if period.since and period.until and period.since >= period.until:
            raise BadSelection(f"since {self.since} is not before until {self.until}", "since")
        return Filters(period, agent=self.agent or None, model=self.model or None, user=self.user or None)

    def address(self, **changes: str) -> str:
        """The query of an address that selects the same but for the changes; `?` where it selects everything."""
        texts = {**asdict(self), **changes}
        return f"?{urlencode({name: text for name, text in texts.items() if text})}"


def _moment(name: str, text: str, now: datetime) -> datetime | None:
    try:
        return parse_moment(text, now) if text else None
    except ValueError as error:
        raise BadSelection(f"{name}: {error}", name) from error
