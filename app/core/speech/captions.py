"""Captions: from the words of a recording and their times to what is shown at a time, as SRT, WebVTT or JSON.

Why a choice at each step and not the best division of the whole: a book has 200,000 words and is divided in a second, and what
is chosen for one page does not change with another.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from app.core.speech.characters import (
    CLAUSE_ENDS,
    CLOSERS,
    DASHES,
    EAST_ASIAN_MARKS,
    EMPHASIS,
    HAN_AND_KANA,
    OPENERS,
    SENTENCE_ENDS,
)
from app.core.speech.word_times import TimedWord

MAX_LINE_WIDTH: Final = 42
"""Columns of a line; a Han character or a kana takes two."""

MAX_LINES: Final = 2
MAX_SECONDS: Final = 7.0
MIN_SECONDS: Final = 1.0
"""A cue lasts as long unless the next begins before."""

PAUSE_SECONDS: Final = 0.5
"""A silence that is longer is not bridged by a cue."""

_CLOSERS: Final = CLOSERS + EMPHASIS
_OPENERS: Final = OPENERS + EMPHASIS
_JOINTS: Final = "…—·"
_LEANING: Final = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾ")
"""They begin no line."""

_CLAUSE_ENDS: Final = CLAUSE_ENDS + DASHES
_ABBREVIATION: Final = re.compile(r"(?:.*\.)?[^\W\d_]|Mr|Mrs|Ms|Dr|St|Sr|Sra|Dra|Prof|Mme|Mlle|vs|etc", re.IGNORECASE)
"""What stands before a point that ends no sentence, by itself."""

_TIGHT: Final = re.compile(rf"[{HAN_AND_KANA}{EAST_ASIAN_MARKS}\u3100-\u312f]")
"""Han, kana, bopomofo and their marks, which have no spaces between them."""

_WIDE_MARK: Final = re.compile("[\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
"""Marks that bring a space of their own."""

_GAPS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")

_NO_WORTH: Final = -1.0
"""Between a mark and the word that it stands at."""
_SENTENCE_WORTH: Final = 2.0
_CLAUSE_WORTH: Final = 0.5
"""Worth as much as half a cue more of text."""
_STUB_COST: Final = 4.0
"""Of a cue that nobody could read in time."""
_REST_COST: Final = 0.4
"""Of a sentence's last word or two in the next cue."""


class Cue(msgspec.Struct, frozen=True):
    """What is shown at a time."""

    start: float
    """Seconds, in whole milliseconds."""
    end: float
    """Later than `start`, and no later than the next cue's."""
    text: str
    """One line, or two with a line break between them."""


class Captions(msgspec.Struct, frozen=True):
    """All of it, as the JSON tells it."""

    words: list[TimedWord]
    """Their times to the microsecond: a sample is finer than a millisecond."""
    cues: list[Cue]


class _Cues(msgspec.Struct, frozen=True):
    cues: list[Cue]


def write_captions(words: Sequence[TimedWord]) -> bytes:
    """Captions as JSON, from which every other format is made. `words` are in order."""
    return msgspec.json.encode(Captions(list(words), to_cues(words)))


def read_cues(captions: bytes) -> list[Cue]:
    """The cues of what `write_captions` wrote."""
    return msgspec.json.decode(captions, type=_Cues).cues


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip: numbered from 1; the empty string where nothing is said."""
    return "".join(
        # An arrow in a text would look like a line of times.
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text.replace('-->', '→')}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with what is markup in it escaped."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escape(cue.text)}\n\n" for cue in cues
    )


class CaptionFormat(msgspec.Struct, frozen=True):
    """One way to write captions."""

    media_type: str
    write: Callable[[bytes], bytes]
    """From what `write_captions` wrote."""


CAPTION_FORMATS: Final = {
    "srt": CaptionFormat("application/x-subrip", lambda captions: to_srt(read_cues(captions)).encode()),
    "vtt": CaptionFormat("text/vtt", lambda captions: to_vtt(read_cues(captions)).encode()),
    "json": CaptionFormat("application/json", bytes),
}
"""By name, which is the ending of a file's name too."""

DEFAULT_CAPTION_FORMAT: Final = "srt"


def move_words(words: Sequence[TimedWord], seconds: float) -> list[TimedWord]:
    """The words, heard so much later."""
    return [TimedWord(word.word, round(word.start + seconds, 6), round(word.end + seconds, 6)) for word in words]


def to_cues(words: Sequence[TimedWord]) -> list[Cue]:
    """All words once and in order, in cues that do not overlap. `words` are in order.

    A cue is at most MAX_LINES lines and MAX_SECONDS long, except where a single word is more than that.
    """
    reading = _Reading(words)
    spans = list(reading.divide())
    starts = [words[first].start for first, _ in spans]
    cues: list[Cue] = []
    shown_ms = 0
    for (first, last), following in zip(spans, [*starts[1:], float("inf")], strict=False):
        start, end = words[first].start, max(word.end for word in words[first:last])
        start_ms = max(round(start * 1000), shown_ms)
        end_ms = round(min(max(end, start + MIN_SECONDS), following) * 1000)
        shown_ms = max(end_ms, start_ms + 1)
        cues.append(Cue(start_ms / 1000, shown_ms / 1000, reading.text(first, last)))
    return cues


class _Reading:
    """Words on their way into cues; a place `k` is before word `k`."""

    def __init__(self, words: Sequence[TimedWord]) -> None:
        self._words = words
        self._texts = [_GAPS.sub(" ", word.word).strip() for word in words]
        self._widths = [width(text) for text in self._texts]
        self._spaces = [0, *(0 if _is_tight(one, two) else 1 for one, two in pairwise(self._texts)), 0]
        """Columns before each word that does not begin a line."""
        self._worths = list(_worths(self._texts))
        """Of ending a cue at each place, by the marks that stand there."""
        self._stops = self._find_stops()

    def divide(self) -> Iterator[tuple[int, int]]:
        """The first word of each cue, and one behind its last."""
        first = 0
        while first < len(self._words):
            last = self._choose(first)
            yield first, last
            first = last

    def text(self, first: int, last: int) -> str:
        """The words of a cue in lines."""
        place = self._best_fold(first, last)
        lines = [(first, last)] if place is None else [(first, place), (place, last)]
        return "\n".join("".join(self._spelled(*line)) for line in lines)

    def _spelled(self, first: int, last: int) -> Iterator[str]:
        for place in range(first, last):
            yield " " * (self._spaces[place] if place > first else 0) + self._texts[place]

    def _find_stops(self) -> list[int]:
        """For each word, the place behind it at which a cue must end: a pause, or the end."""
        stops = [len(self._words)] * len(self._words)
        for place in range(len(self._words) - 2, -1, -1):
            has_pause = self._words[place + 1].start - self._words[place].end > PAUSE_SECONDS
            stops[place] = place + 1 if has_pause else stops[place + 1]
        return stops

    def _choose(self, first: int) -> int:
        """Where the cue that begins with a word ends."""
        stop, places = self._stops[first], list(self._places(first))
        if places[-1][0] == stop:
            return stop
        return max(places, key=lambda one: self._score(first, one[0], one[1], stop))[0]

    def _places(self, first: int) -> Iterator[tuple[int, int]]:
        """Where it may end, at least one place, and how many columns it has then."""
        line = total = self._widths[first]
        n_lines = 1
        yield first + 1, total
        for place in range(first + 1, self._stops[first]):
            more = self._spaces[place] + self._widths[place]
            line, total = line + more, total + more
            if line > MAX_LINE_WIDTH:
                line, n_lines = self._widths[place], n_lines + 1
            if n_lines > MAX_LINES or line > MAX_LINE_WIDTH:
                return
            if self._words[place].end - self._words[first].start > MAX_SECONDS:
                return
            yield place + 1, total

    def _score(self, first: int, place: int, columns: int, stop: int) -> float:
        """What speaks for ending here a cue that cannot go on to the stop."""
        score = self._worths[place] + columns / (MAX_LINE_WIDTH * MAX_LINES)
        if self._lasts(first, place) < MIN_SECONDS or self._lasts(place, stop) < MIN_SECONDS:
            score -= _STUB_COST
        if self._worths[place] <= 0 and _SENTENCE_WORTH in self._worths[place + 1 : place + 3]:
            score -= _REST_COST
        return score

    def _lasts(self, first: int, place: int) -> float:
        """How long a cue may be seen at most: until the next word."""
        end = self._words[place].start if place < len(self._words) else self._words[-1].end + MIN_SECONDS
        return end - self._words[first].start

    def _best_fold(self, first: int, last: int) -> int | None:
        """Where the second line begins; None where one line is enough, or there is no place to divide it."""
        edges = [0]
        for place in range(first, last):
            edges.append(edges[-1] + self._spaces[place] * (place > first) + self._widths[place])
        if edges[-1] <= MAX_LINE_WIDTH or last - first == 1:
            return None

        def unevenness(place: int) -> float:
            upper = edges[place - first]
            lower = edges[-1] - upper - self._spaces[place]
            return max(upper, lower, MAX_LINE_WIDTH) * 1000 + abs(upper - lower) - 20 * min(1.0, self._worths[place])

        return min(range(first + 1, last), key=unevenness)


def width(text: str) -> int:
    """Columns that a text takes: two for wide characters, none for marks that stand on others."""
    return len(text) if text.isascii() else sum(map(_column, text))


def _column(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_tight(left: str, right: str) -> bool:
    """Whether two words stand without a space between them."""
    if _WIDE_MARK.match(left[-1:]) or _WIDE_MARK.match(right[:1]):
        return True
    marks = _CLOSERS + _OPENERS + _JOINTS
    # A quotation mark goes by the character that it stands at.
    beside = left.rstrip(marks)[-1:], right.lstrip(marks)[:1]
    return any(beside) and all(_TIGHT.match(character) for character in beside if character)


def _worths(texts: Sequence[str]) -> Iterator[float]:
    """Of ending a cue before each word and behind the last."""
    yield 0.0
    owed = 0.0
    for text, following in zip(texts, [*texts[1:], ""], strict=False):
        # What closes a sentence may stand alone, behind a character that is a word.
        owed = _worth(text, following) if text.strip(_CLOSERS) else owed
        belongs = (following and not following.strip(_CLOSERS)) or following[:1] in _LEANING or not text.strip(_OPENERS)
        yield _NO_WORTH if belongs else owed


def _worth(word: str, following: str) -> float:
    """Of ending a cue behind a word, by the mark it ends with."""
    bare = word.rstrip(_CLOSERS)
    if bare.endswith(tuple(_CLAUSE_ENDS)):
        return _CLAUSE_WORTH
    if not bare.endswith(tuple(SENTENCE_ENDS)):
        return 0.0
    goes_on = following.lstrip(_OPENERS)[:1].islower() or _ABBREVIATION.fullmatch(bare.lstrip(_OPENERS)[:-1])
    return 0.0 if bare.endswith(".") and goes_on else _SENTENCE_WORTH


def _clock(seconds: float, point: str) -> str:
    """`HH:MM:SS` and milliseconds; hours have as many digits as they need."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
