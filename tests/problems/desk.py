"""Tools for the files beside this one, good ones and bad ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

RATES = {"standard": 20}
read_file = Path("/").joinpath


class Desk:
    """A desk."""


def check_invoice(invoice: str) -> str:
    """Look an invoice up."""
    return f"{invoice} is paid"


def tell_error(error: Exception, event: dict[str, object]) -> None:
    """A hook."""


def is_large(invoice: str) -> bool:
    """Whether the invoice is over the limit."""
    return len(invoice) > 20


def is_urgent(invoice: str, days: int, currency: str = "EUR") -> bool:
    """Whether the invoice has to be paid at once."""
    return days < 3 and currency == "EUR" and bool(invoice)


def takes_all(args: dict[str, object]) -> bool:
    """Whether the call is one of many arguments."""
    return len(args) > 1


def pay(invoice: str, amount: int = 1) -> str:
    """Pay an invoice."""
    return f"paid {amount} of {invoice}"


def check_status() -> str:
    """Check whether all systems are operational."""
    return "operational"


def undocumented(invoice: str) -> str:
    return invoice


def takes_anything(*names: str) -> str:
    """Look names up."""
    return " ".join(names)


def takes_keywords(**names: str) -> str:
    """Look names up."""
    return " ".join(names)


def takes_connection(connection: sqlite3.Connection) -> str:
    """Look something up."""
    return str(connection)


def takes_unknown(amount: Decimal) -> str:
    """Look an amount up."""
    return str(amount)


def yields() -> Iterator[str]:
    """List everything."""
    yield "everything"


def positional(name: str, /) -> str:
    """Open something."""
    return name
