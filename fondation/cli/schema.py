"""`fondation schema`: the JSON Schema of agents.yaml, for editors."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of agents.yaml.

    Editors complete and check the file with it: save it, and name it in the file's first line, like
    `# yaml-language-server: $schema=schemas/agents.schema.json`.
    """
    from fondation.config.schema import schema_text

    click.echo(schema_text(), nl=False)
