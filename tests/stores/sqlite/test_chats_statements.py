"""What holds for every statement on the chat tables."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from fondation.stores.sqlite import chats_pages, chats_processes, chats_runs, chats_tables
from fondation.stores.sqlite.chats_file import ChatFile

VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")


class Anything(dict[str, object]):
    def __missing__(self, name: str) -> int:
        return 1


def statements(*modules: ModuleType) -> list[str]:
    constants = [value for module in modules for name, value in vars(module).items() if name.isupper()]
    flat = [text for value in constants for text in (value if isinstance(value, tuple) else (value,))]
    return [text for text in flat if isinstance(text, str) and text.startswith(VERBS)]


OF_OWNERS = statements(chats_tables, chats_pages)
OF_RUNS = statements(chats_runs)
OF_PROCESSES = statements(chats_processes)


def test_the_statements_are_found() -> None:
    assert (len(OF_OWNERS), len(OF_RUNS), len(OF_PROCESSES)) == (27, 5, 6)


@pytest.mark.parametrize("statement", OF_OWNERS)
def test_it_names_the_owner(statement: str) -> None:
    assert "owner = :owner" in statement or ("INSERT" in statement and ":owner" in statement)


@pytest.mark.parametrize("statement", OF_OWNERS)
def test_it_reads_no_whole_table_and_sorts_none(path: Path, statement: str) -> None:
    steps = plan(path, statement)
    assert [step for step in steps if "SCAN" in step and "json_each" not in step] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


@pytest.mark.parametrize("statement", OF_PROCESSES)
def test_the_look_after_processes_reads_no_more_messages_than_are_being_written(path: Path, statement: str) -> None:
    steps = [step for step in plan(path, statement) if "fondation_chat_messages" in step]
    assert [step for step in steps if "fondation_chat_messages_streaming" not in step] == []


@pytest.mark.parametrize("statement", [*OF_RUNS, *OF_PROCESSES])
def test_runs_are_found_by_an_index(path: Path, statement: str) -> None:
    assert [step for step in plan(path, statement) if step.startswith("SCAN fondation_chat_runs")] == []


def plan(path: Path, statement: str) -> list[str]:
    with closing(ChatFile(path)) as file:
        return [str(row[3]) for row in file.connection.execute(f"EXPLAIN QUERY PLAN {statement}", Anything())]
