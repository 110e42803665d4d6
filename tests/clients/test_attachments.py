"""Files beside a message: what goes to the model, what is refused, and that nothing is fetched here."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .harness import Body, Turn
from .stage import Stage, assert_answered, assert_lasts
from .upstream import says

pytestmark = pytest.mark.clients

PIXEL = "data:image/png;base64,iVBORw0KGgo="
NOTE = "data:text/plain;base64," + base64.b64encode(b"Buy milk.").decode()


def file(media_type: str, url: str, **name: str) -> dict[str, str]:
    return {"type": "file", "mediaType": media_type, "url": url, **name}


def sent(stage: Stage, place: int = -1) -> Any:
    """What the model got as the user's message."""
    return stage.upstream.calls[-1].body["messages"][place]["content"]


@pytest.mark.parametrize("body", ["full", "turn"])
def test_files_go_to_the_model_before_the_text(stage: Stage, body: Body) -> None:
    files = [
        file("image/png", PIXEL, filename="pixel.png"),
        file("text/plain", NOTE, filename="note.txt"),
    ]
    outcome = stage.play(says("A pixel."), turns=[Turn(send="What is this?", files=files)], body=body)
    assert_answered(outcome)
    image, note, text = sent(stage)
    assert (image["type"], image["image_url"]["url"]) == ("image_url", PIXEL)
    assert "Buy milk." in str(note) or NOTE in str(note)
    assert text == {"type": "text", "text": "What is this?"}
    assert [part["type"] for part in outcome.messages[0].parts] == ["file", "file", "text"]
    assert_lasts(stage, outcome)
    assert sent(stage, 1)[0] == image


def test_a_file_needs_no_text(stage: Stage) -> None:
    outcome = stage.play(says("A pixel."), turns=[Turn(files=[file("image/png", PIXEL)])], body="turn")
    assert_answered(outcome)
    assert [part["type"] for part in sent(stage)] == ["image_url"]
    assert_lasts(stage, outcome)


def test_an_address_is_the_providers_to_fetch(stage: Stage) -> None:
    url = f"{stage.upstream.url}/pixel.png"
    outcome = stage.play(says("A pixel."), turns=[Turn(send="And this?", files=[file("image/png", url)])], body="turn")
    assert_answered(outcome)
    assert sent(stage)[0]["image_url"]["url"] == url
    assert stage.upstream.fetched == []
    assert_lasts(stage, outcome)


@pytest.mark.parametrize(
    ("media_type", "url", "status", "said"),
    [
        ("application/zip", "data:application/zip;base64,UEsDBA==", 400, "application/zip cannot be sent"),
        ("text/html", "file:///etc/passwd", 400, "expected an http:, https: or data: URL"),
        ("image/png", "data:image/png;base64,%%%", 400, "the data is no base64"),
        ("image/png", "data:application/x-sh;base64,ZWNobw==", 400, "application/x-sh cannot be sent"),
        ("image/png", "data:image/png;base64," + "A" * 5_000_000, 413, "larger than"),
    ],
    ids=["type", "address", "no base64", "type that is hidden", "size"],
)
def test_what_cannot_be_sent_is_refused_before_the_model_is_asked(
    stage: Stage, media_type: str, url: str, status: int, said: str
) -> None:
    turns = [Turn(send="And this?", files=[file(media_type, url)])]
    outcome = stage.play(turns=turns, body="turn")
    assert (outcome.status, outcome.exchanges[0].status) == ("error", status)
    assert said in (outcome.error or "")
    assert stage.upstream.calls == []
    assert stage.request("GET", f"/api/chats/{outcome.chat_id}")[0] == 404


@pytest.mark.parametrize("body", ["full", "turn"])
def test_after_a_refused_file_the_chat_goes_on_without_it(stage: Stage, body: Body) -> None:
    refused = file("application/zip", "data:application/zip;base64,UEsDBA==")
    turns = [Turn(send="Hello"), Turn(send="And this?", files=[refused]), Turn(send="Then not.")]
    outcome = stage.play(says("Hello."), says("Fine."), turns=turns, body=body)
    assert (outcome.status, outcome.last.text) == ("ready", "Fine.")
    assert [exchange.status for exchange in outcome.exchanges] == [200, 400, 200]
    assert stage.upstream.calls[-1].texts[1:] == ["Hello", "Hello.", "Then not."]
    back = stage.reopen(outcome.chat_id, says("Yes."), turns=[Turn(send="Sure?")], body=body)
    assert_lasts(stage, back)


def test_a_chat_whose_first_file_was_refused_begins_with_the_next_message(stage: Stage) -> None:
    refused = file("application/zip", "data:application/zip;base64,UEsDBA==")
    turns = [Turn(send="What is this?", files=[refused]), Turn(send="Then not.")]
    outcome = stage.play(says("Fine."), turns=turns)
    assert (outcome.status, outcome.last.text) == ("ready", "Fine.")
    assert "zip" not in str(stage.upstream.calls[-1].body)
