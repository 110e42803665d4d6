"""What only a real wire shows: cuts, silence, dead connections, aborts."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator

import pytest

from fondation.errors import BadAnswer, ModelNotFound, ProviderTimeout, ProviderUnavailable
from fondation.providers import exchange
from fondation.providers.base import Accepted, Pieces, TextPiece
from tests.providers.conftest import MakeProvider
from tests.providers.upstream import Cut, Hang, Pause, Reply, Reset, Step, Until, Upstream
from tests.providers.wire import COMMENT, DONE, QUESTION, USAGE, Outcome, ask, chunk, event, new_call, stream, text
from tests.support.stepped import Clock

ANSWER = stream(text("Hel"), text("lo"), chunk(finish="stop"), chunk(usage=USAGE), DONE)
GENERATION = {"Content-Type": "text/event-stream", "X-Generation-Id": "gen-7"}


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Puts the event loop's clock forward, so that a long silence takes no time and a busy machine makes none."""
    clock = Clock()
    with clock.running():
        yield clock


async def test_an_answer_comes_piece_by_piece(upstream: Upstream, openrouter: MakeProvider) -> None:
    read = {"Hel": asyncio.Event(), "Hello": asyncio.Event()}
    upstream.reply(
        *(COMMENT, event(text("Hel")), Until(read["Hel"])), *(COMMENT, event(text("lo")), Until(read["Hello"])), DONE
    )
    async with asyncio.timeout(5):
        outcome = await ask(openrouter(), on_text=lambda text: read[text].set())
    assert outcome.text == "Hello"


async def test_the_request_is_sent_when_the_first_batch_is_asked_for(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    pieces = openai().stream(QUESTION, new_call())
    await asyncio.sleep(0.02)
    assert upstream.requests == []
    await anext(pieces)
    assert len(upstream.requests) == 1
    await pieces.aclose()


async def test_the_generation_id_of_the_header_is_known_before_the_first_token(
    upstream: Upstream, openrouter: MakeProvider
) -> None:
    upstream.reply(Hang(), headers=GENERATION)
    call = new_call()
    async with contextlib.aclosing(openrouter().stream(QUESTION, call)) as pieces:
        assert await anext(pieces) == [Accepted()]
        assert call.generation_id == "gen-7"
        assert call.first_token is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_utf8_and_crlf_may_be_cut_anywhere(upstream: Upstream, openai: MakeProvider, size: int) -> None:
    wire = stream(text("Çédille 日本 🎉\u2028x"), chunk(finish="stop"), chunk(usage=USAGE), DONE)
    wire = wire.replace(b"\n", b"\r\n")
    upstream.reply(*(wire[at : at + size] for at in range(0, len(wire), size)))
    outcome = await ask(openai())
    assert outcome.text == "Çédille 日本 🎉\u2028x"
    assert outcome.call.usage is not None


async def test_a_line_of_megabytes_is_one_event(upstream: Upstream, openai: MakeProvider) -> None:
    long = "x" * 3_000_000
    upstream.reply(event(text(long)), chunk_end(), DONE)
    assert (await ask(openai())).text == long


def chunk_end() -> bytes:
    return event(chunk(finish="stop"))


CUTS: dict[str, tuple[Step, ...]] = {
    "closed": (Cut(),),
    "closed in a line": (b'data: {"choices":[{"del', Cut()),
    "ended without a finish reason": (),
}


@pytest.mark.parametrize("steps", CUTS.values(), ids=CUTS)
async def test_a_cut_answer_keeps_its_text_and_fails(
    upstream: Upstream, openai: MakeProvider, steps: tuple[Step, ...]
) -> None:
    upstream.reply(event(text("Hel")), *steps)
    assert_cut(await ask(openai()))


async def test_a_reset_answer_keeps_what_was_read_and_fails(upstream: Upstream, openai: MakeProvider) -> None:
    read = asyncio.Event()
    upstream.reply(event(text("Hel")), Until(read), Reset())
    assert_cut(await ask(openai(), on_text=lambda text: read.set()))


def assert_cut(outcome: Outcome) -> None:
    assert outcome.text == "Hel"
    assert isinstance(outcome.error, ProviderUnavailable)
    assert outcome.error.charged is None
    assert outcome.call.generation_id == "gen-1"


async def test_a_complete_answer_whose_connection_is_cut_is_complete(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER, Cut())
    outcome = await ask(openai())
    assert outcome.text == "Hello"
    assert outcome.end.finish_reason == "stop"


async def test_what_came_before_a_cut_is_not_lost_to_a_slow_reader(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(event(text("a")), Pause(0.02), event(text("b")), Pause(0.02), ANSWER, Cut())
    call, seen = new_call(), []
    async with contextlib.aclosing(openai().stream(QUESTION, call)) as pieces:
        async for batch in pieces:
            seen += batch
            await asyncio.sleep(0.15)
    assert "".join(piece.text for piece in seen if isinstance(piece, TextPiece)) == "abHello"
    assert call.usage is not None


async def test_what_came_before_a_silence_is_not_lost_to_a_slow_reader(
    upstream: Upstream, openai: MakeProvider, clock: Clock
) -> None:
    read = asyncio.Event()
    upstream.reply(event(text("a")), Until(read), event(text("b")), Hang())
    pieces = openai(timeout=30).stream(QUESTION, new_call())
    assert await anext(pieces) == [Accepted(), TextPiece("a")]
    read.set()
    for seconds in (0, 31):
        clock.pass_by(seconds)
        await asyncio.sleep(0.02)
    assert await anext(pieces) == [TextPiece("b")]
    with pytest.raises(ProviderTimeout):
        await anext(pieces)


@pytest.mark.parametrize("steps", [(), (Pause(0.05),)], ids=["at once", "a little late"])
async def test_one_connection_serves_many_calls(
    upstream: Upstream, openai: MakeProvider, monkeypatch: pytest.MonkeyPatch, steps: tuple[Step, ...]
) -> None:
    monkeypatch.setattr(exchange, "DRAIN_SECONDS", 5.0)
    upstream.reply(ANSWER, *steps)
    for _ in range(3):
        assert (await ask(openai())).error is None
    assert upstream.connections == 1


async def test_a_kept_connection_that_is_dead_says_so(
    upstream: Upstream, openai: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.providers.failures.STALE_SECONDS", 5.0)
    for dying in ((Cut(),), (Reset(),)):
        upstream.replies.clear()
        upstream.reply(ANSWER)
        upstream.reply(before=dying)
        upstream.reply(ANSWER)
        assert (await ask(openai())).error is None
        error = (await ask(openai())).error
        assert isinstance(error, ProviderUnavailable)
        assert error.stale_connection
        assert error.retryable
        assert error.charged is False
        assert (await ask(openai())).error is None


async def test_a_new_connection_that_dies_is_no_stale_one(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(before=(Cut(),))
    error = (await ask(openai())).error
    assert isinstance(error, ProviderUnavailable)
    assert not error.stale_connection
    assert error.charged is None


async def test_a_kept_connection_that_dies_later_may_have_cost(
    upstream: Upstream, openai: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.providers.failures.STALE_SECONDS", 0.05)
    upstream.reply(ANSWER)
    upstream.reply(before=(Pause(0.1), Cut()))
    await ask(openai())
    error = (await ask(openai())).error
    assert error is not None
    assert not error.stale_connection
    assert error.charged is None


async def test_nobody_listens_at_the_address(upstream: Upstream, openai: MakeProvider) -> None:
    await upstream.close()
    error = (await ask(openai())).error
    assert isinstance(error, ProviderUnavailable)
    assert str(error).endswith("check base_url, and that it runs")
    assert error.retryable
    assert error.charged is False
    await upstream.start()


async def test_silence_is_a_timeout(upstream: Upstream, openai: MakeProvider, clock: Clock) -> None:
    upstream.reply(event(text("Hel")), Hang())
    outcome = await ask(openai(timeout=30), on_text=lambda text: clock.pass_by(31))
    assert isinstance(outcome.error, ProviderTimeout)
    assert "silent" in str(outcome.error)
    assert outcome.text == "Hel"


async def test_silence_before_the_headers_is_a_timeout(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(before=(Hang(),))
    outcome = await ask(openai(timeout=0.1))
    assert isinstance(outcome.error, ProviderTimeout)
    assert outcome.error.charged is None
    assert (await upstream.request()).gone.is_set() or await gone(upstream)


async def gone(upstream: Upstream, number: int = 0) -> bool:
    async with asyncio.timeout(5):
        await (await upstream.request(number)).gone.wait()
    return True


async def test_comments_count_as_life(upstream: Upstream, openai: MakeProvider, clock: Clock) -> None:
    read = asyncio.Event()
    beats = [asyncio.Event() for _ in range(8)]
    upstream.reply(event(text("a")), *_comments(beats), ANSWER)
    asking = asyncio.create_task(ask(openai(timeout=30), on_text=lambda text: read.set()))
    await read.wait()
    await _beat(beats, clock)
    assert (await asking).text == "aHello"


async def test_comments_alone_do_not_hold_a_call_for_ever(
    upstream: Upstream, openai: MakeProvider, clock: Clock
) -> None:
    beats = [asyncio.Event() for _ in range(4)]
    upstream.reply(COMMENT, *_comments(beats), Hang())
    asking = asyncio.create_task(ask(openai(timeout=30)))
    await upstream.request()
    await asyncio.sleep(0.02)
    await _beat(beats[:2], clock)
    assert not asking.done()
    await _beat(beats[2:], clock)
    outcome = await asking
    assert isinstance(outcome.error, ProviderTimeout)
    assert "no token in 60 s" in str(outcome.error)


def _comments(beats: list[asyncio.Event]) -> list[Step]:
    return [step for beat in beats for step in (Until(beat), COMMENT)]


async def _beat(beats: list[asyncio.Event], clock: Clock) -> None:
    """A comment every 20 seconds."""
    for beat in beats:
        clock.pass_by(20)
        beat.set()
        await asyncio.sleep(0.02)


async def test_closing_ends_the_upstream_request_at_once(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(event(text("Hel")), Hang())
    pieces = openai().stream(QUESTION, new_call())
    await anext(pieces)
    await pieces.aclose()
    assert await gone(upstream)


async def test_cancelling_a_silent_answer_ends_the_upstream_request_at_once(
    upstream: Upstream, openai: MakeProvider
) -> None:
    upstream.reply(event(text("Hel")), Hang())
    pieces = openai().stream(QUESTION, new_call())
    await anext(pieces)
    task = asyncio.create_task(anext(pieces))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(upstream)


async def cancelled(pieces: Pieces, upstream: Upstream) -> float:
    """Cancel a call whose request has arrived; returns how long the cancelling took."""
    task = asyncio.create_task(anext(pieces))
    await upstream.request()
    task.cancel()
    began = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.perf_counter() - began


async def test_a_call_abandoned_before_its_headers_gets_its_generation_id(
    upstream: Upstream, openrouter: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "GENERATION_ID_SECONDS", 60.0)
    upstream.reply(Hang(), before=(Pause(0.1),), headers=GENERATION)
    call = new_call()
    assert await cancelled(openrouter().stream(QUESTION, call), upstream) < 5
    assert call.generation_id == "gen-7"
    assert await gone(upstream)


async def test_an_abandoned_call_waits_only_so_long(
    upstream: Upstream, openrouter: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "GENERATION_ID_SECONDS", 0.1)
    upstream.reply(before=(Hang(),))
    call = new_call()
    assert 0.08 < await cancelled(openrouter().stream(QUESTION, call), upstream) < 5
    assert call.generation_id is None
    assert call.charged is None, "it was sent: who knows"
    assert await gone(upstream)


async def test_a_call_abandoned_twice_is_dropped(upstream: Upstream, openrouter: MakeProvider) -> None:
    upstream.reply(before=(Hang(),))
    task = asyncio.create_task(ask(openrouter()))
    await upstream.request()
    task.cancel()
    await asyncio.sleep(0.02)
    assert not task.done(), "its headers may still come"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(upstream)


@pytest.mark.parametrize("provider", ["openrouter", "openai"])
async def test_a_call_abandoned_while_it_connects_is_dropped_at_once_and_costs_nothing(
    provider: str, openrouter: MakeProvider, openai: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    make = openrouter if provider == "openrouter" else openai
    monkeypatch.setattr("aiohttp.TCPConnector.connect", never)
    call = new_call()
    task = asyncio.ensure_future(anext(make().stream(QUESTION, call)))
    await asyncio.sleep(0.05)
    task.cancel()
    began = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.perf_counter() - began < 2
    assert call.charged is False


async def test_no_task_is_left_behind(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(event(text("Hel")), Hang())
    before = len(asyncio.all_tasks())
    for number in range(5):
        pieces = openai().stream(QUESTION, new_call())
        await anext(pieces)
        await pieces.aclose()
        await gone(upstream, number)
    await asyncio.sleep(0.05)
    gc.collect()
    assert len(asyncio.all_tasks()) <= before + 1  # the server's


async def test_an_error_is_read_on_for_its_usage(
    upstream: Upstream, openrouter: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LINGER_SECONDS", 5.0)
    upstream.reply(
        event(text("Hel")),
        event({"error": {"code": 502, "message": "gone"}}),
        Pause(0.05),
        event(chunk(usage=USAGE)),
        DONE,
    )
    outcome = await ask(openrouter())
    assert isinstance(outcome.error, ProviderUnavailable)
    assert outcome.call.usage is not None
    assert outcome.call.usage.total == 11


async def test_an_error_is_not_read_on_for_long(
    upstream: Upstream, openrouter: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LINGER_SECONDS", 0.05)
    comments: list[Step] = [Pause(0.03), COMMENT] * 1000
    upstream.reply(event({"error": {"code": 404, "message": "no such model"}}), *comments)
    async with asyncio.timeout(5):
        assert isinstance((await ask(openrouter())).error, ModelNotFound)


async def test_a_redirect_is_not_followed(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(status=307, headers={"Location": f"{upstream.base_url}/elsewhere"})
    error = (await ask(openai())).error
    assert isinstance(error, ProviderUnavailable)
    assert not error.retryable
    assert "correct base_url" in str(error)
    assert len(upstream.requests) == 1


async def test_a_server_that_speaks_no_http(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(before=(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Cut()))
    assert isinstance((await ask(openai())).error, BadAnswer)


async def test_an_error_page_is_read_in_part_only(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.replies.append(Reply((b"<html>" + b"x" * 400_000, Hang()), 502, {"Content-Type": "text/html"}))
    began = time.perf_counter()
    error = (await ask(openai())).error
    assert isinstance(error, ProviderUnavailable)
    assert len(str(error)) < 1000
    assert time.perf_counter() - began < 5


async def test_a_slow_reader_slows_the_upstream(upstream: Upstream, openai: MakeProvider) -> None:
    """What is not asked for is not read: the sender meets full buffers."""
    sent = 0
    piece = event(text("x" * 60_000))

    class Counted(bytes):
        def __len__(self) -> int:
            nonlocal sent
            sent += 1
            return super().__len__()

    upstream.reply(*(Counted(piece) for _ in range(400)), chunk_end(), DONE)
    pieces = openai().stream(QUESTION, new_call())
    await anext(pieces)
    await asyncio.sleep(0.3)
    assert sent < 300
    await pieces.aclose()
