from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.config import load
from fondation.config.checks.template_faults import find_faults
from fondation.config.checks.template_tree import MOST_TOKENS
from fondation.errors import InstructionsError
from fondation.instructions import compile_instructions
from tests.config.projects import VALID, project

CONTEXTS = [{"plan": "string", "seats": "integer", "vip": "boolean", "rate": "number"}]


def failing(template: str) -> list[tuple[str, str]]:
    """What is underlined, and why."""
    return [
        (template[fault.index : fault.index + fault.length], fault.message)
        for fault in find_faults(template, "Helper", CONTEXTS)
        if fault.code == "failing-template"
    ]


@pytest.mark.parametrize(
    ("template", "place", "reason"),
    [
        ("{{ 5 }} {{ 1/0 }} {{ 6 }}", "1/0", "division by zero"),
        ("{{ agent.__class__ }}", "__class__", "out of a template's reach"),
        ("{{ context.plan.__class__.__mro__ }}", "__class__", "out of a template's reach"),
        ("{% if context.plan %}{{ agent.__class__ }}{% endif %}", "__class__", "out of a template's reach"),
        ("{{ agent|attr('__class__') }}", "attr", "out of a template's reach"),
        ("{{ [].append(1) }}", "append", "out of a template's reach"),
        ("{{ today + 1 }}", "today + 1", "can only concatenate str"),
        ("{{ user_id + 1 }}", "user_id + 1", "unsupported operand"),
        ("{{ today > 5 }}", "today > 5", "not supported between"),
        ("{{ -agent }}", "-agent", "bad operand type"),
        ("{{ agent.foo() }}", "foo", "no attribute 'foo'"),
        ("{{ agent.foo.bar }}", "bar", "no attribute 'foo'"),
        ("{{ context.seats.upper() }}", "upper", "no attribute 'upper'"),
        ("{{ now.isoformat() }}", "isoformat", "no attribute 'isoformat'"),
        ("{{ agent|replace('a') }}", "replace", "replace missing 1 required positional argument: 'new'"),
        ("{{ context.plan|truncate('x') }}", "truncate", "not supported between"),
        ("{{ agent|center(width='x') }}", "center", "cannot be interpreted as an integer"),
        ("{{ agent is divisibleby }}", "divisibleby", "divisibleby missing 1 required"),
        ("{{ '%d'|format(agent) }}", "format", "a real number is required"),
        ("{{ 'x' * 10**9 }}", "'x' * 10**9", "repeated too often"),
        ("{{ range(1000000) }}", "range", "above 10000"),
        ("{{ {'a': 1}['a'] / 0 }}", "{'a': 1}['a'] / 0", "division by zero"),
        ("{{ 'a' ~ (1 // 0) }}", "1 // 0", "zero"),
        ("{{ 'x' if 1/0 else 'y' }}", "1/0", "division by zero"),
        ("{{ not 1/0 }}", "1/0", "division by zero"),
        ("{{ 'a' in 5 }}", "'a' in 5", "not iterable"),
        ("{% for x in 5 %}{% endfor %}", "5", "not iterable"),
        ("{% for x in [] %}{% else %}{{ 1/0 }}{% endfor %}", "1/0", "division by zero"),
        ("{% for x in [1] %}{{ 1/0 }}{% endfor %}", "1/0", "division by zero"),
        ("{% for x in context.seats %}{% endfor %}", "seats", "not iterable"),
        ("{% if agent %}{{ 1/0 }}{% endif %}", "1/0", "division by zero"),
        ("{% if not agent %}{% elif 1/0 %}{% endif %}", "1/0", "division by zero"),
        ("{% if not agent %}{% else %}{{ 1/0 }}{% endif %}", "1/0", "division by zero"),
        ("{% set x = 1/0 %}", "1/0", "division by zero"),
        ("{% set x %}{{ 1/0 }}{% endset %}", "1/0", "division by zero"),
        ("{% with x = 1/0 %}{% endwith %}", "1/0", "division by zero"),
        ("{% filter upper %}{{ 1/0 }}{% endfilter %}", "1/0", "division by zero"),
        ("{% macro f(x) %}{% endmacro %}{{ f(1/0) }}", "1/0", "division by zero"),
        ("{% macro f(x) %}{% endmacro %}{% call f(1/0) %}{% endcall %}", "1/0", "division by zero"),
        ("{%- if agent -%}\r\n  {{ agent }}\r\n{{ 1/0 }}{% endif %}", "1/0", "division by zero"),
        ("{% raw %}{{ 1/0 }}{% endraw %}{# 1/0 #}{{ 1/0 }}", "1/0", "division by zero"),
    ],
)
def test_what_fails_in_every_run_is_found_at_its_character(template: str, place: str, reason: str) -> None:
    [(found, message)] = failing(template)
    assert found == place
    assert reason in message


def test_the_place_is_the_right_one_of_several() -> None:
    [fault] = find_faults("{% raw %}{{ 1/0 }}{% endraw %}{# 1/0 #}{{ 1/0 }}", "Helper", None)
    assert fault.index == 42


def test_the_help_says_what_the_values_are() -> None:
    [fault] = find_faults("{{ today.year() }}", "Helper", None)
    assert "today is like 2026-01-31" in fault.help
    [fault] = find_faults("{{ 1/0 }}", "Helper", None)
    assert "{% raw %}" in fault.help


@pytest.mark.parametrize(
    "template",
    [
        "{% if context.plan %}Plan{% endif %}",
        "{% if context.plan == 'x' %}{{ 1/0 }}{% endif %}",
        "{{ {'gold': 'A'}[context.plan].upper() }}",
        "{{ context.plan.split('-')[1].upper() }}",
        "{{ user_id.upper() }}",
        "{{ today[:4]|int + 1 }}",
        "{{ today.split('-')[0]|int + 1 }}",
        "{{ {'2026-12-25': 'Merry'}[today].upper() }}",
        "{% for key, value in context.items() %}{{ key ~ value }}{% endfor %}",
        "{{ context.get('plan', 'none') + 'x' }}",
        "{{ context['plan'] }}{{ context|tojson }}{{ context|dictsort }}",
        "{{ context.seats + 1 }}{{ 10 / context.seats }}",
        "{{ context.rate|round(1) }}{{ context.plan|sum }}",
        "{{ context.plan % 3 }}{{ context.plan|format(3, 4) }}{{ '%d' % context.seats }}",
        "{{ context.plan is divisibleby 'a' }}{{ context.plan is odd }}",
        "{{ ['a', 1]|random + 1 }}",
        "{% macro f(x) %}{{ x.y.z }}{{ 1/0 }}{% endmacro %}{{ f(agent).foo }}",
        "{% set agent = {'foo': 1} %}{{ agent.foo + 1 }}",
        "{% macro agent() %}{% endmacro %}{{ agent() }}",
        "{% for today in range(3) %}{{ today + 1 }}{{ loop.index + 1 }}{% endfor %}",
        "{% for x in context.plan %}{{ 1/0 }}{% endfor %}",
        "{% for x in [1] if context.vip %}{{ 1/0 }}{% endfor %}",
        "{{ agent if context.vip else 1/0 }}",
        "{{ 1/0 if context.vip }}",
        "{{ context.vip and 1/0 }}{{ agent or 1/0 }}",
        "{{ agent.foo is defined and agent.foo() }}",
        "{{ agent.foo() if agent.foo is defined }}",
        "{% if agent.foo %}{{ agent.foo() }}{% endif %}",
        "{{ agent.foo|default('x') }}{{ agent.foo }}",
        "{{ today ~ 1 }}{{ -context.seats }}{{ not agent }}",
        "{{ 1 < context.seats < 3 }}{{ 'a' in context.plan }}",
        "{{ ('x' * 10000)|length }}{{ range(10)|list|last + 1 }}",
        "{{ '{:>5}'.format(context.plan) }}{{ context.plan.join(['a', 'b']) }}",
        "{{ range(*[1, 2]) }}{{ agent[0:2].foo() }}",
        "{{ context.missing.foo() }}",
    ],
)
def test_what_some_run_can_render_is_fine(template: str) -> None:
    assert failing(template) == []


def test_a_value_that_only_some_routes_declare_may_be_missing() -> None:
    template = "{% for seat in context.seats %}{{ seat }}{% endfor %}"
    assert find_faults(template, "Helper", [{"seats": "integer"}, {}]) == []
    assert find_faults(template, "Helper", [{"seats": "integer"}]) != []


def test_a_value_whose_type_is_not_known_may_be_anything(tmp_path: Path) -> None:
    text = VALID.replace("Answer the question.", '"{{ context.plan.upper() }}{{ context.plan + 1 }}"')
    route = "{agent: Helper, context: {plan: {type: '${TYPE}'}}}"
    loaded = load(project(tmp_path, text.replace("/api/chat: Helper", f"/api/chat: {route}")), check_environment=False)
    assert loaded.problems == []


ATOMS = st.sampled_from(
    ["agent", "today", "user_id", "context", "context.plan", "context.seats", "context.vip", "nobody"]
) | st.sampled_from(["none", "1", "0", "'a'", "[]", "[1, 'a']", "{'a': 1}", "range(3)"])
WRAPPED = [
    "{0} + {1}",
    "{0} - {1}",
    "{0} / {1}",
    "{0} % {1}",
    "{0} ~ {1}",
    "{0} == {1}",
    "{0} < {1}",
    "{0} in {1}",
    "{0} and {1}",
    "{0} or {1}",
    "not {0}",
    "-{0}",
    "{0} if {1} else {0}",
    "{0}.upper()",
    "{0}.a",
    "{0}['a']",
    "{0}[{1}]",
    "{0}|upper",
    "{0}|int",
    "{0}|list",
    "{0}|length",
    "{0}|sum",
    "{0}|first",
    "{0}|join({1})",
    "{0}|default({1})",
    "{0}|truncate({1})",
    "{0}|format({1})",
    "{0}|map('upper')|list",
    "{0} is defined",
    "{0} is divisibleby {1}",
    "{0} is sameas {1}",
]
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(st.sampled_from(WRAPPED), inner, inner).map(
        lambda parts: parts[0].replace("{0}", f"({parts[1]})").replace("{1}", f"({parts[2]})")
    ),
    max_leaves=5,
)
STATEMENTS = st.sampled_from(
    [
        "{{{{ {0} }}}}",
        "{{% if {0} %}}{{{{ {1} }}}}{{% else %}}{{{{ {0} }}}}{{% endif %}}",
        "{{% for x in {0} %}}{{{{ {1} }}}}{{% else %}}{{{{ {0} }}}}{{% endfor %}}",
        "{{% set x = {0} %}}{{{{ {1} }}}}",
        "{{% if {0} %}}{{% elif {1} %}}{{{{ {0} }}}}{{% endif %}}",
    ]
)
RUNS = [
    {
        "agent": "Helper",
        "user_id": user_id,
        "session_id": "s",
        "chat_id": "c",
        "now": "2027-12-03T01:02:03+00:00",
        "today": "2027-12-03",
        "context": {"plan": plan, "seats": seats, "vip": vip, "rate": None},
    }
    for user_id in (None, "ann", "7")
    for plan in (None, "", "7", "a", "%s")
    for seats, vip in ((None, None), (0, False), (3, True), (-1, True))
]


@given(statement=STATEMENTS, first=EXPRESSIONS, second=EXPRESSIONS)
@settings(max_examples=150, deadline=None)
def test_what_is_said_to_fail_in_every_run_does(statement: str, first: str, second: str) -> None:
    template = statement.format(first, second)
    if not failing(template):
        return
    compiled = compile_instructions(template)
    for names in RUNS:
        with pytest.raises(InstructionsError):
            compiled.render(names)


@pytest.mark.parametrize(
    "text", ["{{ agent }}" * 40_000, "{{ [" + "1," * 60_000 + "] }}", "{{ " + "agent ~ " * 60_000 + "1 }}"]
)
def test_a_template_of_marks_without_end_is_one_problem_at_once(text: str, tmp_path: Path) -> None:
    file = project(tmp_path, VALID.replace("Answer the question.", f"'{text}'"))
    began = time.process_time()
    [problem] = load(file).problems
    assert time.process_time() - began < 4
    assert (problem.code, str(MOST_TOKENS) in problem.message) == ("too-large", True)


def test_many_faults_are_placed_fast(tmp_path: Path) -> None:
    lines = "".join("      {{ nobody }}\n" for _ in range(3000))
    file = project(tmp_path, VALID.replace("Answer the question.\n", f"|\n{lines}"))
    began = time.process_time()
    problems = load(file).problems
    assert time.process_time() - began < 8
    assert [problem.line for problem in problems] == [*range(8, 3008)]
