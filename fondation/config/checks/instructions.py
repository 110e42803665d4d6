"""`instructions: {file: ...}` -> the file's text, from the project's folder only."""

from __future__ import annotations

from pathlib import Path as File

from fondation.config.document import Document, Prompt
from fondation.config.places import Path
from fondation.config.reading import UnreadableFile, read_text
from fondation.config.words import shown


def resolve_instructions(document: Document, folder: File) -> None:
    """Put the text of every agent's instructions into the data."""
    for agent, settings in document.mapping("agents").items():
        path = ("agents", agent, "instructions")
        text = document.text(*path)
        if text is not None:
            document.prompts[agent] = Prompt(text, path)
        elif (name := document.text(*path, "file")) is not None:
            prompt = _read(document, folder, (*path, "file"), name)
            if prompt is not None and isinstance(settings, dict):
                settings["instructions"] = prompt.text
                document.prompts[agent] = prompt


def _read(document: Document, folder: File, path: Path, name: str) -> Prompt | None:
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        message = f"{shown(name)} is outside the project's folder"
        document.error(path, "file-outside-project", message, "write a path inside it, like prompts/agent.md")
        return None
    label = str(File(document.source.file).parent / name)
    try:
        text = read_text(file, label).replace("\r\n", "\n")
    except UnreadableFile as unreadable:
        problem = unreadable.problem
        if problem.line is None:
            document.error(path, problem.code, f"{label}: {problem.message}", _help(problem.code, folder))
        else:
            document.problems.append(problem)
            document.files[label] = unreadable.text
        return None
    if not text.strip():
        document.error(path, "empty-file", f"{label}: the file is empty", "write the instructions into it")
        return None
    document.files[label] = text
    return Prompt(text, path, label)


def _help(code: str, folder: File) -> str:
    match code:
        case "missing-file":
            return f"the path is relative to {folder.name}/, the folder of agents.yaml"
        case "unreadable-file":
            return "name a text file, like prompts/agent.md"
        case _:
            return ""
