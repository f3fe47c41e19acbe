"""The part of a file that is sent, and the name under which it arrives."""

import re
from urllib.parse import unquote

import pytest
from litestar.datastructures import Headers

from app.api.responses.files import Span, disposition, is_known, wanted_span
from app.core.errors import UnsatisfiableRange


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-19", Span(10, 10)),
        ("Bytes=10-19", Span(10, 10)),
        ("bytes=90-", Span(90, 10)),
        ("bytes=90-1000", Span(90, 10)),
        ("bytes=-10", Span(90, 10)),
        ("bytes=-1000", Span(0, 100)),
        ("bytes=0-99999999999999999999999", Span(0, 100)),
    ],
)
def test_a_range_is_the_piece_that_it_names(asked: str, span: Span) -> None:
    assert wanted_span(Headers({"range": asked}), "tag", 100) == span


@pytest.mark.parametrize(
    "asked",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=20-10", "bytes=0-1,5-6", "items=0-1", "bytes=1-2-3", "bytes=٣-"],
)
def test_an_invalid_or_multiple_range_gets_the_whole_file(asked: str) -> None:
    assert wanted_span(Headers({"range": asked}), "tag", 100) is None


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_range_after_the_end_is_refused(asked: str) -> None:
    with pytest.raises(UnsatisfiableRange) as caught:
        wanted_span(Headers({"range": asked}), "tag", 100)
    assert caught.value.n_bytes == 100


def test_nothing_can_be_had_of_an_empty_file_but_the_whole() -> None:
    assert wanted_span(Headers({}), "tag", 0) is None
    with pytest.raises(UnsatisfiableRange):
        wanted_span(Headers({"range": "bytes=0-"}), "tag", 0)


@pytest.mark.parametrize("if_range", ['"other"', 'W/"tag"', "Sat, 01 Aug 2026 00:00:00 GMT"])
def test_a_range_of_another_file_gets_the_whole_one(if_range: str) -> None:
    assert wanted_span(Headers({"range": "bytes=1-2", "if-range": if_range}), "tag", 100) is None
    assert wanted_span(Headers({"range": "bytes=1-2", "if-range": '"tag"'}), "tag", 100) == Span(1, 2)


@pytest.mark.parametrize(
    ("value", "known"),
    [('"tag"', True), ('W/"tag"', True), ('"a", "tag"', True), ("*", True), ('"other"', False), ("tag", False), ("", False)],
)
def test_a_client_that_has_the_file_is_known_by_its_tag(value: str, known: bool) -> None:
    assert is_known(Headers({"if-none-match": value}), "tag") is known


def read_name(value: str) -> str:
    """The file name as read by a client that knows both notations."""
    _, star, extended = value.partition("filename*=UTF-8''")
    return unquote(extended) if star else value.partition('filename="')[2].removesuffix('"')


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (None, "speech.mp3"),
        ("Moby-Dick", "Moby-Dick.mp3"),
        ("吾輩は猫である", "吾輩は猫である.mp3"),
        ("Der Öffner", "Der Öffner.mp3"),
        ("../../etc/passwd", "_.._etc_passwd.mp3"),
        ('a"b\\c;d', "a_b_c;d.mp3"),
        ("C:\\Windows", "C__Windows.mp3"),
        ("100%41", "100_41.mp3"),
        ("invoice\u202e3pm.exe", "invoice_3pm.exe.mp3"),
        (" . ", "speech.mp3"),
        ("🙂", "🙂.mp3"),
    ],
)
def test_the_title_becomes_a_name_that_is_safe_everywhere(title: str | None, name: str) -> None:
    value = disposition(title, "mp3")
    assert value.isascii()
    assert value.startswith("attachment; ")
    assert read_name(value) == name


def test_a_long_title_is_cut_between_two_characters() -> None:
    name = read_name(disposition("猫" * 200, "mp3"))
    assert re.fullmatch("猫{50}.mp3", name)
