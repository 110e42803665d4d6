"""Time zone, proxies, and where the ledger is."""

from __future__ import annotations

import ipaddress
import zoneinfo
from collections.abc import Mapping
from pathlib import Path

from fondation.config.database import VARIABLE, database_file, is_production, why_unwritable
from fondation.config.document import Document
from fondation.config.problems import Problem
from fondation.config.words import near


def check_server(document: Document) -> None:
    """`usage.timezone`, `server.host` and `server.proxies`."""
    zone = document.text("usage", "timezone")
    if zone is not None and not _is_time_zone(zone):
        path = ("usage", "timezone")
        guess = near(zone, zoneinfo.available_timezones()) if path not in document.from_environment else None
        help = f'did you mean "{guess}"?' if guess else 'write a name of the IANA list, like "Europe/Paris" or "UTC"'
        document.error(
            path, "unknown-timezone", f"usage.timezone is {document.shown(path)}, which is no time zone", help
        )
    host = document.text("server", "host")
    if host is not None and host.replace(".", "").isdigit() and not _is_address(host):
        path = ("server", "host")
        message = f"server.host is {document.shown(path)}, which is no address"
        document.error(path, "invalid-host", message, 'an address has four numbers up to 255, like "127.0.0.1"')
    for index, proxy in document.texts_at("server", "proxies"):
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            here = ("server", "proxies", index)
            help = 'write an address, like "10.0.0.7", or a network, like "10.0.0.0/8"'
            message = f"server.proxies[{index}] is {document.shown(here)}, which is no address or network"
            document.error(here, "invalid-network", message, _network_help(proxy) or help)


def _is_time_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network_help(proxy: str) -> str | None:
    """`10.0.0.7/8` has bits after its network: the network that was meant."""
    try:
        return f'did you mean "{ipaddress.ip_network(proxy, strict=False)}"?'
    except ValueError:
        return None


def check_storage(document: Document, folder: Path, environment: Mapping[str, str], *, writing: bool) -> None:
    """`storage.url`, or DATABASE_URL where the file has none; with `writing` also whether it can be written here."""
    path = ("storage", "url")
    if path in document.dropped or path in document.unknown:
        return
    url = document.text(*path)
    try:
        file = database_file(url, folder, environment)
    except ValueError as error:
        message, _, help = str(error).partition("; ")
        if path in document.from_environment:
            message = f"storage.url is {document.shown(path)}, whose value is not supported"
            document.error(path, "unsupported-storage", message, help)
        elif url is not None:
            document.error(path, "unsupported-storage", f"storage.url: {message}", help)
        else:
            _report_variable(document, "unsupported-storage", message, f"{help} under storage: url:")
        return
    if not writing or not _is_kept(document, environment) or (reason := why_unwritable(file)) is None:
        return
    message, help = f"the ledger cannot be written: {reason}", "name a file in a folder that the server may write"
    if url is not None:
        document.error(path, "unwritable-storage", f"storage.url is {document.shown(path)}: {message}", help)
    elif environment.get(VARIABLE):
        _report_variable(document, "unwritable-storage", message, help)


def _is_kept(document: Document, environment: Mapping[str, str]) -> bool:
    """Whether there is a ledger at all."""
    path = ("usage", "enabled")
    enabled = document.value(*path)
    if enabled == "production":
        return is_production(environment)
    return enabled is not False and path not in document.dropped | document.unknown


def _report_variable(document: Document, code: str, message: str, help: str) -> None:
    message = f"the environment's {VARIABLE}: {message}"
    document.problems.append(Problem(document.source.file, None, None, code, message, help))
