"""What runs cost: every model call recorded, priced, and told."""

from __future__ import annotations

from fondation.usage.recorder import record

__all__ = ["record"]
