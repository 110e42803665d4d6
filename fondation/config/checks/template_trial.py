"""What a template computes, as far as that is known before any run: an expression that fails for every value is found.

Of what a run brings there are samples of every kind that it may be. What fails for some of them only, and what stands
under a condition that a run decides, is nobody's fault.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateRuntimeError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from fondation.config.checks.template_syntax import Fault

_SAMPLES: dict[str, tuple[object, ...]] = {
    "string": ("text", "", None),
    "integer": (1, 0, None),
    "number": (1.5, 1, 0, None),
    "boolean": (True, False, None),
}
"""A context value's type -> what it may be."""

_OF_A_RUN: dict[str, tuple[object, ...]] = {
    "user_id": ("someone", None),
    "session_id": ("0b9f2c",),
    "chat_id": ("0b9f2c",),
    "now": ("2026-01-31T09:05:00+00:00",),
    "today": ("2026-01-31",),
}
_FOR_ANY_VALUE = (TypeError, AttributeError, TemplateRuntimeError)
"""What is raised for a value's kind, not for the value."""

_LONGEST = 1_000
"""Texts and lists that are longer are not looked into."""

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_INTERNAL_NAME = re.compile(r"\b(?:sync_do|do|test)_(\w+)\(\)")
"""What Jinja2 calls the functions of filters and tests."""

_TOKEN = re.compile(r"\"[^\"\n]*\"?|'[^'\n]*'?|\w+|\S")
_FORBIDDEN = "a template only reads text, numbers, lists and mappings: it reaches nothing behind them, changes nothing"
_TEXTS = "user_id, session_id, chat_id, now, today and agent are text; today is like 2026-01-31"
_HELP = "mend it; braces that are text go into {% raw %}...{% endraw %}"


@dataclass(frozen=True, slots=True)
class _Value:
    """What an expression may be."""

    samples: tuple[object, ...] = ()
    """One for each kind of value; none where nothing is known."""
    exact: bool = False
    """Whether the one sample is the value of every run."""


_UNKNOWN = _Value()


class _OutOfReach(SecurityError):
    """An attribute that the sandbox keeps from templates."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is out of a template\'s reach')


class _Failure(Exception):
    """An expression that fails in every run."""

    def __init__(self, node: nodes.Node, error: Exception) -> None:
        super().__init__(str(error))
        self.node = node
        self.error = error


def failures(
    text: str, tree: nodes.Template, environment: Environment, agent: str, contexts: Sequence[Mapping[str, str]] | None
) -> list[Fault]:
    """The expressions of `agent`'s instructions that fail in every run, and attributes that no template reaches.

    `contexts` has for each route that reaches the agent the types of its context values.
    """
    assert isinstance(environment, SandboxedEnvironment)
    values = {name: _Value(samples) for name, samples in _OF_A_RUN.items()}
    values |= {name: _exactly(value) for name, value in environment.globals.items()}
    values |= {"agent": _exactly(agent), "context": _Value(tuple(_sample_contexts(contexts or ())))}
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    own |= {node.name for node in tree.find_all(nodes.Macro)}
    trial = _Trial(environment, {name: value for name, value in values.items() if name not in own})
    trial.run(tree.body)
    return [_fault(text, failure) for failure in trial.failures] + _forbidden(text, tree, contexts or ())


def _sample_contexts(contexts: Iterable[Mapping[str, str]]) -> Iterable[dict[str, object]]:
    everything = tuple(itertools.chain.from_iterable(_SAMPLES.values()))
    for context in contexts:
        samples = {name: _SAMPLES.get(type_name, everything) for name, type_name in context.items()}
        for turn in range(max((len(values) for values in samples.values()), default=1)):
            yield {name: values[turn % len(values)] for name, values in samples.items()}


def _exactly(value: object) -> _Value:
    return _Value((value,), exact=True)


class _Trial:
    """Goes through the statements that every run reaches."""

    def __init__(self, environment: SandboxedEnvironment, names: Mapping[str, _Value]) -> None:
        self.failures: list[_Failure] = []
        self._environment = environment
        self._context = environment.from_string("").new_context()
        self._names = names

    def run(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            try:
                self._statement(node)
            except _Failure as failure:
                self.failures.append(failure)
            except RecursionError:
                continue  # deeper than it can be looked into

    def _statement(self, node: nodes.Node) -> None:
        match node:
            case nodes.Output():
                self.run(node.nodes)
            case nodes.Expr():
                self._apply(node, str, self._value(node))
            case nodes.If():
                self._condition(node)
            case nodes.For():
                self._loop(node)
            case nodes.Assign():
                self._value(node.node)
            case nodes.CallBlock():
                self._value(node.call)
            case nodes.With():
                self._values(node.values)
                self.run(node.body)
            case nodes.AssignBlock() | nodes.FilterBlock() | nodes.Scope() | nodes.Block():
                self.run(node.body)

    def _condition(self, node: nodes.If) -> None:
        for branch in (node, *node.elif_):
            test = self._truth(branch.test)
            if test is None:
                return
            if test:
                self.run(branch.body)
                return
        self.run(node.else_)

    def _loop(self, node: nodes.For) -> None:
        items = self._apply(node.iter, list, self._value(node.iter))
        if items.exact and not items.samples[0]:
            self.run(node.else_)
        elif items.exact and node.test is None:
            self.run(node.body)

    def _truth(self, node: nodes.Node) -> bool | None:
        """None where a run decides."""
        value = self._value(node)
        return bool(self._apply(node, bool, value).samples[0]) if value.exact else None

    def _values(self, expressions: Iterable[nodes.Node]) -> list[_Value]:
        return [self._value(node) for node in expressions]

    def _value(self, node: nodes.Node) -> _Value:
        match node:
            case nodes.Const():
                return _exactly(node.value)
            case nodes.TemplateData():
                return _exactly(node.data)
            case nodes.Name():
                return self._names.get(node.name, _UNKNOWN)
            case nodes.Getattr():
                return self._attribute(node)
            case nodes.Getitem() if not isinstance(node.arg, nodes.Slice):
                return self._apply(node, self._environment.getitem, self._value(node.node), self._value(node.arg))
            case nodes.Call() | nodes.Filter() | nodes.Test():
                return self._call(node)
            case nodes.And() | nodes.Or() | nodes.CondExpr():
                return self._choice(node)
            case nodes.Not():
                return self._apply(node, operator.not_, self._value(node.node))
            case nodes.UnaryExpr():
                return self._apply(node, self._environment.unop_table[node.operator], self._value(node.node))
            case nodes.BinExpr():
                return self._binary(node)
            case nodes.Compare():
                return self._comparison(node)
            case nodes.List() | nodes.Tuple():
                return self._apply(node, lambda *items: list(items), *self._values(node.items), only_exact=True)
            case nodes.Concat():
                parts = self._values(node.nodes)
                return self._apply(node, lambda *texts: "".join(map(str, texts)), *parts, only_exact=True)
            case nodes.Dict():
                keys_and_values = self._values(part for pair in node.items for part in (pair.key, pair.value))
                return self._apply(node, _mapping, *keys_and_values, only_exact=True)
            case _:
                return _UNKNOWN

    def _attribute(self, node: nodes.Getattr) -> _Value:
        of = self._value(node.node)
        try:
            found = tuple(self._environment.getattr(value, node.attr) for value in of.samples)
        except TemplateRuntimeError as error:  # an attribute of what is not there
            if of.exact:
                raise _Failure(node, error) from error
            return _UNKNOWN
        nowhere = bool(found) and all(isinstance(value, Undefined) for value in found)
        if nowhere and (_is_dunder(node.attr) or (isinstance(node.node, nodes.Name) and node.node.name == "context")):
            return _UNKNOWN  # reported elsewhere
        if nowhere and all(_is_unsafe(value) for value in found):
            raise _Failure(node, _OutOfReach(node.attr))
        return _Value(found[:1], exact=True) if nowhere else _Value(found, of.exact)

    def _call(self, node: nodes.Call | nodes.Filter | nodes.Test) -> _Value:
        if node.node is None:
            return _UNKNOWN  # the filter of a block
        values = self._values((node.node, *node.args, *(keyword.value for keyword in node.kwargs)))
        if node.dyn_args or node.dyn_kwargs:
            return _UNKNOWN
        names = [str(keyword.key) for keyword in node.kwargs]
        by_chance = isinstance(node, nodes.Filter) and node.name == "random"

        def call(target: object, *rest: object) -> object:
            args, kwargs = rest[: len(node.args)], dict(zip(names, rest[len(node.args) :], strict=True))
            match node:
                case nodes.Filter():
                    return self._environment.call_filter(node.name, target, args, kwargs, self._context)
                case nodes.Test():
                    return self._environment.call_test(node.name, target, args, kwargs, self._context)
            return self._environment.call(self._context, target, *args, **kwargs)

        result = self._apply(node, call, *values, only_exact=isinstance(node, nodes.Filter) and node.name == "format")
        return _UNKNOWN if by_chance else result

    def _choice(self, node: nodes.And | nodes.Or | nodes.CondExpr) -> _Value:
        if isinstance(node, nodes.CondExpr):
            test, other = self._truth(node.test), node.expr2
            if test is None or (not test and other is None):
                return _UNKNOWN
            return self._value(node.expr1 if test or other is None else other)
        left = self._value(node.left)
        if not left.exact:
            return _UNKNOWN
        decided = bool(left.samples[0]) is isinstance(node, nodes.Or)
        return left if decided else self._value(node.right)

    def _binary(self, node: nodes.BinExpr) -> _Value:
        def operate(left: Any, right: Any) -> object:
            return self._environment.call_binop(self._context, node.operator, left, right)

        values = self._values((node.left, node.right))
        return self._apply(node, operate, *values, only_exact=node.operator == "%")  # "%" formats texts, too

    def _comparison(self, node: nodes.Compare) -> _Value:
        left, *rest = self._values((node.expr, *(operand.expr for operand in node.ops)))
        if len(rest) > 1:
            return _UNKNOWN
        return self._apply(node, _COMPARISONS[node.ops[0].op], left, *rest)

    def _apply(
        self, node: nodes.Node, function: Callable[..., object], *values: _Value, only_exact: bool = False
    ) -> _Value:
        """What `function` makes of the values; what it raises for every sample is a failure of `node`."""
        exact = all(value.exact for value in values)
        if only_exact and not exact:
            return _UNKNOWN
        result, error = _UNKNOWN, None
        for samples in itertools.product(*(value.samples for value in values)):
            try:
                value = function(*samples)
                if _is_unsafe(value):
                    raise _OutOfReach(str(samples[-1]))
                result = _exactly(value) if exact and _is_small(value) else _UNKNOWN
            except RecursionError:
                raise
            except Exception as raised:
                if not exact and not isinstance(raised, _FOR_ANY_VALUE):
                    return _UNKNOWN
                error = raised
            else:
                return result
        if error is not None:
            raise _Failure(node, error)
        return result


def _mapping(*keys_and_values: object) -> object:
    return dict(zip(keys_and_values[::2], keys_and_values[1::2], strict=True))


def _is_small(value: object) -> bool:
    return not isinstance(value, str | list | tuple | dict | range) or len(value) <= _LONGEST


def _is_dunder(name: str) -> bool:
    return name.startswith("__")


def _is_unsafe(value: object) -> bool:
    return isinstance(value, Undefined) and value._undefined_exception is SecurityError


def _forbidden(text: str, tree: nodes.Template, contexts: Sequence[Mapping[str, str]]) -> list[Fault]:
    """Attributes of Python itself, wherever they stand; of several in a row the first."""
    declared = {name for context in contexts for name in context}
    return [
        _fault(text, _Failure(node, _OutOfReach(node.attr)))
        for node in tree.find_all(nodes.Getattr)
        if _is_dunder(node.attr) and node.attr not in declared and not _has_dunder(node.node)
    ]


def _has_dunder(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and _is_dunder(node.attr)


def _fault(text: str, failure: _Failure) -> Fault:
    start, end = _place(text, failure.node)
    reason = _INTERNAL_NAME.sub(r"\1", str(failure.error) or type(failure.error).__name__)
    if isinstance(failure.error, _OutOfReach):
        help = _FORBIDDEN
    elif any(node.name in (*_OF_A_RUN, "agent") for node in failure.node.find_all(nodes.Name)):
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
