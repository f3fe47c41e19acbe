"""Scores and hours as Britain says them: 2-0 is "two nil", 3-1 "three one", the 7.45 train "the seven forty-five train".

Why only with words of sport, or where a number falls to the second: 0-3 may be a range of ages.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import English
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").scores
_N: Final = "(?:0|[1-9][0-9]?)"
_SPORT: Final = re.compile(rf"\b(?i:{any_of(_WORDS.words)})\b")
_NO_SCORE: Final = re.compile(rf"(?i:\b(?:{any_of(_WORDS.not_after)})) \Z")
_COUNTED: Final = re.compile(rf"(?: ?[%°]|(?: |-)(?:{any_of(_WORDS.not_before)})\b)")
_MOST_GOALS: Final = 15
_NEXT_SET: Final = re.compile(",? [0-7][-–][0-7](?![0-9])")
_LAST_SET: Final = re.compile("(?<![0-9])[0-7][-–][0-7],? \\Z")
_SIDES: Final = re.compile(r" [A-Z][a-z]")
_SIDE: Final = re.compile(r"[A-Z][a-z]{2,20} \Z")


def rules(locale: English) -> Iterator[Rule]:
    """The rules of Britain, for before the rules of hyphens; none for American English."""
    if locale.is_month_first:
        return
    yield Rule(
        re.compile(rf"(?<![\w.,:/$€£-])(?P<one>{_N})[-–](?P<two>{_N})(?![\w/%°-]|[.,:][0-9])"),
        _verbalize_score,
    )
    # Spurs 0 Arsenal 0
    side = "[A-Z][a-z]{2,15}(?: [A-Z][a-z]{2,15})?"
    yield Rule(
        re.compile(rf"(?<!\w)(?P<home>{side}) (?P<one>{_N})(?P<comma>,?) (?P<away>{side}) (?P<two>{_N})(?!\w|[.,:/-][0-9])"),
        _verbalize_sides,
    )
    # ends 10.45
    yield Rule(
        re.compile(
            r"(?P<before>\b(?:ends|starts|begins|opens|closes|kicks off|doors)(?: at)? )"
            r"(?P<hour>[01]?[0-9]|2[0-3])\.(?P<minute>[0-5][0-9])"
            r"(?!\w|[.,][0-9]| ?[%ap])"
        ),
        lambda match: f"{match['before']}{int(match['hour'])}:{match['minute']}",
    )
    # the 7.45 train
    yield Rule(
        re.compile(
            rf"(?P<before>\b[Tt]he )(?P<hour>[01]?[0-9]|2[0-3])[.:](?P<minute>[0-5][0-9])(?= (?:{any_of(_WORDS.departures)})\b)"
        ),
        lambda match: f"{match['before']}{int(match['hour'])}:{match['minute']}",
    )


def _verbalize_score(match: re.Match[str]) -> str | None:
    text, one, two = match.string, int(match["one"]), int(match["two"])
    before = text[max(0, match.start() - 60) : match.start()]
    if _NO_SCORE.search(before) or _COUNTED.match(text, match.end()):
        return None
    is_between = bool(_SIDE.search(before)) and bool(_SIDES.match(text, match.end()))
    is_sport = (
        is_between
        or bool(_SPORT.search(before.rpartition("\n\n")[2]))
        or bool(_SPORT.search(text[match.end() : match.end() + 24]))
    )
    if not is_sport and (two != 0 or one > _MOST_GOALS):
        return None
    return " ".join(_say(n, nil=_WORDS.love if _is_set(match) else _WORDS.nil) for n in (one, two))


def _verbalize_sides(match: re.Match[str]) -> str | None:
    """The score of two sides, one of which has none; None for any other two names with numbers."""
    if "0" not in {match["one"], match["two"]}:
        return None
    one, two = (_say(int(match[n]), nil=_WORDS.nil) for n in ("one", "two"))
    return f"{match['home']} {one}{match['comma']} {match['away']} {two}"


def _is_set(match: re.Match[str]) -> bool:
    """Whether the score is that of a set in tennis: another set stands next to it."""
    text = match.string
    is_next = _NEXT_SET.match(text, match.end()) or _LAST_SET.search(text[max(0, match.start() - 8) : match.start()])
    return bool(is_next) and bool({"6", "7"} & {match["one"], match["two"]})


def _say(n: int, *, nil: str) -> str:
    return numerals.cardinal(str(n), british=True) if n else nil
