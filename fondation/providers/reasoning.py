"""A model's reasoning blocks put together from fragments, to be sent back to it unchanged."""

from __future__ import annotations

from fondation.messages import Json

_GROWING = {"reasoning.text": "text", "reasoning.summary": "summary"}
"""The kinds of block that come in fragments, and the field that grows."""


class ReasoningDetails:
    """The `reasoning_details` of one answer."""

    def __init__(self) -> None:
        self._blocks: list[dict[str, Json]] | None = None
        self._texts: list[list[str]] = []
        """The fragments of each block's growing field."""

    def add(self, fragments: Json) -> str:
        """Take the `reasoning_details` of one chunk; returns the words in it, for who reads along."""
        if not isinstance(fragments, list):
            return ""
        if self._blocks is None:
            self._blocks = []
        return "".join(self._add(fragment) for fragment in fragments if isinstance(fragment, dict))

    def finish(self) -> tuple[Json, ...] | None:
        """All blocks, whole; None where the model sent none at all, not even an empty list."""
        if self._blocks is None:
            return None
        for block, texts in zip(self._blocks, self._texts, strict=True):
            field = _GROWING.get(block.get("type", ""))
            if field is not None and texts:
                block[field] = "".join(texts)
        return tuple(self._blocks)

    def _add(self, fragment: dict[str, Json]) -> str:
        assert self._blocks is not None
        field = _GROWING.get(fragment.get("type", ""))
        text = fragment.get(field) if field is not None else None
        text = text if isinstance(text, str) else ""
        last = self._blocks[-1] if self._blocks else None
        if field is not None and last is not None and _continues(fragment, last):
            for name, value in fragment.items():
                if name != field and last.get(name) is None:
                    last[name] = value  # a signature comes alone, in a later fragment
        else:
            self._blocks.append(dict(fragment))
            self._texts.append([])
        if text:
            self._texts[-1].append(text)
        return text


def _continues(fragment: dict[str, Json], last: dict[str, Json]) -> bool:
    return all(
        fragment.get(name) == last.get(name) or (name != "type" and fragment.get(name) is None)
        for name in ("type", "index", "id")
    )
