"""Scales and durations that English writes short: 2.5m people, 300k, 10M users, 2h 14m, 1m30s, 10st 4lb, 401(k).

Why the next words decide on "m": 2.5m people are millions, a wall of 2.5m has meters.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import English
from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.numerals import number
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").scaled
_SURE: Final = frozenset({"bn", "mn", "tn", "MM", "mln", "bln", "trn"})
_SCALES: Final = {"MM": "million", "mln": "million", "bln": "billion", "trn": "trillion"}
_NEXT: Final = re.compile(r" ([A-Za-z][a-z'-]*)(?: ([a-z][a-z'-]*))?(?: ([a-z][a-z'-]*))?")
_PLURAL: Final = re.compile(r"[a-z]{2,20}[^\Wsui]s\Z|[a-z]{2,20}i[ae]s\Z|[a-z]{2,20}ies\Z")
_CROWD: Final = re.compile(
    rf"\b(?i:{any_of(_WORDS.before)})(?: (?:of|by|to|is|was|has))?(?: (?:about|over|some|around|nearly))?:? \Z"
)
"""The text before a number of people."""
_RACE: Final = re.compile(
    r"\b(?i:an?|the|my|his|her|our|their|your|first|ran|runs?|running|charity|another|every|last|final) \Z"
)
_RACES: Final = frozenset({"1", "2", "3", "5", "8", "10", "12", "15", "20", "25", "50", "100"})
_SCREENS: Final = frozenset({"2", "4", "5", "6", "8", "12", "16"})
_GOLD: Final = frozenset({"9", "10", "14", "18", "22", "24"})
_TAKES: Final = re.compile(
    rf"(?:\b(?i:{any_of(_WORDS.before_minutes)})"
    r"(?: (?:about|around|over|under|nearly|almost|only|just|roughly|some|me|us|him|her|up to))?:? "
    r"|~)\Z"
)
_COOKED: Final = re.compile(
    rf"\b(?i:{any_of(_WORDS.timed)})\b[^.!?\n]{{0,60}}\b(?i:for|in|another)(?: (?:about|another|up to))? \Z"
)
_AFTER_MINUTES: Final = re.compile(rf"(?:-long)? (?:{any_of(_WORDS.after_minutes)})\b")
_AFTER_PLURAL: Final = re.compile(" (?:ago|left|remaining|later|late|before)")
_UNITS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
_STONE: Final = re.compile(r"[02-9]|1[0-9]")


def durations() -> Iterator[Rule]:
    """The rules for durations and for weights in stone, for before the rules of money."""
    begin, end = r"(?<![\w.,:/$€£-])(?=[0-9]{1,4} ?[dhm])", r"(?![\w'])"
    yield Rule(
        re.compile(
            rf"{begin}(?:(?P<d>[0-9]{{1,4}}) ?d(?:ays?)?(?![a-z]),? ?)?(?:(?P<h>[0-9]{{1,4}}) ?(?:h|hrs?)(?![a-z])\.?,? ?)?"
            rf"(?:(?P<m>[0-9]{{1,4}}) ?(?:m|mins?)(?![a-z])\.?,? ?)?"
            rf"(?:(?P<s>[0-9]{{1,2}}(?:\.[0-9]{{1,3}})?) ?(?:s|secs?)(?P<stop>\.(?!\w))?)?+"
            rf"(?:(?<=[hm])(?P<rest>[0-5][0-9]))?{end}"
        ),
        _verbalize_duration,
    )
    yield Rule(
        re.compile(r"(?<![\w.,:/$€£-])(?P<n>[1-9][0-9]{0,2}(?:[-–][1-9][0-9]?)?)m(?P<stop>\.(?!\w))?(?![\w'/²³-])"),
        _verbalize_minutes,
    )
    yield Rule(
        re.compile(
            r"(?<![\w.,$€£])(?P<stone>[0-9]{1,2}½?) ?st\.?,? ?"
            r"(?P<pounds>1[0-3]|[0-9])(?P<half>½?) ?lbs?(?P<stop>\.(?!\w))?(?!\w)"
        ),
        lambda match: (
            f"{match['stone']} stone {match['pounds']}{match['half']} "
            + ("pound" if match["pounds"] == "1" and not match["half"] else "pounds")
            + western.full_stop(match)
        ),
    )
    yield Rule(re.compile(r"(?<![\w.,$€£])(?P<stone>[0-9]{1,2}(?:½|\.5)?)st(?!\w)"), _verbalize_stone)
    # 401(k), the 22d Regiment
    yield Rule(
        re.compile(r"(?<!\w)40(?P<n>[1379])\(?(?P<letter>[kKbB])(?:\)|(?=s?\b))"),
        lambda match: f"four oh {numerals.spell_digits(match['n'])} {match['letter'].upper()}",
    )
    yield Rule(
        re.compile(rf"(?<![\w.,])(?P<n>[0-9]{{0,2}}[23])d(?= (?:{any_of(_WORDS.regiments)})\b)"),
        lambda match: numerals.ordinal(match["n"], british=False),
    )


def scales(locale: English) -> Rule:
    """The rule for scales after numbers without a currency, for after the rules of money."""
    n, names = number(locale), {sign: name for sign, name in locale.scales.items() if len(sign) < len("mill")} | _SCALES
    sign = any_of(names)

    def verbalize(match: re.Match[str]) -> str | None:
        if not _is_scale(match):
            return _karat(match)
        first = (
            f"{match['first']}{' ' + names[match['its']] if match['its'] else ''} {'and' if match['and'] else 'to'} "
            if match["first"]
            else ""
        )
        return f"{first}{match['n']} {names[match['scale']]}"

    return Rule(
        re.compile(
            rf"(?<![\w.,$€£¥/:-])(?:(?P<first>{n})(?P<its>{sign})?(?: ?[-–—] ?| to |(?<=[a-zA-Z])(?P<and> and )))?"
            rf"(?P<n>{n})(?P<scale>{sign})(?![\w'&/²³])"
        ),
        verbalize,
    )


def _is_scale(match: re.Match[str]) -> bool:
    n, scale = match["n"], match["scale"]
    before = match.string[max(0, match.start() - 32) : match.start()]
    if scale in _SURE:
        return True
    if amounts.LABELLED.search(before) is not None:
        return False
    is_counted = _is_counted(match)
    if scale in "kK":
        return is_counted or not _is_named(match, before)
    if scale == "m":
        return is_counted or (match["its"] is None and (_CROWD.search(before) is not None or _is_compared(match, before)))
    if scale == "M":
        return True
    return is_counted or ("." in n and scale == "B")


def _is_compared(match: re.Match[str], before: str) -> bool:
    """Whether a number of millions stands before this one, to which it is compared: 2.5m people, down from 2.7m."""
    if re.search(r"\b(?:from|to|than|with|and|of|by) \Z", before) is None:
        return False
    sentence = match.string[max(0, match.start() - 160) : match.start()]
    return re.search(rf"[0-9]m (?:{any_of(_WORDS.counted)})\b", sentence) is not None


def _is_counted(match: re.Match[str]) -> bool:
    """Whether one of the next words names what is counted: 2.5m new users."""
    found = _NEXT.match(match.string, match.end())
    if found is None or found[1] in _WORDS.of_meters:
        return False
    words = [word for word in found.groups() if word is not None]
    if any(word in _WORDS.counted for word in words):
        return words[0] not in _WORDS.no_nouns
    return _PLURAL.match(words[0]) is not None and words[0] not in _WORDS.no_nouns


def _is_named(match: re.Match[str], before: str) -> bool:
    """Whether k or K is said as a letter: a race of 10k, a 4K screen."""
    found = _NEXT.match(match.string, match.end())
    following = "" if found is None else found[1]
    if match["n"] in _GOLD and following in _WORDS.gold:
        return True
    if following in _WORDS.of_k or (match["scale"] == "K" and match["n"] in _SCREENS and not match["first"]):
        return True
    return match["n"] in _RACES and _RACE.search(before) is not None and not match["first"]


def _karat(match: re.Match[str]) -> str | None:
    found = _NEXT.match(match.string, match.end())
    if match["scale"] in "kK" and match["n"] in _GOLD and found is not None and found[1] in _WORDS.gold:
        return f"{match['n']} karat"
    if match["scale"] == "k" and not match["first"]:
        return f"{match['n']} K"
    return None


def _verbalize_duration(match: re.Match[str]) -> str | None:
    found = [(sign, match[sign]) for sign in "dhms" if match[sign]]
    if len(found) + (match["rest"] is not None) < 2:
        return None
    is_first = amounts.describes(match)
    words = [_count(n, _UNITS[sign], is_adjective=is_first) for sign, n in found]
    if match["rest"] and int(match["rest"]):
        words.append(numerals.cardinal(str(int(match["rest"])), british=False))
    tail = " " * match[0].endswith(" ")
    comma = "," * match[0].rstrip().endswith(",")
    dot = amounts.unit_stop(match, "s", has_stop=match[0].endswith("."))
    return " ".join(words) + comma + dot + tail


def _verbalize_minutes(match: re.Match[str]) -> str | None:
    """Minutes, if the words next to the number are about time: it took 55m, bake for 20m, 5m ago."""
    before = match.string[max(0, match.start() - 90) : match.start()]
    is_after = _AFTER_MINUTES.match(match.string, match.end()) is not None
    if not (is_after or _TAKES.search(before) or _COOKED.search(before)):
        return None
    is_one = match["n"] == "1" or (is_after and _AFTER_PLURAL.match(match.string, match.end()) is None)
    return f"{match['n']} minute{'' if is_one else 's'}{match['stop'] or ''}"


def _count(n: str, unit: str, *, is_adjective: bool) -> str:
    plural = "" if n == "1" or is_adjective else "s"
    whole, _, fraction = n.partition(".")
    words = numerals.decimal(whole, fraction, british=False) if fraction else numerals.cardinal(str(int(n)), british=False)
    return f"{words} {unit}{plural}"


def _verbalize_stone(match: re.Match[str]) -> str | None:
    """A weight in stone; None for an ordinal, 1st or 21st."""
    n = match["stone"]
    is_ordinal = n[-1] == "1" and n != "11"
    return None if is_ordinal else f"{n} stone"
