"""Files that a client sends: their types and sizes are checked before anything is decoded, and nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fondation.addresses import may_hold_files
from fondation.errors import RequestError

MAX_FILE_SIZE = 20_000_000
"""Bytes of one file inside a body."""

_ALLOWED = re.compile(r"(image|audio|text)/[a-z0-9*][a-z0-9.+*_-]*|application/pdf")
_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>[^,]*),", re.IGNORECASE)
_NOT_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")

_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "application/pdf": re.compile(rb".{0,1019}%PDF-", re.DOTALL),
}
"""What the files of a type begin with; before the one of a PDF there may be something else."""
_START = 1368
"""Characters of base64 that hold the first kilobyte."""
_ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as providers take it."""

    url: str
    media_type: str


def read_file(url: str | None, declared: str | None, path: str, type_field: str = "mediaType") -> File:
    """A file as it can be sent. Raises `RequestError` (400, 413) for one that cannot; `path` is its place in the body.

    A `data:` URL's own type counts before the declared one, and an image's first bytes before both.
    """
    if not url:
        raise RequestError(400, f"{path}.url: a file needs one")
    inline = _DATA_URL.match(url)
    media_type = (_plain(inline["type"]) if inline else "") or _plain(declared or "")
    if inline is None:
        return _read_address(url, media_type, path, type_field)
    return _read_data(url, inline, media_type, path, type_field)


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _read_address(url: str, media_type: str, path: str, type_field: str) -> File:
    """An address goes on to the model's provider as it is."""
    ending = _check_address(url, path)
    if not media_type or media_type.endswith("/*"):
        media_type = _ENDINGS.get(ending, media_type)
    _check_type(media_type, path, type_field)
    if not media_type.startswith("image/") and media_type != "application/pdf":
        raise RequestError(400, f"{path}.url: by address only images and PDF can be sent; send a data: URL")
    return File(url, media_type)


def _check_address(url: str, path: str) -> str:
    """The file's ending, such as `.png`; empty for none."""
    try:
        parsed = urlsplit(url)
        host, _ = parsed.hostname, parsed.port
    except ValueError:
        host = None
    if not host or parsed.scheme not in ("http", "https") or _NOT_IN_AN_ADDRESS.search(url):
        raise RequestError(400, f"{path}.url: expected an http:, https: or data: URL")
    if "@" in parsed.netloc:
        raise RequestError(400, f"{path}.url: a file's address has no user and no password in it")
    if not may_hold_files(host):
        raise RequestError(400, f"{path}.url: no file can be asked for at {host[:80]}; send a data: URL")
    return "".join(parsed.path.lower().rpartition(".")[1:])


def _check_type(media_type: str, path: str, type_field: str) -> None:
    if not media_type:
        raise RequestError(400, f"{path}.{type_field}: say what the file is, such as image/png")
    if not _ALLOWED.fullmatch(media_type):
        raise RequestError(
            400, f"{path}: a file of type {media_type[:80]} cannot be sent; images, audio, text and PDF can"
        )


def _read_data(url: str, inline: re.Match[str], media_type: str, path: str, type_field: str) -> File:
    data, parameters = url[inline.end() :], inline["parameters"].lower()
    is_base64 = parameters.endswith(";base64")
    found = _found_type(data) if is_base64 else None
    if found is not None and (not media_type or (media_type.startswith("image/") and found.startswith("image/"))):
        media_type = found  # names of files lie: a photo that was saved as .png is a JPEG still
    _check_type(media_type, path, type_field)
    if not is_base64 and not media_type.startswith("text/"):
        raise RequestError(400, f"{path}.url: send it in base64, as data:{media_type};base64,...")
    _check_data(data, path, is_base64=is_base64)
    if media_type in _SIGNATURES and found != media_type:
        raise RequestError(400, f"{path}.url: the data is no {media_type}")
    head = f"data:{media_type}{parameters},"
    return File(url if url.startswith(head) else head + data, media_type)


def _found_type(data: str) -> str | None:
    """What the first bytes of base64 say that a file is; None for what is not known by them."""
    try:
        start = base64.b64decode(data[:_START])
    except ValueError:
        return None
    return next((media_type for media_type, signature in _SIGNATURES.items() if signature.match(start)), None)


def _check_data(data: str, path: str, *, is_base64: bool) -> None:
    if not data:
        raise RequestError(400, f"{path}.url: the file is empty")
    size = len(data) * 3 // 4 if is_base64 else len(data) - 2 * data.count("%")
    if size > MAX_FILE_SIZE:
        raise RequestError(413, f"{path}: the file is larger than {MAX_FILE_SIZE:,} bytes")
    if not is_base64:
        return
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, f"{path}.url: the data is no base64") from None
