"""Files of the package that a browser loads, read once, and what it may do with a page of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def headers_under(policy: Mapping[str, str]) -> dict[str, str]:
    """The headers of a page and its files: what its Content-Security-Policy does not allow, a browser refuses.

    Nobody may put the page into another one, or change what its addresses mean.
    """
    directives = {"default-src": "'none'", **policy, "frame-ancestors": "'none'", "base-uri": "'none'"}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in directives.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is answered."""

    body: bytes
    content_type: str
    etag: str
    headers: Mapping[str, str]

    def answer(self, request: web.Request) -> web.Response:
        """The file, or 304 to a browser that has it."""
        if any(known.value in (self.etag, "*") for known in request.if_none_match or ()):
            response = web.Response(status=304, headers=self.headers)
        else:
            response = web.Response(
                body=self.body, content_type=self.content_type, charset="utf-8", headers=self.headers
            )
        response.etag = self.etag
        return response


def load_assets(folder: Path, headers: Mapping[str, str]) -> dict[str, Asset]:
    """Every file by its path below the folder, such as `view/message.js`."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES)
    return {path.relative_to(folder).as_posix(): load_asset(path, headers) for path in files}


def load_asset(path: Path, headers: Mapping[str, str]) -> Asset:
    """One file."""
    body = path.read_bytes()
    return Asset(body, CONTENT_TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16], headers)
