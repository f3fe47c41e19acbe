"""A text that is changed step by step, and the origin of its characters in the user's text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.text.tracked_text import TrackedText


def written(tracked: TrackedText, spoken: str, user_text: str) -> str:
    """Returns the user's text from which `spoken` was made."""
    place = tracked.text.index(spoken)
    start, end = tracked.origin(place, place + len(spoken))
    return user_text[start:end]


def test_what_was_not_changed_is_what_was_written() -> None:
    assert written(TrackedText.of("one two three"), "two", "one two three") == "two"


def test_a_word_that_was_replaced_stands_for_what_it_replaced() -> None:
    text = "It costs $12, all in all."

    tracked = TrackedText.of(text).sub(re.compile(r"\$(\d+)"), lambda match: "twelve dollars")

    assert tracked.text == "It costs twelve dollars, all in all."
    assert written(tracked, "twelve", text) == "$12"
    assert written(tracked, "dollars", text) == "$12"
    assert written(tracked, "all in all", text) == "all in all"
    assert written(tracked, "costs twelve", text) == "costs $12"


def test_what_a_replacement_shares_with_its_match_keeps_its_own_origin() -> None:
    text = "see Dr. Who now"

    tracked = TrackedText.of(text).sub(re.compile(r"see Dr\. Who now"), lambda match: "see Doctor Who now")

    assert written(tracked, "Who", text) == "Who"
    assert written(tracked, "octor", text) == "r."


def test_steps_follow_each_other() -> None:
    text = "at  5 km/h"

    tracked = (
        TrackedText.of(text)
        .sub(re.compile(r"\s+"), " ")
        .sub(re.compile("km/h"), "kilometres an hour")
        .sub(re.compile("5"), "five")
    )

    assert tracked.text == "at five kilometres an hour"
    assert written(tracked, "five", text) == "5"
    assert written(tracked, "kilometres an hour", text) == "km/h"


def test_what_was_taken_out_is_nobodys() -> None:
    text = "a **bold** word"

    tracked = TrackedText.of(text).sub(re.compile(r"\*"), "")

    assert tracked.text == "a bold word"
    assert written(tracked, "bold", text) == "bold"
    assert written(tracked, "a bold", text) == "a **bold"


def test_what_is_put_in_beside_something_stands_for_it() -> None:
    text = "100m"

    tracked = TrackedText.of(text).sub(re.compile(r"\d+m"), lambda match: "100 m")

    assert tracked.text == "100 m"
    assert written(tracked, " ", text) == "0"


def test_a_change_that_says_nothing_leaves_the_match() -> None:
    text = "1 2 3"

    tracked = TrackedText.of(text).sub(re.compile(r"\d"), lambda match: "two" if match[0] == "2" else None)

    assert tracked.text == "1 two 3"


def test_a_part_keeps_its_origin() -> None:
    text = "  one two  "

    assert TrackedText.of(text).strip().cut(4, 7).origin(0, 3) == (6, 9)


def test_letters_may_be_exchanged() -> None:
    assert TrackedText.of("don’t").translate({ord("’"): "'"}).text == "don't"


@given(
    st.text(alphabet="ab 12", max_size=40),
    st.sampled_from([r"\d+", r"a+b?", r"\s+", r"b*", r".."]),
    st.text("xa1 ", max_size=6),
)
def test_it_says_what_re_says_and_every_character_has_an_origin(text: str, pattern: str, new: str) -> None:
    tracked = TrackedText.of(text).sub(re.compile(pattern), new).sub(re.compile(r"\d"), "nine")

    changed = re.sub(pattern, lambda match: new if match[0] else "", text)
    assert tracked.text == re.sub(r"\d", "nine", changed)
    origins = [tracked.origin(place, place + 1) for place in range(len(tracked))]
    assert all(0 <= start < end <= len(text) for start, end in origins)
    assert origins == sorted(origins)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_nothing_stays_nothing(text: str) -> None:
    assert TrackedText.of(text).strip().text == ""
