"""A message's `content` where it is a list: parts as people write them by hand, in the words of other APIs too."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fondation.errors import RequestError
from fondation.messages import Json
from fondation.protocols.ui_message_stream.parts import PlacedPart, UIPart


class ContentPart(UIPart):
    """Any part of a content; which fields it has depends on its type."""

    image_url: Json = msgspec.field(default=None, name="image_url")
    image: Json = None
    mime_type: str | None = None


def read_content(content: Sequence[ContentPart], path: str) -> list[UIPart]:
    """The same as parts of a UI message; `path` is the message's place in the body.

    Raises `RequestError` (400) for a part that is unknown: nobody would see that it is missing.
    """
    return [_read(part, f"{path}.content[{position}]") for position, part in enumerate(content)]


def _read(part: ContentPart, place: str) -> UIPart:
    media_type = part.media_type or part.mime_type
    match part.type:
        case "text" | "input_text" | "output_text":
            return UIPart("text", text=part.text)
        case "file":
            return _file(part.url or _url(part.data, media_type), media_type, place, part.filename)
        case "image":
            return _file(part.url or _url(part.image, media_type), media_type or "image/*", place)
        case "image_url" | "input_image":
            url = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
            return _file(url, media_type or "image/*", f"{place}.image_url")
        case "reasoning" | "step-start":
            return part
    if part.type.startswith(("data-", "source-")) or (part.is_tool and part.state is not None):
        return part
    raise RequestError(400, f"{place}.type: {part.type[:40]!r} is unknown here; send text, image_url, image or file")


def _file(url: Json, media_type: str | None, place: str, filename: str | None = None) -> PlacedPart:
    text = url if isinstance(url, str) else None
    return PlacedPart("file", url=text, media_type=media_type, filename=filename, place=place)


def _url(data: Json, media_type: str | None) -> str | None:
    """Of what is a URL already, or base64 alone."""
    if not isinstance(data, str) or not data:
        return None
    return data if ":" in data else f"data:{media_type or ''};base64,{data}"
