"""At which hosts a file may be asked for."""

from __future__ import annotations

import pytest

from fondation.addresses import may_hold_files


@pytest.mark.parametrize(
    "host",
    [
        *("example.org", "EXAMPLE.org.", "a_b.example.org", "b\u00fccher.example", "1.1.1.1", "2606:4700:4700::1111"),
        *("localhost", "router", "printer.local", "127.0.0.1", "10.0.0.1", "::1", "fd00::1", "::ffff:127.0.0.1"),
    ],
)
def test_names_and_addresses_may_hold_files(host: str) -> None:
    assert may_hold_files(host)


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "169.254.43518", "2852039166", "0xa9.0xfe.0xa9.0xfe", "\uff11\uff16\uff19.254.169.254"),
        *(
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::1%eth0",
        ),
        *("metadata.google.internal", "METADATA.google.internal."),
        *("0.0.0.0", "::", "224.0.0.1", "ff02::1"),
        *("", ".", "a..b", "127%2e0.0.1", "a b.example", "x" * 64 + ".example", "1:2", "[", "a,b.example"),
    ],
)
def test_places_of_secrets_and_what_is_no_host_hold_none(host: str) -> None:
    assert not may_hold_files(host)
