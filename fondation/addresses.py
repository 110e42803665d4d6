"""Host names and addresses: which of them mean this machine, and at which no file is to be asked for."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_CLOUD_V6 = ipaddress.IPv6Network("fd00:ec2::/32")
"""Where a large cloud tells its machines their secrets."""


@lru_cache(maxsize=1024)
def is_loopback(name: str) -> bool:
    """Whether a host name or an address means this machine only."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def may_hold_files(host: str) -> bool:
    """Whether the host of a URL is one that a model's provider may be sent to: a name or an address, but none of those
    at which machines of a cloud find their secrets.

    No name is looked up: whoever fetches the file knows what it may reach.
    """
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")  # full-width digits are digits, too
    except UnicodeError:
        return False
    if ":" in name:
        return _may_hold_files_v6(name)
    try:
        # Also 169.254.43518 and 2852039166, which clients take for addresses.
        address = ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return _HOST_NAME.fullmatch(name) is not None and name.rpartition(".")[2] != "internal"
    return _is_for_one(address)


def _may_hold_files_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return False
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return _is_for_one(address) and address not in _CLOUD_V6 and (inner is None or _is_for_one(inner))


def _is_for_one(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not (address.is_link_local or address.is_multicast or address.is_unspecified)
