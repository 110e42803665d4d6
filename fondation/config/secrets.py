"""Keys and passwords that were written into a file: found, refused, and never printed again."""

from __future__ import annotations

import re

KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{8,}")
"""What the API keys of OpenRouter, OpenAI and Anthropic look like."""

HELP = "never write a key in YAML: put it in .env and name its variable with api_key_env"
HELP_FOR_WRITTEN = f"{HELP}; replace the key, since the file may have been shared"

_USER = re.compile(r"(?<=://)[^/\s@\"']+(?=@)")


def masked(text: str) -> str:
    """`text` of the same length, with stars in place of keys and of what stands before the @ of an address."""
    text = KEY.sub(lambda key: "sk-" + "*" * (len(key[0]) - 3), text)
    return _USER.sub(lambda user: "*" * len(user[0]), text)
