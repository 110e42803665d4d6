from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.config import scalars


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10.0), ("5m", 300.0), ("2h", 7200.0), ("7d", 604800.0), ("999999d", 86399913600.0)],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert scalars.duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "0s", "05s", "1.5h", "5 m", "5M", "-5s", "5s\n", "1234567s", "5min", "\N{ARABIC-INDIC DIGIT FIVE}s"],
)
def test_what_is_no_duration_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match='like "30s" or "5m"'):
        scalars.duration(text)


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("256KB", 256_000), ("4MB", 4_000_000), ("1GB", 10**9)])
def test_a_size_is_read_as_bytes(text: str, size: int) -> None:
    assert scalars.size(text) == size


@pytest.mark.parametrize("text", ["", "4", "4mb", "4MiB", "0MB", "4 MB", "1.5MB", "-1KB"])
def test_what_is_no_size_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match='like "256KB" or "4MB"'):
        scalars.size(text)


@pytest.mark.parametrize(
    ("text", "pico"),
    [
        ("$5.00", 5 * 10**12),
        ("$5", 5 * 10**12),
        ("$0.25", 25 * 10**10),
        ("$0.000000000001", 1),
        ("$999999.999999999999", 10**18 - 1),
    ],
)
def test_money_is_read_as_pico_dollars(text: str, pico: int) -> None:
    assert scalars.money(text) == pico


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "5$", "$", "$0", "$0.00", "$-1", "-$1", "$1,000", "$1_000", "$05", "$.50", "$5.", "$ 5", "$5.00\n"),
        *("$1000000", "$0.0000000000001", "$5.0000000000001", "$1e3", "$inf", "$nan", "$\N{ARABIC-INDIC DIGIT FIVE}"),
    ],
)
def test_what_is_no_money_says_how_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match=r'like "\$5\.00"'):
        scalars.money(text)


@pytest.mark.parametrize(("text", "share"), [("80%", "0.8"), ("1%", "0.01"), ("100%", "1"), ("99.5%", "0.995")])
def test_a_percent_is_read_as_a_share(text: str, share: str) -> None:
    assert scalars.percent(text) == Decimal(share)


@pytest.mark.parametrize(
    "text", ["", "80", "0.8", "0%", "0.5%", "101%", "100.5%", "-5%", "80 %", "%80", "080%", "80.%"]
)
def test_what_is_no_percent_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match='like "80%"'):
        scalars.percent(text)


@given(st.integers(1, 999_999), st.sampled_from(sorted(scalars.SECONDS)))
@settings(max_examples=50)
def test_a_duration_that_is_written_again_is_the_same(number: int, unit: str) -> None:
    seconds = scalars.duration(f"{number}{unit}")
    if seconds >= 1 and seconds == int(seconds):
        assert scalars.duration(scalars.written_duration(seconds)) == seconds


@given(st.integers(1, 999_999), st.sampled_from(sorted(scalars.BYTES)))
@settings(max_examples=50)
def test_a_size_that_is_written_again_is_the_same(number: int, unit: str) -> None:
    size = scalars.size(f"{number}{unit}")
    assert scalars.size(scalars.written_size(size)) == size


READ: list[tuple[Callable[[str], float | Decimal], scalars.Scalar]] = [
    (scalars.duration, scalars.DURATION),
    (scalars.size, scalars.SIZE),
    (scalars.money, scalars.MONEY),
    (scalars.percent, scalars.PERCENT),
]


@given(st.one_of(st.text(max_size=12), st.from_regex(r"\A[$]?[0-9]{0,7}[.]?[0-9]{0,13}%?\Z")))
@settings(max_examples=200)
def test_every_text_is_read_or_refused_with_help(text: str) -> None:
    for read, scalar in READ:
        if scalar.fits(text):
            assert read(text) > 0
        else:
            with pytest.raises(ValueError, match=re.escape(scalar.help)):
                read(text)


@pytest.mark.parametrize("scalar", [*scalars.VALUES, *scalars.KEYS], ids=lambda scalar: scalar.noun)
def test_the_schema_admits_text_with_a_variable_in_it(scalar: scalars.Scalar) -> None:
    assert re.search(scalar.pattern, "${NAME}")
    assert re.search(scalar.pattern, "before-${NAME:-x}-after")


@pytest.mark.parametrize(
    ("scalar", "good", "bad"),
    [
        (scalars.ENTRY_POINT, ["tools.billing:check", "a:b.c", "_a:_b"], ["a.b", "a:", ":b", "a-b:c", "a:b:c", "1a:b"]),
        (scalars.TOOL_NAME, ["check_invoice", "a-1", "x" * 64], ["", "a.b", "a b", "x" * 65, "é"]),
        (scalars.NAME, ["Triage", "gpt-5", "1"], ["", "a b", "a.b", "a/b"]),
        (scalars.ROUTE_PATH, ["/", "/api/chat", "/a.b/c~d"], ["", "api", "/a/", "//a", "/a b", "/{id}", "/a?b"]),
        (scalars.ORIGIN, ["*", "https://a.b", "http://localhost:3000"], ["a.b", "https://a.b/", "ftp://a"]),
        (
            scalars.BASE_URL,
            ["https://a.b/v1", "http://127.0.0.1:8080"],
            ["a.b/v1", "ws://a.b", "https://", "https:///v1"],
        ),
    ],
    ids=lambda value: value.noun if isinstance(value, scalars.Scalar) else "",
)
def test_a_form_fits_the_whole_text(scalar: scalars.Scalar, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not scalar.fits(text)] == []
    assert [text for text in bad if scalar.fits(text)] == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1%eth0", "localhost", "a.b-c.example", "my_host", "m\u00fcnchen.de"],
)
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert scalars.HOST.fits(host)


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "http://x", "x:80", "1.2.3.4:80", "[::1]", "[::1]:80", "x/", "*", "me@x", "a,b", "${X", "x\n"],
)
def test_an_address_with_more_is_no_host(host: str) -> None:
    assert not scalars.HOST.fits(host)
