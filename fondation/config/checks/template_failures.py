"""Expressions of a template that fail in every run, each at its characters, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jinja2 import nodes
from jinja2.sandbox import SandboxedEnvironment

from fondation.config.checks.template_samples import OF_A_RUN, values_of_a_run
from fondation.config.checks.template_syntax import Fault
from fondation.config.checks.template_trial import Failure, OutOfReach, Trial, is_dunder

_INTERNAL_NAME = re.compile(r"\b(?:sync_do|do|test)_(\w+)\(\)")
"""What Jinja2 calls the functions of filters and tests."""

_TOKEN = re.compile(r"\"[^\"\n]*\"?|'[^'\n]*'?|\w+|\S")
_FORBIDDEN = "a template only reads text, numbers, lists and mappings: it reaches nothing behind them, changes nothing"
_TEXTS = "user_id, session_id, chat_id, now, today and agent are text; today is like 2026-01-31"
_HELP = "mend it; braces that are text go into {% raw %}...{% endraw %}"


def failures(
    text: str,
    tree: nodes.Template,
    environment: SandboxedEnvironment,
    agent: str,
    contexts: Sequence[Mapping[str, str]] | None,
) -> list[Fault]:
    """The expressions of `agent`'s instructions that fail in every run, and attributes that no template reaches.

    `contexts` has for each route that reaches the agent the types of its context values.
    """
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    own |= {node.name for node in tree.find_all(nodes.Macro)}
    values = values_of_a_run(environment, agent, contexts)
    trial = Trial(environment, {name: value for name, value in values.items() if name not in own})
    trial.run(tree.body)
    return [_fault(text, failure) for failure in trial.failures] + _forbidden(text, tree, contexts or ())


def _forbidden(text: str, tree: nodes.Template, contexts: Sequence[Mapping[str, str]]) -> list[Fault]:
    """Attributes of Python itself, wherever they stand; of several in a row the first."""
    declared = {name for context in contexts for name in context}
    return [
        _fault(text, Failure(node, OutOfReach(node.attr)))
        for node in tree.find_all(nodes.Getattr)
        if is_dunder(node.attr) and node.attr not in declared and not _has_dunder(node.node)
    ]


def _has_dunder(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and is_dunder(node.attr)


def _fault(text: str, failure: Failure) -> Fault:
    start, end = _place(text, failure.node)
    reason = _INTERNAL_NAME.sub(r"\1", str(failure.error) or type(failure.error).__name__)
    if isinstance(failure.error, OutOfReach):
        help = _FORBIDDEN
    elif any(node.name in (*OF_A_RUN, "agent") for node in failure.node.find_all(nodes.Name)):
        help = _TEXTS
    else:
        help = _HELP
    return Fault(start, end - start, "failing-template", f"this fails in every run: {reason[:200]}", help=help)


def _place(text: str, node: nodes.Node) -> tuple[int, int]:
    """Where to look: the name of the attribute, filter or test, else the whole expression."""
    while isinstance(node, nodes.Call):
        node = node.node
    if isinstance(node, nodes.Getattr):
        start = text.find(node.attr, node.lineno)
        return start, start + len(node.attr)
    if isinstance(node, nodes.Filter | nodes.Test):
        start = text.find(node.name, node.lineno)
        return start, start + len(node.name)
    start = min(part.lineno for part in (node, *node.find_all(nodes.Expr)))
    last = max((part.lineno for part in node.find_all((nodes.Name, nodes.Const))), default=node.lineno)
    token = _TOKEN.match(text, last)
    return start, token.end() if token else last + 1
