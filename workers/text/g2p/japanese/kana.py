"""Converts Japanese to katakana, word by word, for an engine that cannot read Han: espeak-ng names each character instead.

Why katakana with spaces: espeak-ng's Japanese reads only that as words; it says hiragana one syllable after the other.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Final, Protocol

import msgspec
import regex

from workers.text.cancellation import check_cancelled
from workers.text.g2p.japanese import openjtalk
from workers.text.g2p.lock import LOCK
from workers.text.tracked_text import TrackedText

_LATIN: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*+(?:[ '\-]++\p{Latin}[\p{Latin}\p{M}]*+)*+")
_LATIN_WORD: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*+")
_SPELLED_OUT: Final = 1.8
"""From this number of moras per letter on, a word is spelled and not read: the name of every letter has at least two."""
_SENTENCE: Final = regex.compile(r"[^\n。！？]{1,400}[。！？]*+")
_JAPANESE: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}0-9]")
_ATTACHED: Final = frozenset({"助詞", "助動詞", "記号"})
"""Particles, endings and marks, which are said with the word before them."""
_ATTACHED_KINDS: Final = frozenset({"接尾", "非自立"})
_MAX_PAIRS: Final = 20
"""Limit on the pairs of equal characters in a sentence and its reading, per character. Up to it, the best pairs are searched:
prose has two to six; a long sentence of a single digit has some hundreds, and the search would take a second.
"""
_NEAR: Final = 20
"""Most characters in a row that a reading may leave out, in a text for which the best pairs are not searched."""
_POINT: Final = "．"
_DEVOICED: Final = "’"


class Token(Protocol):
    """A word as pyopenjtalk divides a text."""

    @property
    def first(self) -> int:
        """Index of its first character in the text."""

    @property
    def n_moras(self) -> int:
        """Its length in moras."""


class _Word(msgspec.Struct, frozen=True):
    """A word with its place and its reading."""

    first: int
    last: int
    reading: str
    """Reading in katakana; empty for a mark."""
    n_moras: int
    is_attached: bool


def to_katakana(tracked: TrackedText) -> TrackedText:
    """Returns `tracked` with its Han, kana and numbers as words of katakana; Latin words that are not Japanese stay."""
    return tracked.replace(
        change for match in _SENTENCE.finditer(tracked.text) for change in _convert_sentence(match[0], match.start())
    )


def has_latin(text: str) -> bool:
    """Returns whether any words of `text` are Latin."""
    return _LATIN.search(text) is not None


def find_unread(text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Returns the runs of Latin words in `text` that pyopenjtalk spells letter by letter, although they are not initials."""
    runs = (match.span() for match in _LATIN.finditer(text))
    return [(start, end) for start, end in runs if not _is_read(text[start:end], start, tokens)]


def find_tokens(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yields the place of each token in `text`.

    Tokens that are not in it, such as the words of a number, share the place between their neighbours.
    """
    plain = [(character, i) for i, written in enumerate(text) for character in _plain(written)]
    read = [(character, i) for i, token in enumerate(tokens) for character in _plain(token)]
    found: dict[int, tuple[int, int]] = {}
    for in_plain, in_read in _pair([one for one, _ in plain], [one for one, _ in read]):
        place, token = plain[in_plain][1], read[in_read][1]
        found[token] = (found.get(token, (place, 0))[0], place + 1)
    starts = [found[i][0] if i in found else len(text) for i in range(len(tokens))]
    nexts = list(accumulate(reversed([*starts, len(text)]), min))[::-1]
    done, is_shared = 0, False
    for i in range(len(tokens)):
        first, last = found.get(i, (done, max(done, nexts[i + 1])))
        # 5日 is read as one word, 五日.
        if i in found and not is_shared and text[done:first].isdigit():
            first = done
        yield first, last
        done, is_shared = (last, False) if i in found else (done, True)


def _pair(written: Sequence[str], read: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yields pairs of equal characters, in the order of both sequences.

    They are the longest common runs, or, with more pairs than _MAX_PAIRS allows, the next match of each character.
    """
    n_written, n_read = Counter(written), Counter(read)
    if sum(n * n_read[character] for character, n in n_written.items()) <= _MAX_PAIRS * len(written):
        matcher = SequenceMatcher(None, written, read, autojunk=False)
        for in_written, in_read, size in matcher.get_matching_blocks():
            yield from ((in_written + i, in_read + i) for i in range(size))
        return
    at = 0
    for in_read, character in enumerate(read):
        if (place := next((i for i in range(at, min(at + _NEAR, len(written))) if written[i] == character), -1)) >= 0:
            yield place, in_read
            at = place + 1


def _plain(text: str) -> str:
    """Returns `text` in one width and one form, so that two spellings of it are equal."""
    return unicodedata.normalize("NFKD", text).lower()


def _is_read(words: str, start: int, tokens: Sequence[Token]) -> bool:
    """Returns whether the Latin `words` that begin at `start` are read as words, or are spelled because they are initials."""
    for match in _LATIN_WORD.finditer(words):
        first, last = start + match.start(), start + match.end()
        n_moras = sum(token.n_moras for token in tokens if first <= token.first < last)
        is_initials = match[0].isascii() and (len(match[0]) == 1 or match[0].isupper())
        if not is_initials and (not match[0].isascii() or not 0 < n_moras < _SPELLED_OUT * len(match[0])):
            return False
    return True


def _convert_sentence(sentence: str, start: int) -> Iterator[tuple[int, int, str]]:
    """Yields the changes to a sentence that begins at `start`, as `TrackedText.replace` takes them."""
    check_cancelled()
    if _JAPANESE.search(sentence) is None:
        return
    with LOCK:
        words = _read(sentence)
    unread = find_unread(sentence, words)
    for (first, last), group in _by_place(words):
        reading = "".join(word.reading for word in group)
        if not reading or any(begin <= first < end for begin, end in unread):
            continue
        is_apart = first > 0 and not group[0].is_attached and not sentence[first - 1].isspace()
        # espeak-ng would also spell a word that touches Latin letters.
        yield start + first, start + last, " " * is_apart + reading + " " * (_LATIN.match(sentence, last) is not None)


def _by_place(words: Sequence[_Word]) -> Iterator[tuple[tuple[int, int], list[_Word]]]:
    """Groups words that share a place, as the words of a number do. A word without a place joins the word before it."""
    group: list[_Word] = []
    end = 0
    for word in words:
        if group and end <= word.first < word.last:
            yield (group[0].first, end), group
            group = []
        group.append(word)
        end = max(end, word.last)
    if group:
        yield (group[0].first, end), group


def _read(sentence: str) -> list[_Word]:
    features = openjtalk.read(sentence)
    places = find_tokens(sentence, [feature["string"] for feature in features])
    words, is_number = [], False
    for (first, last), feature in zip(places, features, strict=True):
        reading = "" if feature["pos"] == "記号" else feature["pron"].replace(_DEVOICED, "")
        words.append(_Word(first, last, reading, feature["mora_size"], _is_attached(feature, after_number=is_number)))
        is_number = feature["pos_group1"] == "数" or feature["string"] == _POINT
    return words


def _is_attached(feature: dict[str, Any], *, after_number: bool) -> bool:
    kind = feature["pos_group1"]
    return feature["pos"] in _ATTACHED or kind in _ATTACHED_KINDS or (after_number and kind == "数")
