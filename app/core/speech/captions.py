"""Captions: turns the words of a recording and their times into cues, as SRT, WebVTT or JSON.

Why each cue is chosen by itself, and not the best division of the whole: a book has 200,000 words and is divided in a second,
and a change on one page does not change the cues of another.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

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
"""Shortest time of a cue, unless the next one begins earlier."""

PAUSE_SECONDS: Final = 0.5
"""A cue does not span a longer silence."""

_CLOSERS: Final = CLOSERS + EMPHASIS
_OPENERS: Final = OPENERS + EMPHASIS
_JOINTS: Final = "…—·"
_LEANING: Final = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾ")
"""Characters that do not begin a line."""

_CLAUSE_ENDS: Final = CLAUSE_ENDS + DASHES
_ABBREVIATION: Final = re.compile(r"(?:.*\.)?[^\W\d_]|Mr|Mrs|Ms|Dr|St|Sr|Sra|Dra|Prof|Mme|Mlle|vs|etc", re.IGNORECASE)
"""Words before a full stop that does not end a sentence."""

_TIGHT: Final = re.compile(rf"[{HAN_AND_KANA}{EAST_ASIAN_MARKS}\u3100-\u312f]")
"""Han, kana, bopomofo and their marks, which have no spaces between them."""

_WIDE_MARK: Final = re.compile("[\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
"""Marks whose glyph includes a space."""

_GAPS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")

_NO_WORTH: Final = -1.0
"""Worth of ending a cue between a mark and its word."""
_SENTENCE_WORTH: Final = 2.0
_CLAUSE_WORTH: Final = 0.5
"""The end of a clause is worth as much as half a cue more of text."""
_STUB_COST: Final = 4.0
"""Cost of a cue that is too short to be read."""
_REST_COST: Final = 0.4
"""Cost of leaving a sentence's last word or two to the next cue."""


class Cue(msgspec.Struct, frozen=True):
    """A text and the time when it is shown."""

    start: float
    """Seconds, in whole milliseconds."""
    end: float
    """Later than `start`, and not later than the start of the next cue."""
    text: str
    """One line, or two with a line break between them."""
    speaker: str | UnsetType = UNSET
    """The voice of all its words, as the user wrote it; unset, and not in the JSON, in a text with one voice."""


class Captions(msgspec.Struct, frozen=True):
    """All captions, in the form of the JSON."""

    words: list[TimedWord]
    """Times to the microsecond: a sample is shorter than a millisecond."""
    cues: list[Cue]


class _Cues(msgspec.Struct, frozen=True):
    cues: list[Cue]


def write_captions(words: Sequence[TimedWord]) -> bytes:
    """Captions as JSON, from which every other format is made. `words` are in order."""
    return msgspec.json.encode(Captions(list(words), to_cues(words)))


def read_cues(captions: bytes) -> list[Cue]:
    """The cues that `write_captions` wrote."""
    return msgspec.json.decode(captions, type=_Cues).cues


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip: numbered from 1; empty when there are no words."""
    return "".join(
        # Without the replacement an arrow in the text would look like a line of times.
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text.replace('-->', '→')}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with its markup characters escaped, and the speakers of a text with several voices as voice spans."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_spoken_by(cue.speaker, _escape(cue.text))}\n\n" for cue in cues
    )


class CaptionFormat(msgspec.Struct, frozen=True):
    """One format of captions."""

    media_type: str
    write: Callable[[bytes], bytes]
    """Converts what `write_captions` wrote."""


CAPTION_FORMATS: Final = {
    "srt": CaptionFormat("application/x-subrip", lambda captions: to_srt(read_cues(captions)).encode()),
    "vtt": CaptionFormat("text/vtt", lambda captions: to_vtt(read_cues(captions)).encode()),
    "json": CaptionFormat("application/json", bytes),
}
"""The formats by name; the name is also the extension of the file."""

DEFAULT_CAPTION_FORMAT: Final = "srt"


def move_words(words: Sequence[TimedWord], seconds: float) -> list[TimedWord]:
    """The words with their times moved by `seconds`."""
    return [TimedWord(word.word, round(word.start + seconds, 6), round(word.end + seconds, 6), word.speaker) for word in words]


def to_cues(words: Sequence[TimedWord]) -> list[Cue]:
    """All words once and in order, in cues that do not overlap. `words` are in order.

    A cue has one speaker, at most MAX_LINES lines, and lasts at most MAX_SECONDS, unless a single word needs more.
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
        cues.append(Cue(start_ms / 1000, shown_ms / 1000, reading.text(first, last), words[first].speaker))
    return cues


class _Reading:
    """Divides words into cues. Place `k` is before word `k`."""

    def __init__(self, words: Sequence[TimedWord]) -> None:
        self._words = words
        self._texts = [_GAPS.sub(" ", word.word).strip() for word in words]
        self._widths = [width(text) for text in self._texts]
        self._spaces = [0, *(0 if _is_tight(one, two) else 1 for one, two in pairwise(self._texts)), 0]
        """Columns of the space before each word, unless the word begins a line."""
        self._worths = list(_worths(self._texts))
        """Worth of ending a cue at each place, according to the marks there."""
        self._stops = self._find_stops()

    def divide(self) -> Iterator[tuple[int, int]]:
        """First index and exclusive end index of the words of each cue."""
        first = 0
        while first < len(self._words):
            last = self._choose(first)
            yield first, last
            first = last

    def text(self, first: int, last: int) -> str:
        """The words of a cue, in lines."""
        place = self._best_fold(first, last)
        lines = [(first, last)] if place is None else [(first, place), (place, last)]
        return "\n".join("".join(self._spelled(*line)) for line in lines)

    def _spelled(self, first: int, last: int) -> Iterator[str]:
        for place in range(first, last):
            yield " " * (self._spaces[place] if place > first else 0) + self._texts[place]

    def _find_stops(self) -> list[int]:
        """For each word, the next place where a cue must end: a pause, another speaker, or the end."""
        stops = [len(self._words)] * len(self._words)
        for place in range(len(self._words) - 2, -1, -1):
            word, following = self._words[place], self._words[place + 1]
            must_end = following.start - word.end > PAUSE_SECONDS or following.speaker != word.speaker
            stops[place] = place + 1 if must_end else stops[place + 1]
        return stops

    def _choose(self, first: int) -> int:
        """The best place to end the cue that begins with word `first`."""
        stop, places = self._stops[first], list(self._places(first))
        if places[-1][0] == stop:
            return stop
        return max(places, key=lambda one: self._score(first, one[0], one[1], stop))[0]

    def _places(self, first: int) -> Iterator[tuple[int, int]]:
        """The places where the cue that begins with word `first` may end, at least one, and the columns of
        the cue up to each.
        """
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
        """How good it is to end the cue here, if it cannot extend to the stop."""
        score = self._worths[place] + columns / (MAX_LINE_WIDTH * MAX_LINES)
        if self._lasts(first, place) < MIN_SECONDS or self._lasts(place, stop) < MIN_SECONDS:
            score -= _STUB_COST
        if self._worths[place] <= 0 and _SENTENCE_WORTH in self._worths[place + 1 : place + 3]:
            score -= _REST_COST
        return score

    def _lasts(self, first: int, place: int) -> float:
        """Longest time in seconds that a cue can be shown: until the next word."""
        end = self._words[place].start if place < len(self._words) else self._words[-1].end + MIN_SECONDS
        return end - self._words[first].start

    def _best_fold(self, first: int, last: int) -> int | None:
        """The word that begins the second line; None when one line is enough, or there is no place to divide it."""
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
    """Columns of a text: two for wide characters, none for combining marks."""
    return len(text) if text.isascii() else sum(map(_column, text))


def _column(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_tight(left: str, right: str) -> bool:
    """Whether no space belongs between two words."""
    if _WIDE_MARK.match(left[-1:]) or _WIDE_MARK.match(right[:1]):
        return True
    marks = _CLOSERS + _OPENERS + _JOINTS
    # For a quotation mark the character next to it decides.
    neighbours = left.rstrip(marks)[-1:], right.lstrip(marks)[:1]
    return any(neighbours) and all(_TIGHT.match(character) for character in neighbours if character)


def _worths(texts: Sequence[str]) -> Iterator[float]:
    """Worth of ending a cue before each word and after the last."""
    yield 0.0
    worth = 0.0
    for text, following in zip(texts, [*texts[1:], ""], strict=False):
        # A closing mark may be a word of its own, after a character that is a word.
        worth = _worth(text, following) if text.strip(_CLOSERS) else worth
        belongs = (following and not following.strip(_CLOSERS)) or following[:1] in _LEANING or not text.strip(_OPENERS)
        yield _NO_WORTH if belongs else worth


def _worth(word: str, following: str) -> float:
    """Worth of ending a cue after a word, according to its last mark."""
    bare = word.rstrip(_CLOSERS)
    if bare.endswith(tuple(_CLAUSE_ENDS)):
        return _CLAUSE_WORTH
    if not bare.endswith(tuple(SENTENCE_ENDS)):
        return 0.0
    goes_on = following.lstrip(_OPENERS)[:1].islower() or _ABBREVIATION.fullmatch(bare.lstrip(_OPENERS)[:-1])
    return 0.0 if bare.endswith(".") and goes_on else _SENTENCE_WORTH


def _clock(seconds: float, point: str) -> str:
    """`HH:MM:SS` and milliseconds; hours have as many digits as needed."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _spoken_by(speaker: str | UnsetType, text: str) -> str:
    return text if isinstance(speaker, UnsetType) else f"<v {_escape(speaker)}>{text}</v>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
