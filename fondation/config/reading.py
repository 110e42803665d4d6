"""A file's bytes -> text, or the one problem that stops us: missing, a folder, too large, not UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

from fondation.config.places import Lines
from fondation.config.problems import Problem

LARGEST = 2_000_000
"""Bytes of a file that is read at all."""

_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class UnreadableFile(Exception):
    """The file's one problem, and its text as far as there is any."""

    def __init__(self, problem: Problem, text: str = "") -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.text = text


def read_text(path: Path, file: str) -> str:
    """The text of a file; `file` is its name in problems. Raises UnreadableFile."""
    raw = _read_bytes(path, file)
    if raw.startswith(codecs.BOM_UTF8):
        raise _failure(
            file, 1, 1, "byte-order-mark", "the file begins with a byte order mark", "save it as UTF-8 without BOM"
        )
    for mark, encoding in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            raise _failure(file, 1, 1, "not-utf8", f"the file is {encoding}, not UTF-8", "save it as UTF-8")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line, column = Lines(raw[: error.start].decode()).position(len(raw[: error.start].decode()))
        problem = Problem(
            file, line, column, "not-utf8", f"the byte {raw[error.start]:#04x} is not UTF-8", "save the file as UTF-8"
        )
        raise UnreadableFile(problem, raw.decode(errors="replace")) from error


def _read_bytes(path: Path, file: str) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise _failure(file, None, None, "missing-file", "there is no such file", _missing_help(path)) from error
    except IsADirectoryError as error:
        help = f"name the file: {path / 'agents.yaml'}"
        raise _failure(file, None, None, "unreadable-file", "this is a folder, not a file", help) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failure(file, None, None, "unreadable-file", f"the file cannot be read: {reason}", "") from error
    if len(raw) > LARGEST:
        message = f"the file is larger than {LARGEST // 1_000_000} MB"
        raise _failure(
            file, None, None, "too-large", message, "put long instructions into files: {file: prompts/name.md}"
        )
    return raw


def _missing_help(path: Path) -> str:
    for other in (path.with_suffix(".yml"), path.with_suffix(".yaml")):
        if other != path and other.is_file():
            return f"did you mean {other}?"
    return "name the file, or change to the project's folder"


def _failure(file: str, line: int | None, column: int | None, code: str, message: str, help: str) -> UnreadableFile:
    return UnreadableFile(Problem(file, line, column, code, message, help))
