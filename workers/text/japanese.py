"""G2P of Japanese: the readings of pyopenjtalk through Misaki, spelled the way Kokoro v1.0 heard them.

Why not Misaki's own default: it wants a dictionary of half a gigabyte, downloaded apart; pyopenjtalk-plus brings one along.
Misaki's spelling for pyopenjtalk is that of a later model; the replacements below lead back to the alphabet of v1.0.

Why some Latin words are said as English: those that pyopenjtalk does not know it would spell, letter by letter.
"""

import contextlib
import io
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Final

import msgspec
import regex
from misaki.espeak import EspeakG2P

from workers.text import english
from workers.text.aligning import Stretch, say_in_parts

with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
    from misaki.ja import JAG2P

_SPELLING: Final = tuple(
    (re.compile(old), new)
    for old, new in (
        ("ᶄ", "kʲ"),
        ("ᶃ", "ɡʲ"),
        ("ᶀ", "bʲ"),
        ("ᶁ", "dʲ"),
        ("ᶈ", "pʲ"),
        ("ᶆ", "mʲ"),
        ("ᶉ", "ɾʲ"),
        ("ƫ", "tʲ"),
        ("K", "kᵝ"),
        ("G", "ɡᵝ"),
        ("g", "ɡ"),
        ("r", "ɾ"),
        ("([kɡbpmɾ])i", r"\1ʲi"),
        ("ni", "ɲi"),
        ("hi", "çi"),
        ("hu|fu", "ɸɯ"),
        ("w(?=[aeio])", "β"),
        ("z(?=[aeo])", "ʣ"),
        ("([szʦɕʥʨʲçɲ])u", r"\1ɨ"),
        ("u", "ɯ"),
        ("f", "ɸ"),
    )
)


_LATIN: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*+(?:[ '\-]++\p{Latin}[\p{Latin}\p{M}]*+)*+")
_LATIN_WORD: Final = regex.compile(r"\p{Latin}[\p{Latin}\p{M}]*+")
_SPELLED_OUT: Final = 1.8
"""Moras for each letter from which on a word is not read but spelled: every letter's name has at least two."""
_FAILURES: Final = (AssertionError, KeyError, IndexError)
"""Of Misaki's, on text that it does not foresee."""


class _Token(msgspec.Struct, frozen=True):
    """What pyopenjtalk takes for one word, and where it stands in the text."""

    first: int
    last: int
    phonemes: str
    """In Misaki's spelling."""
    n_moras: int


def make(language: str) -> Callable[[str], list[Stretch]]:
    """The G2P of `ja`."""
    logging.getLogger("phonemizer").disabled = True
    g2p = JAG2P(version="pyopenjtalk", unk="")
    spare = EspeakG2P(language="ja")
    say_latin = english.make("en-US")

    def read(text: str) -> tuple[str, list[_Token]]:
        both, tokens = g2p(text)
        places = _find_tokens(text, [token.text for token in tokens])
        found = (_Token(*place, token.phonemes or "", token._.mora_size) for place, token in zip(places, tokens, strict=True))
        return both[: len(both) // 2], list(found)

    def say(text: str) -> list[Stretch]:
        try:
            return _place(text, *read(text))
        except _FAILURES:
            return [Stretch(0, len(text), str(spare(text)[0]))]

    def find_unread(text: str) -> list[tuple[int, int]]:
        runs = [match.span() for match in _LATIN.finditer(text)]
        try:
            tokens = read(text)[1] if runs else []
        except _FAILURES:
            return runs
        return [(start, end) for start, end in runs if not _is_read(text[start:end], start, tokens)]

    return lambda text: say_in_parts(text, ((start, end, say_latin) for start, end in find_unread(text)), say)


def _is_read(words: str, start: int, tokens: Sequence[_Token]) -> bool:
    """Whether the Latin `words` that begin at `start` are read as words, or spelled because they are written as initials."""
    for match in _LATIN_WORD.finditer(words):
        first, last = start + match.start(), start + match.end()
        n_moras = sum(token.n_moras for token in tokens if first <= token.first < last)
        is_initials = match[0].isascii() and (len(match[0]) == 1 or match[0].isupper())
        if not is_initials and (not match[0].isascii() or not 0 < n_moras < _SPELLED_OUT * len(match[0])):
            return False
    return True


def _place(text: str, phonemes: str, tokens: Sequence[_Token]) -> list[Stretch]:
    """The phonemes in Kokoro's spelling, each token's with the part of `text` that it was read from."""
    stretches: list[Stretch] = []
    at = 0
    for token in tokens:
        begin = phonemes.find(token.phonemes, at)
        if not token.phonemes or begin < 0:
            continue
        stretches.append(Stretch(token.first, token.last, phonemes[at:begin] + _spell(token.phonemes)))
        at = begin + len(token.phonemes)
    whole = _spell(phonemes)
    if "".join(one.phonemes for one in stretches) + phonemes[at:] != whole:
        return [Stretch(0, len(text), whole)]
    return stretches


def _find_tokens(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each token stands in `text`; those that are not in it, such as the words of a number, share what lies between."""
    plain = [(character, i) for i, written in enumerate(text) for character in _plain(written)]
    read = [(character, i) for i, token in enumerate(tokens) for character in _plain(token)]
    matcher = SequenceMatcher(None, [one for one, _ in plain], [one for one, _ in read], autojunk=False)
    found: dict[int, tuple[int, int]] = {}
    for in_plain, in_read, size in matcher.get_matching_blocks():
        for i in range(size):
            place, token = plain[in_plain + i][1], read[in_read + i][1]
            found[token] = (found.get(token, (place, 0))[0], place + 1)
    starts = [found[i][0] if i in found else len(text) for i in range(len(tokens))]
    nexts = list(accumulate(reversed([*starts, len(text)]), min))[::-1]
    done = 0
    for i in range(len(tokens)):
        first, last = found.get(i, (done, max(done, nexts[i + 1])))
        yield first, last
        done = last if i in found else done


def _plain(text: str) -> str:
    """`text` in the one width and the one form that two spellings of it share."""
    return unicodedata.normalize("NFKD", text).lower()


def _spell(phonemes: str) -> str:
    """From Misaki's alphabet for pyopenjtalk to the one of Kokoro v1.0."""
    for old, new in _SPELLING:
        phonemes = old.sub(new, phonemes)
    return phonemes
