"""A route's own rules: paths that are taken, and the context values it declares."""

from __future__ import annotations

from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.config.words import kind_of, listed, shown

TAKEN = ("/", "/healthz", "/readyz", "/metrics", "/openapi.json")
TAKEN_BEGINNINGS = ("/admin", "/api/chats")
RUN_ENDINGS = ("stream", "stop")
"""`ROUTE/ID/stream` and `ROUTE/ID/stop` belong to the route itself."""

_KINDS: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def check_routes(document: Document) -> None:
    """The paths and their context."""
    routes = document.mapping("routes")
    for route in routes:
        _check_path(document, route, list(routes))
        for name in document.mapping("routes", route, "context"):
            _check_context_value(document, ("routes", route, "context", name))


def _check_path(document: Document, route: str, routes: list[str]) -> None:
    if route in TAKEN or route.startswith(TAKEN_BEGINNINGS):
        taken = listed((*TAKEN, *(f"{beginning}..." for beginning in TAKEN_BEGINNINGS)), "and")
        message = f"the route {shown(route)} is taken: fondation answers there itself"
        document.error_at_key(("routes", route), "taken-route", message, f"choose another path; {taken} are taken")
        return
    parent, _, ending = route.rpartition("/")
    owner = parent.rpartition("/")[0]
    if ending in RUN_ENDINGS and owner in routes:
        message = f"the route {shown(route)} is taken: it belongs to the runs of {owner}"
        help = f"choose another path; {owner}/ID/stream and {owner}/ID/stop are taken"
        document.error_at_key(("routes", route), "taken-route", message, help)


def _check_context_value(document: Document, path: Path) -> None:
    declared = document.mapping(*path)
    if (*path, "type") in document.dropped | document.unknown:
        return
    type_name = declared.get("type", "string")
    default, longest = declared.get("default"), declared.get("max_length")
    if longest is not None and type_name != "string":
        message = f"{dotted(path)} has a max_length, but its type is {type_name}"
        document.error((*path, "max_length"), "max-length-of-no-string", message, "remove it, or write type: string")
    if default is None:
        return
    here = (*path, "default")
    fits = isinstance(default, _KINDS[str(type_name)]) and (type_name == "boolean" or not isinstance(default, bool))
    if not fits and here in document.from_environment:
        message = f"{dotted(here)} is {document.shown(here)}, whose value is no {type_name}"
        document.error(here, "wrong-type", message, "set the variable to a value that fits")
    elif not fits:
        message = f"{dotted(here)} is {kind_of(default)}, but the type is {type_name}"
        help = (
            f'quote the text: "{document.source.written(here)}"'
            if type_name == "string"
            else f"write a default that fits type: {type_name}"
        )
        document.error(here, "wrong-type", message, help)
    elif isinstance(default, str) and isinstance(longest, int) and len(default) > longest:
        message = f"{dotted(here)} has {len(default)} characters, but max_length is {longest}"
        document.error(here, "out-of-range", message, "shorten it, or raise max_length")
