"""Numbers in French and Italian that are written together with a word: "l'11 maggio", "d'1 million", "l'80enne", "10mila".

Why they become words: espeak-ng names the letter before an apostrophe when a digit follows it.
"""

import re
from collections.abc import Iterator

from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule


def rules(language: str) -> Iterator[Rule]:
    """All rules of a language, in order. They come after all other rules."""
    if language == "it":
        # A number of millions that counts nothing: 20 mln.
        yield Rule(re.compile(r"(?<=[0-9] )ml([nd])(?!\w)"), lambda match: "milioni" if match[1] == "n" else "miliardi")
        yield Rule(re.compile(r"(?<![\w.,])([1-9][0-9]{1,2})-?(enn[ei])(?!\w)"), _verbalize_age)
        yield Rule(
            re.compile(r"(?<![\w.,])([1-9][0-9]{0,2})[ -]?(?=mila(?!\w))"), lambda match: numerals.in_words(int(match[1]), "it")
        )
    if language == "fr":
        # A number became a word: une pause d'une heure.
        yield Rule(
            re.compile(r"(?<![\w'’])(?P<d>[Dd])e (?=une? (?!(?:à|et|ou|sur|virgule)(?!\w)))"),
            lambda match: f"{match['d']}'",
            needs_digit=False,
        )
    if language in {"fr", "it"}:
        yield Rule(
            re.compile(r"(?<=[A-Za-z]')(?<!\W[0-9]')([1-9][0-9]{0,11})(?![0-9])"),
            lambda match: numerals.in_words(int(match[1]), language),
        )


def _verbalize_age(match: re.Match[str]) -> str:
    """An age in one word: 80enne is "ottantenne"."""
    words = numerals.in_words(int(match[1]), "it")
    words = words.removesuffix("é") + "e" * words.endswith("é")
    return (words if words.endswith(("sei", "tre")) else words[:-1]) + match[2]
