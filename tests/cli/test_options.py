"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fondation.agents import Simulate
from fondation.cli.options import file_argument, file_option, simulate_option


@click.command()
@file_argument
@simulate_option
def serve_like(file: Path, simulate: Simulate) -> None:
    click.echo(f"{file} {simulate}")


@click.command()
@click.argument("route", required=False)
@file_option
@simulate_option
def chat_like(route: str | None, file: Path, simulate: Simulate) -> None:
    click.echo(f"{route} {file} {simulate}")


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("", "agents.yaml none"),
        ("other.yaml", "other.yaml none"),
        ("--simulate", "agents.yaml all"),
        ("--simulate other.yaml", "other.yaml all"),
        ("other.yaml --simulate", "other.yaml all"),
        ("--simulate=missing other.yaml", "other.yaml missing"),
        ("--simulate missing", "agents.yaml missing"),
        ("--simulate=all", "agents.yaml all"),
    ],
)
def test_simulate_stands_bare_or_with_its_value(typed: str, understood: str) -> None:
    result = CliRunner().invoke(serve_like, typed.split())
    assert result.output == f"{understood}\n"


def test_a_route_after_a_bare_simulate_is_the_route() -> None:
    result = CliRunner().invoke(chat_like, ["--simulate", "/api/chat", "--file", "other.yaml"])
    assert result.output == "/api/chat other.yaml all\n"


def test_another_value_is_refused_with_the_possible_ones() -> None:
    result = CliRunner().invoke(serve_like, ["--simulate=mising"])
    assert result.exit_code == 2
    assert "'missing'" in result.output
