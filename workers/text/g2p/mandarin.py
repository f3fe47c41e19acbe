"""G2P of Mandarin: Misaki's, character by character.

Why Misaki's inner functions are called: its G2P as a whole fails on text that is empty once its punctuation is mapped, takes
Latin letters for phonemes, does not say numbers over 16 digits, and does not report which character has which phonemes.

Why jieba's dictionary is built here: by default, jieba reads it from a file in the temporary folder, which may be missing or
somebody else's. Building it takes no longer.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import cn2an
import jieba
from misaki.zh import ZHG2P
from pypinyin import Style, lazy_pinyin

from workers.text.g2p.alignment import AlignedSpan
from workers.text.tracked_text import TrackedText

_LONG_NUMBER: Final = re.compile(r"\d{17,}")
_NUMBER: Final = re.compile(r"(?<![-0-9./%℃])[-0-9./%℃]*[0-9][-0-9./%℃]*[^\W\d]{0,2}")
"""All the text that cn2an looks at to spell one number, including the measure word after it."""
_ALL: Final = re.compile(r"(?s).+")
_DIGITS: Final = str.maketrans("0123456789〇", "零一二三四五六七八九零")
_MARK: Final = re.compile("[、，。．！：；？«»《》「」【】（）]")
_RUN: Final = re.compile("[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+")
_NON_SYLLABIC: Final = "\u032f"


def make(language: str) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of `zh`."""
    jieba.setLogLevel(logging.WARNING)
    jieba.dt.FREQ, jieba.dt.total = jieba.dt.gen_pfdict(jieba.dt.get_dict_file())
    jieba.dt.initialized = True
    return lambda text: list(_phonemize(_map_marks(_spell_numbers(TrackedText.of(text)))))


def _spell_numbers(tracked: TrackedText) -> TrackedText:
    digit_by_digit = tracked.sub(_LONG_NUMBER, lambda match: match[0].translate(_DIGITS))
    spelled = _transform(digit_by_digit.text)
    by_number = digit_by_digit.sub(_NUMBER, lambda match: _transform(match[0]))
    if by_number.text != spelled:
        by_number = digit_by_digit.sub(_ALL, spelled)
    return by_number.translate(_DIGITS)


def _transform(text: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(cn2an.transform(text, "an2cn"))


def _map_marks(tracked: TrackedText) -> TrackedText:
    """Maps marks like Misaki's `map_punctuation`, but one by one, since that function strips its result."""
    return tracked.sub(_MARK, _map_mark).strip()


def _map_mark(match: re.Match[str]) -> str:
    # `map_punctuation` strips nothing between two letters.
    return str(ZHG2P.map_punctuation(f"x{match[0]}x"))[1:-1]


def _phonemize(tracked: TrackedText) -> Iterator[AlignedSpan]:
    for run in _RUN.finditer(tracked.text):
        if not "\u4e00" <= run[0][0] <= "\u9fff":
            yield AlignedSpan(*tracked.origin(*run.span()), run[0])
            continue
        at = run.start()
        for i, word in enumerate(jieba.lcut(run[0], cut_all=False)):
            if i:
                yield AlignedSpan(*tracked.origin(at, at + 1), " ")
            for start, end, phonemes in _phonemize_word(word):
                yield AlignedSpan(*tracked.origin(at + start, at + end), phonemes)
            at += len(word)


def _phonemize_word(word: str) -> Iterator[tuple[int, int, str]]:
    """Yields the characters of `word`, each with its phonemes; all at once if pinyin does not have one syllable for each."""
    said = [_phonemize_syllable(syllable) for syllable in lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)]
    if len(said) == len(word):
        yield from ((i, i + 1, phonemes) for i, phonemes in enumerate(said))
    else:
        yield 0, len(word), "".join(said)


@cache
def _phonemize_syllable(syllable: str) -> str:
    """Returns the phonemes of a syllable, or a character without a reading as it is: the engine reports that it is not said."""
    try:
        return str(ZHG2P.py2ipa(syllable)).replace(_NON_SYLLABIC, "")
    except (AssertionError, LookupError, ValueError):
        return syllable
