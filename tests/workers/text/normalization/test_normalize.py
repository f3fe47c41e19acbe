import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.text.normalization.normalize import clean, normalize
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don’t “stop”", 'don\'t "stop"'),
        ("cafe\u0301", "café"),
        ("one\ntwo\r\nthree", "one two three"),
        ("one\n \n\ttwo\n\n\n\nthree\n\n", "one\n\ntwo\n\nthree"),
        ("a\u00a0\u3000 \tb", "a b"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("bell\x07 and\x00null", "bell and null"),
        ("lone \ud800 surrogate", "lone surrogate"),
        (" \u2029 \n\n ", ""),
        ("", ""),
    ],
)
def test_text_is_made_plain(text: str, expected: str) -> None:
    assert normalize(text, "en-US").text == expected


def test_joiners_stay_where_they_shape_letters() -> None:
    assert normalize("क्\u200dष می\u200cخواهم a\u200db", "hi").text == "क्\u200dष می\u200cخواهم ab"


def test_clean_leaves_quotes_and_lines_alone() -> None:
    assert clean(TrackedText.of("“a”\r\n\x00b\tc")).text == "“a”\n b\tc"


@given(st.text(max_size=200))
@settings(deadline=None)
def test_normal_text_stays_as_it_is(text: str) -> None:
    once = normalize(text, "en-US").text
    assert normalize(once, "en-US").text == once
    assert not any(character in once for character in "\r\t\v\u2028\u200b’")
