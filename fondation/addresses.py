"""Host names and addresses: which of them mean this machine, and which may lie in one's own network."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_OWN_NETWORK = ("localhost", "local", "internal")
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")


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


def is_public(host: str) -> bool:
    """Whether the host of a URL is a name or an address of the internet; False for what is neither.

    No name is looked up: one of the internet's may lead into one's own network all the same.
    """
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")  # full-width digits are digits, too
    except UnicodeError:
        return False
    if ":" in name:
        return _is_public_v6(name)
    try:
        # Also 127.1, 0x7f.0.0.1 and 2130706433, which clients take for addresses.
        address = ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return _HOST_NAME.fullmatch(name) is not None and name.rpartition(".")[2] not in _OWN_NETWORK
    return address.is_global and not address.is_multicast


def _is_public_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address in _PUBLIC_V6 and address.is_global and address.sixtofour is None
