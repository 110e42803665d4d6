"""A function's signature and docstring -> what a model reads about it, and the way from its arguments to a call."""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import CoreSchema, PydanticSerializationError

from fondation.context import RunContext
from fondation.errors import EntryPointError

Function = Callable[..., object]

WRAP = "write a function of your own around it"
"""The help for what is not fit to be called by a model as it is."""

_UNFIT = (PydanticUserError, PydanticSerializationError, TypeError, NameError)
_FIT = "use str, int, float, bool, list, dict, a TypedDict, a dataclass or a pydantic model"


class PlainJsonSchema(GenerateJsonSchema):
    """Pydantic's JSON Schema without the titles that only repeat names, and without defaults that are no JSON."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {
        "skipped-choice",
        "non-serializable-default",
        "skipped-discriminator",
    }

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        document = super().generate(schema, mode)
        for part in (document, *document.get("$defs", {}).values()):
            part.pop("title", None)
        return document

    def encode_default(self, dft: Any) -> Any:
        default = super().encode_default(dft)
        try:
            json.dumps(default, allow_nan=False)
        except ValueError as error:
            raise PydanticSerializationError("infinite numbers are no JSON") from error
        return default

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        inner = super().generate_inner(schema)
        inner.pop("title", None)
        return inner

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Signature:
    """A function as a model sees it, and the way from a model's arguments to a call."""

    description: str
    """The docstring without its parameters; "" when there is none."""
    parameters: dict[str, Any]
    """A JSON Schema of type object; `context_parameter` is not in it."""
    context_parameter: str | None
    """The parameter that takes the RunContext."""
    is_async: bool
    """Whether a call gives a coroutine. A plain function may still return an awaitable."""
    _model: type[BaseModel]

    @property
    def defaults(self) -> dict[str, object]:
        """The parameters that a call may leave out, with what they are then."""
        fields = self._model.model_fields
        return {info.alias or name: info.default for name, info in fields.items() if not info.is_required()}

    def validate(self, arguments: dict[str, object]) -> dict[str, object]:
        """The keyword arguments for the call; what the model left out is left to the function's defaults.

        Raises pydantic.ValidationError, whose locations name the parameters.
        """
        values = self._model.model_validate(arguments)
        names = {field: info.alias or field for field, info in self._model.model_fields.items()}
        return {names[field]: getattr(values, field) for field in names if field in values.model_fields_set}


def describe(function: Function) -> Signature:
    """A function's description, parameters and validator.

    Raises EntryPointError when its signature cannot become a JSON Schema.
    """
    target = _plain_function(function)
    if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target):
        raise EntryPointError(f"{_name(function)} yields its results", "return them, as a list")
    documentation = _documentation(function, target)
    context_parameter = None
    fields: dict[str, Any] = {}
    for parameter, annotation in _parameters(function, target):
        if _is_context(annotation):
            if context_parameter is not None:
                raise EntryPointError(f"{_name(function)} has two parameters that take the RunContext", "remove one")
            context_parameter = parameter.name
            continue
        description = documentation.parameters.get(parameter.name)
        fields[f"p{len(fields)}"] = _field(parameter, annotation, description)
    model, schema = _model(function, fields)
    return Signature(
        description=documentation.description,
        parameters=schema,
        context_parameter=context_parameter,
        is_async=is_async(function),
        _model=model,
    )


def is_async(function: Function) -> bool:
    """Whether a call gives a coroutine. A plain function may still return an awaitable."""
    return inspect.iscoroutinefunction(_plain_function(function))


def check_given(function: Function, *names: str) -> None:
    """Raises EntryPointError where the function cannot be called with arguments of these names, in their order."""
    target = _plain_function(function)
    if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target):
        raise EntryPointError(f"{_name(function)} yields", "write it without yield")
    try:
        inspect.signature(function).bind(*names)
    except ValueError:
        return  # it has no signature that can be read
    except TypeError as error:
        given = ", ".join(names)
        help = f"write it as def {_name(function).rpartition('.')[2]}({given})"
        raise EntryPointError(f"{_name(function)} cannot be called with ({given}): {error}", help) from None


def without_partials(function: object) -> Any:
    """What a `functools.partial` wraps; any other function itself."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _plain_function(function: Function) -> Function:
    """What holds the code: the function inside a partial, the __call__ of a callable instance."""
    function = without_partials(function)
    if inspect.isroutine(function) or hasattr(function, "__wrapped__"):
        return function
    return typing.cast("Function", type(function).__call__.__get__(function))


def _name(function: Function) -> str:
    function = without_partials(function)
    return getattr(function, "__qualname__", type(function).__qualname__)


@dataclass(frozen=True, slots=True)
class _Documentation:
    description: str
    parameters: dict[str, str]


def _documentation(function: Function, target: Function) -> _Documentation:
    """The docstring, read as Google, NumPy or reST style."""
    text = inspect.getdoc(target if isinstance(function, functools.partial) else function)
    if not inspect.isroutine(function) and not text:
        text = inspect.getdoc(target)
    if not text or (isinstance(function, functools.partial) and text == inspect.getdoc(functools.partial)):
        return _Documentation("", {})
    import docstring_parser

    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return _Documentation(text.strip(), {})
    described = {param.arg_name: " ".join(param.description.split()) for param in parsed.params if param.description}
    return _Documentation((parsed.description or "").strip(), described)


def _parameters(function: Function, target: Function) -> Iterator[tuple[inspect.Parameter, Any]]:
    """The parameters with their annotations, evaluated where they are written as text."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise EntryPointError(f"{_name(function)} has no signature that can be read", WRAP) from error
    names = getattr(inspect.unwrap(target), "__globals__", {})
    for parameter in signature.parameters.values():
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL | inspect.Parameter.VAR_KEYWORD:
                raise EntryPointError(
                    f"{_name(function)} takes {str(parameter).partition(':')[0]}",
                    "give each parameter a name of its own",
                )
            case inspect.Parameter.POSITIONAL_ONLY:
                raise EntryPointError(
                    f'the parameter "{parameter.name}" of {_name(function)} is positional only',
                    'remove the "/" from its signature',
                )
            case _:
                yield parameter, _evaluated(function, parameter, names)


def _evaluated(function: Function, parameter: inspect.Parameter, names: dict[str, Any]) -> Any:
    if parameter.annotation is inspect.Parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return typing.get_type_hints(holder, globalns=names, include_extras=True)[parameter.name]
    except Exception as error:
        raise EntryPointError(
            f'the type of the parameter "{parameter.name}" of {_name(function)} cannot be resolved: {error}',
            "import it where the module runs, not only under TYPE_CHECKING",
        ) from error


def _is_context(annotation: Any) -> bool:
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return set(typing.get_args(annotation)) == {RunContext, type(None)}
    return annotation is RunContext


def _field(parameter: inspect.Parameter, annotation: Any, description: str | None) -> tuple[Any, Any]:
    """A model field; its own name is neutral, since a parameter may be called `_x` or `copy` and a field may not."""
    details: dict[str, Any] = {"alias": parameter.name}
    if description is not None and not _describes_itself(annotation):
        details["description"] = description
    default = ... if parameter.default is inspect.Parameter.empty else parameter.default
    return annotation, Field(default, **details)


def _describes_itself(annotation: Any) -> bool:
    notes = typing.get_args(annotation)[1:] if typing.get_origin(annotation) is Annotated else ()
    return any(getattr(note, "description", None) for note in notes)


def _model(function: Function, fields: dict[str, Any]) -> tuple[type[BaseModel], dict[str, Any]]:
    try:
        model = create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)
        schema = model.model_json_schema(schema_generator=PlainJsonSchema)
    except _UNFIT as error:
        raise _unfit_signature(function, fields, error) from error
    schema.setdefault("properties", {})
    return model, schema


def _unfit_signature(function: Function, fields: dict[str, Any], error: Exception) -> EntryPointError:
    """Names the parameter whose type no JSON value can become."""
    for annotation, info in fields.values():
        try:
            TypeAdapter(annotation).json_schema(schema_generator=PlainJsonSchema)
        except _UNFIT as unfit:
            if getattr(unfit, "code", None) == "typed-dict-version":
                reason, help = "needs Python 3.12 there", "import TypedDict from typing_extensions instead"
            else:
                reason, help = "no JSON value can become", _FIT
            text = f'the parameter "{info.alias}" of {_name(function)} has the type {_type_name(annotation)}'
            return EntryPointError(f"{text}, which {reason}", help)
    reason = str(error).splitlines()[0]
    return EntryPointError(f"the signature of {_name(function)} cannot become a JSON Schema: {reason}", WRAP)


def _type_name(annotation: Any) -> str:
    return annotation.__qualname__ if inspect.isclass(annotation) else str(annotation)
