from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from fondation.errors import InstructionsError
from fondation.instructions import PlainText, compile_instructions

NAMES: dict[str, object] = {"agent": "Helper", "user_id": None, "context": {"plan": "pro", "seats": None}}
NAMES |= {"now": datetime(2026, 1, 31, 9, 5, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("You are {{ agent }}.\n", "You are Helper.\n"),
        ("For <{{ user_id }}> and <{{ context.seats }}>", "For <> and <>"),
        ("{% if context.plan == 'pro' %}Be quick.{% endif %}", "Be quick."),
        ("{{ context['plan']|upper }} {{ context.get('plan') }}", "PRO pro"),
        ("{{ context.missing }}", ""),
        ("{{ now.strftime('%H:%M') }}", "09:05"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ '%.2f'|format(1.5) }} {{ '{:>5}'.format('a') }} {{ 'a'|center(5) }}", "1.50     a   a  "),
        ("{# a note #}<b>&</b>", "<b>&</b>"),
        ("<{{ agent.__class__ }}>", "<>"),
        ("{% raw %}{{ agent }}{% endraw %}", "{{ agent }}"),
        ("{% for k, v in context.items() %}{{ k }}={{ v }};{% endfor %}", "plan=pro;seats=;"),
    ],
)
def test_a_template_is_rendered_with_the_names_of_the_run(text: str, rendered: str) -> None:
    assert compile_instructions(text).render(NAMES) == rendered


@pytest.mark.parametrize("text", ["", "Plain.\n", "{ not } a { template }", "100%", "{x}"])
def test_plain_text_is_itself(text: str) -> None:
    assert compile_instructions(text) == PlainText(text)
    assert compile_instructions(text).render({}) == text


def test_plain_text_never_imports_jinja2() -> None:
    code = (
        "import sys; from fondation.instructions import compile_instructions;"
        "compile_instructions('Plain.').render({}); assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("text", ["{{ agent", "{% if %}", "{{ agent|nothing }}", "{% for %}", "{{ ((( }}"])
def test_a_broken_template_cannot_be_compiled(text: str) -> None:
    with pytest.raises(InstructionsError, match="no template"):
        compile_instructions(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * 'x' }}",
        "{{ [1] * 10**9 }}",
        "{{ 9**9**9 }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'|indent(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ range(1000000000)|list }}",
        "{{ ('x' * 900000) + ('x' * 900000) }}",
        "{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}",
        "{{ agent.__class__.__mro__ }}",
        "{{ context.update({'plan': 'free'}) }}",
        "{{ context.plan.x.y }}",
        "{{ 1 / 0 }}",
        "{% include 'secret' %}",
    ],
)
def test_a_template_can_neither_grow_nor_reach_out(text: str) -> None:
    template = compile_instructions(text)
    began = time.monotonic()
    with pytest.raises(InstructionsError):
        template.render(NAMES)
    assert time.monotonic() - began < 1
