"""Captions: every word once and in order, in cues that can be read, in the three formats that other programs read."""

import re
from collections.abc import Iterator
from itertools import pairwise

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from app.core.speech.captions import (
    CAPTION_FORMATS,
    MAX_LINE_WIDTH,
    MAX_LINES,
    MAX_SECONDS,
    MIN_SECONDS,
    PAUSE_SECONDS,
    Captions,
    Cue,
    move_words,
    read_cues,
    to_cues,
    to_srt,
    to_vtt,
    width,
    write_captions,
)
from app.core.speech.word_times import TimedWord

SENTENCE = "The birch canoe slid on the smooth planks, and the juice of lemons made fine punch."
_SRT_TIME = r"(\d{2,}):(\d\d):(\d\d),(\d{3})"


def timed(words: list[str], *, seconds: float = 0.3, pauses: dict[int, float] | None = None) -> list[TimedWord]:
    """Words that last `seconds` each; `pauses`: index of a word → seconds of the pause after it."""
    timed_words, now = [], 0.0
    for number, word in enumerate(words):
        timed_words.append(TimedWord(word, round(now, 6), round(now + seconds, 6)))
        now += seconds + (pauses or {}).get(number, 0.0)
    return timed_words


def said(text: str, **times: object) -> list[TimedWord]:
    return timed(text.split(), **times)  # type: ignore[arg-type]


def texts(words: list[TimedWord]) -> list[str]:
    return [cue.text.replace("\n", " ") for cue in to_cues(words)]


# Cues


def test_a_cue_ends_with_its_sentence() -> None:
    assert texts(said(f"{SENTENCE} {SENTENCE}", seconds=0.2)) == [SENTENCE, SENTENCE]


def test_a_sentence_that_is_too_long_is_divided_at_its_clause() -> None:
    words = said(SENTENCE, seconds=0.45)

    assert texts(words) == ["The birch canoe slid on the smooth planks,", "and the juice of lemons made fine punch."]
    assert [cue.start for cue in to_cues(words)] == [0.0, pytest.approx(8 * 0.45)]


def test_no_cue_spans_a_long_pause() -> None:
    words = said("one two three four", pauses={0: PAUSE_SECONDS - 0.01, 1: PAUSE_SECONDS + 0.01})

    assert texts(words) == ["one two", "three four"]


def test_a_cue_stays_for_a_second_unless_the_next_begins() -> None:
    words = [TimedWord("One", 0.0, 0.2), TimedWord("two", 3.0, 3.1), TimedWord("three", 3.8, 4.0)]

    assert to_cues(words) == [Cue(0.0, 1.0, "One"), Cue(3.0, 3.8, "two"), Cue(3.8, 4.8, "three")]


def test_a_short_sentence_is_not_flashed() -> None:
    cues = to_cues(said(f"No. {SENTENCE}", seconds=0.2))

    assert cues[0].text.startswith("No. The birch")
    assert all(cue.end - cue.start >= MIN_SECONDS for cue in cues)


@pytest.mark.parametrize("name", ["Dr. Smith", "J. Smith", "U.S. Smith", "e.g. smith"])
def test_a_point_that_ends_no_sentence_ends_no_cue(name: str) -> None:
    words = said(
        f"Somebody who is known to everybody here by his name as {name} saw the canoe upon the lake today.", seconds=0.3
    )

    assert not any(text.endswith(name.split(maxsplit=1)[0]) for text in texts(words))


def test_a_second_line_is_about_as_long_as_the_first() -> None:
    (cue,) = to_cues(said("It is easy to tell the depth of a well by its sound.", seconds=0.2))

    upper, lower = cue.text.split("\n")
    assert abs(len(upper) - len(lower)) < 6


def test_a_word_that_is_longer_than_a_line_is_left_whole() -> None:
    url = f"https://example.com/{'a' * 60}"

    assert [word for text in texts(said(f"See {url} for more.")) for word in text.split()] == ["See", url, "for", "more."]


def test_han_and_kana_are_not_spaced_and_take_two_columns() -> None:
    words = timed([*"我们今天用", "Python", *"写一个很短的程序，", *"然后", "“", *"高兴地", "”", *"回家吃饭。"], seconds=0.15)

    (cue,) = to_cues(words)
    assert cue.text.replace("\n", "") == "我们今天用 Python 写一个很短的程序，然后“高兴地”回家吃饭。"
    assert "\n" in cue.text


def test_no_line_begins_with_a_mark_that_closes_or_with_a_small_kana() -> None:
    text = "「何でも薄暗いじめじめした所でニャーニャー泣いていた。」「きょうはがっこうでちょっとしゃべった。」"
    for seconds in (0.1, 0.15, 0.25, 0.4):
        lines = [line for cue in to_cues(timed([*text], seconds=seconds)) for line in cue.text.split("\n")]

        assert "".join(lines) == text
        assert not [line for line in lines if line[0] in "。」ーッャョっゃょ" or line[-1] == "「"]


def test_a_devanagari_sentence_ends_a_cue() -> None:
    sentence = "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।"

    assert texts(said(f"{sentence} {sentence}")) == [sentence, sentence]


words_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(
            ["a", "to", "word", "Hello,", "end.", "“Really?”", "你", "好，", "カ", "」", "W" * 50, "1.5", "नमस्ते।", "<b>", "—"]
        ),
        st.floats(0, 3),
        st.sampled_from([0.0, 0.0, 0.05, 0.35, 0.51, 4.0]),
    ),
    max_size=60,
)


@given(words_of_any_kind)
def test_every_word_is_shown_once_and_in_order_and_no_cue_is_too_much(made: list[tuple[str, float, float]]) -> None:
    words, now = [], 0.0
    for text, seconds, pause in made:
        words.append(TimedWord(text, now, now + seconds))
        now += seconds + pause

    cues = to_cues(words)

    assert re.sub(r"\s", "", "".join(cue.text for cue in cues)) == "".join(word.word for word in words)
    assert all(one.end <= two.start for one, two in pairwise(cues))
    assert all(cue.start < cue.end for cue in cues)
    for cue in cues:
        assert len(cue.text.split("\n")) <= MAX_LINES
        assert all(width(line) <= MAX_LINE_WIDTH or "W" * 50 in line for line in cue.text.split("\n"))
        assert cue.end - cue.start <= MAX_SECONDS + 0.01 or not re.search(r"\s", cue.text)


def test_a_hundred_thousand_words_are_all_there() -> None:
    words = said(f"{SENTENCE} " * 6250, seconds=0.25)

    assert len(words) == 100_000
    assert " ".join(texts(words)).split() == [word.word for word in words]


# Formats


def test_srt_is_numbered_with_times_to_the_millisecond() -> None:
    cues = [Cue(0.0, 1.5, "Hello."), Cue(3725.0625, 3727.0, "Two\nlines")]

    assert to_srt(cues) == ("1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:02:05,062 --> 01:02:07,000\nTwo\nlines\n\n")


def test_a_hundred_hours_are_written_with_three_digits() -> None:
    cues = [Cue(359_999.999, 360_001.0, "Late.")]

    assert "99:59:59,999 --> 100:00:01,000" in to_srt(cues)
    assert "99:59:59.999 --> 100:00:01.000" in to_vtt(cues)


def test_an_arrow_in_the_text_is_no_line_of_times() -> None:
    words = said("a --> b, a-->b.")

    assert to_srt(to_cues(words)).count("-->") == 1
    assert to_vtt(to_cues(words)).count("-->") == 1


def test_vtt_has_its_header_and_escapes_its_markup() -> None:
    assert to_vtt([Cue(0.0, 1.0, "R&D <b>bold</b>")]) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nR&amp;D &lt;b&gt;bold&lt;/b&gt;\n\n"
    )


def test_a_cue_has_one_speaker_and_vtt_names_it() -> None:
    words = [
        TimedWord("Hi.", 0.0, 0.2, "af_heart"),
        TimedWord("Ho!", 0.2, 0.4, "R&D <x>"),
        TimedWord("Yes.", 0.4, 0.6, "R&D <x>"),
    ]
    cues = to_cues(words)

    assert [(cue.speaker, cue.text) for cue in cues] == [("af_heart", "Hi."), ("R&D <x>", "Ho! Yes.")]
    assert [line for line in to_vtt(cues).split("\n") if "<v" in line] == [
        "<v af_heart>Hi.</v>",
        "<v R&amp;D &lt;x&gt;>Ho! Yes.</v>",
    ]
    assert [line for line in to_srt(cues).split("\n") if line.isascii() and line[:1].isalpha()] == ["Hi.", "Ho! Yes."]
    assert move_words(words, 1.0)[0] == TimedWord("Hi.", 1.0, 1.2, "af_heart")


def test_json_has_the_words_and_the_cues() -> None:
    words = [TimedWord("One", 0.000042, 0.2), TimedWord("two.", 0.25, 0.5)]
    data = write_captions(words)

    assert msgspec.json.decode(data, type=Captions) == Captions(words, to_cues(words))
    assert CAPTION_FORMATS["json"].write(data) == data
    assert read_cues(data) == [Cue(0.0, 1.0, "One two.")]


def test_nothing_said_is_no_cue_in_any_format() -> None:
    data = write_captions([])

    assert {name: one.write(data) for name, one in CAPTION_FORMATS.items()} == {
        "srt": b"",
        "vtt": b"WEBVTT\n\n",
        "json": b'{"words":[],"cues":[]}',
    }


def test_words_are_moved_to_the_microsecond() -> None:
    assert move_words([TimedWord("a", 0.000042, 0.5)], 1 / 24_000) == [TimedWord("a", 0.000084, 0.500042)]


def test_srt_reads_back_as_the_cues() -> None:
    cues = to_cues(said(f"{SENTENCE} " * 50, seconds=0.25, pauses={20: 400.0}))

    assert list(read_srt(to_srt(cues))) == cues


def read_srt(text: str) -> Iterator[Cue]:
    for number, block in enumerate(text.removesuffix("\n\n").split("\n\n"), start=1):
        head, times, *lines = block.split("\n")
        found = re.fullmatch(f"{_SRT_TIME} --> {_SRT_TIME}", times)
        assert head == str(number)
        assert found is not None
        hours, minutes, seconds, milliseconds = zip(map(int, found.groups()[:4]), map(int, found.groups()[4:]), strict=True)
        start, end = (
            ((h * 60 + m) * 60 + s) + ms / 1000 for h, m, s, ms in zip(hours, minutes, seconds, milliseconds, strict=True)
        )
        yield Cue(round(start, 3), round(end, 3), "\n".join(lines))
