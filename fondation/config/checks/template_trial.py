"""What a template computes, as far as that is known before any run: an expression that fails for every value is found.

What fails for some of the samples only, and what stands under a condition that a run decides, is nobody's fault.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import TemplateRuntimeError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from fondation.config.checks.template_samples import UNKNOWN, Value, exactly

_FOR_ANY_VALUE = (TypeError, AttributeError, TemplateRuntimeError)
"""What is raised for a value's kind, not for the value."""

_FORMATTING = frozenset({"format", "divisibleby", "even", "odd", "%"})
"""Filters, tests and the operator that, given a text, put values into it: the text decides how many."""

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


class OutOfReach(SecurityError):
    """An attribute that the sandbox keeps from templates."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is out of a template\'s reach')


class Failure(Exception):
    """An expression that fails in every run."""

    def __init__(self, node: nodes.Node, error: Exception) -> None:
        super().__init__(str(error))
        self.node = node
        self.error = error


class Trial:
    """Goes through the statements that every run reaches."""

    def __init__(self, environment: SandboxedEnvironment, names: Mapping[str, Value]) -> None:
        self.failures: list[Failure] = []
        self._environment = environment
        self._context = environment.from_string("").new_context()
        self._names = names

    def run(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            try:
                self._statement(node)
            except Failure as failure:
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

    def _values(self, expressions: Iterable[nodes.Node]) -> list[Value]:
        return [self._value(node) for node in expressions]

    def _value(self, node: nodes.Node) -> Value:
        match node:
            case nodes.Const():
                return exactly(node.value)
            case nodes.TemplateData():
                return exactly(node.data)
            case nodes.Name():
                return self._names.get(node.name, UNKNOWN)
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
                return UNKNOWN

    def _attribute(self, node: nodes.Getattr) -> Value:
        of = self._value(node.node)
        try:
            found = tuple(self._environment.getattr(value, node.attr) for value in of.samples)
        except TemplateRuntimeError as error:  # an attribute of what is not there
            if of.exact:
                raise Failure(node, error) from error
            return UNKNOWN
        nowhere = bool(found) and all(isinstance(value, Undefined) for value in found)
        if nowhere and (is_dunder(node.attr) or (isinstance(node.node, nodes.Name) and node.node.name == "context")):
            return UNKNOWN  # reported elsewhere
        if nowhere and all(_is_unsafe(value) for value in found):
            raise Failure(node, OutOfReach(node.attr))
        return Value(found[:1], exact=True) if nowhere else Value(found, of.exact)

    def _call(self, node: nodes.Call | nodes.Filter | nodes.Test) -> Value:
        if node.node is None:
            return UNKNOWN  # the filter of a block
        values = self._values((node.node, *node.args, *(keyword.value for keyword in node.kwargs)))
        if node.dyn_args or node.dyn_kwargs:
            return UNKNOWN
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

        result = self._apply(node, call, *values, only_exact=getattr(node, "name", "") in _FORMATTING)
        return UNKNOWN if by_chance else result

    def _choice(self, node: nodes.And | nodes.Or | nodes.CondExpr) -> Value:
        if isinstance(node, nodes.CondExpr):
            test, other = self._truth(node.test), node.expr2
            if test is None or (not test and other is None):
                return UNKNOWN
            return self._value(node.expr1 if test or other is None else other)
        left = self._value(node.left)
        if not left.exact:
            return UNKNOWN
        decided = bool(left.samples[0]) is isinstance(node, nodes.Or)
        return left if decided else self._value(node.right)

    def _binary(self, node: nodes.BinExpr) -> Value:
        def operate(left: Any, right: Any) -> object:
            return self._environment.call_binop(self._context, node.operator, left, right)

        values = self._values((node.left, node.right))
        return self._apply(node, operate, *values, only_exact=node.operator in _FORMATTING)

    def _comparison(self, node: nodes.Compare) -> Value:
        left, *rest = self._values((node.expr, *(operand.expr for operand in node.ops)))
        if len(rest) > 1:
            return UNKNOWN
        return self._apply(node, _COMPARISONS[node.ops[0].op], left, *rest)

    def _apply(
        self, node: nodes.Node, function: Callable[..., object], *values: Value, only_exact: bool = False
    ) -> Value:
        """What `function` makes of the values; what it raises for every sample is a failure of `node`."""
        exact = all(value.exact for value in values)
        if only_exact and not exact:
            return UNKNOWN
        result, error = UNKNOWN, None
        for samples in itertools.product(*(value.samples for value in values)):
            try:
                value = function(*samples)
                if _is_unsafe(value):
                    raise OutOfReach(str(samples[-1]))
                result = exactly(value) if exact and _is_small(value) else UNKNOWN
            except RecursionError:
                raise
            except Exception as raised:
                if not exact and not isinstance(raised, _FOR_ANY_VALUE):
                    return UNKNOWN
                error = raised
            else:
                return result
        if error is not None:
            raise Failure(node, error)
        return result


def _mapping(*keys_and_values: object) -> object:
    return dict(zip(keys_and_values[::2], keys_and_values[1::2], strict=True))


def _is_small(value: object) -> bool:
    return not isinstance(value, str | list | tuple | dict | range) or len(value) <= _LONGEST


def is_dunder(name: str) -> bool:
    return name.startswith("__")


def _is_unsafe(value: object) -> bool:
    return isinstance(value, Undefined) and value._undefined_exception is SecurityError
