"""`fondation chat`: the engine of the server in a terminal."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fondation.cli import chat

AGENTS = """\
version: 1
models:
  free:
    provider: simulated
  down:
    provider: openai
    id: some-model
    base_url: http://127.0.0.1:9/v1
    retries: 0
tools:
  check_invoice: desk:check_invoice
  wait: desk:wait
  insist: desk:insist
agents:
  Triage:
    model: free
    instructions: Route.
    handoffs: [Billing]
  Billing:
    model: free
    description: Invoices and payments.
    instructions: Bill.
    tools: [check_invoice, wait, insist]
  Broken:
    model: down
    instructions: Fail.
routes:
  /api/desk:
    agent: Triage
    limits:
      max_message_length: 40
  /api/broken: Broken
"""
DESK = '''\
import asyncio

from fondation import RunContext, ToolError


def check_invoice(invoice_id: str, context: RunContext) -> dict[str, str]:
    """The status of an invoice."""
    context.emit("progress", {"done": 1})
    if invoice_id == "INV-0":
        raise ToolError("There is no INV-0.")
    return {"status": "Paid"}


async def wait() -> None:
    """Wait for an invoice."""
    await asyncio.sleep(20)


async def insist() -> None:
    """Insist."""
    try:
        await asyncio.sleep(20)
    except asyncio.CancelledError:
        print("insisting", flush=True)
        await asyncio.sleep(20)
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agents.yaml").write_text(AGENTS)
    (tmp_path / "desk.py").write_text(DESK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chat, "set_up_logging", lambda level, format: None)
    return tmp_path


def talk(*lines: str, args: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(chat.command, args, input="".join(f"{line}\n" for line in lines))


def rows(project: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(project / "fondation.db")) as database:
        query = "SELECT agent_name, status, cost_source FROM usage_tracking ORDER BY id"
        return database.execute(query).fetchall()


def test_tools_handoffs_text_and_cost_are_shown(project: Path) -> None:
    result = talk("Is my invoice INV-42 paid?")
    assert result.exit_code == 0
    assert result.output.splitlines()[:5] == [
        "  Triage hands off to Billing: The message mentions “invoice”, “paid”.",
        '  > check_invoice {"invoice_id": "INV-42"}',
        '  data-progress {"done": 1}',
        '  < check_invoice {"status": "Paid"}',
        "Billing: Simulated answer, no model was called. According to check_invoice, the status is Paid.",
    ]
    assert "tokens, simulated" in result.output.splitlines()[5]


def test_every_call_is_recorded(project: Path) -> None:
    talk("Is my invoice INV-42 paid?")
    assert rows(project) == [(name, "done", "simulated") for name in ("Triage", "Billing", "Billing")]


def test_each_line_is_a_message_and_the_conversation_goes_on(project: Path) -> None:
    result = talk("Is my invoice INV-42 paid?", "", "hello")
    assert [line.split(":")[0] for line in result.output.splitlines() if "Simulated" in line] == ["Billing", "Billing"]


def test_reset_begins_anew(project: Path) -> None:
    result = talk("Is my invoice INV-42 paid?", "/reset", "hello")
    assert [line.split(":")[0] for line in result.output.splitlines() if "Simulated" in line] == ["Billing", "Triage"]


def test_quit_leaves(project: Path) -> None:
    assert "Simulated" not in talk("/quit", "hello").output


def test_an_unknown_command_is_no_message(project: Path) -> None:
    assert talk("/quti").output == "There is no command /quti; there are /reset and /quit.\n"


def test_a_path_is_a_message(project: Path) -> None:
    assert "You wrote: “/etc/hosts is gone”" in talk("/etc/hosts is gone").output


def test_a_failed_tool_is_shown(project: Path) -> None:
    assert "  ! check_invoice: There is no INV-0." in talk("Is my invoice INV-0 paid?").output


def test_a_failed_answer_is_a_sentence_and_an_exit_code(project: Path) -> None:
    result = talk("hello", args=("/api/broken",))
    assert result.exit_code == 1
    assert "The model provider is not available right now." in result.output
    assert "some-model" not in result.stdout, "no model answered"


def test_simulate_answers_for_every_model(project: Path) -> None:
    result = talk("hello", args=("api/broken", "--simulate"))
    assert result.exit_code == 0
    assert "Broken: Simulated answer" in result.output


def test_a_message_that_is_too_long_is_not_sent(project: Path) -> None:
    result = talk("x" * 41)
    assert result.exit_code == 1
    assert result.output == "The message is longer than 40 characters.\n"


def test_an_unknown_route_names_the_routes(project: Path) -> None:
    result = talk(args=("/api/dsk",))
    assert result.exit_code == 2
    assert "there is no route /api/dsk; type one of: /api/desk, /api/broken" in result.output


def test_problems_of_the_file_are_shown(project: Path) -> None:
    (project / "agents.yaml").write_text("version: 1\nagents: 3\n")
    result = talk("hello")
    assert result.exit_code == 1
    assert "agents.yaml:2" in result.output


def test_a_missing_key_says_what_to_type(project: Path) -> None:
    (project / "agents.yaml").write_text(AGENTS.replace("    base_url: http://127.0.0.1:9/v1\n", ""))
    result = talk("hello")
    assert result.exit_code == 1
    assert "set OPENAI_API_KEY" in result.output
    assert "--simulate=missing" in result.output


def test_a_ledger_that_cannot_be_opened_is_told(project: Path) -> None:
    (project / "fondation.db").write_text("a letter to grandmother\n" * 100)
    result = talk("Hello")
    assert result.exit_code == 1
    assert (
        "fondation.db cannot be opened: file is not a database\n  = help: if fondation made it, move" in result.stderr
    )


def test_a_file_without_routes_says_so(project: Path) -> None:
    (project / "agents.yaml").write_text(AGENTS[: AGENTS.index("routes:")])
    assert "add one under routes" in talk("hello").output


class Terminal:
    """`fondation chat` in a terminal of its own."""

    def __init__(self, project: Path) -> None:
        self._keyboard, end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fondation", "chat"], cwd=project, stdin=end, stdout=end, stderr=end
        )
        os.close(end)
        os.set_blocking(self._keyboard, False)
        self.shown = ""

    def type(self, line: str) -> None:
        os.write(self._keyboard, line.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def wait_for(self, text: str) -> None:
        """Read until `text` is shown; what is read is done with."""
        limit = time.monotonic() + 20
        while text not in self.shown:
            assert time.monotonic() < limit, f"{text!r} is not in {self.shown!r}"
            try:
                self.shown += os.read(self._keyboard, 4096).decode()
            except BlockingIOError:
                time.sleep(0.01)
        self.shown = self.shown.partition(text)[2]

    def leave(self) -> int:
        return self.process.wait(20)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._keyboard)


@pytest.fixture
def terminal(project: Path) -> Iterator[Terminal]:
    terminal = Terminal(project)
    yield terminal
    terminal.close()


def test_ctrl_c_stops_an_answer_and_a_second_one_leaves(terminal: Terminal, project: Path) -> None:
    terminal.wait_for("Triage on /api/desk. /reset begins anew")
    terminal.wait_for("> ")
    terminal.type("wait for an invoice\n")
    terminal.wait_for("> wait {}")
    terminal.interrupt()
    terminal.wait_for("(stopped)")
    terminal.wait_for("\n> ")
    terminal.interrupt()
    assert terminal.leave() == 0
    assert rows(project) == [(name, "done", "simulated") for name in ("Triage", "Billing")]


def test_a_second_ctrl_c_leaves_also_while_the_answer_is_being_stopped(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("insist on my invoice\n")
    terminal.wait_for("> insist {}")
    terminal.interrupt()
    terminal.wait_for("insisting")
    terminal.interrupt()
    assert terminal.leave() == 0


def test_an_answer_that_is_stopped_is_recorded_as_aborted(terminal: Terminal, project: Path) -> None:
    terminal.wait_for("> ")
    terminal.type("hello\n")
    terminal.wait_for("Simulated")
    terminal.interrupt()
    terminal.wait_for("(stopped)")
    terminal.wait_for("tokens, simulated")
    terminal.type("/quit\n")
    assert terminal.leave() == 0
    assert rows(project) == [("Triage", "aborted", "simulated")]


def test_the_end_of_input_leaves(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("\x04")
    assert terminal.leave() == 0
