from __future__ import annotations

import os
import re
import uuid

from fondation.tokens import new_token, new_uuid


def test_every_token_is_another() -> None:
    tokens = {new_token() for _ in range(2000)}
    assert len(tokens) == 2000
    assert all(re.fullmatch(r"[0-9a-f]{32}", token) for token in tokens)


def test_a_uuid_is_a_random_one() -> None:
    made = {new_uuid() for _ in range(600)}
    assert len(made) == 600
    assert {uuid.UUID(text).version for text in made} == {4}


def test_a_forked_process_makes_names_of_its_own() -> None:
    new_token()  # there are some in store
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, new_token().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 32).decode()
    os.close(read)
    os.close(write)
    assert theirs not in {new_token() for _ in range(300)}
