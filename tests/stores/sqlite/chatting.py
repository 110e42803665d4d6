"""A process that writes an answer until it is killed: `chatting.py FILE`. It says "ready" when it is in the middle."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fondation.stores import open_chats
from fondation.stores.chats import ChatKey, StoredMessage


async def chat() -> None:
    chats = open_chats(Path(sys.argv[1]))
    question = StoredMessage("m1", "user", ({"type": "text", "text": "hello"},))
    partial = StoredMessage("a1", "assistant", ({"type": "text", "text": "so far"},), status="streaming")
    whole = StoredMessage("a0", "assistant", ({"type": "text", "text": "whole"},))
    await chats.save(ChatKey("ada", "c1"), [question, partial, whole])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(chat())
