"""Durations and heights in Romance languages that are written without spaces: 2h30, 1h 45min, 1m30s, 1m85.

Why before the units: an "m" after hours or before seconds is minutes, not metres.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.agreement import counted
from workers.text.normalization.numerals import START
from workers.text.normalization.rules import Rule

_HOURS: Final = "(?P<h>[0-9]{1,3}) ?h"
_MINUTES: Final = "(?P<min>[0-9]{1,3}) ?(?:min|mn|m)"
_SECONDS: Final = "(?P<s>[0-9]{1,2}) ?(?:segs?|sec|s)"
_TIME_BEFORE: Final = re.compile(r"(?<!\w)(?:las?|às|as|das|ore|alle|dalle|le|all'|até|pelas)(?: las)? ?\Z", re.IGNORECASE)
"""Words before a time of day: a las 18h30, às 14h30, alle 18h30."""
_FIRST_TIME_OF_DAY: Final = 6
"""Portuguese writes times of day as durations. From this hour on, it is one."""


def durations(locale: Romance) -> Iterator[Rule]:
    """Rules for durations of two or three parts, and for heights."""

    def verbalize(match: re.Match[str]) -> str:
        found = match.groupdict()
        said = [_count(locale, n, unit) for unit in ("h", "min", "s") if (n := found.get(unit))]
        return f" {locale.signs['&']} ".join([", ".join(said[:-1]), said[-1]])

    def verbalize_hour(match: re.Match[str]) -> str | None:
        hour = int(match["h"])
        is_time = _TIME_BEFORE.search(match.string[max(0, match.start() - 12) : match.start()]) is not None
        if hour <= 24 and (is_time or (locale.language == "pt" and hour >= _FIRST_TIME_OF_DAY)):
            minute = int(match["min"])
            said_hour = locale.hours.get(str(hour), str(hour))
            return locale.time.format(hour=said_hour, minute=minute) if minute else None
        return verbalize(match)

    yield Rule(re.compile(rf"{START}{_HOURS} ?{_MINUTES}(?:(?: ?y | ?e |,? ?){_SECONDS})?(?![\w/²³])"), verbalize)
    yield Rule(re.compile(rf"{START}{_MINUTES} ?{_SECONDS}(?![\w/²³])"), verbalize)
    if locale.language != "fr":
        # French says 2h30 as a time of day is said.
        yield Rule(re.compile(rf"{START}(?P<h>[0-9]{{1,2}}) ?h ?(?P<min>[0-5][0-9])(?![\w:]|[.,][0-9])"), verbalize_hour)
    yield Rule(
        re.compile(rf"{START}(?P<m>[1-2]) ?m ?(?P<cm>[0-9]{{2}})(?![\w:²³]|[.,][0-9])"),
        lambda match: f"{_count(locale, match['m'], 'm')}{' e' if locale.language in {'it', 'pt'} else ''} {int(match['cm'])}",
    )


def clock_times(locale: Romance) -> Iterator[Rule]:
    """Rules for times with seconds (12:05:30) and for results of races and lengths of pieces: 4'33'', 1'45"32, 9"58."""

    def verbalize(match: re.Match[str]) -> str:
        found = match.groupdict()
        said = [_count(locale, n, unit) for unit in ("h", "min", "s") if (n := found.get(unit))]
        hundredths = found.get("hundredths")
        return " ".join([*said, hundredths] if hundredths else said)

    second = "(?:''|′′|[\"″”])"
    yield Rule(
        re.compile(r"(?<![\w:.,/])(?P<h>[01]?[0-9]|2[0-4]):(?P<min>[0-5][0-9]):(?P<s>[0-5][0-9])(?![\w:]|[.,][0-9])"), verbalize
    )
    yield Rule(
        re.compile(
            rf"(?<![\w:.,/°'′\"])(?P<min>[0-9]{{1,3}})['′’] ?(?P<s>[0-5][0-9]) ?{second}(?P<hundredths>[0-9]{{1,3}})?(?![\w])"
        ),
        verbalize,
    )
    yield Rule(re.compile(rf"(?<![\w:.,/°'′\"])(?P<s>[0-9]{{1,2}}){second}(?P<hundredths>[0-9]{{2}})(?!\w)"), verbalize)


def _count(locale: Romance, n: str, unit: str) -> str:
    n, name = str(int(n)), locale.units[unit]
    is_one = n == "1" or (n == "0" and locale.language == "fr")
    return counted(n, name.one if is_one else name.many, locale.language, is_feminine=name.is_feminine)
