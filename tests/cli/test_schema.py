from __future__ import annotations

from click.testing import CliRunner

from fondation.cli.schema import command
from fondation.config.schema import schema_text


def test_the_schema_is_printed_as_it_is_committed() -> None:
    result = CliRunner().invoke(command)
    assert (result.exit_code, result.stdout) == (0, schema_text())
