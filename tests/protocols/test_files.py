"""Files in a body: what may be sent, and what is said of the rest."""

from __future__ import annotations

import pytest

from fondation.errors import RequestError
from fondation.protocols import files
from fondation.protocols.files import check_file, media_type_of


def refused(url: str | None, media_type: str | None = None) -> tuple[int, str]:
    with pytest.raises(RequestError) as error:
        check_file(url, media_type, "message.parts[0]")
    return error.value.status, str(error.value)


@pytest.mark.parametrize(
    ("url", "media_type", "kind"),
    [
        ("data:image/png;base64,aGk=", "image/png", "image/png"),
        ("data:image/png;base64,aGk=", None, "image/png"),
        ("data:IMAGE/PNG;BASE64,aGk=", "image/*", "image/png"),
        ("data:;base64,aGk=", "audio/mpeg", "audio/mpeg"),
        ("data:text/plain;charset=utf-8,h%C3%A9", "text/plain; charset=utf-8", "text/plain"),
        ("data:application/pdf;base64,", None, "application/pdf"),
        ("https://example.org/a.png?x=1", "image/png", "image/png"),
        ("http://10.0.0.1/a", "image/*", "image/*"),
    ],
)
def test_what_models_read_goes_on_as_it_came(url: str, media_type: str | None, kind: str) -> None:
    check_file(url, media_type, "p")
    assert media_type_of(url, media_type) == kind


@pytest.mark.parametrize("kind", ["video/mp4", "application/zip", "image", "image/", "text/x y", "x" * 500, "a\nb/c"])
@pytest.mark.parametrize("url", ["https://example.org/a", "data:;base64,aGk="])
def test_other_types_are_refused_with_those_that_may_be_sent(kind: str, url: str) -> None:
    status, text = refused(url, kind)
    assert status == 400
    assert text.startswith("message.parts[0]: a file of type ")
    assert text.endswith(" cannot be sent; images, audio, text and PDF can")
    assert len(text) < 200


def test_what_a_data_url_says_of_itself_counts() -> None:
    assert "type application/zip cannot" in refused("data:application/zip;base64,aGk=", "image/png")[1]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "blob:https://x/1", "ftp://x/a", "https://", "a.png", "http://["]
)
def test_only_data_and_addresses_of_the_web_are_urls_of_files(url: str) -> None:
    assert refused(url, "image/png") == (400, "message.parts[0].url: expected an https: or a data: URL")


@pytest.mark.parametrize("url", [None, ""])
def test_a_file_needs_a_url(url: str | None) -> None:
    assert refused(url, "image/png") == (400, "message.parts[0].url: a file needs one")


def test_a_file_says_what_it_is() -> None:
    complaint = (400, "message.parts[0].mediaType: say what the file is, such as image/png")
    assert refused("https://example.org/a") == complaint
    assert refused("data:,x") == complaint


@pytest.mark.parametrize("data", ["a", "a===", "aGk=x", "a\nGk=", "é"])
def test_broken_base64_is_told(data: str) -> None:
    assert refused(f"data:image/png;base64,{data}") == (400, "message.parts[0].url: the data is no base64")


@pytest.mark.parametrize("url", ["data:text/plain;base64,", "data:text/plain,"])
def test_the_size_is_looked_at_before_the_data_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_SIZE", 30)
    check_file(url + "aaaa" * 6, None, "p")
    too_large = (413, "message.parts[0]: the file is larger than 30 bytes")
    assert refused(url + "?" * 44) == too_large


def test_an_escaped_byte_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_SIZE", 3)
    check_file("data:text/plain,%41%42%43", None, "p")
