"""Tags that the API reads: the silence and the voices that SSML asks for."""

import pytest

from app.core.speech.pauses import asked_seconds
from app.core.speech.tags import TAG, attributes_of, find_voices
from app.core.speech.voices import load_catalogue

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("<a>", {}),
        ("<a b='c' D=\"e f\"/>", {"b": "c", "d": "e f"}),
        ("<a b=c/>", {"b": "c"}),
        ("<a b = 'x &amp; y'>", {"b": "x & y"}),
        ("<a xml:lang='fr'b='c'>", {"xml:lang": "fr", "b": "c"}),
        ("<a b=“c”>", {"b": "c"}),
    ],
)
def test_a_tag_has_attributes(text: str, attributes: dict[str, str]) -> None:
    match = TAG.fullmatch(text)
    assert match is not None
    assert attributes_of(match) == attributes


@pytest.mark.parametrize("text", ["< a>", "<3>", "<a b>", "<a@b.c>", "<https://a.b>", "<a, b>", "<>", "</>", "<a b='<'>"])
def test_other_brackets_are_no_tags(text: str) -> None:
    assert TAG.fullmatch(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('<speak>a <break time="2s"/> b <break time="500ms"/></speak>', 2.5),
        ('<speak><break/><break strength="none"/></speak> [pause:1s]', 1.35),
        ('<speak><break time="1000s"/></speak>', 60.0),
        ('<break time="2s"/> without speak', 0.0),
        ("no tags", 0.0),
    ],
)
def test_breaks_count_among_the_pauses(text: str, seconds: float) -> None:
    assert asked_seconds(text) == pytest.approx(seconds)


def test_breaks_do_not_count_in_a_text_that_is_not_normalized() -> None:
    assert asked_seconds('<speak><break time="2s"/></speak> [pause:1s]', reads_tags=False) == 1.0


def test_the_voices_of_a_text_are_resolved() -> None:
    text = '<speak><voice name="alloy">a</voice><voice name="nobody">b</voice><voice name="x, bf_emma">c</voice></speak>'
    assert find_voices(text, CATALOGUE) == (
        ("alloy", *CATALOGUE.parse("alloy")),
        ("x, bf_emma", *CATALOGUE.parse("bf_emma")),
    )
    assert find_voices("no tags", CATALOGUE) == ()
