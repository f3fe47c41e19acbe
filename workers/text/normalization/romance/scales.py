"""Scales written short after a number, in Romance languages: 300k personas, 2,5 M de habitantes, 10M usuarios.

Why after money: there a scale stands between the number and the currency, and `amounts` reads both together.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.agreement import in_number
from workers.text.normalization.numerals import START, number
from workers.text.normalization.rules import Rule, any_of

_PLURAL_ENDS: Final = {"es": "s", "it": "ie", "fr": "sx", "pt": "s"}
_BEFORE: Final = re.compile(r"(?<!\w)(?:(?P<article>[Ee]l|[Dd]el|[Ee]ste)|(?P<word>[^\W\d_]{2,16})) \Z")
"""The word before a number; a singular article before a day in March is none of a number of millions."""
_OF: Final = (" de ", " di ", " d'", " du ", " des ")


def short_scales(locale: Romance) -> Iterator[Rule]:
    """The rule for scales in the table `short_scales`: a letter stands directly after its number, or a noun follows it."""

    def verbalize(match: re.Match[str]) -> str | None:
        n, noun = match["n"], (match["noun"] or "").lstrip()
        is_counted = noun[-1:] in _PLURAL_ENDS[locale.language] and noun.islower() and noun not in locale.not_nouns
        if match["space"] and not is_counted and not match.string.startswith(_OF, match.end("scale")):
            return None
        is_lone = not is_counted and not match.string.startswith(_OF, match.end("scale"))
        if is_lone and not match["space"] and is_label(match, locale):
            # apartamento 4B, el 8M
            return None
        if match["scale"] == "K" and (match["space"] or len(n) == 1):
            # Kelvin; 4K is a resolution.
            return None
        scale = in_number(n, locale.short_scales[match["scale"]], locale)
        if is_counted and scale in {*locale.scale_ones, *locale.scale_ones.values()}:
            of = " d'" if locale.language == "fr" and noun[0] in "aeiouhé" else locale.of_scale
            return f"{n} {scale}{of}{noun}"
        return f"{n} {scale}{match['noun'] or ''}"

    if locale.short_scales:
        pattern = (
            rf"{START}(?<![A-Za-z0-9]-)(?P<n>{number(locale)})(?P<space> ?)(?P<scale>{any_of(locale.short_scales)})(?![\w/'])"
            r"(?P<noun> [^\W\d_]{4,30}+(?!['-]))?+"
        )
        yield Rule(re.compile(pattern), verbalize)


def is_label(match: re.Match[str], locale: Romance) -> bool:
    """Whether a word before a number with a letter shows that it is a name: el 8M, apartamento 4B."""
    before = _BEFORE.search(match.string[max(0, match.start() - 24) : match.start()])
    if before is None or not match["n"].isdecimal():
        return False
    if before["article"]:
        return locale.language == "es" and len(match["n"]) <= 2
    return locale.iberian is not None and before["word"].lower() in {*locale.labels, *locale.iberian.lettered}
