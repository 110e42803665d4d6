"""Files in a body: what may be sent, and what is said of the rest."""

from __future__ import annotations

import base64

import pytest

from fondation.errors import RequestError
from fondation.protocols import files
from fondation.protocols.files import File, read_file

PNG = "iVBORw0KGgo="
STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\n\0\0\0WEBP",
    "application/pdf": b"%PDF-1.7",
}


def refused(url: str | None, media_type: str | None = None) -> tuple[int, str]:
    with pytest.raises(RequestError) as error:
        read_file(url, media_type, "message.parts[0]")
    return error.value.status, str(error.value)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("url", "media_type", "kind"),
    [
        (f"data:image/png;base64,{PNG}", "image/png", "image/png"),
        (f"data:image/png;base64,{PNG}", None, "image/png"),
        ("data:image/heic;base64,aGk=", "image/*", "image/heic"),
        ("data:audio/mpeg;base64,aGk=", "audio/mpeg", "audio/mpeg"),
        ("data:text/plain;charset=utf-8,h%C3%A9", "text/plain; charset=utf-8", "text/plain"),
        ("data:text/plain;charset=utf-8;base64,aGk=", None, "text/plain"),
        ("https://example.org/a.png?x=1", "image/png", "image/png"),
        ("https://example.org/a", "image/*", "image/*"),
        ("https://example.org:8443/a", "application/pdf", "application/pdf"),
        ("http://127.0.0.1:9000/a.png", "image/png", "image/png"),
        ("https://example.org/a.php", "IMAGE/PNG; q=1", "image/png"),
    ],
)
def test_what_models_read_goes_on_as_it_came(url: str, media_type: str | None, kind: str) -> None:
    assert read_file(url, media_type, "p") == File(url, kind)


@pytest.mark.parametrize(
    ("url", "media_type", "mended"),
    [
        (f"DATA:IMAGE/PNG;BASE64,{PNG}", "image/*", f"data:image/png;base64,{PNG}"),
        (f"data:;base64,{PNG}", None, f"data:image/png;base64,{PNG}"),
        ("data:;base64,aGk=", "audio/mpeg", "data:audio/mpeg;base64,aGk="),
        ("data:,hi", "text/plain", "data:text/plain,hi"),
    ],
)
def test_a_data_url_says_in_full_what_it_is(url: str, media_type: str | None, mended: str) -> None:
    assert read_file(url, media_type, "p").url == mended


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
    assert read_file("data:text/html,hi", "image/png", "p").media_type == "text/html"


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize("found", STARTS)
def test_an_image_is_what_its_first_bytes_say(kind: str, found: str) -> None:
    data = in_base64(STARTS[found] + b"rest")
    if kind == found or "application/pdf" not in (kind, found):
        assert read_file(f"data:{kind};base64,{data}", kind, "p") == File(f"data:{found};base64,{data}", found)
    else:
        assert refused(f"data:{kind};base64,{data}") == (400, f"message.parts[0].url: the data is no {kind}")


@pytest.mark.parametrize("kind", STARTS)
def test_what_has_not_the_first_bytes_of_its_type_is_refused(kind: str) -> None:
    for data in (b"hi", b"<html>" * 1000, STARTS[kind][1:]):
        assert refused(f"data:{kind};base64,{in_base64(data)}") == (400, f"message.parts[0].url: the data is no {kind}")


def test_a_pdf_may_begin_within_its_first_kilobyte() -> None:
    url = "data:application/pdf;base64,"
    assert read_file(url + in_base64(b"\n" * 1019 + b"%PDF-1.7" * 9), None, "p").media_type == "application/pdf"
    assert "is no application/pdf" in refused(url + in_base64(b"\n" * 1020 + b"%PDF-1.7" * 9))[1]


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "blob:https://x/1", "ftp://x/a", "https://", "a.png", "http://[", "https://[::1"),
        *("https://exa mple/a", "https://example.org/a b.png", "https://exa\nmple.org/a"),
        *("https://example.org\\@127.0.0.1/", "https://example.org:99999/a", " https://example.org/a"),
    ],
)
def test_only_data_and_addresses_of_the_web_are_urls_of_files(url: str) -> None:
    assert refused(url, "image/png") == (400, "message.parts[0].url: expected an http:, https: or data: URL")


@pytest.mark.parametrize("user", ["me", "me:secret", ":secret", ""])
def test_an_address_holds_no_password(user: str) -> None:
    complaint = "message.parts[0].url: a file's address has no user and no password in it"
    assert refused(f"https://{user}@example.org/a.png", "image/png") == (400, complaint)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "metadata.google.internal:8443"])
def test_a_place_of_secrets_is_refused_with_what_to_do(host: str) -> None:
    status, text = refused(f"https://{host}/a.png", "image/png")
    assert status == 400
    assert text.startswith("message.parts[0].url: no file can be asked for at ")
    assert text.endswith("; send a data: URL")


@pytest.mark.parametrize("kind", ["audio/mpeg", "text/plain"])
def test_what_no_provider_fetches_is_sent_as_data(kind: str) -> None:
    complaint = "message.parts[0].url: by address only images and PDF can be sent; send a data: URL"
    assert refused("https://example.org/a", kind) == (400, complaint)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((".png", "image/png"), (".jpg", "image/jpeg"), (".JPEG", "image/jpeg"), (".gif", "image/gif")),
        *((".webp?x=.png", "image/webp"), (".tar.pdf#p", "application/pdf")),
    ],
)
def test_an_address_ending_says_what_nobody_else_does(ending: str, kind: str) -> None:
    url = f"https://example.org/a{ending}"
    assert read_file(url, None, "p") == File(url, kind)
    assert read_file(url, "image/*", "p") == File(url, kind)
    assert read_file(url, "image/avif", "p") == File(url, "image/avif")


@pytest.mark.parametrize("url", [None, ""])
def test_a_file_needs_a_url(url: str | None) -> None:
    assert refused(url, "image/png") == (400, "message.parts[0].url: a file needs one")


@pytest.mark.parametrize("url", ["https://example.org/a", "https://example.org/a.bin", "data:,x", "data:;base64,aGk="])
def test_a_file_says_what_it_is(url: str) -> None:
    assert refused(url) == (400, "message.parts[0].mediaType: say what the file is, such as image/png")


@pytest.mark.parametrize("kind", ["image/png", "audio/mpeg", "text/plain", "application/pdf"])
def test_an_empty_file_is_refused(kind: str) -> None:
    assert refused(f"data:{kind};base64,") == (400, "message.parts[0].url: the file is empty")


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "audio/mpeg"])
def test_only_text_is_sent_without_base64(kind: str) -> None:
    complaint = f"message.parts[0].url: send it in base64, as data:{kind};base64,..."
    assert refused(f"data:{kind},<<<>>>") == (400, complaint)


@pytest.mark.parametrize("data", ["a", "a===", "aGk=x", "a\nGk=", "é", PNG + "é"])
def test_broken_base64_is_told(data: str) -> None:
    assert refused(f"data:image/png;base64,{data}") == (400, "message.parts[0].url: the data is no base64")


@pytest.mark.parametrize("url", ["data:text/plain;base64,", "data:text/plain,"])
def test_the_size_is_looked_at_before_the_data_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_SIZE", 30)
    read_file(url + "aaaa" * 6, None, "p")
    too_large = (413, "message.parts[0]: the file is larger than 30 bytes")
    assert refused(url + "?" * 44) == too_large


def test_an_escaped_byte_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_SIZE", 3)
    read_file("data:text/plain,%41%42%43", None, "p")
