"""The summary of a chat that outgrew its model, on real sockets: made once, kept with the chat, gone with its turns."""

from __future__ import annotations

from typing import Any

from fondation.errors import ContextTooLong
from fondation.messages import AssistantMessage, UserMessage
from fondation.stores.chats import ChatKey, StoredSummary
from tests.support.scripted import ScriptedProvider, text
from tests.support.served import Kitchen, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
agents:
  Ann: {model: main, instructions: You are Ann., memory: {summary: true}}
routes:
  /api/chat: {agent: Ann, show: [usage]}
"""
SHORT = "[The conversation before this message, in short]\nIn short.\n[The message]\n"


async def say(served: Served, id: str, **more: Any) -> list[Any]:
    message = {"id": id, "role": "user", "parts": [{"type": "text", "text": f"asks {id}"}]}
    return (await served.post({"id": "c1", "message": message, **more})).chunks


def told(provider: ScriptedProvider, request: int = -1) -> list[str]:
    messages = provider.requests[request].messages
    return [message.text for message in messages if isinstance(message, UserMessage | AssistantMessage)]


async def kept(served: Served) -> StoredSummary | None:
    assert served.services.chats is not None
    chat = await served.services.chats.load(ChatKey("session:c1", "c1"))
    return chat.summary if chat else None


async def outgrown(kitchen: Kitchen, *then: str) -> tuple[Served, ScriptedProvider]:
    """A chat of three turns whose first was summarized in the third."""
    answers = [text("one"), text("two"), [ContextTooLong("x")], text("three"), *map(text, then)]
    provider = ScriptedProvider(answers, beside={"summary": [text("In short.")]})
    served = await kitchen.serve(provider, DESK)
    for id in ("u1", "u2", "u3"):
        chunks = await say(served, id)
    assert chunks[-1]["messageMetadata"]["summarizedMessages"] == 4
    assert sum(chunk["type"] == "data-usage" for chunk in chunks) == 1, "the answer's"
    return served, provider


async def test_the_next_turn_reads_the_summary_and_pays_for_none(kitchen: Kitchen) -> None:
    served, provider = await outgrown(kitchen, "four")
    summary = await kept(served)
    assert summary is not None
    chat = (await served.ask("GET", "/api/chats/c1", headers={"x-session-id": "c1"})).json
    assert (summary.text, summary.through) == ("In short.", chat["messages"][3]["id"])
    chunks = await say(served, "u4")
    assert told(provider) == [f"{SHORT}asks u3", "three", "asks u4"]
    assert chunks[-1]["messageMetadata"]["summarizedMessages"] == 4
    rows = await served.rows(6)
    assert [(row["purpose"], row["status"]) for row in rows] == [
        ("answer", "done"),
        ("answer", "done"),
        ("answer", "refused"),
        ("summary", "done"),
        ("answer", "done"),
        ("answer", "done"),
    ]
    of_the_summary, answer = rows[3:5]
    for name in ("run_id", "chat_id", "session_id", "agent_name", "handoff_chain", "cost"):
        assert of_the_summary[name] == answer[name]


async def test_a_regeneration_behind_it_reads_it(kitchen: Kitchen) -> None:
    served, provider = await outgrown(kitchen, "drei")
    await served.post({"id": "c1", "trigger": "regenerate-message"})
    assert told(provider) == [f"{SHORT}asks u3"]


async def test_an_edit_inside_it_drops_it(kitchen: Kitchen) -> None:
    served, provider = await outgrown(kitchen, "zwei", "drei")
    await say(served, "u2", messageId="u2")
    assert told(provider) == ["asks u1", "one", "asks u2"]
    assert await kept(served) is None
    await say(served, "u3")
    assert told(provider) == ["asks u1", "one", "asks u2", "zwei", "asks u3"]
