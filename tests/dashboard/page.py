"""A page of the dashboard, read as a person reads it."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = ("meta", "link", "input", "br")
_DRAWN = ("svg",)


class Page(HTMLParser):
    """Its texts by where they stand, without what is drawn. Fails where a tag is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        """The rows of each table, its head first, by its name."""
        self.stats: dict[str, list[str]] = {}
        """The lines of each card with a number, by its title."""
        self.headings: list[str] = []
        self.notices: list[str] = []
        self.notes: list[str] = []
        """Paragraphs in small print."""
        self.facts: dict[str, str] = {}
        """What a page says of its one subject: title -> text."""
        self.links: dict[str, str] = {}
        """Text -> address, of the last one with this text."""
        self._cell: list[str] | None = None
        self._row: list[str] = []
        self.feed(text.replace("<wbr>", ""))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag not in _VOID:
            self._open.append((tag, attributes))
        if tag == "tr":
            self._row = []
        if tag in ("td", "th"):
            self._row.append("")
        if attributes.get("role") == "region":
            self.tables[attributes["aria-label"] or ""] = []
        if tag == "p" and "notice" in (attributes.get("class") or ""):
            self.notices.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"</{tag}> where <{opened}> is open"
        if tag == "tr":
            next(reversed(self.tables.values())).append([" ".join(cell.split()) for cell in self._row])

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        text = data.strip()
        if not text or set(tags) & set(_DRAWN):
            return
        if "tr" in tags:
            self._row[-1] += f"{data} "
        if "a" in tags:
            self.links[text] = next(each["href"] or "" for tag, each in reversed(self._open) if tag == "a")
        if tags[-1] in ("h1", "h2"):
            self.headings.append(text)
        if tags[-1] == "p" and self._open[-1][1].get("class") == "note":
            self.notes.append(text)
        if tags[-1] == "dt":
            self.facts[text] = ""
        if "dd" in tags:
            self.facts[next(reversed(self.facts))] += text
        for _, attributes in self._open:
            if "stat" in (attributes.get("class") or "").split():
                self._add_stat(tags[-1], text)
        if any("notice" in (each.get("class") or "") for _, each in self._open):
            self.notices[-1] += text

    def _add_stat(self, tag: str, text: str) -> None:
        if tag == "h2":
            self.stats[text] = []
        else:
            next(reversed(self.stats.values())).append(text)
