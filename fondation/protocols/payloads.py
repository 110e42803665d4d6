"""What every protocol tells in the same words: who has the conversation, and what an answer was and cost."""

from __future__ import annotations

from fondation import events
from fondation.calls import TokenUsage
from fondation.events import RunSummary
from fondation.messages import Json


def start_metadata(event: events.RunStarted) -> dict[str, Json]:
    """What is known of an answer before anything of it is."""
    metadata = {**(event.known or {}), "agent": event.agent, "agentName": event.agent, "runId": event.run_id}
    if event.user_message_id is not None:
        metadata["userMessageId"] = event.user_message_id
    return metadata


def summary_metadata(summary: RunSummary) -> dict[str, Json]:
    """What is known of it at its end."""
    return {
        "agent": summary.agent,
        "agentName": summary.agent,
        **({} if summary.model is None else {"model": summary.model}),
        "handoffChain": list(summary.handoff_chain),
        "usage": usage_metadata(summary.usage, summary.cost_source),
        "runId": summary.run_id,
        "finishReason": summary.finish_reason,
        **({"droppedMessages": summary.dropped_messages} if summary.dropped_messages else {}),
        **({"summarizedMessages": summary.summarized_messages} if summary.summarized_messages else {}),
    }


def usage_metadata(usage: TokenUsage, cost_source: str) -> dict[str, Json]:
    """Tokens and money as a page reads them; what is unknown is left out, never zero."""
    known = {
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.total,
        "cost": usage.cost,
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "costSource": cost_source,
    }


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
