"""Whatever users do to their chats, in whatever order and through cuts and restarts: a chat holds what its readers saw,
and every model call has its row.

`FONDATION_MACHINE_EXAMPLES=2000` lets it run long.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.server.machine.answers import Answers
from tests.server.machine.questions import Questions
from tests.server.machine.readers import Readers
from tests.server.machine.server_life import ServerLife
from tests.server.machine.upstream import Upstream

EXAMPLES = int(os.environ.get("FONDATION_MACHINE_EXAMPLES", "25"))


class Conversations(Questions, Answers, Upstream, Readers, ServerLife):
    """All rules at once."""


Conversations.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20 if EXAMPLES <= 25 else 40,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
TestConversations = Conversations.TestCase
