"""Short forms that are not an abbreviation with a full stop alone: C/ Mayor, s/n, km 12, R. Augusta, 100, 2 col. (sopa).

Why before the abbreviations: "R." is an initial unless an address follows, and "2 col." are spoons in a recipe.
"""

import re
from collections.abc import Iterator

from workers.text.locales.structs import Romance
from workers.text.normalization.numerals import ROMAN
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import ends_sentence, in_place

_STREET = (
    r"(?=(?:(?:del?|d[aeo]s?|las?|los|el) ){0,2}(?=[A-ZÀ-Ý])(?:[^\W\d_]{2,20} |[^\W\d_]{2,4}\. |e ){0,4}[^\W\d_]{2,20},? "
    r"(?:nº ?|n\.º ?|n° ?|n\. ?|número )?[0-9])"
)
"""A look at the name and the number of a street: Augusta, 1500."""


def short_forms(locale: Romance) -> Iterator[Rule]:
    """Rules for short forms: those written with a slash or a sign, those before a number, in an address, after a number."""

    def verbalize(match: re.Match[str]) -> str:
        return in_place(locale, match, locale.short_forms[match["form"]]) + " " * match["form"].endswith("/")

    if locale.language == "es":
        # c/8 h
        yield Rule(re.compile(r"(?<![\w/.])c/ ?(?=[0-9]{1,3} ?(?:h|hs|hrs|horas?|días?|min|semanas?|meses|km)(?!\w))"), "cada ")
    if locale.short_forms:
        slashed = [form for form in locale.short_forms if form.endswith("/")]
        others = [form for form in locale.short_forms if not form.endswith("/")]
        yield Rule(re.compile(rf"(?<![\w/.-])(?P<form>{any_of(others)})(?![\w/]|\. ?[0-9])"), verbalize, needs_digit=False)
        yield Rule(
            re.compile(rf"(?<![\w/.])(?P<form>{any_of(slashed)})(?: (?=\w)|(?=[0-9]|\w\w))"), verbalize, needs_digit=False
        )
    if locale.without_stop:
        yield Rule(
            re.compile(
                rf"(?<![\w./-])(?<![0-9] )(?P<form>{any_of(locale.without_stop)})"
                rf"(?:\.? ?(?=[0-9]|\([0-9])|\.? (?={ROMAN}(?![\w'])))"
            ),
            lambda match: in_place(locale, match, locale.without_stop[match["form"]]) + " ",
        )
    if locale.streets:
        yield Rule(
            re.compile(rf"(?<![\w.])(?<![A-Za-z]\. )(?P<form>{any_of(locale.streets)})\. {_STREET}"),
            lambda match: in_place(locale, match, locale.streets[match["form"]]) + " ",
        )
    if locale.counted_forms:
        yield _counted_forms(locale)


def _counted_forms(locale: Romance) -> Rule:
    """The rule for 3 sem. de férias, but not for "em 2024 sem ajuda"."""
    words = {"sem"} if locale.language == "pt" else set()

    def verbalize(match: re.Match[str]) -> str | None:
        if match["form"] in words and not match["stop"]:
            return None
        stop = "." * (match["stop"] == "." and ends_sentence(match))
        return _counted(match, *locale.counted_forms[match["form"]]) + stop

    return Rule(re.compile(rf"(?<=[0-9½¼¾⅓⅔º°ª] )(?P<form>{any_of(locale.counted_forms)})(?P<stop>\.?+)(?!\w)"), verbalize)


def _counted(match: re.Match[str], one: str, many: str) -> str:
    """The singular after 1, an ordinal or a fraction under 1, else the plural."""
    before = match.string[max(0, match.start() - 6) : match.start() - 1]
    if before.endswith(("º", "ª", "°")):
        return one
    is_one = re.search(r"(?<![\w.,/½¼¾])(?:1|½|¼|¾|⅓|⅔|[1-9]/[0-9]{1,2})\Z", before) is not None
    is_mixed = re.search(r"[0-9] [1-9]/[0-9]{1,2}\Z", before) is not None and not before.startswith("1 ")
    return one if is_one and not is_mixed else many
