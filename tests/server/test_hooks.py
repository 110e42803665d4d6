"""The project's hooks through a whole server."""

from __future__ import annotations

from tests.support.scripted import ScriptedProvider, text
from tests.support.served import ANN, Kitchen

HOOKED = ANN + "usage: {on_usage: sinks:keep, on_error: sinks:report}\n"
SINKS = """
import threading

events, errors = [], []
go_on = threading.Event()

def keep(event):
    go_on.wait(5)
    events.append(event)
    if event["agentName"] == "Bob":
        raise RuntimeError("no")

def report(error, event):
    errors.append((str(error), event["runId"]))
"""


def write_sinks(kitchen: Kitchen, *, waiting: bool = False) -> None:
    (kitchen.folder / "sinks.py").write_text(SINKS + ("" if waiting else "go_on.set()\n"))


async def test_a_hook_is_told_of_each_call_and_a_slow_one_slows_no_answer(kitchen: Kitchen) -> None:
    write_sinks(kitchen, waiting=True)
    served = await kitchen.serve(ScriptedProvider([text("a secret"), text("two")]), HOOKED)
    import sinks  # type: ignore[import-not-found]

    assert (await served.post(x_user_id="ada")).text == "a secret"
    assert (await served.post()).text == "two"
    assert sinks.events == []
    sinks.go_on.set()
    await kitchen.close()
    assert [(event["agentName"], event["cost"], event["costSource"]) for event in sinks.events] == [
        ("Ann", 0.25, "billed")
    ] * 2
    assert sinks.events[0]["context"] == {"userId": "ada"}
    assert "secret" not in str(sinks.events)


async def test_a_hook_that_fails_costs_no_answer(kitchen: Kitchen) -> None:
    write_sinks(kitchen)
    served = await kitchen.serve(ScriptedProvider([text("one")]), HOOKED.replace("Ann", "Bob"))
    import sinks

    assert (await served.post()).text == "one"
    await kitchen.close()
    assert [error for error, _ in sinks.errors] == ["no"]
    assert sinks.errors[0][1].startswith("run_")
