"""Feet and inches, angles, temperatures and compound units in English: 6′2″, a 9x13" pan, 52°11′28″N, -4C, 5 kJ/mol.

Why a quotation mark after a number is an inch only where none is open: "I am 27" may end a quotation.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import English
from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.numerals import number
from workers.text.normalization.rules import Rule, any_of

_START: Final = r"(?<![\w.,/$€£])"
_N: Final = r"[0-9]{1,4}(?:\.[0-9]{1,3})?(?: ?[½⅓⅔¼¾⅛⅜⅝⅞]|[ -][1-9]/[0-9]{1,2})?"
_INCH: Final = r"(?:\"|″|''|′′)"
_FOOT: Final = "['′]"
_BY: Final = r" ?(?:[x×]|by) ?"
_LONG: Final = "tall|long|wide|high|deep|thick|across|apart|of|in|above|below|away|and|or|or|to|from|by|on|at|is|was"
_NOUN: Final = re.compile(rf"(?: |-)(?!(?:{_LONG})\b)(?:[a-z]{{2,}}|[A-Z]{{2,}}\b)")
_DIRECTIONS: Final = {"N": " north", "S": " south", "E": " east", "W": " west", None: ""}
_WARM: Final = re.compile(r"(?i:\b(?:at|to|of|below|above|around|about|hit|was|is|reached|from|and|under|over|near|nearly)) \Z")


def rules() -> Iterator[Rule]:
    """The rules for lengths, angles and temperatures, for before the rules of dimensions and fractions."""
    yield from _angles()
    yield from _lengths()
    yield Rule(
        re.compile(rf"{_START}(?P<minus>(?<![\w)-])[-−])?(?P<n>[0-9]{{1,4}}(?:\.[0-9])?)(?P<scale>[CF])(?![\w'&+#])"),
        _temperature,
    )


def compound_units(locale: English) -> Iterator[Rule]:
    """The rules for units that are joined by a slash or a dot: g/kWh, kg·m/s."""
    units = any_of([*locale.units, *locale.per])

    def name(sign: str, *, is_plural: bool) -> str:
        unit = locale.units.get(sign)
        return locale.per[sign] if unit is None else unit.many if is_plural else unit.one

    def verbalize(match: re.Match[str]) -> str | None:
        if match["chain"] in locale.units:
            return None
        is_plural = match["n"] != "1" and not amounts.describes(match)
        top, *below = match["chain"].split("/")
        factors = re.split("[·⋅]", top)
        words = [name(sign, is_plural=False) for sign in factors[:-1]] + [name(factors[-1], is_plural=is_plural)]
        words += [f"per {' '.join(name(sign, is_plural=False) for sign in re.split('[·⋅]', part))}" for part in below]
        return f"{match['n']} {' '.join(words)}" + western.full_stop(match)

    yield Rule(
        re.compile(
            rf"{numerals.START}(?P<n>{number(locale)}) ?(?P<chain>{any_of(locale.units)}(?:[/·⋅]{units}){{1,3}})(?![\w/²³⁻^'])"
            r"(?P<stop>\.(?!\w))?+"
        ),
        verbalize,
    )
    yield _lone_units(locale)


def _lone_units(locale: English) -> Rule:
    """The rule for joined units without a number, one of which has several letters: "in mol/L"."""

    def verbalize(match: re.Match[str]) -> str | None:
        if match["all"] in locale.units:
            return locale.units[match["all"]].many
        one, two = locale.units[match["one"]], locale.units[match["two"]]
        return f"{one.many} per {two.one}"

    units = any_of(unit for unit in locale.units if unit.isalpha())
    long = any_of(unit for unit in locale.units if unit.isalpha() and len(unit) > 1)
    return Rule(
        re.compile(rf"(?<![\w/.'-])(?P<all>(?P<one>(?={long}/|{units}/{long}(?!\w)){units})/(?P<two>{units}))(?![\w/²³'-])"),
        verbalize,
        needs_digit=False,
    )


def _angles() -> Iterator[Rule]:
    second = r"(?: ?(?P<second>[0-9]{1,2}(?:\.[0-9]{1,3})?)(?:\"|″|''|′′))?"
    yield Rule(
        re.compile(
            rf"{_START}(?P<degree>[0-9]{{1,3}})[°º˚] ?(?P<minute>[0-9]{{1,2}}(?:\.[0-9]{{1,3}})?)['′]"
            rf"{second} ?(?:(?P<way>[NSEW])(?!\w))?"
        ),
        _angle,
    )
    yield Rule(
        re.compile(r"(?<=[0-9])(?P<sign> ?[°º˚]) ?(?P<way>[NSEW])(?!\w)"),
        lambda match: f" degrees{_DIRECTIONS[match['way']]}",
    )
    # 25ºC, 90º: the sign of an ordinal in place of the sign of degrees
    yield Rule(re.compile(r"(?<=[0-9])(?P<space> ?)[º˚](?=[CF]?(?![\w]))"), "°")


def _lengths() -> Iterator[Rule]:
    inch = rf"(?:{_INCH}|[ -]?in\b\.?|[ -]inch(?:es)?\b)"
    yield Rule(
        re.compile(rf"{_START}(?P<one>{_N}) ?{_INCH}?{_BY}(?P<two>{_N})(?: ?{_INCH}?{_BY}(?P<three>{_N}))? ?{inch}(?!\w)"),
        lambda match: (
            f"{match['one']} by {match['two']}" + (f" by {match['three']}" if match["three"] else "") + _inches(match, "2")
        ),
    )
    yield Rule(
        re.compile(rf"{_START}(?P<one>[0-9]{{1,4}}){_FOOT}{_BY}(?P<two>[0-9]{{1,4}}){_FOOT}(?![\w'])"),
        lambda match: f"{match['one']} by {match['two']} " + ("foot" if _NOUN.match(match.string, match.end()) else "feet"),
    )
    # 5'11", 6 ft 2 in, 5'11
    yield Rule(
        re.compile(
            rf"(?<![\w.,])(?P<foot>[1-9][0-9]?)(?:{_FOOT} ?| ?ft\.?,? ?)(?P<inch>1[01]|[0-9])(?P<half> ?[½¼¾⅛⅜⅝⅞])?"
            rf"(?:{_INCH}| ?in\b(?P<stop>\.(?!\w))?| inches\b)"
        ),
        lambda match: (
            f"{match['foot']} {'foot' if match['foot'] == '1' else 'feet'} {match['inch']}{match['half'] or ''}"
            + western.full_stop(match)
        ),
    )
    yield Rule(
        re.compile(r"(?<![\w.,'])(?P<foot>[3-8])['′] ?(?P<inch>1[01]|[0-9])(?P<half>½)?(?![\w'\"]|[.,][0-9])"),
        lambda match: f"{match['foot']} feet {match['inch']}{match['half'] or ''}",
    )
    yield Rule(re.compile(rf"{_START}(?P<n>{_N})-in(?:\.(?!\w)|(?= [a-z(]))"), lambda match: f"{match['n']} inch")
    yield Rule(re.compile(rf"{_START}(?P<n>{_N})(?: in(?P<stop>\.)(?!\w)|in(?P<tight>)(?!\w))"), _n_inches)
    yield Rule(re.compile(rf"{_START}(?P<n>{_N}) ?(?P<sign>\"|″|''|′′)(?!\w)"), _marked_inches)
    yield Rule(
        re.compile(rf"{_START}(?P<n>[0-9]{{1,5}})(?:'(?= (?:tall|long|wide|high|deep|above|below)\b)|′)(?!\w)"),
        lambda match: f"{match['n']} {'foot' if match['n'] == '1' else 'feet'}",
    )


def _n_inches(match: re.Match[str]) -> str:
    return f"{match['n']}{_inches(match, match['n'])}" + western.full_stop(match)


def _marked_inches(match: re.Match[str]) -> str | None:
    if match["sign"] == '"':
        paragraph = match.string[max(0, match.start() - 400) : match.start()].rpartition("\n\n")[2]
        if paragraph.count('"') % 2:
            return None
    return f"{match['n']}{_inches(match, match['n'])}"


def _inches(match: re.Match[str], n: str) -> str:
    return " inch" if n == "1" or _NOUN.match(match.string, match.end()) is not None else " inches"


def _angle(match: re.Match[str]) -> str:
    words = [_count(match["degree"], "degree"), _count(match["minute"], "minute")]
    if match["second"]:
        words.append(_count(match["second"], "second"))
    return " ".join(words) + _DIRECTIONS[match["way"]]


def _count(n: str, unit: str) -> str:
    n = n.lstrip("0") or "0"
    return f"{n} {unit}{'' if n == '1' else 's'}"


def _temperature(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 16) : match.start()]
    is_sure = match["minus"] is not None or _WARM.search(before) is not None
    if not is_sure and (len(match["n"]) == 1 or amounts.LABELLED.search(before) is not None):
        return None
    return f"{match['minus'] or ''}{match['n']}°{match['scale']}"
