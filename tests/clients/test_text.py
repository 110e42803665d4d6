"""What a model says, as the published clients read it."""

from __future__ import annotations

import pytest

from .stage import Stage, assert_answered
from .upstream import Answer, says

pytestmark = pytest.mark.clients


def test_text_streams_into_one_message(stage: Stage) -> None:
    outcome = stage.ask(says("Hello", ", ", "world."))
    assert_answered(outcome)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.text == "Hello, world."
    assert outcome.last.steps == [["text"]]
    assert outcome.types[:4] == ["start", "data-agent-status", "start-step", "text-start"]
    assert outcome.types[-3:] == ["text-end", "finish-step", "finish"]


def test_the_answers_headers_say_what_it_is(stage: Stage) -> None:
    [exchange] = stage.ask(says("Hello")).exchanges
    headers = exchange.response_headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert headers["x-run-id"]
    assert headers["x-session-id"]


def test_every_character_arrives_as_the_model_sent_it(stage: Stage) -> None:
    text = 'line\nline\r\n\ttab "quoted" \\ é 漢 🙂 \u2028\u2029\u0000 data: {"type":"x"}\n\ndata: [DONE]\n\n'
    outcome = stage.ask(says(*text))
    assert_answered(outcome)
    assert outcome.last.text == text


def test_the_metadata_of_the_start_and_the_finish_are_merged(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"))
    metadata = outcome.last.metadata
    assert metadata is not None
    assert (metadata["agent"], metadata["agentName"]) == ("Assistant", "Assistant")
    assert metadata["handoffChain"] == ["Assistant"]
    assert metadata["finishReason"] == "stop"
    assert metadata["usage"]["promptTokens"] == 12
    assert metadata["usage"]["completionTokens"] == 3
    assert metadata["usage"]["totalTokens"] == 15
    assert metadata["runId"] == outcome.exchanges[0].response_headers["x-run-id"]
    assert "scripted-1" in metadata["model"]


def test_the_first_status_comes_at_once_and_is_not_kept(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"))
    first = outcome.data_of("data-agent-status")[0]
    assert first == {"status": "executing", "agent": "Assistant", "agentName": "Assistant"}
    assert [part["type"] for part in outcome.last.parts] == ["step-start", "text"]


def test_reasoning_becomes_a_part_of_its_own(stage: Stage) -> None:
    outcome = stage.ask(Answer([{"reasoning": "Let me"}, {"reasoning": " think."}, {"content": "Hello"}]))
    assert_answered(outcome)
    assert outcome.last.steps == [["reasoning", "text"]]
    assert outcome.last.parts_of("reasoning")[0]["text"] == "Let me think."


def test_sources_and_files_become_parts(stage: Stage) -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "https://example.com/a", "title": "A"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    outcome = stage.ask(Answer([{"content": "Look", "annotations": [cited]}, {"images": [image]}]))
    assert_answered(outcome)
    [source] = outcome.last.parts_of("source-url")
    assert (source["url"], source["title"]) == ("https://example.com/a", "A")
    [file] = outcome.last.parts_of("file")
    assert (file["mediaType"], file["url"]) == ("image/png", "data:image/png;base64,iVBORw0KGgo=")
