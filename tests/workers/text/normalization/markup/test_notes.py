"""Marks of notes and sources are not spoken; what only looks like one is."""

import pytest

from workers.text.normalization.markup.notes import strip_notes
from workers.text.normalization.normalize import normalize
from workers.text.tracked_text import TrackedText


def _strip(text: str, language: str = "en-US") -> str:
    return strip_notes(TrackedText.of(text), language).text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("long.[3] It", "long. It"),
        ("long.[3]It", "long. It"),
        ("floods.[4][5]", "floods."),
        ("agree [1, 2] and [3–5].", "agree and."),
        ("mort[1],[2] et", "mort et"),
        ("so,[8]: 12–14 others", "so, others"),
        ("in Ohio[a] and [b]", "in Ohio and [b]"),
        ("there.[Citation Needed]", "there."),
        ("blue【4:0†source】.", "blue."),
        ("blue [[1]](https://a.org).", "blue."),
        ("word<sup>1</sup> and<sup>[2]</sup>", "word and"),
        ("a<ref name=x/> b<ref>Smith, 2010</ref>", "a b"),
        ("[Koe][k] is\n[k]: https://koe.dev", "Koe is\n"),
        ("Smith† and Doe‡", "Smith and Doe"),
        ("死んだ［3］。息子²は", "死んだ。息子は"),
    ],
)
def test_marks_of_notes_are_removed(text: str, rest: str) -> None:
    assert _strip(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "arr[0] = items[1] + my_list[2] + f(x)[3]",
        "`names[1]` and x[1]",
        "[laughs] He said [sic] that [he]re.",
        "see [3] and press [1], in [0, 1]",
        "5 m² and x², sin² x, 10¹² or Fe³⁺",
        "No.5 Smith and fig.2 The and p.12 His",
        "[1] Smith, J.",
        "Smith [2019] wrote.",
        "[text](https://a.org) and [word](/wˈɜɹd/)",
    ],
)
def test_what_is_no_note_stays(text: str) -> None:
    assert _strip(text) == text


def test_the_words_around_a_note_keep_their_places() -> None:
    tracked = normalize("It rained.[3] Then", "en-US")
    assert tracked.text == "It rained. Then"
    assert tracked.origin(11, 15) == (14, 18)
