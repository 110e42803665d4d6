from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fondation.config.project import put_first_on_import_path
from fondation.entry_points import load_entry_point, load_hook
from fondation.errors import EntryPointError

MODULE = """
import functools, json, os, operator
from subprocess import run as started

DATA = {}

def plain(): ...

async def later(): ...

class Client:
    def search(self): ...
    def __call__(self): ...

client = Client()
half = functools.partial(plain)
cached = functools.lru_cache(plain)
lookup = DATA.get
getter = operator.itemgetter("a")
hidden = functools.partial(functools.partial(os.system))
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "desk.py").write_text(MODULE)
    sys.path.insert(0, str(tmp_path))


@pytest.mark.parametrize("name", ["plain", "later", "client", "client.search", "half", "cached"])
def test_what_can_be_called_is_loaded(name: str) -> None:
    assert callable(load_entry_point(f"pack.desk:{name}"))


@pytest.mark.parametrize(
    "text",
    ["os:system", "builtins:eval", "subprocess:run", "json.decoder:scanstring", "posix:system", "_io:open"]
    + [f"pack.desk:{name}" for name in ("os.system", "started", "json.dumps", "lookup", "getter", "hidden")],
)
def test_nothing_of_the_standard_library_is_handed_out(text: str) -> None:
    with pytest.raises(EntryPointError, match="the standard library"):
        load_entry_point(text)


def test_the_standard_library_is_refused_before_it_is_imported() -> None:
    sys.modules.pop("antigravity", None)
    with pytest.raises(EntryPointError, match="the standard library"):
        load_entry_point("antigravity:fly")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("text", "says", "help"),
    [
        ("pack.desk", "is no entry point", 'written "module:attribute"'),
        ("pack.desk:", "is no entry point", 'written "module:attribute"'),
        ("pack desk:plain", "is no entry point", 'written "module:attribute"'),
        ("pack.desc:plain", "there is no module pack.desc", 'did you mean "pack.desk"?'),
        ("park.desk:plain", "there is no module park", 'did you mean "pack.desk"?'),
        ("nothing_like_it:plain", "there is no module nothing_like_it", "a file of the project's folder"),
        ("pack.desk:plane", "has no attribute plane", 'did you mean "plain"?'),
        ("pack.desk:zzz", "has no attribute zzz", "its functions are plain, later"),
        ("pack.desk:client.find", "has no attribute client.find", ""),
        ("pack.desk:DATA", "is a dict, which cannot be called", "name a function"),
        ("pack.desk:Client", "is a class", "an instance that can be called"),
    ],
)
def test_an_entry_point_that_cannot_be_used_says_why(text: str, says: str, help: str) -> None:
    with pytest.raises(EntryPointError) as caught:
        load_entry_point(text)
    assert says in caught.value.text
    assert help in caught.value.help


def test_a_folder_that_is_not_there_has_no_module_to_suggest(tmp_path: Path) -> None:
    sys.path.insert(0, str(tmp_path / "gone"))
    with pytest.raises(EntryPointError, match="there is no module park"):
        load_entry_point("park.desk:plain")


@pytest.mark.parametrize(
    ("code", "says", "help"),
    [
        ("import no_such_thing", "No module named 'no_such_thing' (bad.py, line 1)", "install no_such_thing"),
        ("from pack import nothing", "cannot import name 'nothing'", 'python -c "import bad"'),
        ("\n\n1 / 0", "ZeroDivisionError: division by zero (bad.py, line 3)", 'python -c "import bad"'),
        ("def x(:", "SyntaxError: invalid syntax (bad.py, line 1)", 'python -c "import bad"'),
        ("import sys; sys.exit(3)", "SystemExit: 3 (bad.py, line 1)", 'python -c "import bad"'),
        ("raise ValueError('one\\ntwo')", "bad cannot be imported: two (bad.py, line 1)", ""),
    ],
)
def test_a_module_that_cannot_be_imported_gives_its_last_line(code: str, says: str, help: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(EntryPointError) as caught:
        load_entry_point("bad:anything")
    assert says in caught.value.text
    assert help in caught.value.help


def test_a_module_whose_import_is_interrupted_interrupts(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_entry_point("bad:anything")


HOOKS = """
import functools

def given(event): ...
def more(event, *, quietly=False): ...
def anything(*args, **kwargs): ...
async def later(event): ...
class Sink:
    def __call__(self, event): ...
sink = Sink()
bound = functools.partial(lambda prefix, event: None, "x")

def nothing(): ...
def two(event, other): ...
def needs(event, *, name): ...
def yields(event):
    yield event
"""


@pytest.mark.parametrize("name", ["given", "more", "anything", "later", "sink", "bound"])
def test_a_hook_takes_what_it_is_given(name: str, tmp_path: Path) -> None:
    (tmp_path / "sinks.py").write_text(HOOKS)
    put_first_on_import_path(tmp_path)
    assert callable(load_hook(f"sinks:{name}", "event"))


@pytest.mark.parametrize("name", ["nothing", "two", "needs", "yields"])
def test_a_hook_with_other_parameters_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "sinks.py").write_text(HOOKS)
    put_first_on_import_path(tmp_path)
    with pytest.raises(EntryPointError, match=f"^{name} (cannot be called with|yields)"):
        load_hook(f"sinks:{name}", "event")
