"""An agent's instructions: a Jinja2 template in a sandbox, rendered once per run and agent.

Plain text never imports Jinja2. A template has no way to other files, to the process, or to memory without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from fondation.errors import InstructionsError

if TYPE_CHECKING:
    import jinja2

    from fondation.sandbox import Sandbox

NAMES = ("user_id", "session_id", "chat_id", "now", "today", "agent", "context")
"""What a template may use; `context` holds the values that its routes declare."""

TOO_DEEP = (RecursionError, SyntaxError)
"""What Python raises for the code of a template with too many levels."""

_MARKS = re.compile(r"\{[{%#]")


class Template(Protocol):
    """Compiled instructions."""

    def render(self, names: Mapping[str, object]) -> str:
        """The text for a run. Raises InstructionsError when the template fails."""


@dataclass(frozen=True, slots=True)
class PlainText:
    """Instructions without any template mark."""

    text: str

    def render(self, names: Mapping[str, object]) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class JinjaTemplate:
    """Instructions with template marks, compiled."""

    template: jinja2.Template
    longest: int

    def render(self, names: Mapping[str, object]) -> str:
        pieces: list[str] = []
        length = 0
        try:
            for piece in self.template.generate(names):
                length += len(piece)
                if length > self.longest:
                    raise InstructionsError(f"the instructions become longer than {self.longest} characters")
                pieces.append(piece)
        except InstructionsError:
            raise
        except Exception as error:
            raise InstructionsError(f"the instructions cannot be rendered: {error}") from error
        return "".join(pieces)


def is_template(text: str) -> bool:
    """Whether `text` has anything to replace."""
    return _MARKS.search(text) is not None


def compile_instructions(text: str) -> Template:
    """Compile instructions. Raises InstructionsError for a template that cannot be read."""
    if not is_template(text):
        return PlainText(text)
    import jinja2

    from fondation.sandbox import LONGEST

    try:
        return JinjaTemplate(template_environment().from_string(text), LONGEST)
    except (jinja2.TemplateError, *TOO_DEEP) as error:
        raise InstructionsError(f"the instructions are no template: {error}") from error


@cache
def template_environment() -> Sandbox:
    """The sandbox that compiles every template."""
    from fondation.sandbox import Sandbox

    return Sandbox()
