"""Finds where a text may be divided: at paragraphs, sentences and clauses, and between two characters.

Why a mark alone does not end a sentence: a full stop may belong to an abbreviation, and a sentence may continue in small
letters after a quotation.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from app.core.speech.characters import (
    CLAUSE_ENDS,
    CLOSERS,
    DASHES,
    EMPHASIS,
    ENDS_ANYWHERE,
    ENDS_BEFORE_SPACE,
    HAN_AND_KANA,
    HANGUL,
    OPENERS,
    PAUSES_ANYWHERE,
    PAUSES_BEFORE_SPACE,
    SENTENCE_ENDS,
    in_class,
)
from app.core.speech.sentence_words import SentenceWords, sentence_words, sentence_words_everywhere

_CLOSERS: Final = in_class(CLOSERS)
_BOUNDARY: Final = re.compile(
    rf"(?P<full>(?<![{ENDS_ANYWHERE}])[{ENDS_ANYWHERE}]++[{_CLOSERS}]*+)\s*+"
    rf"|(?P<stop>(?<![{ENDS_BEFORE_SPACE}])[{ENDS_BEFORE_SPACE}]++[{_CLOSERS}]*+)(?:\s++|\Z|(?=[{HAN_AND_KANA}]))"
    rf"|(?<![{PAUSES_BEFORE_SPACE}])[{PAUSES_BEFORE_SPACE}]++[{_CLOSERS}]*+\s++"
    rf"|[{PAUSES_ANYWHERE}]++[{_CLOSERS}]*+\s*+"
    r"|(?<=\s)[-–—]++\s++"
    r"|(?<!—)—++\s*+"
)
PARAGRAPH_BREAK: Final = re.compile(r"\n[^\S\n]*\n\s*")
"""One or more blank lines, with the white space after them."""
WORD: Final = re.compile(r"\S+\s*|\s+")
"""A word with the white space after it."""
_WIDE: Final = re.compile(f"[{HAN_AND_KANA}{HANGUL}]")
_DIGIT: Final = re.compile(r"\d")
_LAST_WORD: Final = re.compile(r"(?:\A|[\s(\[\"'])([^\s(\[\"']{1,12})\.\Z")
_NUMBER: Final = re.compile(r"\d{1,3}")
_INITIALS: Final = re.compile(r"(?:[A-Z]\.){1,4}[A-Z]|Ph\.D")
_OPENER: Final = re.compile(r"\s{1,3}[\"'(]?([A-Z][a-z]{0,9})\b")

_MARKED: Final = in_class(CLOSERS + EMPHASIS)
_PARAGRAPH_END: Final = re.compile(r"\n[^\S\n]*\n\s*\Z")
_SENTENCE_END: Final = re.compile(rf"[{in_class(SENTENCE_ENDS)}][{_MARKED}]*\s*\Z")
_CLAUSE_END: Final = re.compile(rf"[{in_class(CLAUSE_ENDS + DASHES)}-][{_MARKED}]*\s*\Z")


class Ending(StrEnum):
    """The kind of boundary at which a segment ends; it determines the pause after the segment."""

    PARAGRAPH = "paragraph"
    SENTENCE = "sentence"
    CLAUSE = "clause"
    CUT = "cut"
    """No boundary: the text had to be divided between two words, or within one."""


def find_boundaries(text: str, start: int, language: str) -> Iterator[tuple[int, Ending]]:
    """Yields the exclusive end index and the kind of each sentence and clause of `text` from `start` on, in order and lazily.

    `language` is a BCP 47 tag. The end of the text itself is not reported unless a boundary is there.
    """
    words = sentence_words(language)
    for match in _BOUNDARY.finditer(text, start):
        ending = _ending(text, match, words)
        if ending is not None:
            yield match.end(), ending


def find_sentence_ends(text: str, start: int, language: str) -> Iterator[int]:
    """Yields the start of each sentence that follows another one, from `start` on, in order and lazily."""
    return (end for end, ending in find_boundaries(text, start, language) if ending is Ending.SENTENCE)


def rest_of_sentence(text: str, start: int, language: str, *, max_chars: int) -> str:
    """Returns the rest of the sentence after a place within it, or as many whole words of it as fit in `max_chars`."""
    window = text[start : start + max_chars + 1]
    paragraph = PARAGRAPH_BREAK.split(window)[0]
    end = next(find_sentence_ends(paragraph, 0, language), len(paragraph))
    if end > max_chars:
        end = max((match.end() for match in WORD.finditer(paragraph) if match.end() <= max_chars), default=max_chars)
    return paragraph[:end].strip()


def find_paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each paragraph that is not blank, without the white space around it."""
    start = 0
    for end, following in (*((match.start(), match.end()) for match in PARAGRAPH_BREAK.finditer(text)), (len(text), 0)):
        paragraph = text[start:end]
        if stripped := paragraph.strip():
            first = start + paragraph.index(stripped[0])
            yield first, first + len(stripped)
        start = following


def ending_of(tail: str) -> Ending:
    """Returns the kind of boundary at the end of a text, by its last characters, at most a few hundred."""
    if _PARAGRAPH_END.search(tail):
        return Ending.PARAGRAPH
    if _SENTENCE_END.search(tail):
        return Ending.SENTENCE
    return Ending.CLAUSE if _CLAUSE_END.search(tail) else Ending.CUT


def between_characters(text: str, place: int) -> int:
    """Returns `place`, or the nearest place after it that does not separate a letter from its marks; never 0 or the end."""
    for nearby in range(max(1, place), min(place + 8, len(text))):
        if not unicodedata.category(text[nearby]).startswith("M") and text[nearby - 1] != "\u200d":
            return nearby
    return max(1, place)


def weigh(text: str) -> float:
    """Estimates the number of phonemes: 1 for a Latin letter, 3 for a digit, 2.5 for a Han, kana or Hangul character."""
    return len(text) + 1.5 * len(_WIDE.findall(text)) + 2 * len(_DIGIT.findall(text))


def _ending(text: str, match: re.Match[str], words: SentenceWords) -> Ending | None:
    """Returns the kind of the boundary at `match`; None if it only looks like a boundary."""
    if match["full"] is not None:
        return Ending.SENTENCE
    if match["stop"] is None:
        return Ending.CLAUSE
    following = text[match.end() : match.end() + 3].lstrip(OPENERS)[:1]
    if match["stop"] == "." and _is_abbreviation(text, match.end("stop"), following, words):
        return None
    if following.islower():
        return None if match["stop"] == "." else Ending.CLAUSE
    return Ending.SENTENCE


def _is_abbreviation(text: str, end: int, following: str, words: SentenceWords) -> bool:
    """Whether the full stop before `end` belongs to the word before it."""
    match = _LAST_WORD.search(text[max(0, end - 15) : end])
    if match is None:
        return False
    word = match[1]
    everywhere, short = sentence_words_everywhere(), word.lower()
    if _INITIALS.fullmatch(word) and (opener := _OPENER.match(text, end)) and opener[1] in words.openers:
        return False
    is_initial = len(word.split(".")[-1]) == 1 and word[-1].isupper() and word != "I"
    is_item = end == len(word) + 1 and _NUMBER.fullmatch(word) is not None
    is_numbered = following.isdigit() and short in everywhere.numbered | words.numbered
    return is_initial or is_item or is_numbered or short in everywhere.abbreviations | words.abbreviations
