"""Rules for amounts in languages written like English: money, measures and fractions, each with the noun that it counts."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from workers.text.locales.entries import Money, Name
from workers.text.locales.structs import Hindi, Romance, Western
from workers.text.normalization import numerals, western
from workers.text.normalization.agreement import count, in_number
from workers.text.normalization.numerals import DASH, FRACTION_SIGNS, START, number
from workers.text.normalization.rules import Rule, any_of

_ARTICLE: Final = re.compile(r"(?<!\w)(?:[Aa]n?|[Tt]he) \Z")
_NUMBER_AFTER: Final = re.compile(" [0-9½]")
_PART_AFTER: Final = re.compile(
    r" [0-9½]{1,3}(?:[./][0-9]{1,2})? ?(?:minutes?|mins?|m|seconds?|secs?|s|in|inches|oz|ounces|lbs?|cm|mm|d)\b"
)
"""A number with a part of a larger unit: the minutes after an hour."""
_INDEFINITE: Final = re.compile(r"(?<!\w)[Aa]n? \Z")
_NOUN_AFTER: Final = re.compile(r"(?: |-|, )([a-z]{1,12})")
_HYPHENATED: Final = re.compile(r"-[a-z]{3}")
_WORD_AFTER: Final = re.compile(r" ([a-z]{2,7})")
_LITTLE_WORDS: Final = (
    "a an of and or in on at to from for is was that which we they you he she it per each with as by are were after ahead "
    "before behind over under since during when while more less than but off"
)
_NO_NOUNS: Final = frozenset(_LITTLE_WORDS.split())
LABELLED: Final = re.compile(
    r"(?i:\b(?:seats?|gate|room|row|apartment|apt|sections?|unit|flat|floor|class|bus|route|exit|platform|terminal|table|figure|"
    r"building|suite|number|form|grade|bay|line|page|lot|car))(?: [0-9]{1,4}[A-Z]?(?:[-–]|, | and | to )| )\Z"
)
"""Words before a number with a letter that is no unit: seat 7A."""
_ENGLISH_PARTS: Final = frozenset({"6", "7", "8", "9", "10", "12", "16", "20", "32", "64", "100"})
"""Denominators whose fractions have names: seven tenths."""
_KITCHEN: Final = frozenset(
    ["lb", "lbs", "oz", "tsp", "tbsp", "Tbsp", "c.", "pkg", "pkgs", "qt", "qts", "pt", "pts", "gal", "g", "kg", "ml", "mL"]
)
"""Units that begin an ingredient: a sentence does not end after "1 lb."."""
_STOP: Final = r"(?P<stop>\.(?![\w.]))?+"
"""The full stop of a unit that is written short: 5 min."""
_THOUSANDS: Final = frozenset({"mil", "mille", "mila"})
_TIGHT: Final = frozenset("A")
_WORDS_TOO: Final = {"es": {"ha"}, "it": {"ha"}}
"""Units that are also common words: nel 2024 ha vinto."""
_GOES_ON: Final = re.compile(r" (?!(?:d[ei]l?|d'|[eyo])\b)[^\W\d]")
"""What follows such a word, and not a unit."""
"""Units that are words or names when a space separates them from the number."""


def ungroup(locale: Western) -> Iterator[Rule]:
    """Rules that join the groups of a long number: "2.500", "2 500", "12,34,567"."""
    size = "{2,3}" if locale.language == "hi" else "{3}"
    groups = locale.group + ("," if locale.language == "es" else "")
    for sign in groups:
        text = re.escape(sign)
        pattern = rf"(?<![\w.,])(?<![0-9] )[1-9][0-9]{{0,2}}(?:{text}[0-9]{size}){{1,8}}+(?![0-9]| [0-9]|{text}[0-9])"
        yield Rule(re.compile(pattern), partial(_take_out, sign))


def money(locale: Western) -> Iterator[Rule]:
    """Rules for money: $12.50, 12,50 €, -$5, $5–10, $1.2 million, $.50."""
    n, signs, scales = number(locale), any_of(locale.money), any_of(locale.scales)
    scale = rf"(?: ?(?P<scale>{scales})(?!\w))?+"
    cents = rf"[{re.escape(''.join(locale.points))}][0-9]{{2}}(?![0-9])"

    def verbalize(match: re.Match[str]) -> str:
        minus = f"{locale.minus} " if match["minus"] else ""
        first = f"{match['first'].lstrip(''.join(locale.points))} {locale.to} " if match["first"] else ""
        currency = locale.money[match["sign"]]
        if locale.language == "en" and _precedes_noun(match):
            currency = _singular(currency)
        n = match["n"] if match["n"][0].isdigit() else f"0{match['n']}"
        return minus + first + _verbalize_money(locale, currency, n, match["scale"])

    yield Rule(
        re.compile(
            rf"(?<![\w$€£])(?P<minus>[-−])?(?P<sign>{signs}) ?"
            rf"(?:(?P<first>{n}|{cents}(?={DASH}{signs}{cents})){DASH}{signs}?)?(?P<n>{n}|{cents}){scale}"
        ),
        verbalize,
    )
    yield Rule(
        re.compile(rf"{START}(?P<minus>(?<!\w)[-−])?(?:(?P<first>{n}){DASH})?(?P<n>{n}){scale} ?(?P<sign>{signs})(?!\w)"),
        verbalize,
    )


def measures(locale: Western) -> Iterator[Rule]:
    """Rules for percent, per mille, degrees and units."""
    n = rf"{START}(?P<n>{number(locale)})"
    yield Rule(re.compile(rf"{n} ?%"), lambda match: f"{match['n']} {locale.percent}")
    yield Rule(re.compile(rf"{n} ?‰"), lambda match: f"{match['n']} {locale.per_mille}")
    scales = {"C": locale.celsius, "F": "Fahrenheit"}
    yield Rule(
        re.compile(rf"{n} ?(?:[°º˚] ?(?P<scale>[CF])(?!\w)|℃)"),
        lambda match: f"{_degrees(locale, match)} {scales[match['scale'] or 'C']}",
    )
    yield Rule(re.compile(rf"{n} ?°(?=\w)"), lambda match: _degrees(locale, match) + " ")
    yield Rule(re.compile(rf"{n} ?°"), lambda match: _degrees(locale, match))

    def verbalize(match: re.Match[str]) -> str | None:
        name, stop = locale.units[match["unit"]], unit_stop(match, match["unit"], has_stop=match["stop"] is not None)
        before = match.string[max(0, match.start() - 24) : match.start()]
        if locale.language == "en" and len(match["unit"]) == 1 and LABELLED.search(before):
            return None
        if match["space"] == "-" or (
            locale.language == "en" and (describes(match) or _HYPHENATED.match(match.string, match.end()))
        ):
            return f"{match['n']} {name.one}{stop if match['space'] != '-' or match.end() == len(match.string) else ''}"
        if match["space"] and (match["unit"] in _TIGHT or _is_word(locale, match)):
            return None
        return count(match["n"], name, locale.language) + stop

    yield Rule(
        re.compile(rf"{n}(?P<space>[ -]?)(?P<unit>{any_of(locale.units)})(?![\w\u0900-\u0963/²³]|'[\w(]){_STOP}"), verbalize
    )


def _degrees(locale: Western, match: re.Match[str]) -> str:
    is_before_noun = locale.language == "en" and describes(match)
    return f"{match['n']} {locale.degrees.one}" if is_before_noun else count(match["n"], locale.degrees, locale.language)


def _is_word(locale: Western, match: re.Match[str]) -> bool:
    """Whether the unit is a word of the sentence."""
    is_common = match["unit"] in _WORDS_TOO.get(locale.language, ())
    return is_common and not match["stop"] and _GOES_ON.match(match.string, match.end()) is not None


def fractions(locale: Western) -> Iterator[Rule]:
    """Rules for fractions: ½, 1½, 3/4. A fraction without a name is read as one number over the other."""
    signs = "".join(FRACTION_SIGNS)

    def verbalize(match: re.Match[str]) -> str:
        text = FRACTION_SIGNS.get(match["sign"], match["sign"])
        alone = locale.fractions.get(text) or _parts(locale, text) or text.replace("/", f" {locale.over} ")
        unit = Name(locale.percent, locale.percent) if match["unit"] == "%" else locale.units.get(match["unit"] or "")
        stop = unit_stop(match, match["unit"], has_stop=match["stop"] is not None)
        if match["whole"] is None and unit and f" {locale.over} " in alone and locale.language == "en":
            return f"{alone} {unit.one if describes(match) else unit.many}{stop}"
        if match["whole"] is None:
            return alone + (_part_of(locale, unit, match["unit"]) if unit else "") + stop
        many = (f" {unit.many}" if unit else "") + stop
        if isinstance(locale, Hindi) and text in {"1/2", "1/4", "3/4"}:
            return quarters(locale, int(match["whole"]), text) + many
        return f"{match['whole']} " + locale.and_fractions.get(text, f"{locale.signs['&']} {alone}") + many

    units = any_of(["%", *(unit for unit in locale.units if unit not in _TIGHT)])
    of = rf"(?: ?(?P<unit>{units})(?![\w\u0900-\u0963/²³']){_STOP})?+"
    yield Rule(re.compile(rf"(?:{START}(?P<whole>[0-9]{{1,9}}) ?)?(?P<sign>[{signs}]){of}"), verbalize)
    yield Rule(
        re.compile(rf"{START}(?<!/)(?:(?P<whole>[0-9]{{1,4}}) )?(?P<sign>[0-9]{{1,4}}/[0-9]{{1,4}})(?![\w/])(?!²|³){of}"),
        verbalize,
    )


def _parts(locale: Western, fraction: str) -> str | None:
    """A fraction under 1 in words, if the locale names its parts: 2/5 is "2 quintos"."""
    n, of = fraction.split("/")
    if locale.language == "en" and of in _ENGLISH_PARTS and 0 < int(n) < int(of):
        return f"{numerals.cardinal(n, british=False)} {numerals.ordinal(of, british=False)}{'s' * (int(n) > 1)}"
    if not isinstance(locale, Romance) or of not in locale.parts or not 0 < int(n) < int(of):
        return None
    one, many = locale.parts[of]
    return f"1 {one}" if int(n) == 1 else f"{int(n)} {many}"


def quarters(locale: Hindi, whole: int, fraction: str) -> str:
    """A number and a quarter, a half or three quarters: Hindi has its own names for them."""
    if fraction == "1/2":
        return locale.halves.get(str(whole), locale.and_half.format(whole=whole))
    if fraction == "3/4":
        return locale.less_quarter.format(whole=whole + 1)
    return locale.one_and_quarter if whole == 1 else locale.and_quarter.format(whole=whole)


def _part_of(locale: Western, unit: Name, sign: str) -> str:
    """The words for the unit after a fraction: " kilometer", " de kilómetro" after three quarters."""
    if sign == "%" or locale.language not in {"es", "fr", "it", "pt"}:
        return f" {unit.one}"
    return " d'" + unit.one if locale.language == "fr" and unit.one[0] in "aeiouhé" else locale.of_scale + unit.one


def unit_stop(match: re.Match[str], unit: str, *, has_stop: bool) -> str:
    """The full stop after a unit, if it also ends a sentence or an item of a list: not in "1 hr. 15 mins" and "6 ft. 2 in.".

    A sentence does not end after a unit of the kitchen at its beginning: "1 lb. Idaho potatoes".
    """
    if not has_stop:
        return ""
    before = match.string[max(0, match.start() - 2) : match.start()]
    is_first = not before.strip() or before.endswith("\n") or before[0] in ".!?"
    if is_first and unit in _KITCHEN and match.string.startswith(" ", match.end()):
        return ""
    is_followed = _NUMBER_AFTER.match(match.string, match.end()) is not None
    is_item = is_followed and _PART_AFTER.match(match.string, match.end()) is None
    return "." if is_item or western.ends_sentence(match) else ""


def _verbalize_money(locale: Western, currency: Money, n: str, scale: str | None) -> str:
    if scale:
        of = locale.of_scale if locale.scales[scale] not in _THOUSANDS else " "
        name = currency.unit.many
        if locale.language == "fr" and of != " " and name[0] in "aeiou":
            of = " d'"
        said = locale.scales[scale]
        if isinstance(locale, Romance):
            said = in_number(n, said, locale)
        return f"{n} {said}{of}{name}"
    point = next((sign for sign in reversed(n) if sign in locale.points), "")
    whole, _, rest = n.rpartition(point) if point and n[-3:-2] == point else (n, "", "")
    if not rest or currency.hundredth is None:
        return count(n, currency.unit, locale.language)
    hundredths = count(str(int(rest)), currency.hundredth, locale.language)
    if not int(rest):
        return count(whole, currency.unit, locale.language)
    return hundredths if whole == "0" else count(whole, currency.unit, locale.language) + locale.cents + hundredths


def _take_out(sign: str, match: re.Match[str]) -> str:
    return match[0].replace(sign, "")


def _precedes_noun(match: re.Match[str]) -> bool:
    """Whether an English amount stands between *a* and a noun: "a $20 bill"."""
    following = _NOUN_AFTER.match(match.string, match.end())
    before = match.string[max(0, match.start() - 4) : match.start()]
    return _INDEFINITE.search(before) is not None and following is not None and following[1] not in _NO_NOUNS


def _singular(currency: Money) -> Money:
    hundredth = currency.hundredth and Name(currency.hundredth.one, currency.hundredth.one)
    return Money(Name(currency.unit.one, currency.unit.one), hundredth)


def describes(match: re.Match[str]) -> bool:
    """Whether an English measure stands before the noun that it describes: "the 100m final"."""
    before, after = match.string[max(0, match.start() - 4) : match.start()], match.string[match.end() : match.end() + 8]
    following = _WORD_AFTER.match(after)
    is_before_noun = following is not None and following[1] not in _NO_NOUNS
    return is_before_noun and (_ARTICLE.search(before) is not None or before == " by ")
