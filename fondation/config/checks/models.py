"""A model's own rules: where its server is, and that no key is written into the file."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from fondation.addresses import is_loopback
from fondation.config import scalars, secrets
from fondation.config.document import Document
from fondation.config.places import Path, Span, dotted
from fondation.config.source import Value


def check_models(document: Document) -> None:
    """The addresses of models, and keys anywhere in them."""
    for model in document.mapping("models"):
        _check_base_url(document, ("models", model, "base_url"))
        _check_price(document, ("models", model, "price"))
    for path, text in _texts(document.data, ()):
        if path not in document.from_environment and (found := secrets.KEY.search(text)):
            start = document.offset(path, text, found.start())
            document.error_at(
                Span(start, start + len(found[0])),
                "key-in-file",
                f"{dotted(path)} holds an API key",
                secrets.HELP_FOR_WRITTEN,
            )


def _check_base_url(document: Document, path: Path) -> None:
    url = document.text(*path)
    if url is None:
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        message = f"{dotted(path)} is {document.shown(path)}, whose host or port cannot be read"
        document.error(path, "invalid-url", message, scalars.BASE_URL.help)
        return
    if parts.username or parts.password:
        message = f"{dotted(path)} holds a user name or a password"
        document.error(path, "key-in-file", message, "name the variable that holds the key with api_key_env")
    elif parts.scheme == "http" and not is_loopback(host):
        message = f"{dotted(path)} is {document.shown(path)}: http sends the key and the conversation unencrypted"
        document.error(path, "insecure-url", message, "write https; http is for a server on this machine only")


def _check_price(document: Document, path: Path) -> None:
    """Without both prices no call has a known cost: every one reads and writes."""
    price = document.mapping(*path)
    missing = [key for key in ("input", "output") if price.get(key) is None]
    if document.value(*path) is None or not missing or any((*path, key) in _broken(document) for key in missing):
        return
    lacking = " and ".join(missing)
    message = f"{dotted(path)} has no {' and no '.join(missing)}, so the cost of the model's calls stays unknown"
    document.warning(path, "price-incomplete", message, f"write {lacking}, in dollars per million tokens; 0 is free")


def _broken(document: Document) -> set[Path]:
    return document.dropped | document.unknown


def _texts(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, (*path, index))
        case str():
            yield path, value
