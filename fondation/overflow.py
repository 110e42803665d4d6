"""A conversation that is too long for its model: the oldest turns are left out, or told in a summary."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from fondation.agents import Agent
from fondation.calls import RunInfo
from fondation.deadline import Deadline
from fondation.dialogue import Dialogue
from fondation.events import Batches
from fondation.gate import Gate
from fondation.questions.summaries import Summarizing

log = logging.getLogger("fondation.runner")


async def shrink(
    dialogue: Dialogue, agent: Agent, chain: Sequence[str], run: RunInfo, gate: Gate, deadline: Deadline
) -> Batches:
    """Make what the agent reads shorter, where `can_shrink` says that it can be.

    Yields what happens to the calls for a summary. Raises `DeadlineReached`.
    """
    oldest = dialogue.older_half(agent.summarizes)
    if agent.summarizes and oldest:
        before = dialogue.summary.text if dialogue.summary is not None else None
        summarizing = Summarizing(agent, chain, before, oldest)
        async with contextlib.aclosing(summarizing.ask(run, gate, deadline)) as batches:
            async for batch in batches:
                yield batch
        if summarizing.text is not None:
            summary = dialogue.summarize(len(oldest), summarizing.text)
            _tell(run, agent, summary.messages, "are summarized")
            return
    if oldest:
        dialogue.drop(len(oldest), agent.summarizes)
    else:
        dialogue.drop_summary()
    _tell(run, agent, dialogue.left_out, "are left out")


def _tell(run: RunInfo, agent: Agent, messages: int, fate: str) -> None:
    log.warning(
        "run %s: the conversation is too long for %s; its oldest %d messages %s",
        run.run_id,
        agent.model.id,
        messages,
        fate,
    )
