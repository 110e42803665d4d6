"""An answer counts once, whoever gives it and through whichever process."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fondation.stores import ChatStore, open_chats
from fondation.stores.chats import Answered, ChatElsewhere, ChatKey

from .chat_values import call

STATES: st.SearchStrategy[Answered] = st.sampled_from(["approved", "denied", "answered", "expired", "passed"])
CHAT_NUMBERS = itertools.count()
RUN_NUMBERS = itertools.count()
ANSWERS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["w1", "w2"]), STATES), min_size=1, max_size=12)


@given(answers=ANSWERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_answers_that_race_one_counts(answers: list[tuple[int, str, Answered]], path: Path) -> None:
    asyncio.run(race(answers, path, ChatKey("ada", f"c{next(CHAT_NUMBERS)}")))


async def race(answers: list[tuple[int, str, Answered]], path: Path, key: ChatKey) -> None:
    with closing(open_chats(path)) as one, closing(open_chats(path)) as two:
        stores: tuple[ChatStore, ChatStore] = (one, two)
        await one.save(key)
        await one.wait(key, [call("w1"), call("w2")])
        counted = await asyncio.gather(*(answer(stores[at], key, id, state) for at, id, state in answers))
        taken = [id for counts, (_, id, _) in zip(counted, answers, strict=True) if counts]
        assert sorted(taken) == sorted(set(taken)), "each counts once"
        assert taken, "the first of all counts"
        for store in stores:
            assert {waiting.id for waiting in await store.waiting(key)} == {"w1", "w2"} - set(taken)


async def answer(store: ChatStore, key: ChatKey, id: str, state: Answered) -> bool:
    """Whether it counts: not where the call was answered, nor where the turn is the other's."""
    try:
        return await store.begin(key, f"r{next(RUN_NUMBERS)}", answers={id: state})
    except ChatElsewhere:
        return False
