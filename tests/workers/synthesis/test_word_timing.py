"""Times of the user's words: after normalization, joining and division into segments, each word comes once and in order."""

import re

import pytest

from app.core.speech.boundaries import Ending
from app.core.speech.voices import load_catalogue
from app.core.speech.word_times import TimedWord
from workers.engines.base import Segment, Word
from workers.synthesis.audio import Sound
from workers.synthesis.word_timing import WordTimer
from workers.text.tracked_text import TrackedText

VOICE = load_catalogue().parse("af_heart")[0]


def spoken_segment(*times: tuple[str, float, float], text: str, start: int = 0) -> tuple[Segment, Sound]:
    """Returns a segment of these words, and the time of each word in it."""
    segment = Segment(text=text, phonemes=text, voice=VOICE, language="en-US", speed=1.0, ending=Ending.SENTENCE, start=start)
    place, words = 0, []
    for word, begins, ends in times:
        place = text.index(word, place)
        words.append(Word(place, place + len(word), begins, ends))
        place += len(word)
    return segment, Sound(b"", tuple(words))


def timed_words(text: str, tracked: TrackedText, *segments: tuple[Segment, Sound, float]) -> list[TimedWord]:
    word_timer = WordTimer(text)
    words = [word for segment, sound, begins in segments for word in word_timer.add(segment, tracked, sound, begins)]
    return words + word_timer.rest()


def test_words_are_told_from_where_their_segment_is_heard() -> None:
    text = "One two. Three."
    first = spoken_segment(("One", 0.0, 0.2), ("two.", 0.25, 0.5), text="One two.")
    second = spoken_segment(("Three.", 0.0, 0.4), text="Three.", start=9)

    words = timed_words(text, TrackedText.of(text), (*first, 0.0), (*second, 0.85))

    assert words == [TimedWord("One", 0.0, 0.2), TimedWord("two.", 0.25, 0.5), TimedWord("Three.", 0.85, 1.25)]


def test_the_last_word_of_a_segment_is_told_with_it() -> None:
    text = "One two. Three."
    first = spoken_segment(("One", 0.0, 0.2), ("two.", 0.25, 0.5), text="One two.")

    words = WordTimer(text).add(first[0], TrackedText.of(text), first[1], 0.0)

    assert [word.word for word in words] == ["One", "two."]


def test_what_is_read_as_several_words_is_told_as_it_was_written() -> None:
    text = "Pay $12 now"
    tracked = TrackedText.of(text).sub(re.compile(r"\$12"), "twelve dollars")
    one = spoken_segment(
        *[("Pay", 0.0, 0.2), ("twelve", 0.2, 0.5), ("dollars", 0.5, 0.9), ("now", 1.0, 1.2)], text="Pay twelve dollars now"
    )

    words = timed_words(text, tracked, (*one, 0.0))

    assert words == [TimedWord("Pay", 0.0, 0.2), TimedWord("$12", 0.2, 0.9), TimedWord("now", 1.0, 1.2)]


def test_a_word_that_is_read_in_two_segments_is_told_once() -> None:
    text = "$12"
    tracked = TrackedText.of(text).sub(re.compile(r"\$12"), "twelve dollars")
    first = spoken_segment(("twelve", 0.0, 0.3), text="twelve")
    second = spoken_segment(("dollars", 0.0, 0.4), text="dollars", start=7)

    assert timed_words(text, tracked, (*first, 0.0), (*second, 0.5)) == [TimedWord("$12", 0.0, 0.9)]


def test_several_words_that_are_read_as_one_share_its_time() -> None:
    text = "e. g. this"
    tracked = TrackedText.of(text).sub(re.compile(r"e\. g\."), "example")
    one = spoken_segment(("example", 0.0, 0.8), ("this", 0.8, 1.0), text="example this")

    words = timed_words(text, tracked, (*one, 0.0))

    assert [word.word for word in words] == ["e.", "g.", "this"]
    assert [(word.start, word.end) for word in words] == [(0.0, pytest.approx(0.4)), (pytest.approx(0.4), 0.8), (0.8, 1.0)]


def test_what_is_not_spoken_is_not_told() -> None:
    text = "Hello 🙂 you"
    tracked = TrackedText.of(text).sub(re.compile("🙂 "), "")
    one = spoken_segment(("Hello", 0.0, 0.3), ("you", 0.3, 0.5), text="Hello you")

    assert [word.word for word in timed_words(text, tracked, (*one, 0.0))] == ["Hello", "you"]


def test_han_are_told_one_by_one() -> None:
    text = "你好，世界。"
    one = spoken_segment(("你好，", 0.0, 0.3), ("世界。", 0.3, 0.6), text=text)

    words = timed_words(text, TrackedText.of(text), (*one, 0.0))

    assert [word.word for word in words] == ["你", "好，", "世", "界。"]
    assert words[-1].end == pytest.approx(0.6)
