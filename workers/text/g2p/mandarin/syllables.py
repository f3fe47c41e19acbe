"""Finds the syllables of Mandarin words: polyphones by their neighbours, the tones of 一 and 不, and 儿 after a syllable.

Why simplified characters: the phrases of pypinyin and the dictionary of jieba have few traditional ones, so 銀行 was misread.

Why tones change over a whole run: jieba parts 不 from the word after it.
"""

import logging
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import jieba
import msgspec
import opencc
from misaki.zh import ZHG2P
from pypinyin import Style, lazy_pinyin, load_phrases_dict, load_single_dict
from pypinyin.constants import PHRASES_DICT
from pypinyin.contrib.tone_convert import to_tone

from workers.text.g2p.mandarin.words import WORDS, Context

_NON_SYLLABIC: Final = "\u032f"
_NUMERALS: Final = frozenset("零一二三四五六七八九十百千万亿幺")
_LARGE: Final = frozenset("百千万亿")
_SOFT_ENDS: Final = (
    (re.compile("(?:jɛ|ɛ)([→↗↓↘]?)n$"), r"ja\1"),
    (re.compile("([iy])([→↗↓↘]?)[nŋ]$"), r"\1ə\2"),
    (re.compile("([→↗↓↘]?)[nŋ]$"), r"\1"),
    (re.compile("ei([→↗↓↘]?)$"), r"ə\1"),
    (re.compile("ai([→↗↓↘]?)$"), r"a\1"),
    (re.compile("ɨ([→↗↓↘]?)$"), r"ə\1"),
    (re.compile("(?<![aeou])([iy])([→↗↓↘]?)$"), r"\1ə\2"),
)
"""The end of a syllable before 儿: 点 tjɛ↓n becomes tja↓."""
_ER: Final = "ɚ"
_PARTICLE: Final = re.compile("(?<![名原土显昭巨遗专编合论拙所大卓])著(?![作名称者书述录于有])")
"""著 for 着, as traditional texts have it: 看著."""
_KEEPS_FIRST: Final = frozenset("第初月统唯专逐独")
"""Characters after which 一 keeps its tone."""


class Syllable(msgspec.Struct, frozen=True):
    """A character and how it is said; some characters at once if pinyin does not have one syllable for each."""

    first: int
    last: int
    phonemes: str
    begins_word: bool


def load() -> None:
    """Loads the dictionaries of jieba and pypinyin, with the words of `words.toml`. Call it once, before `read`.

    Why jieba's dictionary is built here: by default, jieba reads it from a file in the temporary folder, which may be missing
    or somebody else's. Building it takes no longer.
    """
    jieba.setLogLevel(logging.WARNING)
    jieba.dt.FREQ, jieba.dt.total = jieba.dt.gen_pfdict(jieba.dt.get_dict_file())
    jieba.dt.initialized = True
    for word in WORDS.words:
        jieba.add_word(word)
    load_phrases_dict({word: [[to_tone(one)] for one in said.split()] for word, said in WORDS.words.items()})
    load_single_dict({ord(character): to_tone(said) for character, said in WORDS.characters.items()})


def read(run: str) -> Iterator[Syllable]:
    """Yields the syllables of a run of Han characters."""
    text = _simplify(run)
    pinyin: list[str] = []
    starts: list[int] = []
    whole: list[tuple[int, int]] = []
    at = 0
    for word in jieba.lcut(text, cut_all=False):
        starts.append(at)
        said = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
        if len(said) == len(word):
            pinyin.extend(_say(text, at, word, i, one) for i, one in enumerate(said))
        else:
            whole.append((at, at + len(word)))
            pinyin.extend([" ".join(said), *[""] * (len(word) - 1)])
        at += len(word)
    _say_adverbs(text, pinyin, starts)
    _say_traditional(run, text, pinyin)
    _change_tones(text, pinyin, frozenset([*starts, at]))
    yield from _group(text, pinyin, frozenset(starts), dict(whole))


def _group(text: str, pinyin: list[str], starts: frozenset[int], whole: dict[int, int]) -> Iterator[Syllable]:
    for i, said in enumerate(pinyin):
        if not said:
            continue
        is_joined = _is_suffix(text, i)
        next_is_joined = _is_suffix(text, i + 1)
        phonemes = _ER if is_joined else "".join(_phonemize(one) for one in said.split(" "))
        yield Syllable(i, whole.get(i, i + 1), _soften(phonemes) if next_is_joined else phonemes, i in starts and not is_joined)


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplify(run: str) -> str:
    """Returns `run` in simplified characters; as it is, if they would be more or fewer."""
    simple = str(_converter().convert(run))
    return _PARTICLE.sub("着", simple) if len(simple) == len(run) else run


def _say_adverbs(text: str, pinyin: list[str], starts: list[int]) -> None:
    """Gives 地 the sound of an ending where it stands alone after a longer word, in place: 科学地分析."""
    words = WORDS.adverbs
    for before, start, following in zip(starts, starts[1:], starts[2:], strict=False):
        is_ending = text[start:following] == "地" and start - before > 1 and pinyin[start] == "di4"
        if is_ending and not text[:start].endswith(words.not_after) and not text.startswith(words.not_before, following):
            pinyin[start] = "de5"


def _say_traditional(run: str, text: str, pinyin: list[str]) -> None:
    """Gives traditional characters that have one sound their sound, in place: 隻 is 只, but never zhi3."""
    if run != text:
        for i, character in enumerate(run):
            if pinyin[i] and character in WORDS.traditional:
                pinyin[i] = WORDS.traditional[character]


def _say(text: str, start: int, word: str, i: int, said: str) -> str:
    """Returns the pinyin of one character: by its neighbours, unless a dictionary has the whole word."""
    if len(word) > 1 and word in PHRASES_DICT:
        return said
    place = start + i
    for context in _contexts(word[i]):
        if _fits(context, text, place):
            return context.said
    return said


@cache
def _contexts(character: str) -> tuple[Context, ...]:
    return tuple(context for context in WORDS.contexts if context.written == character)


def _fits(context: Context, text: str, place: int) -> bool:
    before, after = text[max(0, place - 6) : place], text[place + 1 : place + 7]
    is_after = not context.after or _begins(after, context.after)
    return is_after and (not context.before or _ends(before, context.before))


def _begins(text: str, words: tuple[str, ...]) -> bool:
    return any(text.startswith(word) if word else not text for word in words)


def _ends(text: str, words: tuple[str, ...]) -> bool:
    return any(text.endswith(word) if word else not text for word in words)


def _change_tones(text: str, pinyin: list[str], edges: frozenset[int]) -> None:
    """Changes the tones of 一 and 不 in `pinyin`, in place: 一样 yi2, 一天 yi4, 不对 bu2. `edges` are those of words."""
    for i, character in enumerate(text):
        following = pinyin[i + 1][-1:] if i + 1 < len(text) else ""
        if character == "不" and pinyin[i] in {"bu2", "bu4"}:
            pinyin[i] = "bu2" if following == "4" else "bu4"
        elif character == "一" and pinyin[i] in {"yi1", "yi2", "yi4"}:
            pinyin[i] = f"yi{_tone_of_one(text, i, following, edges)}"


def _tone_of_one(text: str, i: int, following: str, edges: frozenset[int]) -> str:
    before, after = text[i - 1 : i], text[i + 1 :]
    if not after or before in _KEEPS_FIRST or after.startswith(WORDS.tones.after_ordinal):
        return "1"
    is_score = (before == "比" and text[i - 2 : i - 1] in _NUMERALS) or (after[0] == "比" and after[1:2] in _NUMERALS)
    is_decimal = (before == "点" and text[i - 2 : i - 1] in _NUMERALS) or (after[0] == "点" and after[1:2] in _NUMERALS)
    if (before in _NUMERALS and after[0] not in _LARGE) or is_decimal or is_score:
        return "1"
    if before == after[0]:
        return "5"  # 看一看
    if i + 1 in edges and i not in edges:
        return "1"  # 统一, 唯一
    return {"4": "2", "5": "2", "": "1"}.get(following, "4")


def _is_suffix(text: str, i: int) -> bool:
    """Whether the character at `i` is 儿 that only colours the syllable before it."""
    words = WORDS.retroflex
    if not 0 < i < len(text) or text[i] != "儿" or text[i + 1 : i + 2] in words.before:
        return False
    return not any(text.startswith(word, i - place) for word in words.whole for place in [word.index("儿")] if i >= place)


def _soften(phonemes: str) -> str:
    """Returns a syllable without the end that it loses before 儿."""
    for end, new in _SOFT_ENDS:
        if end.search(phonemes):
            return end.sub(new, phonemes)
    return phonemes


@cache
def _phonemize(syllable: str) -> str:
    """Returns the phonemes of a syllable, or a character without a reading as it is: the engine reports that it is not said."""
    try:
        return str(ZHG2P.py2ipa(syllable)).replace(_NON_SYLLABIC, "")
    except (AssertionError, LookupError, ValueError):
        return syllable
