"""Dividing a long text: nothing is lost, parts have about the same weight, and the pause at a border follows the text there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.jobs.job import Part, TextChapter
from app.core.speech.boundaries import Ending, weigh
from app.core.speech.pauses import PAUSE_SECONDS
from tests.engines import text_of
from workers.jobs.plan import CHAPTER_PAUSE_SECONDS, PART_WEIGHT, pause_seconds, plan_parts
from workers.text.segment import segment

PARAGRAPH = text_of(6) + "\n\n"


def parts_of(text: str, language: str = "en-US") -> list[str]:
    return [text[part.start : part.end] for part in plan_parts(text, language)]


@given(st.text(alphabet="ab .,?!\n—\u3000。字Chapter12#", max_size=400))
def test_the_parts_put_together_are_the_text(text: str) -> None:
    assert "".join(parts_of(text)) == text


def test_a_long_text_is_cut_between_paragraphs_into_parts_of_about_the_same_weight() -> None:
    parts = parts_of(PARAGRAPH * 60)
    assert len(parts) > 5
    assert all(part.endswith("\n\n") for part in parts)
    assert all(0.7 * PART_WEIGHT < weigh(part) < 1.5 * PART_WEIGHT for part in parts)


def test_chapters_that_are_known_divide_the_text_whatever_its_lines_say() -> None:
    text = f"First\n\n{PARAGRAPH}Chapter 7\n\n{PARAGRAPH}Second\n\n{PARAGRAPH}"
    known = [TextChapter(0, "One"), TextChapter(text.index("Second"), "Two")]

    parts = plan_parts(text, "en-US", known)

    assert [(part.start, part.chapter) for part in parts] == [(0, "One"), (text.index("Second"), "Two")]
    assert plan_parts(text, "en-US", known[:1])[0].chapter == "One"


@pytest.mark.parametrize(("sentence", "language"), [(text_of(1) + " ", "en-US"), ("我们慢慢地走回家去。", "zh")])
def test_a_paragraph_longer_than_a_part_is_cut_at_a_sentence(sentence: str, language: str) -> None:
    parts = parts_of(sentence * 2000, language)
    assert all(part.endswith(sentence) for part in parts)
    assert all(0.3 * PART_WEIGHT < weigh(part) < 2.0 * PART_WEIGHT for part in parts)


def test_a_text_without_any_boundary_is_cut_all_the_same() -> None:
    assert len(parts_of("word " * 8000)) > 2


def test_a_chapter_begins_a_part_and_names_it() -> None:
    text = f"By nobody.\n\nChapter 1\n\n{PARAGRAPH * 20}Chapter 2\n\n{PARAGRAPH}"
    parts = plan_parts(text, "en-US")
    assert [part.chapter for part in parts if part.chapter] == ["Chapter 1", "Chapter 2"]
    assert parts[0].chapter is None
    assert all(text.startswith(part.chapter, part.start) for part in parts if part.chapter)


def test_as_many_segments_are_expected_as_the_text_has_pieces() -> None:
    (part,) = plan_parts(PARAGRAPH, "en-US")
    assert part.n_segments == len(list(segment(PARAGRAPH, "en-US")))


@pytest.mark.parametrize("text", [" ", "\n\n\n", "…", "\u200b"])
def test_a_text_with_nothing_to_say_is_one_part(text: str) -> None:
    assert parts_of(text) == [text]


@pytest.mark.parametrize(
    ("border", "pause"),
    [
        (".\n\n", PAUSE_SECONDS[Ending.PARAGRAPH]),
        (".\n \r\n", PAUSE_SECONDS[Ending.PARAGRAPH]),
        ("?” ", PAUSE_SECONDS[Ending.SENTENCE]),
        ("。」", PAUSE_SECONDS[Ending.SENTENCE]),
        (", ", PAUSE_SECONDS[Ending.CLAUSE]),
        (" ", PAUSE_SECONDS[Ending.CUT]),
    ],
)
def test_the_pause_between_parts_is_that_of_their_border(border: str, pause: float) -> None:
    first, second = "It was so" + border, "Then more."
    part, following = (plan_parts(one, "en-US")[0] for one in (first, second))
    assert pause_seconds(first, part, following, speed=1.0) == pause
    assert pause_seconds(first, part, following, speed=2.0) == pause / 2


def test_the_pause_before_a_chapter_is_longer() -> None:
    text = f"Chapter 1\n\n{PARAGRAPH}Chapter 2\n\n{PARAGRAPH}"
    first, second = plan_parts(text, "en-US")
    assert pause_seconds(text, first, second, speed=1.0) == CHAPTER_PAUSE_SECONDS


@pytest.mark.parametrize(("before", "behind"), [("One.[pause:2s]\n\n", "Two."), ("One.\n\n", " [PAUSE: 250ms]Two.")])
def test_a_pause_that_is_asked_for_at_a_border_takes_the_place_of_its_own(before: str, behind: str) -> None:
    text = before + behind
    first, second = (
        Part(start=start, end=end, n_segments=1, chapter=None) for start, end in ((0, len(before)), (len(before), len(text)))
    )
    assert pause_seconds(text, first, second, speed=1.0) == 0.0


def test_no_part_begins_within_a_word_whose_phonemes_are_given() -> None:
    said = "[one, two, three and four](/wˈʌn tˈu/)"
    text = f"{said}, " * 1500
    parts = parts_of(text)
    assert len(parts) > 3
    assert all(part.startswith(said) for part in parts)
