"""Who is told when the money runs short."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger("alarm")


def tell(event: dict[str, Any]) -> None:
    log.warning("%s: $%.2f of $%.2f is spent", event["budget"], event["spent"], event["limit"])
