"""Weather, made up the same way every time: put your own service behind the same signature."""

from __future__ import annotations

import hashlib

CONDITIONS = ("Sunny", "Partly cloudy", "Cloudy", "Light rain", "Windy")


async def get_weather(location: str) -> dict[str, str | int]:
    """Get the current weather for a location.

    Args:
        location: City name, for example "Lyon".
    """
    digest = hashlib.sha256(location.strip().lower().encode()).digest()
    return {"location": location, "temperature": 8 + digest[0] % 22, "condition": CONDITIONS[digest[1] % 5]}
