"""What every model of the format shares, and the written forms as pydantic types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from fondation.config import scalars
from fondation.config.scalars import Scalar


class Section(BaseModel):
    """A mapping of agents.yaml: unknown keys refused, its field docstrings the hover text of editors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class ShortSection(Section):
    """A mapping that may also be written as one short text, which stands for its field `short_field`."""

    short_field: ClassVar[str]
    short_form: ClassVar[Scalar]

    @classmethod
    def long_form(cls, value: object) -> object:
        """The mapping that `value` stands for."""
        return {cls.short_field: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        schema.update({"type": ["string", "object"], **text_schema(cls.short_form)})
        return schema


class WordSection(Section):
    """A mapping that may also be written as one of a few words, each of which stands for a mapping or for None."""

    words: ClassVar[Mapping[str, Mapping[str, object] | None]]
    word_form: ClassVar[Scalar]

    @classmethod
    def long_form(cls, value: object) -> object:
        """What `value` stands for."""
        return cls.words[value] if isinstance(value, str) and value in cls.words else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        schema.update({"type": ["string", "object"], **text_schema(cls.word_form)})
        return schema


class SwitchSection(Section):
    """A mapping that may also be written true, which is one without any key, or false, which is None."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @classmethod
    def long_form(cls, value: object) -> object:
        """What `value` stands for."""
        return ({} if value else None) if isinstance(value, bool) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        schema.update({"type": ["boolean", "object", "string"], "pattern": scalars.WHOLE_VARIABLE})
        return schema


def text_schema(scalar: Scalar) -> dict[str, Any]:
    """The keywords that hold a text to `scalar`; `patternErrorMessage` is what VS Code shows."""
    return {"pattern": scalar.pattern, "patternErrorMessage": scalar.help}


def _schema(scalar: Scalar) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **text_schema(scalar)})


def _form(scalar: Scalar) -> AfterValidator:
    """The same in Python: JSON Schema's `$` lets a line end pass."""

    def fitting(text: str) -> str:
        if not scalar.fits(text):
            raise ValueError(scalar.help)
        return text

    return AfterValidator(fitting)


def _read(read: Callable[[str], float | Decimal]) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


Duration = Annotated[float, _read(scalars.duration), _schema(scalars.DURATION)]
"""Seconds."""
Size = Annotated[int, _read(scalars.size), _schema(scalars.SIZE)]
"""Bytes."""
Money = Annotated[int, _read(scalars.money), _schema(scalars.MONEY)]
"""Pico-dollars, 10^12 to the dollar: what the ledger adds."""
Percent = Annotated[Decimal, _read(scalars.percent), _schema(scalars.PERCENT)]
"""A share of 1."""
EntryPoint = Annotated[str, _form(scalars.ENTRY_POINT), _schema(scalars.ENTRY_POINT)]
NameText = Annotated[str, _form(scalars.NAME), _schema(scalars.NAME)]
VariableName = Annotated[str, _form(scalars.VARIABLE_NAME), _schema(scalars.VARIABLE_NAME)]
BaseUrl = Annotated[str, _form(scalars.BASE_URL), _schema(scalars.BASE_URL)]
Origin = Annotated[str, _form(scalars.ORIGIN), _schema(scalars.ORIGIN)]
Host = Annotated[str, _form(scalars.HOST), _schema(scalars.HOST)]
Text = Annotated[str, _form(scalars.NOT_BLANK), _schema(scalars.NOT_BLANK)]
