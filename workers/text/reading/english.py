"""Reading of English: every number becomes words, and what those words are depends on what stands around them.

A year is a number from 1100 to 2099 without a comma that is an end of a range with another such number; or that follows a
month, a word such as *in* or *since*, an opening bracket, a comma or nothing, while no noun follows, since "in 1905 houses"
counts houses. After *the* it is a year when no plural follows, or a name does. All other numbers are cardinals.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.reading import numerals, western
from workers.text.reading.rules import Rule, any_of
from workers.text.reading.tongues import TONGUES

_MONTHS: Final = TONGUES["en"].months
_MONTH: Final = any_of(_MONTHS)
_YEAR: Final = "(?:1[1-9]|20)[0-9]{2}"

_BEFORE_YEAR: Final = frozenset(
    f"in since of from by until till before after around circa during between year early late mid spring summer autumn "
    f"fall winter christmas copyright is was and to through back {' '.join(_MONTHS)}".lower().split()
)
_FOLLOWING: Final = (
    "a an the and or but to in on at by for with from of as is was were are had has have did would will could can may might "
    "when where which who that he she it they we i you his her its their our this these those there until till through after "
    "before "
    "because while if so then ad bc ce bce"
)
_AFTER_YEAR: Final = frozenset(_FOLLOWING.split())
_BEFORE_DECADE: Final = "(?:the|The|their|his|her|my|our|early|mid|late)[ -]"

_PRONOUNS: Final = {
    "he/she": "he or she",
    "she/he": "she or he",
    "his/her": "his or her",
    "him/her": "him or her",
    "s/he": "she or he",
}

_PHONE: Final = re.compile(r"(?<![\w.,-])(?:\([0-9]{3}\) ?|(?:1[-. ])?[0-9]{3}[-. ])?[0-9]{3}[-.][0-9]{4}(?![\w-]|[.,][0-9])")
_GROUPS: Final = re.compile("[0-9]+")
_HYPHENATED: Final = re.compile(r"(?<![\w-])[0-9]{1,9}+(?:-[0-9]{1,9}+){2,9}+(?![\w-])")
_DOTTED: Final = re.compile(r"(?<![\w.])[0-9]{1,5}+(?:\.[0-9]{1,5}+){2,9}+(?!\w|\.[0-9])")


def rules(tag: str) -> Iterator[Rule]:
    """All of English, in order; `tag` is `en` or `en-GB`."""
    tongue = TONGUES[tag]
    yield from western.addresses(tongue)
    yield from _ST
    yield from western.abbreviations(tongue)
    yield from _NAMED
    yield from western.phones(numerals.spell_digits, tongue.plus)
    yield Rule(_PHONE, lambda match: _say_groups(match[0]))
    yield from western.dates(tongue)
    yield from _DATE
    yield from _TIMES
    yield from _DECADES
    yield from western.money(tongue)
    yield _HALF_A
    yield _FEET
    yield from western.measures(tongue)
    yield from western.fractions(tongue)
    yield from _POWERS
    yield Rule(_HYPHENATED, lambda match: _say_groups(match[0]))
    yield Rule(_DOTTED, lambda match: _say_dotted(match[0]))
    yield from western.ranges(tongue)
    yield from _ROMAN_RULES
    yield from _INITIALISMS
    yield _SLASH
    yield from western.signs(tongue)
    yield _numbers(tag)


def _numbers(tag: str) -> Rule:
    """Whatever is left of numbers, as words, parted from the letters beside them."""
    number = western.number(TONGUES[tag])

    def say(match: re.Match[str]) -> str:
        words = _say_number(match, british=tag == "en-GB")
        start, end = match.span()
        before, after = match.string[max(0, start - 1) : start], match.string[end : end + 1]
        return f"{' ' * before.isalpha()}{words}{' ' * after.isalpha()}"

    return Rule(
        re.compile(
            rf"(?:(?<![\w)\]])(?P<minus>[-−])(?=\.?[0-9])|(?<=[A-Za-z])-(?=[0-9]))?"
            rf"(?:(?<![\w.])\.(?P<only>[0-9]++)|(?P<n>{number}))(?P<suffix>(?:st|nd|rd|th)(?!\w))?+"
        ),
        say,
    )


def _say_number(match: re.Match[str], *, british: bool) -> str:
    minus = "minus " if match["minus"] else " " if match[0][0] == "-" else ""
    if match["only"]:
        return minus + numerals.decimal("", match["only"], british=british)
    whole, _, fraction = match["n"].replace(",", "").partition(".")
    if fraction:
        return minus + numerals.decimal(whole, fraction, british=british)
    if match["suffix"]:
        return minus + numerals.ordinal(whole, british=british)
    if not match["minus"] and _is_year(match):
        return minus + numerals.year(whole, british=british)
    return minus + numerals.cardinal(whole, british=british)


def _is_year(match: re.Match[str]) -> bool:
    """As the head of this file says."""
    if re.fullmatch(_YEAR, match["n"]) is None:
        return False
    before, after = match.string[max(0, match.start() - 24) : match.start()], match.string[match.end() : match.end() + 24]
    if re.match(rf" to {_YEAR}(?!\w)", after) or re.search(rf"(?<!\w)(?:{_YEAR}|[a-z]-{{0,1}}[a-z]{{2,9}}) to $", before):
        return True
    following = re.match(r" ([\w']+)", after)
    if re.search(r"\b[Tt]he $", before):
        return following is not None and (following[1][0].isupper() or not following[1].endswith("s"))
    is_alone = following is None or following[1].lower() in _AFTER_YEAR
    preceding = re.search(r"([A-Za-z]+)[ -]$", before)
    may_be = (
        not before.strip() or before.rstrip()[-1] in ",(;[" or (preceding is not None and preceding[1].lower() in _BEFORE_YEAR)
    )
    return may_be and (is_alone or (following is not None and following[1][0].isupper()))


def _say_dotted(text: str) -> str:
    return " dot ".join(numerals.cardinal(part, british=False) for part in text.split("."))


def _say_groups(text: str) -> str:
    return ", ".join(map(numerals.spell_digits, _GROUPS.findall(text)))


def _roman_cardinal(match: re.Match[str]) -> str:
    words = numerals.cardinal(str(numerals.from_roman(match["roman"])), british=False)
    return words.capitalize() if match["name"].istitle() else words


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


def _say_time(match: re.Match[str]) -> str:
    hour = numerals.cardinal(str(int(match["hour"])), british=False)
    minute, half = match["minute"], _say_half(match)
    if match["second"]:
        seconds = numerals.cardinal(str(int(match["second"])), british=False)
        return (
            f"{hour} {_say_minute(minute or '00') or 'hundred'} and {seconds} second{'s' * (int(match['second']) != 1)}{half}"
        )
    if minute and int(minute):
        return f"{hour} {_say_minute(minute)}{half}"
    if half:
        return hour + half
    if int(match["hour"]) > 12:
        return f"{hour} hundred"
    return f"{hour} o'clock" if int(match["hour"]) else "midnight"


def _say_minute(minute: str) -> str:
    if minute[0] == "0":
        return "oh " + numerals.spell_digits(minute[1]) if minute[1] != "0" else ""
    return numerals.cardinal(minute, british=False)


def _say_half(match: re.Match[str]) -> str:
    """How both engines say letters: "a.m.", "PM"."""
    half = match["half"]
    if not half:
        return ""
    stop = "." if half.endswith(".") and western.ends_sentence(match) else ""
    return " PM" + stop if half.strip()[0] in "pP" else " a.m."


_TENS: Final = ("", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")


def _say_decade(century: str, ten: str) -> str:
    if ten == "0":
        return "two thousands" if century == "20" else numerals.cardinal(century, british=False) + " hundreds"
    said = numerals.cardinal(century, british=False) + " " if century else ""
    return said + _TENS[int(ten)]


def _say_age(match: re.Match[str]) -> str:
    return f"{match['before']}{_TENS[int(match['in'])]}"


_DATE: Final = (
    # March 3rd, 1905; 3 March 1905
    Rule(
        re.compile(
            rf"\b(?P<month>{_MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,/][0-9])(?P<year>,? {_YEAR}(?![\w,-]))?+"
        ),
        _month_and_day,
    ),
    Rule(
        re.compile(rf"(?<![\w.,:/-])(?P<the>[Tt]he )?(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?P<of> of)? (?P<month>{_MONTH})\b"),
        _day_and_month,
    ),
)

_HALF_OF_DAY: Final = r"(?P<half> ?[AaPp](?:\.[Mm]\.|[Mm](?!\w)))"
_TIMES: Final = (
    # 3:45 pm, 15:30, 10:30:15
    Rule(
        re.compile(
            rf"(?<![\w:.,/])(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?{_HALF_OF_DAY}?+(?![\w:])"
        ),
        _say_time,
    ),
    # 3 pm
    Rule(
        re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?P<minute>)(?P<second>)?{_HALF_OF_DAY}"),
        _say_time,
    ),
)

_DECADES: Final = (
    Rule(
        re.compile(r"(?<![\w.,])(?P<century>1[1-9]|20)(?P<ten>[0-9])0'?s\b"),
        lambda match: _say_decade(match["century"], match["ten"]),
    ),
    Rule(re.compile(r"(?<![\w'])'(?P<ten>[1-9])0s\b"), lambda match: _say_decade("", match["ten"])),
    Rule(
        re.compile(rf"\b(?P<before>{_BEFORE_DECADE})(?P<in>[1-9])0s\b"),
        _say_age,
    ),
)

_ST: Final = (
    # Main St.; St. John
    Rule(
        re.compile(r"(?<!\w)(?P<name>[A-Z][a-z]{1,20}|[0-9]{1,3}(?:st|nd|rd|th)) St\.(?!\w)"),
        lambda match: f"{match['name']} Street" + ("." if western.ends_sentence(match) else ""),
        needs_digit=False,
    ),
    Rule(re.compile(r"(?<![\w.])St\. (?=[A-Z])"), "Saint ", needs_digit=False),
)

_LETTERS: Final = {"US": "U S", "WHO": "W H O", "IT": "I T", "SOS": "S O S"}
_AT_WORK: Final = (
    "department|support|team|staff|manager|industry|sector|systems?|services?|company|infrastructure|security|skills"
)
_INITIALISMS: Final = (
    # Words when they are shouted, letters where only a name can stand.
    Rule(
        re.compile(
            r"(?:(?<=\b[Tt]he )|(?<=\b[Ii]n )|(?<=\b[Aa] )|(?<=\bof )|(?<=\bfrom )|(?<=\bacross ))(?:US|WHO)"
            r"(?![\w']|\.\w| [A-Z]{2})"
            rf"|(?<!\w )(?<!\w)US(?= [a-z]{{3}})|(?<!\w)SOS(?!\w)|(?<!\w)IT(?= (?:{_AT_WORK})\b)"
        ),
        lambda match: _LETTERS[match[0]],
        needs_digit=False,
    ),
)

_NAMED: Final = (
    Rule(re.compile(r"(?<!\w)([A-Za-z])\+\+(?!\+)"), lambda match: f"{match[1]} plus plus", needs_digit=False),
    Rule(re.compile(r"(?<!\w)([A-G])#(?!\w)"), lambda match: f"{match[1]} sharp", needs_digit=False),
    Rule(re.compile(r"(?<!\w)#(?=[0-9])"), "number "),
    Rule(re.compile(r"(?<![\w#])#(?=[A-Za-z])"), "hashtag ", needs_digit=False),
    Rule(re.compile(r"(?<![\w~])~ ?(?=[$€£]?[0-9])"), "about "),
    Rule(re.compile(r"(?<=[0-9])[x×](?=[0-9])|(?<=[0-9]) [x×] (?=[0-9])"), " by "),
    Rule(re.compile(r"\b[Aa]nd/or\b"), lambda match: f"{match[0][:3]} or", needs_digit=False),
    Rule(
        re.compile(r"\b(?:[Hh]e/she|[Ss]he/he|[Hh]is/her|[Hh]im/her|s/he)\b"),
        lambda match: _PRONOUNS[match[0].lower()],
        needs_digit=False,
    ),
    Rule(re.compile(r"(?<![\w/])w/o(?![\w/])"), "without", needs_digit=False),
    Rule(re.compile(r"(?<![\w/])w/ ?(?=\w)"), "with ", needs_digit=False),
    Rule(re.compile(r"(?<=[A-Z])/(?=[A-Z]{2})"), " ", needs_digit=False),
    Rule(re.compile(r"(?<![\w/])24/7(?![\w/])"), "twenty-four seven"),
    Rule(re.compile(r"(?<![\w/])9/11(?![\w/])"), "nine eleven"),
)
_SLASH: Final = Rule(re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])"), " slash ", needs_digit=False)
_FEET: Final = Rule(re.compile(r"(?<![\w.,])([1-9])'(1[01]|[0-9])(?:\"|'')"), lambda match: f"{match[1]} feet {match[2]}")
_HALF_A: Final = Rule(re.compile(r"(?<![\w.,/])(?:½|1/2) (?=an? )"), "half ")

_REIGNS: Final = (
    "Henry Louis Elizabeth George Edward Charles James William Richard John Pius Benedict Gregory Leo Innocent Clement "
    "Napoleon Philip Ferdinand Alfonso Frederick Wilhelm Nicholas Alexander Catherine Peter Ivan Mary Ramses Ramesses Ptolemy "
    "Francis "
    "Leopold Christian Gustav Harald Haakon Olav Carl Umberto Pedro Xerxes Darius Cyrus Mehmed Murad Selim Otto Robert David "
    "Baldwin Theodosius Constantine Justinian Urban Boniface Sixtus Julius Adrian Celestine Eugene Honorius Martin Stephen "
    "Michael Rudolf Maximilian Joseph Sigismund Casimir Margaret Margrethe Albert Rainier Paul Felipe Juan Carlos Isabella "
    "Edmund "
    "Ludwig Franz Thutmose Amenhotep Suleiman Victor Emmanuel Charlemagne Jadwiga Anne Jane"
)
_TITLED: Final = "King|Queen|Pope|Emperor|Empress|Tsar|Czar|Sultan|Prince|Princess|Duke|Saint|Pharaoh|Kaiser|John Paul"
_HEADS: Final = (
    "Chapter Part Book Act Scene Volume Section War Article Phase Type Class Level Grade Title Appendix Figure Table Stage "
    "Round Bowl Lesson Unit Episode Canto Psalm Vol Group Division Category Annex Exhibit Schedule Tier"
)
_NO_VERB: Final = "(?! (?:think|am|hope|suppose|know|believe|can|will|would|have)\\b)"
"""Henry, I think."""
_ROMAN_RULES: Final = (
    Rule(
        re.compile(
            rf"\b(?P<name>(?:{_TITLED}) [A-Z]\w{{1,20}}|{any_of(_REIGNS.split())}) "
            rf"(?P<roman>{numerals.ROMAN})(?!\w|'[a-rt-z]|-\w){_NO_VERB}"
        ),
        lambda match: (
            f"{match['name']} the {numerals.ordinal(str(numerals.from_roman(match['roman'])), british=False).capitalize()}"
        ),
        needs_digit=False,
    ),
    Rule(
        re.compile(rf"\b(?P<name>{any_of([*_HEADS.split(), *_HEADS.upper().split()])}) (?P<roman>{numerals.ROMAN})(?![\w'])"),
        lambda match: f"{match['name']} {_roman_cardinal(match)}",
        needs_digit=False,
    ),
    # Rocky IV, Apollo XI: a name and a numeral of two letters or more.
    Rule(
        re.compile(rf"\b(?P<name>[A-Z][a-z]{{2,20}}) (?P<roman>(?=[IVX]{{2}}){numerals.ROMAN})(?![\w'])"),
        lambda match: f"{match['name']} {_roman_cardinal(match)}",
        needs_digit=False,
    ),
)
_POWERS: Final = (
    Rule(re.compile(r"(?<=\w)(?:\^2(?!\w)|²)"), " squared", needs_digit=False),
    Rule(re.compile(r"(?<=\w)(?:\^3(?!\w)|³)"), " cubed", needs_digit=False),
    Rule(re.compile(r"(?<=\w)\^(?=\w)"), " to the power of ", needs_digit=False),
    Rule(re.compile(r"(?<=[0-9]) ?\* ?(?=[0-9])"), " times "),
)
