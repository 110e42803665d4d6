"""The table of stream protocols: one for every major that a route's `client` may name."""

from __future__ import annotations

import pytest

from fondation import events
from fondation.errors import RequestError
from fondation.protocols import PROTOCOLS, StreamProtocol

MEMBERS = list({protocol.name: protocol for protocol in PROTOCOLS.values()}.values())


def test_every_major_has_its_protocol() -> None:
    names = {major: protocol.name for major, protocol in PROTOCOLS.items()}
    later = dict.fromkeys((5, 6, 7), "ui-message-stream")
    assert names == {4: "data-stream", **later}


@pytest.mark.parametrize("protocol", MEMBERS, ids=lambda protocol: protocol.name)
def test_a_protocol_answers_for_itself(protocol: StreamProtocol) -> None:
    assert protocol.headers["Content-Type"]
    assert protocol.keepalive.endswith(b"\n")
    assert b"run_1" in protocol.broken("run_1")
    assert protocol.decode(b'{"message": "Hi"}').text == "Hi"
    with pytest.raises(RequestError):
        protocol.decode(b"{}")


@pytest.mark.parametrize("protocol", MEMBERS, ids=lambda protocol: protocol.name)
def test_the_encoder_of_one_run_knows_nothing_of_another(protocol: StreamProtocol) -> None:
    batch = [events.RunStarted("run_1", "msg_1", "Ann"), events.RoundStarted("Ann", "executing"), events.StepStarted()]
    first = protocol.encoder()(batch)
    other = protocol.encoder()
    other([events.RunStarted("run_2", "msg_2", "Bob"), events.RoundStarted("Bob", "executing")])
    assert protocol.encoder()(batch) == first
    assert b"msg_1" not in other([events.StepStarted()])
