"""Lines that end on purpose get a full stop; wrapped lines are joined, and so are words divided between them."""

import pytest

from workers.text.normalization.markup.lines import end_lines, join_divided
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("Red\nBlue\nGreen", "Red.\nBlue.\nGreen"),
        ("Overview\nThe plan is simple.", "Overview.\nThe plan is simple."),
        (
            "From: Ann\nSubject: a very long subject, longer than all other lines",
            "From: Ann.\nSubject: a very long subject, longer than all other lines",
        ),
        (
            "The woods are lovely dark and deep\nBut I have promises to keep\nAnd miles to go",
            "The woods are lovely dark and deep,\nBut I have promises to keep,\nAnd miles to go",
        ),
        (" \nRed\nBlue\n \n \nGreen", " \nRed.\nBlue\n \n \nGreen"),
    ],
)
def test_lines_that_end_on_purpose_get_a_mark(text: str, ended: str) -> None:
    assert end_lines(TrackedText.of(text), "en-US").text == ended


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo\nthree",
        "It had rained for hours on the roofs of the town, and in the evening the old\nJohn went out.",
        "He said,\nThen left.",
        "One line",
    ],
)
def test_wrapped_lines_go_on(text: str) -> None:
    assert end_lines(TrackedText.of(text), "en-US").text == text


@pytest.mark.parametrize(
    ("text", "language", "joined"),
    [
        ("an exam-\nple", "en-US", "an example"),
        ("> the meet-\n> ing", "en-US", "> the meeting"),
        ("well-\nknown twenty-\nfive", "en-US", "well-known twenty-five"),
        ("Smith-\nJones", "en-US", "Smith-Jones"),
        ("exam\u00ad\nple", "en-US", "example"),
        ("exem-\nple, dit-\nil", "fr-FR", "exemple, dit-il"),
        ("one -\ntwo 3-\n4", "en-US", "one -\ntwo 3-\n4"),
    ],
)
def test_divided_words_are_joined(text: str, language: str, joined: str) -> None:
    assert join_divided(TrackedText.of(text), language).text == joined
