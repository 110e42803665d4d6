"""Files that a client sends: their types and sizes are checked before anything is decoded, and nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import urlsplit

from fondation.errors import RequestError

MAX_FILE_SIZE = 20_000_000
"""Bytes of one file inside a body."""

_ALLOWED = re.compile(r"(image|audio|text)/[a-z0-9*][a-z0-9.+*_-]*|application/pdf")
_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>[^,]*),", re.IGNORECASE)


def media_type_of(url: str, declared: str | None) -> str:
    """What a file is: its `data:` URL's own word, else what was declared; empty where nobody says."""
    inline = _DATA_URL.match(url)
    told = (inline["type"] if inline else "") or declared or ""
    return told.partition(";")[0].strip().lower()


def check_file(url: str | None, declared: str | None, path: str) -> None:
    """Raises `RequestError` (400, 413) for a file that cannot be sent; `path` is its place in the body."""
    if not url:
        raise RequestError(400, f"{path}.url: a file needs one")
    inline = _DATA_URL.match(url)
    if inline is None:
        _check_address(url, path)
    media_type = media_type_of(url, declared)
    if not media_type:
        raise RequestError(400, f"{path}.mediaType: say what the file is, such as image/png")
    if not _ALLOWED.fullmatch(media_type):
        raise RequestError(
            400, f"{path}: a file of type {media_type[:80]} cannot be sent; images, audio, text and PDF can"
        )
    if inline is not None:
        is_base64 = inline["parameters"].lower().endswith(";base64")
        _check_data(url[inline.end() :], path, is_base64=is_base64)


def _check_address(url: str, path: str) -> None:
    """An address goes on to the model's provider as it is."""
    try:
        parsed = urlsplit(url)
        is_address = parsed.scheme in ("http", "https") and bool(parsed.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise RequestError(400, f"{path}.url: expected an https: or a data: URL")


def _check_data(data: str, path: str, *, is_base64: bool) -> None:
    size = len(data) * 3 // 4 if is_base64 else len(data) - 2 * data.count("%")
    if size > MAX_FILE_SIZE:
        raise RequestError(413, f"{path}: the file is larger than {MAX_FILE_SIZE:,} bytes")
    if not is_base64:
        return
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, f"{path}.url: the data is no base64") from None
