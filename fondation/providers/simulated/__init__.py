"""The simulated provider: answers without any model, the same way every time, so that every YAML can be tried dry."""

from fondation.providers.simulated.answer import STATEMENT
from fondation.providers.simulated.provider import SimulatedProvider

__all__ = ["STATEMENT", "SimulatedProvider"]
