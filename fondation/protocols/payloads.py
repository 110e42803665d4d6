"""What every protocol tells in the same words: who has the conversation, and what an answer was and cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fondation import events
from fondation.calls import Spent, TokenUsage
from fondation.events import EarlierRuns, RunSummary
from fondation.messages import Json
from fondation.summary import together


def start_metadata(event: events.RunStarted) -> dict[str, Json]:
    """What is known of an answer before anything of it is."""
    metadata = {**(event.known or {}), "agent": event.agent, "agentName": event.agent, "runId": event.run_id}
    if event.user_message_id is not None:
        metadata["userMessageId"] = event.user_message_id
    if event.earlier is not None:
        metadata["runIds"] = [*event.earlier.run_ids, event.run_id]
    return metadata


def summary_metadata(summary: RunSummary) -> dict[str, Json]:
    """What is known of it at its end: of the whole message, whichever runs wrote it."""
    chain, usage = summary.handoff_chain, Spent(summary.usage, summary.cost_source)
    if (earlier := summary.earlier) is not None:
        goes_on = earlier.handoff_chain[-1:] == chain[:1]
        chain = (*earlier.handoff_chain, *(chain[1:] if goes_on else chain))
        usage = together([earlier.spent, usage])
    return {
        "agent": summary.agent,
        "agentName": summary.agent,
        **({} if summary.model is None else {"model": summary.model}),
        "handoffChain": list(chain),
        "usage": usage_metadata(*usage),
        "runId": summary.run_id,
        "finishReason": summary.finish_reason,
        **({"droppedMessages": summary.dropped_messages} if summary.dropped_messages else {}),
        **({"summarizedMessages": summary.summarized_messages} if summary.summarized_messages else {}),
    }


def usage_metadata(usage: TokenUsage, cost_source: str) -> dict[str, Json]:
    """Tokens and money as a page reads them; what is unknown is left out, never zero.

    So is the zero of calls that were refused: a page merges metadata, and would keep it beside a later cost that nobody
    knows.
    """
    known = {
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.total,
        "cost": None if cost_source == "none" else usage.cost,
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "costSource": cost_source,
    }


def earlier_runs(metadata: Mapping[str, Any]) -> EarlierRuns | None:
    """The runs that wrote a message with this metadata; None where it is no answer of ours.

    One that was cut off told no usage: it is in the ledger.
    """
    run_ids = run_ids_of(metadata)
    told: Mapping[str, Any] = metadata.get("usage") or {"costSource": "pending"}
    usage = TokenUsage(told.get("promptTokens"), told.get("completionTokens"), told.get("totalTokens"))
    spent = Spent(msgspec.structs.replace(usage, cost=told.get("cost")), told["costSource"])
    return EarlierRuns(run_ids, tuple(metadata.get("handoffChain") or ()), spent) if run_ids else None


def run_ids_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The runs that wrote a message with this metadata."""
    run_id = metadata.get("runId")
    return tuple(metadata.get("runIds") or ([run_id] if run_id else ()))


def agent_status(event: events.RoundStarted) -> dict[str, Json]:
    return {"status": event.status, "agent": event.agent, "agentName": event.agent}


def agent_handoff(event: events.HandedOff) -> dict[str, Json]:
    data = {"from": event.source, "to": event.target}
    if event.reason is not None:
        data["reason"] = event.reason
    data["routingStrategy"] = event.strategy
    return data


def error_text(event: events.RunFailed) -> str:
    return f"{event.sentence} (run {event.summary.run_id})"


def broken_text(run_id: str) -> str:
    """For a run that cannot be told on: a bug of ours."""
    return f"Something went wrong on the server. (run {run_id})"
