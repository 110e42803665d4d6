"""Which calls a report is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from fondation.usage.periods import Period


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls a report is about; None is all of them."""

    period: Period = field(default_factory=Period)
    agent: str | None = None
    model: str | None = None
    """The model that was asked for, or the one that answered."""
    user: str | None = None
    session: str | None = None
    provider: str | None = None
    run: str | None = None

    @property
    def are_of_few(self) -> bool:
        """Whether an index finds the calls: those of one user, session or run."""
        return any(name is not None for name in (self.user, self.session, self.run))


def conditions(filters: Filters) -> tuple[list[str], dict[str, str | float]]:
    """What a call must be, beside its period, and the values for it."""
    given: list[tuple[str, str, str | None]] = [
        ("agent", "agent_name = :agent", filters.agent),
        ("model", ":model IN (model, requested_model)", filters.model),
        ("user", "user_id = :user", filters.user),
        ("session", "session_id = :session", filters.session),
        ("provider", "provider = :provider", filters.provider),
        ("run", "run_id = :run", filters.run),
    ]
    values: dict[str, str | float] = {name: value for name, _, value in given if value is not None}
    return [condition for name, condition, _ in given if name in values], values
