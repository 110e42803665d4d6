"""A chat's turn is one process's at a time. Each store here is a process of its own, as far as the file knows."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fondation.errors import ChatStoreError
from fondation.stores import ChatStore, open_chats
from fondation.stores.chats import ChatElsewhere, ChatKey
from fondation.stores.sqlite import chats_thread

from .chat_values import KEY, answer, user

CHAT_NUMBERS = itertools.count()
TURN = """
import asyncio, sys
from pathlib import Path
from fondation.stores import open_chats
from fondation.stores.chats import ChatKey

async def begin():
    await open_chats(Path(sys.argv[1]), "/run/dead.sock").begin(ChatKey("ada", "c1"), "run_dead")
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(begin())
"""


@pytest.fixture
def one(path: Path) -> Iterator[ChatStore]:
    with closing(open_chats(path, "/run/one.sock")) as store:
        yield store


@pytest.fixture
def two(path: Path) -> Iterator[ChatStore]:
    with closing(open_chats(path)) as store:
        yield store


async def takes(store: ChatStore, run_id: str, key: ChatKey = KEY) -> bool:
    """Whether a turn begins, as a server begins it."""
    chat = await store.load(key)
    seen = None if chat is None or chat.run is None else chat.run.id
    try:
        await store.begin(key, run_id, [user(f"m_{run_id}")], seen=seen)
    except ChatElsewhere:
        return False
    return True


async def state(store: ChatStore, key: ChatKey = KEY) -> tuple[str, str, bool]:
    run = await store.run_of(key)
    assert run is not None
    return run.id, run.state, run.is_ours


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


async def until_none(path: Path, condition: str) -> None:
    for _ in range(200):
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute(f"SELECT COUNT(*) FROM {condition}", {"now": time.time()})
            if found.fetchone() == (0,):
                return
        await asyncio.sleep(0.01)
    raise AssertionError(f"there are {condition}")


async def test_a_chat_whose_turn_is_another_process_s_is_not_touched(one: ChatStore, two: ChatStore) -> None:
    before = time.time()
    await one.begin(KEY, "r1", [user("m1")])
    with pytest.raises(ChatElsewhere) as refused:
        await two.begin(KEY, "r2", [user("m2")], drop_from="m1", seen="r1")
    run = refused.value.run
    assert (run.id, run.state, run.is_ours, run.address) == ("r1", "under way", False, "/run/one.sock")
    assert before <= run.began_at <= time.time()
    chat = await two.load(KEY)
    assert chat is not None
    assert [message.id for message in chat.messages] == ["m1"]
    assert chat.run == run
    assert await state(one) == ("r1", "under way", True)


@pytest.mark.parametrize("status", ["complete", "waiting", "stopped", "failed"])
async def test_a_turn_ends_with_its_answer(status: str, one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1", [user("m1")])
    await one.save(KEY, [answer("a1", run_id="r1", status="streaming")])
    assert not await takes(two, "r2")
    await one.save(KEY, [answer("a1", run_id="r1", status=status)])
    assert await state(two) == ("r1", "ended", False)
    assert await takes(two, "r2")
    assert not await takes(one, "r3")


async def test_the_end_of_an_older_run_ends_no_newer_turn(one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1")
    one.end(KEY, "r1")
    await one.begin(KEY, "r2", seen="r1")
    one.end(KEY, "r1")
    await one.save(KEY, [answer("a1", run_id="r1")])
    assert not await takes(two, "r3")


async def test_a_turn_that_was_taken_and_ended_since_is_not_overlooked(one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1")
    one.end(KEY, "r1")
    assert await state(one) == ("r1", "ended", True)
    for seen in (None, "r0"):
        with pytest.raises(ChatElsewhere):
            await two.begin(KEY, "r2", seen=seen)
    await two.begin(KEY, "r2", seen="r1")


async def test_a_chat_that_was_deleted_may_begin_anew_elsewhere(one: ChatStore, two: ChatStore) -> None:
    assert await takes(one, "run_1")
    one.end(KEY, "run_1")
    await one.delete(KEY)
    assert await takes(two, "run_2")


async def test_what_a_run_that_is_over_was_writing_is_stopped(one: ChatStore) -> None:
    await one.begin(KEY, "r1", [user("m1"), answer("a1", run_id="r1", status="streaming")])
    await one.save(KEY, [answer("a2", run_id="r2", status="streaming"), answer("a3", run_id="r1")])
    one.end(KEY, "r1")
    chat = await one.load(KEY)
    assert chat is not None
    assert [message.status for message in chat.messages] == ["complete", "stopped", "streaming", "complete"]


async def test_a_chat_is_not_deleted_while_another_process_answers_it(one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1", [user("m1")])
    with pytest.raises(ChatElsewhere):
        await two.delete(KEY)
    one.end(KEY, "r1")
    assert await one.load(KEY) is not None
    assert await two.delete(KEY)
    assert not await one.delete(KEY)


async def test_a_process_may_take_its_own_turn_again(one: ChatStore) -> None:
    await one.begin(KEY, "r1")
    await one.begin(KEY, "r2")
    assert await state(one) == ("r2", "under way", True)


async def test_turns_are_of_one_chat_of_one_owner(one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1")
    assert await takes(two, "r2", ChatKey("ada", "c2"))
    assert await takes(two, "r3", ChatKey("bob", "c1"))


async def test_a_run_whose_chat_is_not_kept_is_told_of(one: ChatStore, two: ChatStore) -> None:
    one.announce(KEY, "r1", 17.0)
    await one.run_of(KEY)  # one thread: what was told before is written
    assert await state(two) == ("r1", "under way", False)
    assert await two.load(KEY) is None
    one.end(KEY, "r1")
    await one.run_of(KEY)
    assert await state(two) == ("r1", "ended", False)


async def test_a_run_whose_chat_is_not_kept_takes_no_turn_of_another_process(one: ChatStore, two: ChatStore) -> None:
    await one.begin(KEY, "r1")
    two.announce(KEY, "r2", time.time())
    two.end(KEY, "r2")
    assert await state(two) == ("r1", "under way", False)
    one.end(KEY, "r1")
    assert await state(one) == ("r1", "ended", True)
    two.announce(KEY, "r3", time.time())
    assert await state(two) == ("r3", "under way", True)


async def test_an_end_that_a_locked_database_refuses_is_told_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.05)
    with closing(open_chats(path)) as one:
        one.announce(KEY, "r1", 17.0)
        await one.run_of(KEY)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            one.end(KEY, "r1")
            with pytest.raises(ChatStoreError, match="locked"):
                await one.rename(KEY, "x")
            other.execute("ROLLBACK")
        await until_none(path, "fondation_chat_runs WHERE ended_at IS NULL")


@contextmanager
def process(path: Path) -> Iterator[None]:
    """A process that has a turn. It is killed at the end, without a chance to clean up."""
    with subprocess.Popen([sys.executable, "-c", TURN, str(path)], stdout=subprocess.PIPE, text=True) as begun:
        try:
            assert begun.stdout is not None
            assert begun.stdout.readline() == "ready\n"
            yield
        finally:
            begun.kill()


async def test_what_is_told_late_is_not_taken_for_the_newest(one: ChatStore, two: ChatStore) -> None:
    for store, run_id, began_at in ((two, "r2", 18.0), (one, "r1", 17.0)):
        store.announce(KEY, run_id, began_at)
        assert await state(store) == ("r2", "under way", store is two)
    one.announce(KEY, "r3", 19.0)
    assert await state(one) == ("r3", "under way", True)


async def test_the_turn_of_a_killed_process_is_free_at_once(path: Path, two: ChatStore) -> None:
    with process(path):
        assert not await takes(two, "r2")
    assert await state(two) == ("run_dead", "ended", False)
    assert await takes(two, "r2")


async def test_whoever_finds_a_turn_of_the_dead_marks_what_they_left(path: Path, two: ChatStore) -> None:
    with closing(open_chats(path)) as dead:
        await dead.begin(KEY, "r1", [user("m1")])
        await dead.save(KEY, [answer("a1", "so far", run_id="r1", status="streaming")])
    chat = await two.load(KEY)
    assert chat is not None
    assert chat.run is not None
    assert (chat.messages[1].status, chat.run.state) == ("cut", "ended")


async def test_a_turn_of_the_dead_that_nobody_loaded_is_not_overlooked(path: Path, two: ChatStore) -> None:
    with closing(open_chats(path)) as dead:
        await dead.begin(KEY, "r1", [user("m1")])
    with pytest.raises(ChatElsewhere):
        await two.begin(KEY, "r2")
    assert await state(two) == ("r1", "ended", False)
    assert await takes(two, "r3")


async def test_a_process_without_an_answer_yet_keeps_its_turn(
    path: Path, two: ChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.01)
    with closing(open_chats(path)) as one:
        await one.begin(KEY, "r1")
        change(path, "UPDATE fondation_chat_processes SET lease_until = lease_until - 25")
        await until_none(path, "fondation_chat_processes WHERE lease_until < :now + 20")
        assert not await takes(two, "r2")


async def test_runs_that_ended_long_ago_are_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.01)
    keys = [ChatKey("ada", f"c{number}") for number in range(3)]
    with closing(open_chats(path)) as one:
        for key in keys:
            await one.begin(key, "r1")
        one.end(keys[0], "r1")
        one.end(keys[1], "r1")
        await one.run_of(KEY)
        change(path, "UPDATE fondation_chat_runs SET ended_at = ended_at - 121 WHERE id = 'c1'")
        await until_none(path, "fondation_chat_runs WHERE id = 'c1'")
        assert [await one.run_of(key) is not None for key in keys] == [True, False, True]


async def test_trouble_with_what_nobody_waits_for_is_told_in_the_log(
    one: ChatStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await one.run_of(KEY)
    change(path, "DROP TABLE fondation_chat_runs")
    one.announce(KEY, "r1", 17.0)
    await one.waiting(KEY)
    assert "no such table: fondation_chat_runs" in caplog.text


@given(
    posts=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True), min_size=1, max_size=4),
    ends=st.lists(st.booleans(), min_size=4, max_size=4),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_posts_that_race_one_has_the_turn(posts: list[list[int]], ends: list[bool], path: Path) -> None:
    asyncio.run(race(posts, ends, path, ChatKey("ada", f"c{next(CHAT_NUMBERS)}")))


async def race(posts: list[list[int]], ends: list[bool], path: Path, key: ChatKey) -> None:
    """In each round some processes begin a turn at the same moment; the winner's ends, or goes on."""
    with ExitStack() as exits:
        stores = [exits.enter_context(closing(open_chats(path))) for _ in range(4)]
        holder: int | None = None
        won = []
        for number, (round, is_ended) in enumerate(zip(posts, ends, strict=False)):
            names = {at: f"r{number}_{at}" for at in round}
            begun = await asyncio.gather(*(takes(stores[at], names[at], key) for at in round))
            winners = [at for at, has_begun in zip(round, begun, strict=True) if has_begun]
            if holder is None:
                assert len(winners) == 1
                holder = winners[0]
            else:
                assert winners == [at for at in round if at == holder], "only its own process may take the turn again"
            won += [names[at] for at in winners]
            if is_ended and winners:
                await stores[holder].save(key, [answer(f"a{number}", run_id=names[holder])])
                holder = None
        chat = await stores[0].load(key)
        assert chat is not None
        assert [message.id for message in chat.messages if message.role == "user"] == [f"m_{name}" for name in won]
