"""What `validate` says about the parameters of a tool that the page runs; the sentences are in tests/problems."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from fondation.config import load
from fondation.config.checks.json_schema import KEYWORDS, TYPES
from fondation.config.project import visiting
from tests.config.projects import MODELS, project

AGENTS = "agents:\n  A: {model: sim, instructions: Hi., tools: [ask]}\nroutes: {/api/chat: A}\n"


def tool(parameters: str) -> str:
    tool = f"tools:\n  ask: {{runs_on: client, description: Asks., parameters: {parameters}}}\n"
    return MODELS + tool + AGENTS


class Place(BaseModel):
    city: str = Field(pattern=r"^\w+$", description="Its name.")
    near: Place | None = None
    kind: list[int | str] = []


def test_a_schema_that_a_program_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    generated = Place.model_json_schema()
    schema = {"type": "object", "properties": {"place": generated["$defs"]["Place"]}, "$defs": generated["$defs"]}
    loaded = load(project(tmp_path, tool(json.dumps(schema))))
    assert loaded.report().endswith("1 agent, 1 tool, 1 model, 1 route"), loaded.report()
    assert loaded.config is not None
    assert loaded.config.tools["ask"].parameters == schema
    assert schema["properties"]["place"]["properties"]["near"]["default"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        '{"type": "object"}',
        '{"type": "object", "$schema": "http://json-schema.org/draft-07/schema#", "additionalProperties": false}',
        '{"type": "object", "properties": {"a": true, "b": {}, "$ref": {"type": "string"}, "type": {"enum": [1]}}}',
        '{"type": "object", "strict": true, "x-form": {"rows": 3}, "properties": {"a": {"format": "color"}}}',
        '{"type": "object", "properties": {"a": {"default": {"$ref": "#/nowhere", "type": "x"}, "const": "${A}"}}}',
    ],
)
def test_what_json_schema_allows_is_no_problem(parameters: str, tmp_path: Path) -> None:
    loaded = load(project(tmp_path, tool(parameters)))
    assert loaded.problems == []
    assert loaded.config is not None
    assert loaded.config.tools["ask"].parameters == json.loads(parameters)


def test_broken_parameters_are_told_once(tmp_path: Path) -> None:
    loaded = load(project(tmp_path, tool("{type: strng, required: [0777], properties: {a: string}}")))
    assert [problem.code for problem in loaded.problems] == ["ambiguous-value"]


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 500, "(?P<a>x)(?P<a>y)", "*"])
def test_no_pattern_stops_the_check(pattern: str, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"pattern": pattern}}, "patternProperties": {pattern: {}}}
    problems = load(project(tmp_path, tool(json.dumps(schema)))).problems
    assert [problem.code for problem in problems] == ["invalid-schema", "invalid-schema"]


LEAVES = st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from([*TYPES, "int", "strng", "#/a", "#", "[", ""])
NAMES = st.sampled_from([*sorted(KEYWORDS), "city", "propertys"])
SCHEMAS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@given(schema=st.dictionaries(NAMES, SCHEMAS, max_size=5))
@settings(max_examples=150, deadline=None)
def test_whatever_the_parameters_are_they_are_good_or_have_problems(schema: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder, visiting(Path(folder)):
        loaded = load(project(Path(folder), tool(json.dumps(schema))))
        assert (loaded.config is None) == bool(loaded.errors)
        assert all(problem.line == 5 for problem in loaded.errors)
