from __future__ import annotations

import pytest

from fondation.messages import mend
from fondation.providers.chunks import decode_chunk


@pytest.mark.parametrize("data", [b"", b"[DONE]", b"{", b"[]", b"3", b"null", b'"x"', b"{} {}"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_chunk(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[null,{"delta":{"content":"a"}}]}',
        b'{"choices":[{"delta":{"content":"a"},"message":3}],"id":{}}',
        b'{"choices":[{"delta":{"content":"a"}},"x"],"created":"now"}',
    ],
)
def test_fields_of_another_shape_do_not_hide_the_rest(data: bytes) -> None:
    choices = decode_chunk(data).choices
    assert choices
    assert choices[0].delta is not None
    assert choices[0].delta.content == "a"


@pytest.mark.parametrize("data", [b'{"choices":{"0":1}}', b'{"choices":3}', b'{"choices":null}', b"{}"])
def test_no_choices(data: bytes) -> None:
    assert not decode_chunk(data).choices


def test_lone_surrogates_are_mended_and_pairs_kept() -> None:
    mended = mend({"a\ud83d": ["\ud83d\ude00", {"b": "\ude00x"}], "n": 1, "none": None})
    assert mended == {"a\ufffd": ["\U0001f600", {"b": "\ufffdx"}], "n": 1, "none": None}
    assert mend("\U0001f600 é") == "\U0001f600 é"
