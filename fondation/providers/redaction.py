"""Text for the log: what a provider wrote, without anything that looks like a key, and cut to a sane length."""

from __future__ import annotations

import re

LONGEST = 600
"""Characters of a detail that the log keeps."""

SHORTEST = 8
"""Characters of a key that is hidden wherever it stands: a shorter one is no secret, and would be found in any word."""

HIDDEN = "[hidden]"
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=*-]{4,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:(?:sk|pk|rk|xai|gsk)[-_]|AIza)[\w*.-]{6,}"), HIDDEN),
    (re.compile(r"""(?i)\b(api[-_ ]?key|access[-_]?token)("?\s*[:=]\s*"?)[\w.~+/*-]{6,}"""), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?<=[?&]key=)[^&\s]+"), HIDDEN),
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{HIDDEN}@"),
)


def hide_secrets(text: str) -> str:
    """`text` without anything that looks like a key or a password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class Redactor:
    """Knows the key of one provider."""

    def __init__(self, key: str | None) -> None:
        self._key = key if key is not None and len(key) >= SHORTEST else None

    def __call__(self, text: str) -> str:
        """`text` on one line, without keys, at most `LONGEST` characters."""
        if self._key is not None:
            text = text.replace(self._key, HIDDEN)
        text = " ".join(hide_secrets(text).split())
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
