from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fondation.errors import ChatStoreError
from fondation.stores import CannotOpen, ChatStore, open_chats, open_store
from fondation.stores.chats import ChatKey, StoredMessage, StoredSummary
from fondation.stores.sqlite import chats_thread
from fondation.stores.sqlite.chats_file import ChatFile
from fondation.stores.sqlite.chats_thread import ChatDatabase, ChatThread
from tests.support.disk import Disk

from .chat_values import KEY, answer, call, user

LETTER = b"a letter to grandmother\n" * 100


@pytest.fixture
def chats(path: Path) -> Iterator[ChatStore]:
    with closing(open_chats(path)) as chats:
        yield chats


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def long(id: str, letter: str = "x", **fields: Any) -> StoredMessage:
    """An answer that needs pages of its own."""
    return answer(id, letter * 20_000, **fields)


async def eventually_saved(path: Path, count: int) -> list[str]:
    """The ids of all messages in the file, once there are so many, as another process reads them."""
    ids = list[str]()
    async with asyncio.timeout(5):
        while len(ids) != count:
            await asyncio.sleep(0.02)
            with closing(sqlite3.connect(path)) as other:
                rows = other.execute("SELECT id FROM fondation_chat_messages ORDER BY chat, position")
                ids = [id for (id,) in rows]
    return ids


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Another process writes to the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def write_letter(path: Path) -> None:
    """Put something that is no database where the database should be."""
    path.write_bytes(LETTER)


def remove_letter(path: Path) -> None:
    assert path.read_bytes() == LETTER, "nobody wrote to it"
    path.unlink()


@contextmanager
def lost(path: Path) -> Iterator[None]:
    """The disk with the database is gone for a while, and something else is in its place."""
    kept = path.with_name("kept")
    kept.mkdir()
    for file in path.parent.glob("fondation.db*"):
        shutil.move(file, kept)
    path.mkdir()
    yield
    path.rmdir()
    for file in kept.iterdir():
        shutil.move(file, path.parent)


async def ticks(seconds: float) -> int:
    """How often the loop comes round every 5 ms meanwhile."""
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        await asyncio.sleep(0.005)
        count += 1
    return count


async def test_a_locked_database_makes_a_save_wait_and_the_loop_go_on(chats: ChatStore, path: Path) -> None:
    await chats.load(KEY)
    async with locked(path):
        saving = asyncio.ensure_future(chats.save(KEY, [user("m1")]))
        assert await ticks(0.3) > 15
        assert not saving.done()
    await saving
    assert await chats.load(KEY) is not None


async def test_a_locked_database_can_be_read(chats: ChatStore, path: Path) -> None:
    await chats.save(KEY)
    async with locked(path):
        async with asyncio.timeout(1):
            assert await chats.load(KEY) is not None


async def test_who_reads_waits_for_no_write_of_another_chat_that_is_asked_together(
    chats: ChatStore, path: Path
) -> None:
    await chats.save(KEY)
    async with locked(path):
        saving = asyncio.ensure_future(chats.save(ChatKey("ada", "c2")))
        async with asyncio.timeout(1):
            assert await chats.load(KEY) is not None
        assert not saving.done()
    await saving


async def test_what_is_read_behind_a_write_of_the_same_chat_has_it(chats: ChatStore) -> None:
    _, chat, listed = await asyncio.gather(chats.save(KEY, [user("m1")]), chats.load(KEY), chats.list("ada"))
    assert chat is not None
    assert chat.messages == (user("m1"),)
    assert listed.chats == ()


async def test_what_is_read_behind_a_mark_of_the_dead_has_it(chats: ChatStore, path: Path) -> None:
    with closing(open_chats(path)) as dead:
        await dead.save(KEY, [answer("a1", status="streaming")])
    marked, chat = await asyncio.gather(chats.mark_cut(), chats.load(KEY))
    assert marked == 1
    assert chat is not None
    assert chat.messages[0].status == "cut"


async def test_a_database_that_stays_locked_is_an_error_and_no_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.1)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY)
        async with locked(path):
            outcomes = await asyncio.gather(*(chats.rename(KEY, "x") for _ in range(3)), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == [
            f"The chats in {path} cannot be read or written: database is locked"
        ] * 3
        assert all(isinstance(outcome, ChatStoreError) for outcome in outcomes)
        assert await chats.rename(KEY, "y")


async def test_a_file_that_is_no_database_is_an_error_until_it_is_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_chats(path)) as chats:
        for file in path.parent.glob("fondation.db*"):
            file.unlink()
        write_letter(path)
        for _ in range(2):
            with pytest.raises(
                ChatStoreError, match=f"The chats in {path} cannot .*: file is not a database"
            ) as caught:
                await chats.load(KEY)
            assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
        remove_letter(path)
        await chats.save(KEY)
        assert await chats.load(KEY) is not None
    assert [record.levelname for record in caplog.records] == ["ERROR"], "that it was replaced"


def test_a_file_that_is_no_database_cannot_be_opened(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_letter(path)
    with pytest.raises(CannotOpen, match="file is not a database") as caught:
        open_chats(path)
    assert caught.value.help == "if fondation made it, move the damaged file away and a new one is made"
    remove_letter(path)
    assert caplog.records == []
    assert not [thread for thread in threading.enumerate() if thread.name == "fondation-chats"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotOpen, match="File exists"):
        open_chats(tmp_path / "file" / "fondation.db")


async def test_a_folder_is_made(tmp_path: Path) -> None:
    with closing(open_chats(tmp_path / "a" / "b" / "fondation.db")) as chats:
        await chats.save(KEY)
        assert await chats.load(KEY) is not None


async def test_one_who_asks_for_the_impossible_spoils_nothing_for_others(chats: ChatStore, path: Path) -> None:
    bad = StoredMessage("m1", "user", (object(),))
    keys = [ChatKey("ada", f"c{number}") for number in range(9)]
    async with locked(path):  # they are asked together
        saves = [
            asyncio.ensure_future(chats.save(key, [bad if key.id == "c4" else user("m1")], title="T")) for key in keys
        ]
        await asyncio.sleep(0.05)
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 4 + [ChatStoreError] + [type(None)] * 4
    assert [chat.id for chat in (await chats.list("ada")).chats] == ["c8", "c7", "c6", "c5", "c3", "c2", "c1", "c0"]


async def test_what_is_asked_together_is_one_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = list[bool]()
    begin = ChatFile.transaction

    def counted(self: ChatFile, *, writes: bool, patiently: bool) -> object:
        transactions.append(writes)
        return begin(self, writes=writes, patiently=patiently)

    with closing(open_chats(path)) as chats:
        await chats.load(KEY)
        monkeypatch.setattr(ChatFile, "transaction", counted)
        async with locked(path):
            saves = [asyncio.ensure_future(chats.save(ChatKey("ada", str(number)))) for number in range(100)]
            await asyncio.sleep(0.05)
        await asyncio.gather(*saves)
    assert len(transactions) <= 3


async def test_a_file_that_is_replaced_is_opened_anew(
    chats: ChatStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await chats.save(KEY)
    for file in path.parent.glob("fondation.db*"):
        file.unlink()
    assert await chats.load(KEY) is None
    assert "was removed, replaced or cut; it is opened anew" in caplog.text
    await chats.save(KEY)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM fondation_chats").fetchone() == (1,)


async def test_a_disk_that_fails_later_is_an_error_then_forgotten(chats: ChatStore, path: Path) -> None:
    await chats.save(KEY)
    with lost(path), pytest.raises(ChatStoreError, match="unable to open database file"):
        await chats.rename(KEY, "x")
    assert await chats.load(KEY) is not None


async def test_a_file_that_failed_is_opened_anew_and_one_that_was_only_locked_is_not(path: Path) -> None:
    def name(database: ChatDatabase) -> ChatDatabase:
        return database

    def failing(error: Exception) -> Callable[[ChatDatabase], None]:
        def fail(database: ChatDatabase) -> None:
            raise error

        return fail

    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    thread = ChatThread(path)
    thread.start(5)
    first = await thread.do(name, writes=False)
    for error, kept in [(ValueError("x"), True), (locked, True), (sqlite3.OperationalError("disk I/O error"), False)]:
        with pytest.raises(ChatStoreError, match=str(error)):
            await thread.do(failing(error), writes=True)
        assert (await thread.do(name, writes=False) is first) == kept
    thread.stop(5)


async def test_one_who_goes_away_is_served_all_the_same(chats: ChatStore, path: Path) -> None:
    await chats.load(KEY)
    async with locked(path):
        saving = asyncio.ensure_future(chats.save(KEY, [user("m1")]))
        another = asyncio.ensure_future(chats.rename(KEY, "asked together"))
        await asyncio.sleep(0.05)
        saving.cancel()
    async with asyncio.timeout(2):
        assert await another
    assert await chats.load(KEY) is not None


async def test_what_was_asked_is_done_before_it_closes(path: Path) -> None:
    chats = open_chats(path)
    saves = [asyncio.ensure_future(chats.save(ChatKey("ada", str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    chats.close()
    await asyncio.gather(*saves)
    with closing(open_chats(path)) as again:
        assert len((await again.list("ada")).chats) == 20


async def test_what_is_asked_while_it_closes_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = ChatThread(path)
    thread.start(5)
    job = chats_thread._Job

    def last_moment(*parts: Any) -> object:
        closing = threading.Thread(target=thread.stop, args=[5])
        closing.start()
        closing.join()
        return job(*parts)

    monkeypatch.setattr(chats_thread, "_Job", last_moment)
    async with asyncio.timeout(2):
        with pytest.raises(ChatStoreError, match="are closed already"):
            await thread.do(lambda database: None, writes=False)


async def test_a_closed_store_refuses(chats: ChatStore, path: Path) -> None:
    chats.close()
    chats.close()
    with pytest.raises(ChatStoreError, match="are closed already"):
        await chats.load(KEY)
    assert not [thread for thread in threading.enumerate() if thread.name == "fondation-chats"]


def test_a_loop_that_is_gone_keeps_nobody(path: Path) -> None:
    with closing(open_chats(path)) as chats:

        async def ask() -> None:
            asyncio.ensure_future(chats.save(KEY))  # noqa: RUF006
            await asyncio.sleep(0)

        asyncio.run(ask())
        assert asyncio.run(chats.load(KEY)) is not None


async def test_a_thread_that_hangs_is_left(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    thread = ChatThread(path)
    thread.start(5)
    released = threading.Event()

    def hang(database: ChatDatabase) -> None:
        released.wait(5)

    waiting = asyncio.ensure_future(thread.do(hang, writes=False))
    await asyncio.sleep(0.05)
    thread.stop(0.05)
    assert "were not closed" in caplog.text
    released.set()
    await waiting


async def test_the_ledger_and_the_chats_open_one_file_at_the_same_time(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_chats(path)) as chats, closing(open_store(path)), closing(open_chats(path)) as others:
        await asyncio.gather(chats.save(KEY), others.save(ChatKey("ada", "c2")))
        assert len((await chats.list("ada")).chats) == 2
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_the_thread_survives_trouble_with_its_chores_and_tells_it_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = list[float]()

    def fail(database: ChatDatabase) -> None:
        done.append(time.monotonic())
        raise OSError("the disk is on fire")

    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.02)
    monkeypatch.setattr(chats_thread, "_look_after_processes", fail)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY)
        await asyncio.sleep(0.2)
        assert len(done) > 2
        assert await chats.load(KEY) is not None
    assert caplog.text.count("the disk is on fire") == 1


async def test_a_lock_that_its_chores_met_leaves_it_patient(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(chats_thread, "RENEW_SECONDS", 0.02)
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.05)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY)
        async with asyncio.timeout(5), locked(path):
            while "database is locked" not in caplog.text:
                await ticks(0.01)
        monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 5.0)
        async with locked(path):
            renaming = asyncio.ensure_future(chats.rename(KEY, "x"))
            await asyncio.sleep(0.2)
            assert not renaming.done()
        assert await renaming


async def test_what_a_full_disk_refuses_is_told_and_saved_when_there_is_room(
    chats: ChatStore, path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    await chats.save(KEY, [user("m1")])
    disk.full = True
    await chats.save(KEY, [long("a1", status="streaming")])
    await chats.save(KEY, [long("a1", "y")], agent="Ann")
    told = await chats.load(KEY)
    assert told is not None
    assert (told.messages, told.agent) == ((user("m1"), long("a1", "y")), "Ann")
    assert await eventually_saved(path, 1) == ["m1"]
    disk.full = False
    assert await eventually_saved(path, 2) == ["m1", "a1"]
    assert await chats.load(KEY) == told
    assert caplog.messages == [
        f"Failed to save chats to {path}: database or disk is full. Answers go on; messages that wait: 1, in memory",
        f"Can save chats to {path} again",
    ]


async def test_a_database_that_is_locked_for_long_saves_later_and_is_read_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.2)
    with closing(open_chats(path)) as chats:
        await chats.save(KEY, [user("m1")])
        async with locked(path):
            saving = asyncio.ensure_future(chats.save(KEY, [answer("a1")]))
            reading = asyncio.ensure_future(chats.load(KEY))  # in one transaction with it
            await asyncio.gather(saving, reading)
            begun = time.monotonic()
            await chats.save(KEY, [user("m2")])
            assert time.monotonic() - begun < 0.19, "it has lost its patience"
            told = await chats.load(KEY)
            assert told is not None
            assert [message.id for message in told.messages] == ["m1", "a1", "m2"]
        assert await eventually_saved(path, 3) == ["m1", "a1", "m2"]
        async with locked(path):
            saving = asyncio.ensure_future(chats.save(KEY, [user("m3")]))
            await asyncio.sleep(0.1)
            assert not saving.done(), "it is patient again"
        await saving


async def test_what_must_be_answered_at_once_is_an_error_and_nothing_overtakes(
    chats: ChatStore, path: Path, disk: Disk
) -> None:
    disk.full = True
    await chats.save(KEY, [long("a1", status="waiting")])
    await chats.wait(KEY, [call("w1")])
    answering = chats.begin(KEY, "r1", answers={"w1": "approved"})
    for asked in (chats.waiting(KEY), answering, chats.rename(KEY, "x"), chats.delete(KEY)):
        with pytest.raises(ChatStoreError, match="disk is full"):
            await asked
    disk.full = False
    assert await chats.begin(KEY, "r1", answers={"w1": "approved"})
    assert await chats.waiting(KEY) == ()


async def test_a_late_edit_drops_what_follows(chats: ChatStore, path: Path, disk: Disk) -> None:
    await chats.save(KEY, [user("m1"), answer("a1"), user("m2"), answer("a2")], summary=StoredSummary("Hello.", "a1"))
    disk.full = True
    await chats.save(KEY, [long("a2", "late")])
    await chats.save(KEY, [user("m1", "edited")], drop_from="m1")
    told = await chats.load(KEY)
    assert told is not None
    assert told.summary is None, "it stood for what is dropped"
    await chats.save(KEY, [long("a3")], summary=StoredSummary("Edited.", "m1"), title="Late")
    told = await chats.load(KEY)
    assert told is not None
    assert (told.messages, told.summary) == ((user("m1", "edited"), long("a3")), StoredSummary("Edited.", "m1"))
    disk.full = False
    assert await eventually_saved(path, 2) == ["m1", "a3"]
    assert await chats.load(KEY) == told


async def test_what_waits_is_bounded(
    chats: ChatStore, path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_late.MOST_CHARACTERS", 50_000)
    await chats.load(KEY)
    disk.full = True
    for number in range(4):
        await chats.save(ChatKey("ada", f"c{number}"), [long(f"a{number}")])
    disk.full = False
    assert await eventually_saved(path, 2) == ["a2", "a3"]
    assert f"Failed to save chats to {path}: messages lost: 2" in caplog.messages


async def test_what_waits_is_saved_at_the_end_or_said_to_be_lost(
    path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    for full in (False, True):
        with closing(open_chats(path)) as chats:
            await chats.load(KEY)
            disk.full = True
            await chats.save(KEY, [long(f"a{full}")])
            disk.full = full
    assert await eventually_saved(path, 1) == ["aFalse"]
    assert caplog.messages[-1] == f"Failed to save chats to {path}: messages lost: 1"


async def test_a_late_save_that_is_impossible_does_not_hold_up_the_others(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.05)
    with closing(open_chats(path)) as chats:
        await chats.load(KEY)
        async with locked(path):
            await chats.save(ChatKey("ada", "bad"), [StoredMessage("m1", "user", (object(),))])
            await chats.save(KEY, [user("m2")])
        assert await eventually_saved(path, 1) == ["m2"]
        await chats.save(KEY, [user("m3")])
    assert await eventually_saved(path, 2) == ["m2", "m3"]
    assert "chat bad: what was said cannot be saved: " in caplog.text


async def test_trouble_of_an_unknown_kind_is_tried_again_in_peace(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_file.BUSY_SECONDS", 0.05)
    tries = list[float]()
    with closing(open_chats(path)) as chats:
        await chats.load(KEY)
        async with locked(path):
            await chats.save(KEY, [user("m1")])

            def fail(self: ChatThread) -> ChatDatabase:
                tries.append(time.monotonic())
                raise ValueError("who knows")

            monkeypatch.setattr(ChatThread, "_open_database", fail)
            await asyncio.sleep(0.5)
            assert 1 <= len(tries) < 10
            monkeypatch.undo()
        assert await eventually_saved(path, 1) == ["m1"]
