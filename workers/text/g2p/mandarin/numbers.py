"""Writes the numbers of Mandarin as Han characters, with cn2an.

Why years are decided here: cn2an reads every number before 年 digit by digit, also that of 200年历史.

Why 两: cn2an writes 二百 and 二千, which nobody says at the beginning of a number.
"""

import re
import warnings
from typing import Final

import cn2an

from workers.text.g2p.mandarin.words import YEARS
from workers.text.tracked_text import TrackedText

_LONG_NUMBER: Final = re.compile(r"\d{17,}")
_SPAN_AFTER: Final = re.compile("[到至—～-]前?[0-9]{2,4}")
_SPAN_BEFORE: Final = re.compile("年[到至—～-]\\Z|[（(—到至]前\\Z")
"""A year of three digits next to another one: 701年到762年, （前259年."""
_BEFORE_SPAN: Final = ("（", "(", "（前", "(前", "到前", "—前", "至前")
_YEAR: Final = re.compile(r"(?<![0-9.,])[0-9]{2,7}(?=年)")
_NUMBER: Final = re.compile(r"(?<![-0-9./%℃])[-0-9./%℃]*[0-9][-0-9./%℃]*[^\W\d]{0,2}")
"""All the text that cn2an looks at to spell one number, including the measure word after it."""
_ALL: Final = re.compile(r"(?s).+")
_DIGITS: Final = str.maketrans("0123456789〇", "零一二三四五六七八九零")
_TWO: Final = re.compile("(?<![第之点零一二三四五六七八九十百千万亿数几])二(?=[百千万亿])(?!百五(?![十千万亿]))")


def spell_numbers(tracked: TrackedText) -> TrackedText:
    """Returns `tracked` without digits."""
    text = tracked.text
    if not any(map(str.isdigit, text)):
        return tracked.translate(_DIGITS)
    spelled = tracked.sub(_LONG_NUMBER, lambda match: match[0].translate(_DIGITS)).sub(_YEAR, _say_year)
    whole = _transform(spelled.text)
    by_number = spelled.sub(_NUMBER, lambda match: _with_two(_transform(match[0]), match))
    if _plain(by_number.text) != _plain(whole):
        by_number = spelled.sub(_ALL, whole)
    return by_number.translate(_DIGITS)


def _say_year(match: re.Match[str]) -> str | None:
    number, before, after = (
        match[0],
        match.string[max(0, match.start() - 4) : match.start()],
        match.string[match.end() + 1 :][:6],
    )
    if _is_year(number, before, after):
        return number.translate(_DIGITS)
    return _with_two(str(cn2an.an2cn(number, "low")), match)


def _is_year(number: str, before: str, after: str) -> bool:
    """Whether `number` before 年 is a year, which is said digit by digit, and not a length of time."""
    is_dated = before.rstrip(" ").endswith(YEARS.dated_before)
    if number[0] == "0" or (is_dated and len(number) > 2):
        return True
    if before.endswith("第") or len(number) > 4:
        return False
    is_length = number.endswith("0") and not before.endswith(_BEFORE_SPAN)
    if len(number) == 3 and not is_length and (_SPAN_AFTER.match(after) or _SPAN_BEFORE.search(before)):
        return True
    if len(number) == 4:
        is_round = number.endswith("00")
        is_long = (is_round or int(number) < 1800) and after.startswith(YEARS.long_after)
        is_long = is_long or (is_round and after.startswith(YEARS.round_after))
        return not is_long and 1000 <= int(number) < 3000 and not (number == "1000" and not is_dated)
    return len(number) == 2 and (after.startswith(YEARS.short_after) or re.match("[0-9]{1,2}月", after) is not None)


def _with_two(spelled: str, match: re.Match[str]) -> str:
    """Returns the number with 两 instead of 二 at its beginning, before hundreds and more."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    return _TWO.sub("两", before + spelled, count=1)[len(before) :]


def _plain(text: str) -> str:
    return text.replace("两", "二")


def _transform(text: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(cn2an.transform(text, "an2cn"))
