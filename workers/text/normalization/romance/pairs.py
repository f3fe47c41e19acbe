"""Words for women and men joined by a slash or a bracket in Spanish and Portuguese: él/ella, alumnos/as, filho(a), aluno(s).

Why not every slash between words: "app/api" is a path, and its slash is said.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.locales.western_groups import Iberian
from workers.text.normalization.rules import Rule, any_of

_WORD: Final = r"[^\W\d_]{1,24}"
_BEGIN: Final = r"(?<![\w/.~@\\])"
_END: Final = r"(?![\w/(]|[.@]\w)"
_SHORT: Final = frozenset({"a", "as", "ã", "ãs", "ra", "ras", "na", "nas", "la", "las", "ora", "oras"})
_GENDER: Final = re.compile("(?:ão|ã|ãos|ãs|[oae]s?)\\Z")
_SHORTEST_STEM: Final = 3
_ACCENTS: Final = str.maketrans("áéíóú", "aeiou")


def pairs(locale: Romance) -> Iterator[Rule]:
    """All rules. They come after rates, whose slash is "per"."""
    words = locale.iberian
    if words is None:
        return

    def verbalize(match: re.Match[str]) -> str | None:
        one, other = match["one"], match["other"]
        whole = other if _is_pair(one, other, words) else _whole(one, other)
        return f"{one} {words.either} {whole[0].lower()}{whole[1:]}" if whole else None

    def verbalize_plural(match: re.Match[str]) -> str:
        word = match["word"]
        return (word[:-2] + word[-2:].translate(_ACCENTS) if match["end"] == "es" else word) + match["end"]

    yield Rule(re.compile(rf"{_BEGIN}(?P<one>{_WORD})/(?P<other>{_WORD}){_END}"), verbalize, needs_digit=False)
    yield Rule(re.compile(rf"{_BEGIN}(?P<one>{_WORD})\((?P<other>{_WORD})\){_END}"), verbalize, needs_digit=False)
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<word>{_WORD}(?<=[aeiouáéíóúnrlãêOA]))\((?P<end>e?s)\){_END}"),
        verbalize_plural,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<![\w.@])(?P<stem>[^\W\d_]{{1,20}})@(?P<s>s?){_END}"),
        lambda match: f"{match['stem']}o{match['s']} {words.either} {match['stem'].lower()}a{match['s']}",
        needs_digit=False,
    )
    yield from _names(words)


def _names(words: Iberian) -> Iterator[Rule]:
    """Rules for names that a slash joins: São Paulo/SP, PSOE/PP, CF/88."""
    if words.states:
        yield Rule(re.compile(rf"(?<=[0-9a-zà-ÿ])/(?={any_of(words.states)}(?![\w/]))"), ", ", needs_digit=False)
    yield Rule(re.compile(r"(?<=[0-9])/(?=[A-Z]{3,5}(?![\w/]))"), ", ")
    yield Rule(re.compile(r"(?<=[A-Z]{2})/(?=[A-Z]{2,6}(?![\w/]))"), " ", needs_digit=False)
    yield Rule(
        re.compile(r"(?<![\w/.-])(?P<law>[A-Z]{2,6})/(?P<year>[0-9]{2}|(?:19|20)[0-9]{2})(?![\w/]|[.,-][0-9])"),
        lambda match: f"{match['law']} {words.of} {match['year']}",
    )


def _is_pair(one: str, other: str, words: Iberian) -> bool:
    """Whether two whole words are the same word for the one and the other gender, or stand in the list of pairs."""
    one, other = one.lower(), other.lower()
    if f"{one}/{other}" in words.pairs or f"{other}/{one}" in words.pairs:
        return True
    stems = {_GENDER.sub("", word) for word in (one, other)}
    return len(stems) == 1 and len(stems.pop()) >= _SHORTEST_STEM and one != other and one.endswith("s") == other.endswith("s")


def _whole(word: str, end: str) -> str | None:
    """The feminine word of which only the ending is written: alumnos/as."""
    if end not in _SHORT or len(word) == 1 or word.isupper():
        return None
    plural = "s" if end.endswith("s") else ""
    if plural and not word.endswith("s"):
        return None
    stem = _GENDER.sub("", word)
    # campeón/a
    stem = stem[:-2] + stem[-2:].translate(_ACCENTS) if stem == word and not word.endswith(("ú", "á")) else stem
    ending = "ã" if word.removesuffix("s").endswith("ão") or end.startswith("ã") else "a"
    return f"{stem}{ending}{plural}"
