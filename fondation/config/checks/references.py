"""Bare names that must exist: models, tools, agents, and an agent's own name where another's belongs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fondation.config.checks.agents import TAKEN_TOOLS
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.config.source import Value
from fondation.config.words import did_you_mean, near, shown


def check_references(document: Document) -> None:
    """Every reference of models, agents, routes and budgets."""
    models, tools, agents = (_declared(document, key) for key in ("models", "tools", "agents"))
    for name in document.mapping("models"):
        for index, fallback in document.texts_at("models", name, "fallbacks"):
            _resolve(document, ("models", name, "fallbacks", index), fallback, "model", models)
    for name in document.mapping("agents"):
        if (model := document.text("agents", name, "model")) is not None:
            _resolve(document, ("agents", name, "model"), model, "model", models)
        for index, tool in document.texts_at("agents", name, "tools"):
            _resolve(document, ("agents", name, "tools", index), tool, "tool", tools)
        for index, target in document.texts_at("agents", name, "handoffs"):
            _resolve(document, ("agents", name, "handoffs", index), target, "agent", agents)
    for path in document.mapping("routes"):
        for place in (("routes", path), ("routes", path, "agent")):
            if (agent := document.text(*place)) is not None:
                _resolve(document, place, agent, "agent", agents)
        for key in ("titles", "suggestions"):
            if (model := document.text("routes", path, key, "model")) is not None:
                _resolve(document, ("routes", path, key, "model"), model, "model", models)
    for written, noun, name in references_of_budgets(document):
        _resolve(document, written, name, noun, models if noun == "model" else agents)
    _check_self_references(document)


def references_of_budgets(document: Document) -> Iterator[tuple[Path, str, str]]:
    """What budgets name: the place, `model` or `agent`, and the name."""
    for index, _ in document.mappings_at("budgets"):
        for noun in ("agent", "model"):
            for place, name in document.one_or_more("budgets", index, "where", noun):
                yield place, noun, name
        use = ("budgets", index, "on_exceed", "use")
        if (substitute := document.text(*use)) is not None:
            yield use, "model", substitute


def _declared(document: Document, key: str) -> Collection[str] | None:
    """The names under `key` in the file, those of broken entries too; None where the whole of it is broken."""
    data = document.source.data
    section: Value = data.get(key) if isinstance(data, dict) else None
    if isinstance(section, dict) and section:
        return section
    return () if key == "tools" and (key,) not in document.dropped else None


def _resolve(document: Document, path: Path, name: str, noun: str, known: Collection[str] | None) -> None:
    if known is None or name in known:
        return
    if noun == "tool" and _waits_for_a_name(name, known):
        return
    help = _elsewhere(document, path, name, noun, known) or did_you_mean(name, known, f"{noun}s")
    if path in document.from_environment:
        message, help = (
            f"{dotted(path)} is {document.shown(path)}, whose value is no {noun}",
            "set it to a name of the file",
        )
    else:
        message = f"{dotted(path)} is {shown(name)}, but there is no such {noun}"
    document.error(path, f"unknown-{noun}", message, help)


def _waits_for_a_name(tool: str, known: Collection[str]) -> bool:
    """Whether `tool` may be what a tool with a taken name, which is reported, is going to be called."""
    taken = [other for other in known if other in TAKEN_TOOLS]
    return bool(taken) and (len(taken) == len(known) or near(tool, known) in taken)


def _elsewhere(document: Document, path: Path, name: str, noun: str, known: Collection[str]) -> str | None:
    """The help for a name that is declared as something else."""
    if near(name, known):
        return None
    for other in ("model", "tool", "agent"):
        if other != noun and name in (_declared(document, f"{other}s") or ()):
            article = "an" if other == "agent" else "a"
            handoffs = other == "agent" and path[0] == "agents"
            return f"{shown(name)} is {article} {other}" + ("; agents go under handoffs" if handoffs else "")
    if noun == "tool" and ":" in name:
        return f"declare it under tools, with a name: name: {name}"
    if noun == "model" and "/" in name:
        return f"declare it under models, with a name: name: {{provider: openrouter, id: {name}}}"
    return None


def _check_self_references(document: Document) -> None:
    for name in document.mapping("agents"):
        for index, target in document.texts_at("agents", name, "handoffs"):
            if target == name:
                path = ("agents", name, "handoffs", index)
                document.error(path, "handoff-to-itself", f"{name} hands off to itself", "remove it")
    reported: set[frozenset[str]] = set()
    for name in document.mapping("models"):
        loop = _fallback_loop(document, name)
        if loop and frozenset(loop[1]) not in reported:
            index, way = loop
            reported.add(frozenset(way))
            path = ("models", name, "fallbacks", index)
            if len(way) == 2:
                document.error(path, "fallback-to-itself", f"{name} falls back to itself", "remove it")
            else:
                help = "remove one: a model is tried once"
                document.error(path, "fallback-loop", f"{name} falls back to itself: {' -> '.join(way)}", help)


def _fallback_loop(document: Document, start: str) -> tuple[int, list[str]] | None:
    """The fallback of `start` that leads back to it, and the way."""
    for first, target in document.texts_at("models", start, "fallbacks"):
        ways = [[start, target]]
        seen = {target}
        while ways:
            way = ways.pop()
            if way[-1] == start:
                return first, way
            for _, following in document.texts_at("models", way[-1], "fallbacks"):
                if following not in seen:
                    seen.add(following)
                    ways.append([*way, following])
    return None
