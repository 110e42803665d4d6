"""Names that nobody can guess: 128 random bits each, asked of the system many at a time."""

from __future__ import annotations

import os
import uuid

_BYTES = 16
_AT_ONCE = 256

_pool: list[bytes] = []


def new_token() -> str:
    """32 hexadecimal digits."""
    return _random_bytes().hex()


def new_uuid() -> str:
    """A random UUID, as text."""
    return str(uuid.UUID(bytes=_random_bytes(), version=4))


def _random_bytes() -> bytes:
    try:
        return _pool.pop()
    except IndexError:
        fresh = os.urandom(_BYTES * _AT_ONCE)
        _pool.extend(fresh[start : start + _BYTES] for start in range(_BYTES, len(fresh), _BYTES))
        return fresh[:_BYTES]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.clear)  # or two processes would make the same names
