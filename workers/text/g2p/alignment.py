"""Assigns phonemes to the words that they say: exactly where the G2P reports it, else by length.

Why not by length alone: an error early in a sentence would shift every word after it. Most G2Ps put a space between two words,
so words and groups of phonemes are paired first. One group may say several words (*de la*), and one word may have several
groups (2,500); only within such a pair are the phonemes divided by length.

Why a band: words and groups advance at nearly the same rate, so only pairs near the diagonal are considered, in linear time.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from app.core.speech.characters import CLAUSE_ENDS, CLOSERS, SENTENCE_ENDS
from workers.text.words import PhonemizedWord, find_words

LEADING: Final = "ˈˌ“(¿¡"
"""Signs that belong to the phoneme after them."""
FOLLOWING: Final = "ːʰʲᵝɴ\u0303↓→↗↘,.!?;:…”)"
"""Signs that belong to the phoneme before them."""

_VOWELS: Final = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɤɨɪɯʊʌᵊᵻAIOQWYũõẽĩã\u0303")
_MORAS: Final = frozenset("ːɴ")
"""Signs that are a kana of their own in Japanese, though not a syllable."""

_MARKS_AFTER_WORD: Final = frozenset(",.!?;:…”)")
_MARKS_BEFORE_WORD: Final = frozenset("“(¿¡")

_GROUP: Final = re.compile(r"\S+")
_MARKS: Final = re.compile("[,.!?;:…”)]+")
_SPOKEN_SIGNS: Final = frozenset("%‰&@°§℃№")

_BAND: Final = 12
_MAX_GROUPS: Final = 12
"""Most groups that one word may have."""
_MAX_WORDS: Final = 8
"""Most words that one group may say."""
_UNEVEN_COST: Final = 0.7
"""Cost of each word or group beyond one to one."""
_STOP_COST: Final = 3.0
"""Cost if only one of the two sides ends a clause."""

_Span = tuple[int, int]
_Block = tuple[int, int, int, int]
"""First word and exclusive end; first group and exclusive end."""


class AlignedSpan(msgspec.Struct, frozen=True):
    """A part of a text and the phonemes that say it, including white space and punctuation."""

    first: int
    """Index of its first character in the text."""
    last: int
    """Exclusive end index in the text."""
    phonemes: str


def shift(aligned: Iterable[AlignedSpan], by: int) -> list[AlignedSpan]:
    """Returns the same phonemes for a text that begins `by` characters later."""
    return [AlignedSpan(one.first + by, one.last + by, one.phonemes) for one in aligned]


def phonemize_in_parts(
    text: str, foreign: Iterable[tuple[int, int, Callable[[str], list[AlignedSpan]]]], own: Callable[[str], list[AlignedSpan]]
) -> list[AlignedSpan]:
    """Phonemizes `text` with `own`, except for the parts (start, end, G2P) in `foreign`. Blank parts are skipped."""
    aligned: list[AlignedSpan] = []
    at = 0
    for start, end, g2p in (*foreign, (len(text), len(text), own)):
        for first, last, phonemize in ((at, start, own), (start, end, g2p)):
            part = text[first:last].strip()
            if part:
                place = text.index(part, first)
                _append(aligned, shift(phonemize(part), place), is_close=place > 0 and not text[place - 1].isspace())
        at = end
    return aligned


def _append(aligned: list[AlignedSpan], more: list[AlignedSpan], *, is_close: bool) -> None:
    """Adds `more` to `aligned`, with a space between them unless there is a mark that was written without a space."""
    before = next((one.phonemes[-1] for one in reversed(aligned) if one.phonemes), " ")
    after = next((one.phonemes[0] for one in more if one.phonemes), " ")
    is_mark = is_close and (after in _MARKS_AFTER_WORD or before in _MARKS_BEFORE_WORD)
    if not (before.isspace() or after.isspace() or is_mark):
        aligned[-1] = AlignedSpan(aligned[-1].first, aligned[-1].last, aligned[-1].phonemes + " ")
    aligned.extend(more)


def assign(text: str, aligned: Iterable[AlignedSpan]) -> tuple[str, tuple[PhonemizedWord, ...]]:
    """Returns the phonemes of all spans, joined and stripped, and the range of them that each word of `text` has.

    There is one entry for each of `find_words(text)`, in order. The entries do not overlap, and every phoneme except white
    space is in one. A word that has no phonemes has `begin == end`. The spans are in the order of the text.
    """
    spans = find_words(text)
    merged = list(_merge(aligned))
    phonemes = "".join(one.phonemes for one in merged)
    ranges: list[_Span | None] = [None] * len(spans)
    at = number = 0
    for one in merged:
        while number + 1 < len(spans) and spans[number][1] <= one.first:
            number += 1
        for word, begin, end in _share(text, spans, number, one):
            _extend(ranges, word, phonemes, at + begin, at + end)
        at += len(one.phonemes)
    n_before = len(phonemes) - len(phonemes.lstrip())
    return phonemes.strip(), tuple(_list(spans, ranges, n_before))


def _merge(aligned: Iterable[AlignedSpan]) -> Iterator[AlignedSpan]:
    """Merges spans that overlap."""
    held: AlignedSpan | None = None
    for one in aligned:
        if held is not None and one.first < held.last:
            held = AlignedSpan(min(held.first, one.first), max(held.last, one.last), held.phonemes + one.phonemes)
            continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held


def _extend(ranges: list[_Span | None], word: int, phonemes: str, begin: int, end: int) -> None:
    """Gives a word some more phonemes, without the white space around them."""
    part = phonemes[begin:end]
    if not part.strip():
        return
    begin, end = begin + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
    before = ranges[word]
    ranges[word] = (begin, end) if before is None else (before[0], end)


def _list(spans: Sequence[_Span], ranges: Sequence[_Span | None], n_before: int) -> Iterator[PhonemizedWord]:
    done = 0
    for (first, last), own in zip(spans, ranges, strict=True):
        begin, done = (own[0] - n_before, own[1] - n_before) if own is not None else (done, done)
        yield PhonemizedWord(first, last, begin, done)


def _share(text: str, spans: Sequence[_Span], number: int, one: AlignedSpan) -> Iterator[tuple[int, int, int]]:
    """Yields the words of a span, each with its part of the phonemes. `number` is the first word that may be in the span."""
    if not spans:
        return
    # Phonemes of the last marks of a word belong to that word, even if its letters are in another span.
    n_marks = _n_marks(one.phonemes) if spans[number][0] < one.first and not text[one.first].isalnum() else 0
    yield number, 0, n_marks
    words = list(_words_in(text, spans, number, one))
    spoken = [word for word in words if word[1] > 0] or words
    if len(spoken) < 2:
        # A span outside all words belongs to the word before it.
        only = spoken[0][0] if spoken else max(number - (spans[number][0] >= one.last), 0)
        yield only, n_marks, len(one.phonemes)
        return
    parts = _divide(one.phonemes[n_marks:], [weight for _, weight, _ in spoken], [is_end for _, _, is_end in spoken])
    yield from ((word, n_marks + begin, n_marks + end) for (word, _, _), (begin, end) in zip(spoken, parts, strict=True))


def _n_marks(phonemes: str) -> int:
    match = _MARKS.match(phonemes)
    return match.end() if match else 0


def _words_in(text: str, spans: Sequence[_Span], number: int, one: AlignedSpan) -> Iterator[tuple[int, float, bool]]:
    """Yields each word that has a part in a span: its number, the weight of that part, and whether a clause ends with it."""
    for word in range(number, len(spans)):
        first, last = max(spans[word][0], one.first), min(spans[word][1], one.last)
        if spans[word][0] >= one.last:
            return
        if first < last:
            yield word, weigh(text[first:last]), _ends_clause(text[first:last])


def weigh(text: str) -> float:
    """Estimates how long `text` takes to say: 1 for a letter, 2 for one of an initialism, 3 for a digit; 0 if not said."""
    total = 0.0
    for character in text:
        category = unicodedata.category(character)
        if category in {"Sm", "Sc"} or character in _SPOKEN_SIGNS:
            total += 4
        else:
            total += {"L": 1.0, "N": 3.0, "M": 0.5}.get(category[0], 0.0)
    return total * 2 if len(text) > 1 and text.isupper() else total


def _ends_clause(text: str) -> bool:
    return text.rstrip(CLOSERS).endswith(tuple(SENTENCE_ENDS + CLAUSE_ENDS))


def _divide(phonemes: str, weights: Sequence[float], is_end: Sequence[bool]) -> list[_Span]:
    """Returns each word's part of `phonemes`, in order; together the parts are all of it except white space."""
    groups = list(_find_groups(phonemes))
    if not groups:
        return [(0, len(phonemes)), *[(len(phonemes), len(phonemes))] * (len(weights) - 1)]
    blocks = _pair(weights, is_end, [phonemes[begin:end] for begin, end in groups])
    parts: list[_Span] = []
    for word, next_word, group, next_group in blocks or [(0, len(weights), 0, len(groups))]:
        parts.extend(_cut(phonemes, groups[group][0], groups[next_group - 1][1], weights[word:next_word]))
    return parts


def _find_groups(phonemes: str) -> Iterator[_Span]:
    """Yields groups of phonemes between spaces. A lone mark belongs to the group before it; at the beginning, to the next."""
    held: _Span | None = None
    for match in _GROUP.finditer(phonemes):
        begin, end = match.span()
        if held is not None and not (_has_letter(match[0]) and _has_letter(phonemes[held[0] : held[1]])):
            held = (held[0], end)
            continue
        if held is not None:
            yield held
        held = (begin, end)
    if held is not None:
        yield held


def _has_letter(phonemes: str) -> bool:
    return any(phoneme.isalpha() and phoneme not in FOLLOWING for phoneme in phonemes)


def _pair(weights: Sequence[float], is_end: Sequence[bool], groups: Sequence[str]) -> list[_Block] | None:
    """Returns blocks of one word and its groups, or of one group and its words; None if no way was found."""
    n_words, n_groups = len(weights), len(groups)
    if n_words == n_groups:
        return [(i, i + 1, i, i + 1) for i in range(n_words)]
    lengths = [float(len(group)) for group in groups]
    scale = sum(lengths) / sum(weights) if sum(weights) else 1.0
    words_until = list(accumulate((weight * scale for weight in weights), initial=0.0))
    groups_until = list(accumulate(lengths, initial=0.0))
    ends = [_ends_clause(group) for group in groups]
    rows: list[dict[int, tuple[float, _Block | None]]] = [{} for _ in range(n_words + 1)]
    rows[0][0] = (0.0, None)
    for word in range(n_words):
        for group, (cost, _) in sorted(rows[word].items()):
            for next_word, next_group in _steps(word, group, n_words, n_groups):
                if next_word < n_words and abs(next_group - bisect_left(groups_until, words_until[next_word])) > _BAND:
                    continue
                word_length, group_length = (
                    words_until[next_word] - words_until[word],
                    groups_until[next_group] - groups_until[group],
                )
                step_cost = (word_length - group_length) ** 2 / (word_length + group_length + 1) + _UNEVEN_COST * (
                    next_word - word + next_group - group - 2
                )
                step_cost += _STOP_COST * (is_end[next_word - 1] != ends[next_group - 1])
                if cost + step_cost < rows[next_word].get(next_group, (float("inf"), None))[0]:
                    rows[next_word][next_group] = (cost + step_cost, (word, next_word, group, next_group))
    return _trace(rows, n_groups)


def _steps(word: int, group: int, n_words: int, n_groups: int) -> Iterator[_Span]:
    """Yields the positions that are possible after the next block. Both sides must end with the same block."""
    if group >= n_groups:
        return
    for next_group in range(group + 1, min(group + _MAX_GROUPS, n_groups) + 1):
        if (word + 1 == n_words) == (next_group == n_groups):
            yield word + 1, next_group
    for next_word in range(word + 2, min(word + _MAX_WORDS, n_words) + 1):
        if (next_word == n_words) == (group + 1 == n_groups):
            yield next_word, group + 1


def _trace(rows: Sequence[dict[int, tuple[float, _Block | None]]], n_groups: int) -> list[_Block] | None:
    blocks: list[_Block] = []
    word, group = len(rows) - 1, n_groups
    while word:
        block = rows[word].get(group, (0.0, None))[1]
        if block is None:
            return None
        blocks.append(block)
        word, group = block[0], block[2]
    return blocks[::-1]


def _cut(phonemes: str, begin: int, end: int, weights: Sequence[float]) -> list[_Span]:
    """Divides the phonemes from `begin` to before `end` by weight, with at least one for each word while there are any."""
    n_cuts = len(weights) - 1
    places = [place for place in range(begin + 1, end) if _may_part(phonemes, place)]
    if len(places) < n_cuts:
        places = [place for place in range(begin + 1, end) if phonemes[place] in _MORAS or _may_part(phonemes, place)]
    if len(places) < n_cuts:
        places = [place for place in range(begin + 1, end) if not phonemes[place].isspace()]
    places += [end] * (n_cuts - len(places))
    total = sum(weights) or 1.0
    cuts = [begin]
    at = 0
    for i, until in enumerate(list(accumulate(weights))[:-1]):
        aim = begin + (end - begin) * until / total
        nearest = bisect_left(places, aim, at, len(places) - n_cuts + i + 1)
        if nearest > at and (nearest > len(places) - n_cuts + i or aim - places[nearest - 1] < places[nearest] - aim):
            nearest -= 1
        cuts.append(places[nearest])
        at = nearest + 1
    return list(pairwise([*cuts, end]))


def _may_part(phonemes: str, place: int) -> bool:
    here, before = phonemes[place], phonemes[place - 1]
    if here.isspace() or here in FOLLOWING or before in LEADING:
        return False
    # A vowel belongs to the consonant before it.
    return here not in _VOWELS or before in _VOWELS or before in _MORAS or not before.isalpha()
