"""Initialisms: those said as words (la OTAN) and those spelled letter by letter (el DNI), as the lists of a locale say.

Why lists: espeak-ng guesses from the letters and from the capitals around, so one name is spelled in one sentence and not in
the next.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.groups import Initialisms
from workers.text.locales.structs import Western
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import ends_sentence

_VOWELS: Final = frozenset("AEIOUYÁÉÍÓÚÄÖÜ")
_MAX_LETTERS: Final = 5
_UNSAYABLE: Final = re.compile(
    r"\A[^AEIOUY]++\Z|[^AEIOUY]{2}\Z|\A(?![BCDFGPT][LR]|CH|LL|QU|S[CPT])[^AEIOUY]{2}"
    r"|(?![LMNRSX]|[BCDFGPT][LR]|CH|QU)[^AEIOUY](?![LR])[^AEIOUY]"
)
"""Letters that make no syllables: no vowel, two consonants at the end, or two that begin no syllable."""


def initialisms(locale: Western) -> Iterator[Rule]:
    """Rules for initialisms: IVA, O.N.U., ONGs; initialisms in no list are spelled if they have no vowel."""
    table = locale.initialisms
    if not table.letters:
        return

    def verbalize(match: re.Match[str]) -> str | None:
        said = _said(match["name"], table, plural=match["plural"] or "")
        return said.upper() if said and _is_among_capitals(match) else said

    def verbalize_dotted(match: re.Match[str]) -> str | None:
        name = match[0].replace(".", "")
        if name not in table.as_words | table.spelled | table.said.keys():
            return None
        return (_said(name, table) or "") + ("." if ends_sentence(match) else "")

    yield Rule(re.compile(r"(?<![\w.])[A-Z]\.(?:[A-Z]\.){1,5}+(?!\w)"), verbalize_dotted, needs_digit=False)
    if table.said:
        # PCdoB, UnB
        mixed = any_of(name for name in table.said if not name.isupper())
        yield Rule(re.compile(rf"(?<![\w.]){mixed}(?!\w)"), lambda match: table.said[match[0]], needs_digit=False)
    yield Rule(re.compile(r"(?<![\w.])(?P<name>[A-ZÑ]{2,12})(?P<plural>'?s)?+(?!\w|\.\w)"), verbalize, needs_digit=False)


def _is_among_capitals(match: re.Match[str]) -> bool:
    """Whether the text around is all in capitals. The words then are too, or the engine would spell their neighbours."""
    around = match.string[max(0, match.start() - 30) : match.start()] + match.string[match.end() : match.end() + 30]
    return around.isupper()


def _said(name: str, table: Initialisms, plural: str = "") -> str | None:
    """The words for an initialism. One that is in no list is spelled if no syllables can be made of it; None if they can."""
    if name in table.said:
        return table.said[name] + plural
    if name in table.as_words:
        return name.capitalize() + plural
    is_unsayable = _UNSAYABLE.search(name) if table.spells_unsayable else not _VOWELS & set(name)
    if name in table.spelled or (len(name) <= _MAX_LETTERS and is_unsayable):
        return spell(name, table) + plural.removeprefix("'")
    return None


def spell(name: str, table: Initialisms) -> str:
    """The names of the letters of `name`, joined by hyphens, so that the engine reads them as one word. A capital begins it, as
    it may begin a sentence.
    """
    names = [table.letters.get(letter, letter) for letter in name]
    spelled = "-".join([*names[:-1], table.last_letters.get(name[-1], names[-1])])
    return spelled[:1].upper() + spelled[1:]
