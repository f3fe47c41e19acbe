"""Years, dates, decades and times of day in English: finds them and writes them as words.

A number from 1100 to 2099 without a comma is a year in three cases:

- It is one end of a range, and the other end is such a number too.
- It follows a month, a word such as *in* or *since*, an opening bracket, a comma, the end of a sentence, or *is* or *was* after
  *it*, *that*, *the year* and the like; and no noun follows: "in 1905 houses" counts houses.
- It follows *the*, and the next word is a name or no plural.

It is always a quantity after words such as *total of*, *rose to* and *rose by*.
"""

import re
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals, western
from workers.text.normalization.rules import Rule, any_of

_ENGLISH: Final = loader.english("en")
_WORDS: Final = _ENGLISH.years
_MONTH: Final = any_of(_ENGLISH.months)
_YEAR: Final = "(?:1[1-9]|20)[0-9]{2}"

_BEFORE_YEAR: Final = frozenset([*_WORDS.before, *(month.lower() for month in _ENGLISH.months)])
_HYPHENATED: Final = frozenset(_WORDS.hyphenated)
_CHANGED: Final = any_of(_WORDS.changed)
_QUANTITY: Final = re.compile(
    rf"\b(?:(?:{_CHANGED}|[Uu]p|[Cc]lose|down|next|adds?|counts?|counted) to"
    rf"|(?:{_CHANGED}|multiplied|divided) by|{any_of(_WORDS.measured)}s? (?:of|is|was)) $"
)
"""Text before a number that is no year, although the last word of this text may precede a year."""
_IS_DATED: Final = re.compile(
    rf"(?i:\b(?:{any_of(_WORDS.dated)})(?: (?:is|was)|'s)(?: (?:already|still|only|just|now|not|early|late))?"
    r"|later than|earlier than) $|\b(?:Q[1-4]|H[12]|FY) ?$"
)
_BEGINS: Final = re.compile(
    r"(?:^|\n|[,(;\[.!?…\"—]|(?i:\b(?:year|date|born|died|founded|established|published|released|built):))\s*$"
)
"""Text after which a sentence or an aside begins."""
_AFTER_MONTH: Final = re.compile(rf"\b{_MONTH},? $")
_AFTER_YEAR: Final = frozenset([*_WORDS.after, *_ENGLISH.headings.numbers])
_MEASURED: Final = frozenset({"Watt", "Volt", "Hertz", "Mile", "Meter", "Euro", "Dollar", "Pound", "Calorie"})
_PLURAL: Final = re.compile("(?<![sui])s$")
_BEFORE_DECADE: Final = "(?:the|The|their|his|her|my|our|early|mid|late)[ -]"


def is_year(match: re.Match[str]) -> bool:
    """Whether a number is a year by the rules at the head of this file. `match` has the number in its group `n`."""
    if re.fullmatch(_YEAR, match["n"]) is None:
        return False
    before, after = match.string[max(0, match.start() - 30) : match.start()], match.string[match.end() : match.end() + 24]
    if _is_hyphenated(match):
        return True
    if _QUANTITY.search(before) is not None:
        return False
    if re.match(rf" to {_YEAR}(?!\w)", after) or re.search(rf"(?<!\w)(?:{_YEAR}|[a-z]-{{0,1}}[a-z]{{2,9}}) to $", before):
        return True
    return _is_year_before(before, re.match(r" ([\w']+)", after))


def _is_year_before(before: str, following: re.Match[str] | None) -> bool:
    """Whether the words before a number, and the word after it, show that it is a year."""
    if _AFTER_MONTH.search(before) is not None:
        return following is None or re.match(r"[a-z]{2,}[^sui]s\b", following[1]) is None
    if re.search(r"\b[Tt]he $", before):
        return following is not None and (following[1][0].isupper() or not _PLURAL.search(following[1]))
    if re.search(r"\b[Aa]n? $", before):
        return following is not None and not _is_measured(following[1].lower())
    if re.search(r"\b(?:[Mm]y|[Hh]is|[Hh]er|[Oo]ur|[Tt]heir) $", before):
        return following is not None and re.match("[A-Z][a-z]", following[1]) is not None and following[1] not in _MEASURED
    is_alone = following is None or following[1].lower() in _AFTER_YEAR or following[1][0].isupper()
    return is_alone and _may_come_next(before)


def _is_measured(word: str) -> bool:
    """Whether a noun after "a" and a number is measured by it: a 1500 meter race, a 2000 word essay."""
    return word in _WORDS.measures or _PLURAL.search(word) is not None


def _may_come_next(before: str) -> bool:
    """Whether a year may follow the text `before`."""
    if _BEGINS.search(before) is not None or _IS_DATED.search(before) is not None:
        return True
    preceding = re.search(r"([A-Za-z]+)[ -]$", before)
    return preceding is not None and preceding[1].lower() in _BEFORE_YEAR


def _is_hyphenated(match: re.Match[str]) -> bool:
    """Whether a hyphen and a word such as *mid* or *pre* stand before the number."""
    before = re.search(r"([A-Za-z]+)\Z", match.string[max(0, match.start() - 12) : match.start()])
    return match[0].startswith("-") and before is not None and before[1].lower() in _HYPHENATED


def begin(words: str, match: re.Match[str]) -> str:
    """Returns `words`, with a capital after the end of a sentence: without one, that end would not be found."""
    return words[:1].upper() + words[1:] if _STOPPED.search(match.string, max(0, match.start() - 4), match.start()) else words


def _month_and_day(match: re.Match[str]) -> str | None:
    if not 1 <= int(match["day"]) <= 31:
        return None
    said = f"{match['month']} {numerals.ordinal(str(int(match['day'])), british=False)}"
    return said + (f", {numerals.year(match['year'][-4:], british=False)}" if match["year"] else "")


def _day_and_month(match: re.Match[str]) -> str | None:
    if not 1 <= int(match["day"]) <= 31:
        return None
    the = match["the"] or ("" if match["of"] else "the ")
    return f"{the}{numerals.ordinal(str(int(match['day'])), british=False)} of {match['month']}"


def _verbalize_time(match: re.Match[str]) -> str:
    return begin(_verbalize_clock(match), match)


def _verbalize_clock(match: re.Match[str]) -> str:
    hour = numerals.cardinal(str(int(match["hour"])), british=False)
    minute, half = match["minute"], _verbalize_half(match)
    hours = " hours" if match["hours"] else ""
    if match["second"]:
        seconds = numerals.cardinal(str(int(match["second"])), british=False)
        plural = "s" * (int(match["second"]) != 1)
        return f"{hour} {_verbalize_minute(minute or '00') or 'hundred'} and {seconds} second{plural}{half}"
    if minute and int(minute):
        return f"{hour} {_verbalize_minute(minute)}{half}{hours}"
    if half:
        return hour + half
    if int(match["hour"]) > 12 or hours:
        return f"{hour} hundred{hours}"
    return f"{hour} o'clock" if int(match["hour"]) else "midnight"


def _verbalize_minute(minute: str) -> str:
    if minute[0] == "0":
        return "oh " + numerals.spell_digits(minute[1]) if minute[1] != "0" else ""
    return numerals.cardinal(minute, british=False)


def _verbalize_half(match: re.Match[str]) -> str:
    """The half of the day, written so that both engines spell it and find the end of a sentence: "a.m.", "AM." and "PM"."""
    half = match["half"]
    if not half:
        return ""
    before = match.string[max(0, match.start() - 20) : match.start()]
    if match.string.startswith(".", match.end()) and not half.endswith("."):
        return f" {half.strip()[0].upper()}M"
    is_within = _NO_SENTENCE.match(match.string, match.end()) or _OPENING.search(before)
    ends = half.endswith(".") and western.ends_sentence(match) and not is_within
    if half.strip()[0] in "pP":
        return " PM" + "." * ends
    return " AM." if ends else " a.m."


_STOPPED: Final = re.compile(r"(?:(?<![A-Z])\.|[!?…])[\"')\]]? \Z")


def _verbalize_decade(century: str, ten: str) -> str:
    if ten == "0":
        return "two thousands" if century == "20" else numerals.cardinal(century, british=False) + " hundreds"
    said = numerals.cardinal(century, british=False) + " " if century else ""
    return said + _ENGLISH.decades[int(ten) - 1]


def _verbalize_age(match: re.Match[str]) -> str:
    return f"{match['before']}{_ENGLISH.decades[int(match['in']) - 1]}"


DATE: Final = (
    # March 3rd, 1905; 3 March 1905
    Rule(
        re.compile(
            rf"\b(?P<month>{_MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|d)?(?![\w:]|[.,/][0-9])"
            rf"(?P<year>,? {_YEAR}(?![\w,-]))?+"
        ),
        _month_and_day,
    ),
    Rule(
        re.compile(
            rf"(?<![\w.,:/-])(?P<the>[Tt]he )?(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|d)?(?P<of> of)? (?P<month>{_MONTH})\b"
        ),
        _day_and_month,
    ),
)

_NO_SENTENCE: Final = re.compile(rf" {any_of([*_ENGLISH.months, *_ENGLISH.after_time])}\b")
"""A word with a capital that may follow a time of day and begins no sentence."""
_OPENING: Final = re.compile(
    r"(?:^|[.!?]\s)(?:At|By|About|Around|From|Until|Till|Before|After|Since)(?: about| around| exactly)? $"
)
"""The beginning of a sentence that continues after its time of day: "At 9 a.m. Mary left."."""
_HALF_OF_DAY: Final = r"(?P<half> ?[AaPp](?:\.[Mm]\.|[Mm](?!\w)))"
_ANY_HALF: Final = _HALF_OF_DAY.replace("?P<half>", "?:")
TIMES: Final = (
    # 9.30 p.m., as it is written in Britain
    Rule(re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])\.(?=[0-5][0-9]{_ANY_HALF})"), lambda match: f"{match['hour']}:"),
    # 5-7 p.m., 9am-5pm
    Rule(
        re.compile(
            rf"(?<![\w:.,/-])(?P<hour>(?:1[0-2]|0?[1-9])(?::[0-5][0-9])?{_HALF_OF_DAY}?+) ?[-–—] ?"
            rf"(?=[0-9:]{{1,5}}{_ANY_HALF})"
        ),
        lambda match: f"{match['hour']} to ",
    ),
    # 3:45 pm, 15:30, 10:30:15
    Rule(
        re.compile(
            rf"(?<![\w:.,/])(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
            rf"(?:{_HALF_OF_DAY}|(?P<hours> ?(?:hours|hrs?|h)(?!\w)))?+(?![\w:])"
        ),
        _verbalize_time,
    ),
    # 3 pm
    Rule(
        re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?P<minute>)(?P<second>)?(?P<hours>)?{_HALF_OF_DAY}"),
        _verbalize_time,
    ),
)

RATIO: Final = Rule(re.compile(r"(?<![\w:.,/])([0-9]{1,3}):(?=[0-9]{1,3}(?![\w:]|[.,][0-9]))"), lambda match: f"{match[1]} to ")
MILITARY: Final = Rule(
    re.compile(r"(?<![\w.,:-])0(?P<hour>[0-9])(?P<minute>[0-5][0-9])(?= (?:hours|hrs?)(?!\w))"),
    lambda match: f"oh {numerals.spell_digits(match['hour'])} {_verbalize_minute(match['minute']) or 'hundred'}",
)
"""The rule for times such as 0900 hours."""
DECADES: Final = (
    Rule(
        re.compile(r"(?<![\w.,])(?P<century>1[1-9]|20)(?P<ten>[0-9])0'?s\b"),
        lambda match: _verbalize_decade(match["century"], match["ten"]),
    ),
    Rule(re.compile(r"(?<![\w'])'(?P<ten>[1-9])0s\b"), lambda match: _verbalize_decade("", match["ten"])),
    Rule(
        re.compile(rf"\b(?P<before>{_BEFORE_DECADE})(?P<in>[1-9])0s\b"),
        _verbalize_age,
    ),
)
