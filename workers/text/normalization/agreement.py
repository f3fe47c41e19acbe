"""Numbers that agree with what they count, in Spanish, French, Italian and Portuguese: "veintiún años", "duas horas", "un'ora".

Why only some numerals become words: where agreement changes nothing, espeak-ng reads the right words for the numeral itself.

Why a list of nouns in addition to the endings: the word after a number is not always the noun that it counts ("capítulo 1 trata
de"), and not every ending shows the gender; in French hardly any does.
"""

import re
from functools import cache
from typing import Final

from num2words import num2words

from workers.text.locales import loader
from workers.text.locales.entries import Name
from workers.text.locales.structs import Romance
from workers.text.normalization.rules import Rule

_MAX_DIGITS: Final = 9


_NOT_FEMININE: Final = "".join(f"(?<!{end})" for end in ["dí", "di", "em", "am", "map", "planet", "im", "om", "ist"])
"""Excludes nouns in -a that are not feminine: días, problemas, programas, mapas, planetas, climas, idiomas, artistas."""
_NEVER: Final = r"\b\B"
_ENDS: Final = (
    {
        "es": (rf"{_NOT_FEMININE}a\Z", r"o\Z"),
        "it": (rf"{_NOT_FEMININE}a\Z", r"o\Z"),
        "pt": (rf"{_NOT_FEMININE}a\Z", _NEVER),
        "fr": (r"tion\Z", _NEVER),
    },
    {
        "es": (rf"(?:{_NOT_FEMININE}as|ciones|siones|dades)\Z", r"(?:os|ores)\Z"),
        "fr": (r"tions\Z", _NEVER),
        "pt": (rf"(?:{_NOT_FEMININE}as|ções|sões|dades|gens)\Z", _NEVER),
    },
)
"""Endings after 1, then endings after other numbers: language → patterns of feminine and of masculine nouns."""
_OTHER_ENDS: Final = {
    "es": (r"(?:ción|sión|dad|tud|umbre)\Z", r"(?:[^d]e|l|n|r|z|j|te|de)\Z"),
    "pt": (r"(?:ção|são|dade|tude|gem)\Z", r"(?:o|e|l|r|m|z|u|ão)\Z"),
}
"""Less sure endings of one thing, for places where a noun must follow: feminine, masculine."""
_OPEN: Final = re.compile(
    r"(?:\A|[.,;:(¿¡\n·–-]\s?|"
    r"\b(?:y|o|u|e|ou|con|com|de|en|em|por|para|sin|sem|solo|só|hay|há|tiene|cada|añada|agregue|más|mais) )\Z"
)
"""The end of the text before a number that counts the next word, whatever this is."""
_YEAR: Final = re.compile("(?:1[0-9]|20)[0-9]{2}")
_BEFORE: Final = re.compile(r"(\w+) \Z")
_IMPURE: Final = re.compile("z|gn|ps|x|y|s[^aeiou]")
"""Beginnings of the Italian nouns that take "uno"."""
_MILLIONS: Final = re.compile(r".*(?:mill|milh)\w+")
"""The words of a number up to its millions. They are masculine, whatever the number counts."""
_IN_WORDS: Final = {"pt": "pt_BR"}
_PLURAL_FROM: Final = {"es": 1.1, "it": 1.1, "fr": 2.0, "pt": 2.0}
"""Language → the number from which a million takes the plural: 1,5 millones, but 1,5 milhão."""


def count(n: str, name: Name, language: str) -> str:
    """The number `n` with the singular or plural of `name`, in agreement."""
    return counted(n, name.one if n == "1" else name.many, language, is_feminine=name.is_feminine)


def counted(n: str, noun: str, language: str, *, is_feminine: bool) -> str:
    """The number `n` (digits) in agreement with `noun`, which it counts: "duas horas". Other numbers and languages keep `n`."""
    if language not in loader.ROMANCE or not n.isdecimal() or len(n) > _MAX_DIGITS or n[0] == "0":
        return f"{n} {noun}"
    if n == "1" and language == "it":
        if is_feminine:
            return f"un'{noun}" if noun[0] in "aeiou" else f"una {noun}"
        return f"uno {noun}" if _IMPURE.match(noun) else f"un {noun}"
    if len(n) > 6 and n.endswith("000000"):
        return f"{n} " + ("d'" if language == "fr" and noun[0] in "aeiouhéê" else "di " if language == "it" else "de ") + noun
    return f"{_agreeing(n, language, is_feminine=is_feminine)} {noun}"


def in_number(n: str, scale: str, locale: Romance) -> str:
    """The scale (millones) in the singular, if it has one and `n` takes it."""
    takes_singular = float(n.replace(",", ".")) < _PLURAL_FROM[locale.language]
    return locale.scale_ones.get(scale, scale) if takes_singular else scale


def agreement(locale: Romance) -> Rule:
    """The rule for a number and the noun that it counts: 2 horas, 21 años, 1 ou 2 vezes."""
    language, articles, labels = locale.language, _everywhere("articles"), _everywhere("labels")

    def verbalize(match: re.Match[str]) -> str | None:
        before = _BEFORE.search(match.string[max(0, match.start() - 20) : match.start()])
        is_labelled = before is not None and before[1].lower() in labels
        is_one = match["n"] == "1"
        is_sure = (
            is_labelled or _YEAR.fullmatch(match["n"]) is not None or (is_one and before is not None and before[1] in articles)
        )
        gender = _gender(match["noun"], language, ends=None if is_sure else _ENDS[not is_one].get(language))
        if gender is None and is_one and _OPEN.search(match.string[max(0, match.start() - 12) : match.start()]):
            gender = gender_of(match["noun"], language)
        if gender is None or (is_labelled and match["first"] is None):
            return None
        first = ""
        if match["first"]:
            first = f"{_agreeing(match['first'], language, is_feminine=gender)} {match['link']} "
        if match["thousand"] and is_one:
            return None
        if match["thousand"]:
            return f"{first}{_agreeing(match['n'], language, is_feminine=gender)} mil {match['noun']}"
        return first + counted(match["n"], match["noun"], language, is_feminine=gender)

    return Rule(
        re.compile(
            rf"(?<![\w.,:/$€£])(?:(?P<first>[1-9][0-9]{{0,8}}) (?P<link>{'|'.join(locale.links)}) )?(?P<n>[1-9][0-9]{{0,8}}) "
            r"(?P<thousand>mil )?(?P<noun>[^\W\d_]{2,30})(?![\w']| [0-9])"
        ),
        verbalize,
    )


def gender_of(noun: str, language: str) -> bool | None:
    """Whether a noun that is surely counted is feminine; None if neither the lists nor its ending show it."""
    found = _gender(noun, language, ends=_ENDS[noun.endswith("s")].get(language))
    if found is None and len(noun) >= len("pez"):
        found = _gender(noun, language, ends=_OTHER_ENDS.get(language))
    return found


def is_noun_of(noun: str, language: str, *, is_feminine: bool) -> bool:
    """Whether `noun` is in the list of nouns of a gender."""
    return noun in _nouns(language)[not is_feminine]


def _gender(noun: str, language: str, *, ends: tuple[str, str] | None) -> bool | None:
    """Whether the noun is feminine; None if unknown. `ends` are patterns of feminine and of masculine endings, for nouns that
    are in no list.
    """
    feminine, masculine = _nouns(language)
    if noun in feminine:
        return True
    if noun in masculine:
        return False
    if ends is None or noun in _everywhere("not_nouns") or not noun.islower():
        return None
    if re.search(ends[0], noun):
        return True
    return False if re.search(ends[1], noun) else None


@cache
def _nouns(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """The known nouns of the language: feminine, masculine."""
    locale = loader.romance(language)
    names = [*locale.units.values(), *(money.unit for money in locale.money.values())]
    found = {True: set(locale.feminine), False: set(locale.masculine)}
    for name in names:
        found[name.is_feminine] |= {name.one, name.many}
    return frozenset(found[True]), frozenset(found[False] - found[True])


def _agreeing(n: str, language: str, *, is_feminine: bool) -> str:
    """The number `n`: as words if its gender or a following noun changes them, else as digits."""
    plain = num2words(int(n), lang=_IN_WORDS.get(language, language)).replace(",", "")
    millions = _MILLIONS.match(plain)
    head = millions[0] if millions else ""
    said = head + _agree(plain[len(head) :], language, is_feminine=is_feminine)
    return n if said == plain else said


def _agree(words: str, language: str, *, is_feminine: bool) -> str:
    if language == "es" and not is_feminine:
        return re.sub(r"\buno\b", "un", re.sub(r"veintiuno\b", "veintiún", words))
    if not is_feminine:
        return words
    if language == "es":
        return re.sub(r"ientos\b", "ientas", re.sub(r"uno\b", "una", words))
    if language == "pt":
        return re.sub(r"entos\b", "entas", re.sub(r"\bdois\b", "duas", re.sub(r"\bum\b", "uma", words)))
    return re.sub(r"\bun\Z", "une", words) if language == "fr" else words


@cache
def _everywhere(entry: str) -> frozenset[str]:
    """The words of an entry in all Romance languages, because a text in one may name or quote another."""
    return frozenset().union(*(getattr(loader.romance(language), entry) for language in loader.ROMANCE))
