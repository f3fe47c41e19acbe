"""A body is read as one JSON object, strictly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.requests.fields import read_object
from app.core.errors import InvalidRequest, UnreadableBody, UnsupportedContentType

JSON = "application/json"


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", "Application/JSON", " application/json ;charset=latin-1"]
)
def test_json_is_read_whatever_its_parameters_say(content_type: str) -> None:
    assert read_object(content_type, '{"input":"é"}'.encode()) == {"input": "é"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", None, "application/jsonp"])
def test_anything_else_is_refused_before_it_is_read(content_type: str | None) -> None:
    with pytest.raises(UnsupportedContentType) as caught:
        read_object(content_type, b"{")
    assert caught.value.message.startswith(f"Unsupported content type: '{content_type or ''}'.")


UNREADABLE = [
    b"",
    b"{",
    b"{'a': 1}",
    b"{} {}",
    b"\xef\xbb\xbf{}",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\x01"}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: ascii(body[:20]))
def test_a_body_that_is_no_json_is_reported_as_openai_reports_it(body: bytes) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read_object(JSON, body)
    assert caught.value.message.startswith("We could not parse the JSON body of your request. ")
    assert (caught.value.param, caught.value.code) == (None, None)


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"[]", "an array"),
        (b'"a"', "a string"),
        (b"1", "an integer"),
        (b"1.5", "a decimal"),
        (b"true", "a boolean"),
        (b"null", "null"),
    ],
)
def test_a_body_that_is_no_object_is_unreadable(body: bytes, got: str) -> None:
    with pytest.raises(UnreadableBody, match=f"Expected an object, but got {got} instead"):
        read_object(JSON, body)


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (rb'{"a": "Well done \ud83d"}', {"a": "Well done \ufffd"}),
        (rb'{"a": "\udc00 and \uD83d\uDE42"}', {"a": "\ufffd and 🙂"}),
        (rb'{"a": "\ud83d\ud83d\ude42"}', {"a": "\ufffd🙂"}),
        (rb'{"a": "\\ud83d \ud83d"}', {"a": "\\ud83d \ufffd"}),
        (rb'{"\ud800": 1}', {"\ufffd": 1}),
    ],
)
def test_half_a_character_is_no_reason_to_refuse_the_rest(body: bytes, read_as: dict[str, Any]) -> None:
    assert read_object(JSON, body) == read_as


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert read_object(JSON, b'{"a": 1, "a": 2}') == {"a": 2}


def test_nothing_of_the_body_is_in_the_message() -> None:
    with pytest.raises(UnreadableBody) as caught:
        read_object(JSON, b'{"input": "my secret" my secret}')
    assert "secret" not in caught.value.message


@given(st.none() | st.text(max_size=30) | st.just(JSON), st.binary(max_size=60))
def test_any_bytes_are_an_object_or_an_invalid_request(content_type: str | None, body: bytes) -> None:
    try:
        assert isinstance(read_object(content_type, body), dict)
    except InvalidRequest as error:
        assert error.message
