"""The bytes of a request body to typed values, and what is wrong with them in words for who sent them."""

from __future__ import annotations

import codecs
import json
import re
from typing import Generic, TypeVar

import msgspec

from fondation.errors import RequestError
from fondation.messages import mend

T = TypeVar("T")

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyReader(Generic[T]):
    """Reads bodies of one type."""

    def __init__(self, type: type[T]) -> None:
        self._type = type
        self._decode = msgspec.json.Decoder(type).decode

    def __call__(self, data: bytes) -> T:
        """Raises `RequestError` (400) with what is wrong and where."""
        try:
            return self._read(data.removeprefix(codecs.BOM_UTF8))
        except msgspec.ValidationError as error:
            raise RequestError(400, _with_path(str(error))) from None
        except (ValueError, RecursionError):
            raise RequestError(400, "Invalid JSON body") from None

    def _read(self, data: bytes) -> T:
        try:
            return self._decode(data)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            if _SURROGATE.search(data) is None:
                raise
            # A browser cuts a text inside an emoji, and sends the half of it that is left.
            return msgspec.convert(mend(json.loads(data)), self._type)


def _with_path(text: str) -> str:
    """msgspec's complaint with its path in front: `messages[0].role: Expected ...`."""
    said, found, path = text.rpartition(" - at `$")
    return f"{path.rstrip('`').lstrip('.') or 'body'}: {said}" if found else f"body: {text}"
