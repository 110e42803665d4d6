from __future__ import annotations

import time
from typing import Any

import pytest

from fondation.stores.chats import ChatKey, StoredMessage
from fondation.stores.sqlite import chats_late
from fondation.stores.sqlite.chats_late import Ended, LateSaves, Save
from fondation.stores.sqlite.chats_tables import Saving

from .chat_values import KEY, answer, call

OTHER = ChatKey("ada", "c2")


def saving(*messages: StoredMessage, key: ChatKey = KEY, drop_from: str | None = None) -> Save:
    return Save(key, Saving(messages, drop_from, None, None, None, time.time()))


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> LateSaves:
    monkeypatch.setattr(chats_late, "MOST_CHARACTERS", 10_000)
    return LateSaves()


def test_versions_of_one_message_fill_no_more_room_than_the_last(late: LateSaves) -> None:
    for number in range(50):
        assert late.add(saving(answer("a1", "x" * 100 * number))) == 0
    assert len(late) == 1


def test_the_chat_that_has_waited_longest_makes_room(late: LateSaves) -> None:
    late.add(saving(answer("a1"), answer("a2")))
    late.add(Save(KEY, (call("w1"),)))
    assert late.add(saving(answer("a3", "x" * 9_500), key=OTHER)) == 3
    assert [save.key for save in late] == [OTHER]


@pytest.mark.parametrize("how", ["removed", "cleared", "given up"])
def test_room_is_free_again(how: str, late: LateSaves) -> None:
    for _ in range(5):
        late.add(saving(answer("a1", "x" * 6_000)))
        late.add(saving(answer("a2", "x" * 1_000), drop_from="a1"))
        if how == "cleared":
            late.clear()
        elif how == "removed":
            for save in [*late]:
                late.remove(save)
        else:
            assert late.add(saving(answer("a3", "x" * 9_000), key=OTHER)) == 2
            late.clear()
        assert not late


def test_what_waits_already_is_not_measured_again(late: LateSaves) -> None:
    measured = list[str]()

    class Part(dict[str, Any]):
        def __repr__(self) -> str:
            measured.append("")
            return super().__repr__()

    late.add(saving(StoredMessage("a1", "assistant", (Part(type="text", text="x"),))))
    for _ in range(9):
        late.add(saving(answer("a2")))
        late.add(Save(KEY, Ended("r1")))
    assert len(measured) == 1


def test_the_end_of_a_run_is_no_message(late: LateSaves) -> None:
    late.add(Save(KEY, Ended("r1")))
    assert late
    assert len(late) == 0
