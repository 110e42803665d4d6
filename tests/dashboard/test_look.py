"""The stylesheet knows what the pages and pictures call their parts."""

from __future__ import annotations

import re

from tests.dashboard.gallery import FILES, PACKAGE, STATUSES, gallery

PLAIN = {*STATUSES, "well", "graph-agent"}
"""Names that need no rule of their own: they look as what they are part of."""


def test_every_class_has_its_rule() -> None:
    rules = "".join((PACKAGE / file).read_text() for file in FILES if file.endswith(".css"))
    known = set(re.findall(r"\.([a-z][\w-]*)", rules))
    used = {name for names in re.findall(r'class="([^"]*)"', gallery()) for name in names.split()}
    assert len(used) > 50
    assert used - PLAIN - known == set()


def test_the_page_of_everything_keeps_to_the_policy() -> None:
    page = gallery()
    assert re.findall(r"<script|<style| style=| on[a-z]+=|javascript:", page) == []
    assert "<b>bold</b>" not in page
