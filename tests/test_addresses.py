"""Which hosts may lie in one's own network."""

from __future__ import annotations

import pytest

from fondation.addresses import is_public


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "EXAMPLE.org.",
        "a_b.example.org",
        "bücher.example",
        "1.1.1.1",
        "0x1.1.1.1",
        "2606:4700:4700::1111",
    ],
)
def test_names_and_addresses_of_the_internet_are_public(host: str) -> None:
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "a.localhost", "printer.local", "metadata.google.internal", "router"),
        *(
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "\uff11\uff12\uff17\u30020.0.1",
            "0.0.0.0",
        ),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%25eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "ff02::1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1"),
        *("", ".", "a..b", "127%2e0.0.1", "a b.example", "x" * 64 + ".example", "1:2", "[", "a,b.example"),
    ],
)
def test_ones_own_network_and_what_is_no_host_are_not(host: str) -> None:
    assert not is_public(host)
