"""Ordinals in Spanish, French, Italian and Portuguese: 1º, 2ª, 1er, 80e, il 1° maggio, la 3a volta."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_ENDINGS: Final = {
    "es": r"\.?(?:[ºo]\b|º|ª|er\b)",
    "it": r"\.?[º°ª]",
    "pt": r"\.?(?:º|ª)",
    "fr": r"(?:ers?|ères?|res?|nde?s?|(?<=2)des?|(?<=2)ds?|i?[èe]mes?|es?)(?!\w)",
}
_FEMININE: Final = ("ª", "ère", "re", "nde", "de")
_SECOND: Final = {"nd": "second", "nde": "seconde", "d": "second", "de": "seconde"}
_NO_NOUN: Final = "(?!(?:y|o|de|del|en|a|al|que|con|por|para|se|es|izquierda|derecha|centro|puerta)(?!\\w))"
"""Words after an ordinal that are no noun: it then keeps its -o, as in "vive en el tercero izquierda"."""
_MAX: Final = 1_000_000
_FEMININE_ARTICLE: Final = re.compile("[aà]$")
_NO_DIRECTION: Final = "(?!(?:nord|sud|est|ovest|ouest|oeste|norte|sur|sul)(?![a-z]))"
_ARTICLES: Final = {
    "es": "[Ee]l|[Ll]a|[Dd]el|[Aa]l",
    "fr": "[Ll]e|[Ll]a|[Dd]u|[Aa]u|[Cc]e|[Cc]ette",
    "it": "[Ii]l|[Ll][oa]|(?:[Dd]e|[Aa]|[Dd]a|[Nn]e|[Ss]u)(?:l|ll[oa])|[Ll]'|(?:[Dd]e|[Aa]|[Dd]a|[Nn]e|[Ss]u)ll'",
    "pt": "[OoAa]|[DdNn][oa]|[Aa]o|[Àà]",
}


def rule(language: str) -> Rule:
    """The rule for ordinals with an ending: 1º, 2ª, 1er, 3e."""

    def verbalize(match: re.Match[str]) -> str | None:
        n = int(match[1])
        if not 1 <= n <= _MAX:
            return None
        suffix = match[2].lstrip(".")
        if language == "fr":
            suffix = suffix.removesuffix("s")
        words = numerals.named_ordinal(n, language, is_feminine=suffix in _FEMININE)
        is_before_noun = re.match(rf" {_NO_NOUN}[a-z]", match.string[match.end() : match.end() + 12]) is not None
        if language == "es" and (suffix == "er" or (is_before_noun and re.search("(?:prim|terc)ero$", words))):
            return words.removesuffix("o")
        return _SECOND.get(suffix, words) if language == "fr" and n == 2 else words

    return Rule(re.compile(rf"(?<![\w.,])([0-9]{{1,7}})({_ENDINGS[language]})"), verbalize)


def degree_signs(locale: Romance) -> Iterator[Rule]:
    """Rules for the sign of a degree or a letter after an ordinal: il 5° posto, 1° de mayo, la 3a volta, 2^ edizione.

    They come before the degrees are read.
    """
    language = locale.language

    def verbalize(match: re.Match[str]) -> str | None:
        n, article, noun = int(match["n"]), match["article"], match["noun"] or ""
        gender = locale.ranked.get(noun.lower())
        if n == 0 or (gender is None and article is None) or (match["sign"] not in "°˚" and gender is None):
            return None
        is_feminine = gender == "f" or (
            gender is None and article is not None and _FEMININE_ARTICLE.search(article) is not None
        )
        words = numerals.named_ordinal(n, language, is_feminine=is_feminine)
        if language == "es" and noun and not is_feminine and re.match(_NO_NOUN, noun):
            words = re.sub("(prim|terc)ero$", r"\1er", words)
        space = "" if article is None or article.endswith("'") else " "
        return f"{article or ''}{space}{words}" + (f" {noun}" if noun else "")

    sign = "[°˚^]|a|o" if language == "it" else "[°˚]"
    yield Rule(
        re.compile(
            rf"(?<![\w.,°])(?:(?P<article>{_ARTICLES[language]})(?: |(?<=')))?(?<![.,])(?P<n>[0-9]{{1,3}})(?P<sign>{sign})"
            rf"(?!\w)(?! ?[CF](?!\w))(?: (?P<noun>{_NO_DIRECTION}[^\W\d_]{{2,24}}+))?+"
        ),
        verbalize,
    )
    if language == "it":
        yield Rule(
            re.compile(r"(?<![\w.,])(?P<n>[0-9]{1,4})[-°]?(?P<end>esim[oaie])(?!\w)"),
            lambda match: (
                numerals.named_ordinal(int(match["n"]), "it")[:-1] + match["end"][-1] if int(match["n"]) > 10 else None
            ),
        )
    if language == "fr":
        yield Rule(
            re.compile(r"(?<![\w.,])(?P<n>[1-9][0-9]?)(?:[èe]me|e)ment(?!\w)"),
            lambda match: numerals.named_ordinal(int(match["n"]), "fr") + "ment" if match["n"] != "1" else "premièrement",
        )
    months, of = any_of(locale.months), "(?:de )?" if language in {"es", "pt"} else ""
    if language in {"fr", "it"}:
        yield Rule(re.compile(rf"(?<=[a-z]')1(?= {months}(?!\w))"), numerals.in_words(1, language))
        yield Rule(re.compile(rf"(?<![\w.,'/-])1(?= {months}(?!\w))"), locale.first_day)
    yield Rule(re.compile(rf"(?<![\w.,'/-])1[°˚](?= {of}{months}(?!\w))"), locale.first_day)
