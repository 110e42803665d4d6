"""A budget's own rules: its name, keys that exclude each other, and models whose calls it could not count."""

from __future__ import annotations

from fondation.config.checks.reach import models_asked, models_of_agents
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.price_table import can_estimate, is_listed


def check_budgets(document: Document) -> None:
    """Every budget."""
    _check_ledger(document)
    _check_names(document)
    for index, _ in document.mappings_at("budgets"):
        path = ("budgets", index)
        _check_period(document, path)
        _check_warning(document, path)
        _check_substitute(document, path)
    _check_prices(document)


def _check_ledger(document: Document) -> None:
    if document.value("budgets") and document.value("usage", "enabled") is False:
        message = "budgets count what the ledger records, but usage.enabled is false"
        help = "write usage.enabled: true, or remove budgets"
        document.error_at_key(("budgets",), "budgets-without-ledger", message, help)


def _check_names(document: Document) -> None:
    first: dict[str, Path] = {}
    for index, _ in document.mappings_at("budgets"):
        path = ("budgets", index, "name")
        name = document.text(*path)
        if name is None:
            continue
        if name in first:
            message = f"{dotted(path)} is {document.shown(path)}, which {dotted(first[name])} is too"
            help = "choose another name: reports and messages know a budget by it"
            document.error(path, "duplicate-name", message, help)
        first.setdefault(name, path)


def _check_period(document: Document, path: Path) -> None:
    every = (*path, "every")
    if document.text(*path, "per") == "run" and document.text(*every) is not None:
        message = f"{dotted(path)} has every, but per: run counts each run for itself, from its beginning to its end"
        document.error_at_key(every, "conflicting-keys", message, "remove every, or write per: session or per: user")


def _check_warning(document: Document, path: Path) -> None:
    on_warn, warn_at = (*path, "on_warn"), (*path, "warn_at")
    if document.value(*on_warn) is None or document.value(*warn_at) is not None or _is_broken(document, warn_at):
        return
    message = f"{dotted(on_warn)} is never called: the budget has no warn_at"
    document.warning(on_warn, "unused-hook", message, "write beside it when to warn, like warn_at: 80%, or remove it")


def _check_substitute(document: Document, path: Path) -> None:
    use = (*path, "on_exceed", "use")
    if (name := document.text(*use)) is None:
        return
    counted = {model for _, model in document.one_or_more(*path, "where", "model")}
    if counted == {name}:
        message = f"{dotted(use)} is {document.shown(use)}, the very model whose calls the budget counts"
        document.error(use, "substitute-for-itself", message, "name a cheaper model, or write on_exceed: stop")
    elif _of_agents(document, path, counted) == {name}:
        message = f"{dotted(use)} is {document.shown(use)}, the only model of the agents that the budget counts"
        help = "name another model, or write on_exceed: stop; so it stops nothing"
        document.warning(use, "unused-substitute", message, help)


def _of_agents(document: Document, path: Path, counted: set[str]) -> set[str]:
    """The models that a budget's agents answer with."""
    agents = [name for _, name in document.one_or_more(*path, "where", "agent")]
    models = models_of_agents(document, agents or document.mapping("agents"))
    return models & counted if counted else models


def _check_prices(document: Document) -> None:
    counted: dict[str, Path] = {}
    for index, _ in document.mappings_at("budgets"):
        for name in _models_counted(document, ("budgets", index)):
            counted.setdefault(name, ("budgets", index))
    for name in document.mapping("models"):
        if name in counted and not _has_cost(document, name):
            message = f"{dotted(counted[name])} counts the calls to {name} as $0: nobody says what they cost"
            help = "write its price, in dollars per million tokens: price: {input: 0.5, output: 2}; 0 is free"
            document.warning(("models", name), "unpriced-model", message, help)


def _models_counted(document: Document, path: Path) -> set[str]:
    """The models whose calls a budget counts."""
    agents = [name for _, name in document.one_or_more(*path, "where", "agent")]
    models = {name for _, name in document.one_or_more(*path, "where", "model")}
    asked = models_asked(document, agents or document.mapping("agents"))
    return asked & models if models else asked


def _has_cost(document: Document, name: str) -> bool:
    """Whether a call to the model can have a cost: its provider says one, or it has a price."""
    path = ("models", name)
    if any(_is_broken(document, (*path, key)) for key in ("provider", "id", "base_url", "price")):
        return True
    provider = document.text(*path, "provider") or "openai"
    if provider != "openai" or document.value(*path, "price") is not None:
        return True
    estimates = can_estimate(provider, document.text(*path, "base_url"))
    return estimates and is_listed(provider, document.text(*path, "id") or "")


def _is_broken(document: Document, path: Path) -> bool:
    return path in document.dropped | document.unknown
