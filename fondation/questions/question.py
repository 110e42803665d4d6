"""A question to a model beside the answer: one turn without tools, whose calls have rows of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from fondation.agents import Agent, Model
from fondation.attempts import Attempts
from fondation.calls import ModelCall, Purpose, RunInfo
from fondation.deadline import Deadline
from fondation.events import Batches, CallAccepted, CallEnded, CallStarted
from fondation.gate import Gate
from fondation.messages import SystemMessage, TextPart, UserMessage, mend_text
from fondation.providers.base import ModelRequest, TextPiece


class Question:
    """Asked once, in the name of an agent; `answer` is the model's text when `ask` has ended.

    What its calls cost is no part of the run's `usage`, which counts the calls of the answer alone: it is in the
    ledger, where each of these calls says its purpose.
    """

    def __init__(
        self,
        purpose: Purpose,
        agent: Agent,
        chain: Sequence[str],
        instructions: str,
        text: str,
        model: Model | None = None,
    ) -> None:
        """`chain` are the run's agents up to this one; `model` is another than the agent's own; `text` holds what
        people and models wrote, as data.
        """
        self.answer = ""
        self.purpose = purpose
        self._agent = replace(agent, model=model or agent.model, settings=agent.plain_settings)
        self._chain = tuple(chain)
        self._instructions = instructions
        self.text = text

    async def ask(self, info: RunInfo, gate: Gate, deadline: Deadline) -> Batches:
        """What happens to its calls. Raises `ProviderError`, `CallStopped` or `DeadlineReached`."""
        messages = (SystemMessage(self._instructions), UserMessage((TextPart(self.text),)))
        request = ModelRequest(messages, user_id=info.user_id, session_id=info.session_id)
        attempts = Attempts(info, self._agent, gate, deadline, self._new_call, self.purpose)
        said: list[str] = []
        async with contextlib.aclosing(attempts.ask(request)) as items:
            async for batch in items:
                said += [item.text for item in batch if isinstance(item, TextPiece)]
                if of_calls := [item for item in batch if isinstance(item, CallStarted | CallAccepted | CallEnded)]:
                    yield [*of_calls]
        self.answer = mend_text("".join(said))

    def _new_call(self, model: Model, attempt: int) -> ModelCall:
        return ModelCall(
            agent=self._agent.name,
            provider=model.provider.name,
            requested_model=model.id,
            handoff_chain=self._chain,
            round=len(self._chain),
            step=0,
            attempt=attempt,
            purpose=self.purpose,
        )
