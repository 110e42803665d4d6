from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fondation.stores import ChatStore, open_chats
from fondation.stores.sqlite import chats_thread, owners

from .chat_values import KEY, answer, user

SCRIPT = Path(__file__).with_name("chatting.py")


@contextmanager
def process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that writes an answer. It is killed at the end, without a chance to clean up."""
    with subprocess.Popen([sys.executable, str(SCRIPT), str(path)], stdout=subprocess.PIPE, text=True) as chatting:
        try:
            assert chatting.stdout is not None
            assert chatting.stdout.readline() == "ready\n"
            yield chatting
        finally:
            chatting.kill()


async def statuses(chats: ChatStore) -> list[str]:
    chat = await chats.load(KEY)
    return [message.status for message in chat.messages] if chat else []


def lapse(path: Path, seconds: float = 31) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE fondation_chat_processes SET lease_until = lease_until - ?", (seconds,))


def move(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a machine from which none of the processes so far can be seen."""
    monkeypatch.setattr(owners, "_machine", lambda: "elsewhere")


def leases(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM fondation_chat_processes").fetchone()[0])


async def test_what_a_killed_process_wrote_is_cut_and_its_text_kept(path: Path) -> None:
    with process(path):
        pass
    with closing(open_chats(path)) as chats:
        assert await chats.mark_cut() == 1
        assert await chats.mark_cut() == 0
        chat = await chats.load(KEY)
    assert chat is not None
    assert chat.messages == (user("m1"), answer("a1", "so far", status="cut"), answer("a0", "whole"))
    assert leases(path) == 0


async def test_what_a_living_process_writes_is_left_alone(path: Path) -> None:
    with process(path), closing(open_chats(path)) as chats:
        assert await chats.mark_cut() == 0
        assert await statuses(chats) == ["complete", "streaming", "complete"]


async def test_a_process_that_lives_is_left_alone_however_long_the_machine_slept(path: Path) -> None:
    with process(path), closing(open_chats(path)) as chats:
        lapse(path, 10_000)
        assert await chats.mark_cut() == 0
        assert await statuses(chats) == ["complete", "streaming", "complete"]


async def test_a_process_elsewhere_that_was_not_heard_of_for_the_length_of_a_lease_is_taken_for_dead(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with process(path), closing(open_chats(path)) as chats:
        move(monkeypatch)
        lapse(path, 29)
        assert await chats.mark_cut() == 0
        lapse(path, 2)
        assert await chats.mark_cut() == 1
        assert await statuses(chats) == ["complete", "cut", "complete"]


async def test_one_store_does_not_cut_what_another_of_the_same_process_writes(path: Path) -> None:
    with closing(open_chats(path)) as one, closing(open_chats(path)) as two:
        await one.save(KEY, [answer("a1", status="streaming")])
        assert await one.mark_cut() == await two.mark_cut() == 0


async def test_an_answer_that_another_process_goes_on_with_is_its_own(path: Path) -> None:
    with closing(open_chats(path)) as two, closing(open_chats(path)) as three:
        with closing(open_chats(path)) as one:
            await one.save(KEY, [answer("a1", status="waiting")])
            await two.save(KEY, [answer("a1", status="streaming")])
        assert await three.mark_cut() == 0


async def test_a_process_that_ends_in_the_middle_of_an_answer_leaves_it_cut(path: Path) -> None:
    with closing(open_chats(path)) as chats:
        await chats.save(KEY, [answer("a1", status="streaming"), answer("a2", status="streaming"), answer("a3")])
        await chats.save(KEY, [answer("a2", status="stopped")])
    with closing(open_chats(path)) as chats:
        assert await chats.mark_cut() == 1
        assert await statuses(chats) == ["cut", "stopped", "complete"]


async def test_a_process_that_was_taken_for_dead_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_chats(path)) as one, closing(open_chats(path)) as two:
        move(monkeypatch)
        await one.save(KEY, [answer("a1", "so", status="streaming")])
        lapse(path)
        assert await two.mark_cut() == 1
        await one.save(KEY, [answer("a1", "so far", status="streaming")])
        assert await two.mark_cut() == 0
        assert await statuses(two) == ["streaming"]


async def test_a_silent_process_renews_its_lease_and_cuts_what_others_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with process(path):
        pass
    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.02)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY, [answer("a2", status="streaming")])
        lapse(path, 25)
        await asyncio.sleep(0.2)
        assert await statuses(chats) == ["complete", "cut", "complete", "streaming"]
        lapse(path, 25)
        with closing(open_chats(path)) as another:
            assert await another.mark_cut() == 0


async def test_a_process_that_writes_nothing_has_no_lease(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.02)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY, [answer("a1", status="complete")])
        await asyncio.sleep(0.1)
        assert leases(path) == 0
