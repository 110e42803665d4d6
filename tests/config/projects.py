"""Small projects for tests: a folder with an agents.yaml and perhaps a module of tools."""

from __future__ import annotations

from pathlib import Path

MODELS = "version: 1\nmodels:\n  sim: {provider: simulated}\n"
AGENTS = "agents:\n  Helper:\n    model: sim\n    instructions: Answer the question.\n"
ROUTES = "routes:\n  /api/chat: Helper\n"
VALID = MODELS + AGENTS + ROUTES


def project(folder: Path, text: str, **files: str) -> Path:
    """Write agents.yaml and other files (`tools_py` is tools.py) into `folder`; the path of agents.yaml."""
    for name, content in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(content)
    file = folder / "agents.yaml"
    file.write_text(text)
    return file
