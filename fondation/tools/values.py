"""Python values as JSON values: what tools return, and what they send to the page."""

from __future__ import annotations

from typing import Any

import msgspec
import pydantic_core

from fondation.messages import Json, mend


def as_json(value: Any) -> Json:
    """A JSON value of its own, which no later change of `value` reaches.

    Takes pydantic models, dataclasses, dates, sets, bytes (as base64) and more; what is no number becomes null, a lone
    surrogate is replaced. Raises ValueError where a value cannot become JSON.
    """
    try:
        made = _jsonable(value)
        msgspec.json.encode(made)
    except UnicodeEncodeError:
        return mend(_jsonable(mend(value)))
    return made


def _jsonable(value: Any) -> Json:
    return pydantic_core.to_jsonable_python(value, inf_nan_mode="null", bytes_mode="base64")
