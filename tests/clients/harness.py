"""The published AI SDK clients as a test harness.

One node process a client, kept for the whole run, plays one scenario after the other. `Scenario` is what it
is told, `Outcome` what it saw; `play.mjs` is the other side of both.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

FOLDER = Path(__file__).parent
CLIENTS = ("ai-5.0.71", "ai-5", "ai-6.0.230", "ai-6", "ai-7")
"""The aliases of package.json. 5.0.71 and 6.0.230 are strict: a field that they do not know throws."""
OLDEST_NODE = 22
GRACE = 5.0
"""Seconds beyond a scenario's limit after which its node process counts as stuck."""


class ClientsUnavailable(Exception):
    """The clients cannot run on this machine; the text says why and what to type."""


Body: TypeAlias = Literal["full", "message", "turn", "trigger"]
"""What is posted: the client's own body; `{id, message}` with the last message only; the same with `trigger` and
`messageId`; or these with a message only where one is new.
"""


class Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class After(Json):
    """A moment in an answer: the first of these."""

    texts: int | None = None
    """Changes of the assistant's message that added text."""
    tools: int | None = None
    """Tools that are running."""
    seconds: float | None = None
    """Since the assistant's message began."""


class CallAnswer(Json):
    """What a page answers to a call that waits; `approved` goes the way that the client's major knows."""

    output: Any = None
    error_text: str | None = None
    approved: bool | None = None
    reason: str | None = None


class Turn(Json):
    """What a user does; with none of `regenerate`, `answers` and `resume` it is to send a message."""

    send: str | None = None
    """The user's message."""
    files: list[dict[str, str]] = []
    """File parts that go along with it."""
    message: int | None = None
    """The place of the message that is edited, or whose answer is given anew; without it the newest."""
    regenerate: bool = False
    answers: list[CallAnswer] = []
    """One for each call that waits, in their order."""
    resume: bool = False
    """Read the answer that is under way, and let a held one go on once it shows."""
    readers: int = 0
    """Pages that open the chat at its answer's first text, and read along; a held answer goes on once all show it."""
    stop_after: After | None = None
    stop: Literal["connection", "run"] = "connection"
    """How: by the client's own stop, which only leaves, or by the route's."""
    cut_after: After | None = None
    """When the network is lost."""


class Scenario(Json):
    turns: list[Turn]
    id: str | None = None
    """The chat's id; without one the client makes its own."""
    messages: list[dict[str, Any]] = []
    """The conversation before the first turn, as UI messages."""
    body: Body = "full"
    headers: dict[str, str] = {}
    extra: dict[str, Any] = {}
    """Fields that go along in every body."""
    page_tools: dict[str, CallAnswer] = {}
    """Tools that the page runs by itself as soon as they are called."""
    send_automatically: bool = False
    """Post again by itself when all calls of the last answer are answered, as the client's own conditions say."""
    max_posts: int = 4
    """Where an endless chain of such posts is cut."""
    release: str = ""
    """Where to post that a held answer may go on."""
    limit: float = 20.0
    """Seconds for the whole scenario."""


class Chunk(Json):
    chunk: dict[str, Any]
    problem: str | None
    """Why this client's own schema refuses it; None where it does not."""


class Exchange(Json):
    """One request and its answer, as they were on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    status: int | None
    """None when no answer came."""
    response_headers: dict[str, str]
    raw: str
    """The answer's whole body."""
    broken: str | None
    """How the answer's body ended early, by whichever side; None where it ended by itself."""
    chunks: list[Chunk]
    """The events of a `text/event-stream` but the last `[DONE]`."""
    done: bool
    """Whether the stream ended in `[DONE]`."""


class Finish(Json):
    """What `onFinish` was told; `finish_reason` is unknown to old clients."""

    is_abort: bool
    is_disconnect: bool
    is_error: bool
    finish_reason: str | None


class UIMessage(BaseModel):
    """A message of the chat; clients add fields of their own."""

    id: str
    role: str
    parts: list[dict[str, Any]]
    metadata: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        return "".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def steps(self) -> list[list[str]]:
        """The types of the parts, by step."""
        steps: list[list[str]] = []
        for part in self.parts:
            if part["type"] == "step-start":
                steps.append([])
            else:
                steps[-1].append(part["type"])
        return steps

    def parts_of(self, kind: str) -> list[dict[str, Any]]:
        return [part for part in self.parts if part["type"] == kind]


class Outcome(Json):
    """What a client saw and ended as."""

    chat_id: str
    status: str
    """Of the chat: `ready` or `error`; another one means that it hangs."""
    error: str | None
    messages: list[UIMessage]
    data: list[dict[str, Any]]
    """What `onData` was given."""
    finishes: list[Finish]
    exchanges: list[Exchange]
    looped: bool
    """The client would have posted once more than `max_posts`."""
    timed_out: bool
    stopped_at: float | None
    """When stop was pressed, in seconds since the epoch."""
    readers: list[Outcome] = []
    """What the pages saw that read along."""

    @property
    def posts(self) -> int:
        return sum(exchange.method == "POST" for exchange in self.exchanges)

    @property
    def last(self) -> UIMessage:
        return self.messages[-1]

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """Of the last answer."""
        return [received.chunk for received in self.exchanges[-1].chunks]

    @property
    def types(self) -> list[str]:
        """Of the last answer's chunks."""
        return [str(chunk.get("type")) for chunk in self.chunks]

    @property
    def problems(self) -> list[str]:
        """What this client's schema refuses, in all answers."""
        received = (chunk for exchange in self.exchanges for chunk in exchange.chunks)
        return [f"{each.chunk}: {each.problem}" for each in received if each.problem is not None]

    def data_of(self, kind: str) -> list[dict[str, Any]]:
        return [part["data"] for part in self.data if part["type"] == kind]


class NodeProcess:
    """A node script that answers each line on its stdin with one on its stdout. It is started when first asked."""

    def __init__(self, folder: Path, command: Callable[[], list[str]]) -> None:
        self._folder = folder
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    def ask(self, order: str, seconds: float) -> str:
        """The line that answers `order`. RuntimeError when the process died, or hung for longer than `seconds`."""
        process = self._running()
        guard = threading.Timer(seconds + GRACE, process.kill)
        guard.start()
        try:
            answer = _exchange(process, order)
        finally:
            guard.cancel()
        if not answer:
            self.close()
            command = " ".join(self._command()[1:])
            raise RuntimeError(f"the node process of {command} died or hung; what it printed is above")
        return answer

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._command(), cwd=self._folder, stdin=pipe, stdout=pipe, text=True)
        return self._process


class Client:
    """One version of the npm client, in a node process of its own."""

    def __init__(self, name: str, node: str) -> None:
        self.name = name
        self.node = node
        self._process = NodeProcess(FOLDER, lambda: [self.node, "drive.mjs", self.name])

    def drive(self, url: str, scenario: Scenario) -> Outcome:
        """Play `scenario` against the route `url`.

        It ends within the scenario's limit and a little grace: RuntimeError when the process died or hung.
        """
        order = _Order(url=url, **dict(scenario)).model_dump_json(by_alias=True)
        return Outcome.model_validate_json(self._process.ask(order, scenario.limit))

    def close(self) -> None:
        self._process.close()


class _Order(Scenario):
    url: str


def _exchange(process: subprocess.Popen[str], order: str) -> str:
    """The line that answers `order`; empty when the process is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(order + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


@contextlib.contextmanager
def clients() -> Iterator[dict[str, Client]]:
    """Every client by name, installed; closed at the end. Raises ClientsUnavailable."""
    install()
    node = find_node()
    running = {name: Client(name, node) for name in CLIENTS}
    try:
        yield running
    finally:
        for client in running.values():
            client.close()


def install(folder: Path | None = None) -> None:
    """Run `npm ci` in the folder (by default this one), unless node_modules is what the lock file says already."""
    folder = folder or FOLDER
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run in several processes
        _install(folder, hashlib.sha256(lock.read()).hexdigest())


def _install(folder: Path, lock: str) -> None:
    stamp = folder / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise ClientsUnavailable("npm is not installed: install node with npm")
    done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise ClientsUnavailable(f"`npm ci` in {folder} failed:\n{done.stderr[-2000:]}")
    stamp.write_text(lock)


def find_node(oldest: int = OLDEST_NODE) -> str:
    """The node that npm brought, or the machine's own where npm has none for it."""
    brought = FOLDER / "node_modules" / ".bin" / "node"
    if brought.exists():
        return str(brought)
    own = shutil.which("node")
    if own is None:
        raise ClientsUnavailable(f"node is not installed: install node {oldest} or newer")
    version = subprocess.run([own, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < oldest:
        raise ClientsUnavailable(f"node {version} is too old: install node {oldest} or newer")
    return own


def required() -> bool:
    """Whether a machine without the clients fails the tests instead of skipping them."""
    return os.environ.get("CI") == "true" or os.environ.get("FONDATION_REQUIRE_CLIENTS") == "1"
