"""Applies the rules of a language to a text.

Why a language without rules is left alone: espeak-ng speaks a hundred languages and reads their numbers itself.
"""

from functools import cache

from workers.text.locales import loader
from workers.text.normalization.east_asian import east_asian
from workers.text.normalization.english import english
from workers.text.normalization.hindi import hindi
from workers.text.normalization.romance import romance
from workers.text.normalization.rules import Rule, apply
from workers.text.tracked_text import TrackedText


def verbalize(tracked: TrackedText, language: str) -> TrackedText:
    """Writes numbers, dates and signs as words of `language` (BCP 47 tag). Call `strip_blocks` on `tracked` before."""
    return apply(tracked, _rules("en-GB" if language.lower() == "en-gb" else language.partition("-")[0].lower()))


@cache
def _rules(language: str) -> tuple[Rule, ...]:
    if language in {"en", "en-GB"}:
        return tuple(english.rules(language))
    if language in {"zh", "ja"}:
        return tuple(east_asian.rules(language))
    if language == "hi":
        return tuple(hindi.rules())
    if language in loader.ROMANCE:
        return tuple(romance.rules(language))
    return ()
