"""Normalization that languages written like English share: addresses, abbreviations, dates, times, money, units, signs.

The numbers stay numerals here, with their thousands together: espeak-ng reads those, and `english` beside it spells its own.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from workers.text.normalization import numerals
from workers.text.normalization.agreement import counted
from workers.text.normalization.locales import Money, Name, Tongue
from workers.text.normalization.rules import Rule, any_of

_START: Final = r"(?<![\w.,])"
"""No number begins within a word or another number."""
_ADDRESS: Final = r"[!#-;=?-~À-ɏ]"
_TOP: Final = "com|org|net|io|dev|edu|gov|app|info|uk|eu|fr|de|br|jp|cn"
_TRAILING: Final = ".,;:!?)'*_]}"
_FRACTIONS: Final = "1/2 1/3 2/3 1/4 3/4 1/5 2/5 3/5 4/5 1/6 5/6 1/7 1/8 3/8 5/8 7/8 1/9 1/10"
_FRACTION_SIGNS: Final = dict(zip("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒", _FRACTIONS.split(), strict=True))
_HINDI_QUARTERS: Final[dict[str, Callable[[int], str]]] = {
    "1/2": lambda whole: {1: "डेढ़", 2: "ढाई"}.get(whole, f"साढ़े {whole}"),
    "1/4": lambda whole: "सवा" if whole == 1 else f"सवा {whole}",
    "3/4": lambda whole: f"पौने {whole + 1}",
}
"""A number and a quarter, a half or three quarters have names of their own."""
_DASH: Final = "[-‐‑–—]"
_ARTICLE: Final = re.compile(r"(?<!\w)(?:[Aa]n?|[Tt]he) \Z")
_WORD_AFTER: Final = re.compile(r" ([a-z]{2,7})")
_LITTLE_WORDS: Final = "of and or in on at to from for is was that which we they you he she it per each with as by are were"
_NO_NOUNS: Final = frozenset(_LITTLE_WORDS.split())
_PART_OF_DAY: Final = re.compile(" (?:de la|del|di) ")
"""Behind an hour: de la mañana, di mattina."""
_ARROWS: Final = {"!=": "≠", ">=": "≥", "<=": "≤", "==": "=", "->": "→", "=>": "→"}
_HOURS: Final = "(?:h|hs|hrs|horas?|heures?|ore|बजे)"
"""What may be written behind a time of day."""
_LABELLED: Final = re.compile(
    r"(?i:\b(?:seats?|gate|room|row|apartment|apt|section|unit|flat|floor|class|bus|route|exit|platform|terminal|table|figure|"
    r"building|suite|number|form|grade|bay|line|page|lot|car)) \Z"
)
"""What is numbered and lettered: seat 7A."""
_TIGHT: Final = frozenset("A")
"""Units that are words or names when they stand apart from their number."""


def number(tongue: Tongue) -> str:
    """A pattern of a number without a sign; its thousands are together but in English, where the comma tells it from a year."""
    points = re.escape("".join(tongue.points))
    grouped = "[0-9]{1,3}(?:,[0-9]{3}){1,8}+(?![0-9])|" if tongue.language == "en" else ""
    return rf"(?:{grouped}[0-9]++)(?:[{points}][0-9]++)?+"


def ungroup(tongue: Tongue) -> Iterator[Rule]:
    """Thousands put together: "2.500", "2 500", "12,34,567"."""
    size = "{2,3}" if tongue.language == "hi" else "{3}"
    groups = tongue.group + ("," if tongue.language == "es" else "")
    for sign in groups:
        text = re.escape(sign)
        pattern = rf"(?<![\w.,])(?<![0-9] )[1-9][0-9]{{0,2}}(?:{text}[0-9]{size}){{1,8}}+(?![0-9]| [0-9]|{text}[0-9])"
        yield Rule(re.compile(pattern), partial(_take_out, sign))


def addresses(tongue: Tongue) -> Iterator[Rule]:
    """E-mail addresses and URLs, with the words for their signs; the scheme is not said."""

    def verbalize(match: re.Match[str]) -> str:
        return _verbalize_address(match, tongue.address)

    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9])(?:https?|ftp)://{_ADDRESS}{{1,2000}}+", re.IGNORECASE), verbalize, needs_digit=False
    )
    yield Rule(re.compile(rf"(?<![\w@.])www\.(?=\w){_ADDRESS}{{1,2000}}+", re.IGNORECASE), verbalize, needs_digit=False)
    yield Rule(
        re.compile(r"(?<![A-Za-z0-9._%+-])(?:mailto:)?[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}"),
        verbalize,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<![\w@.-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,6}}(?:{_TOP})(?![\w-]|\.\w)(?:[/?:]{_ADDRESS}{{0,2000}}+)?+"),
        verbalize,
        needs_digit=False,
    )


def abbreviations(tongue: Tongue) -> Iterator[Rule]:
    """Written out. Where one may end a sentence and does, its full stop stays."""

    def verbalize(match: re.Match[str]) -> str | None:
        short = match[0][:-1]
        if len(short) == 1 and not _is_capital_next(match):
            return None
        return tongue.abbreviations[short] + ("." if short in tongue.may_end and ends_sentence(match) else "")

    yield Rule(re.compile(rf"(?<![\w.]){any_of(tongue.abbreviations)}\.(?!\w)"), verbalize, needs_digit=False)
    if joined := [short for short in tongue.abbreviations if re.search(r"\.\w{2}", short)]:
        # Sig.ra
        yield Rule(
            re.compile(rf"(?<![\w.]){any_of(joined)}(?!\w)"), lambda match: tongue.abbreviations[match[0]], needs_digit=False
        )
    signs = [word for word in tongue.before_number if word[-1] in "°º№§"]
    words = [word for word in tongue.before_number if word not in signs]
    yield Rule(
        re.compile(rf"(?<![\w.])(?:{any_of(words)}\. ?|{any_of(signs)}\.? ?)(?=[0-9])"),
        lambda match: (
            tongue.before_number[match[0].rstrip(" ") if match[0].rstrip(" ") in signs else match[0].rstrip(". ")] + " "
        ),
    )


def phones(say_digits: Callable[[str], str], plus: str) -> Iterator[Rule]:
    """Numbers that begin with + are said digit by digit, in their groups."""

    def verbalize(match: re.Match[str]) -> str | None:
        text = match[0].rstrip(" .()-")
        groups = re.findall("[0-9]+", text)
        if not 7 <= sum(map(len, groups)) <= 15:
            return None
        return f"{plus} " + ", ".join(map(say_digits, groups)) + match[0][len(text) :]

    yield Rule(re.compile(r"(?<![\w+])\+[0-9][0-9 ().-]{5,22}"), verbalize)


def dates(tongue: Tongue) -> Iterator[Rule]:
    """2024-03-05, 5/3/2024, 5.3.2024."""
    yield Rule(
        re.compile(r"(?<![\w/.-])([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(?:T(?=[0-9]{2}:)|(?![\w/-]))"),
        lambda match: _verbalize_date(tongue, match[4], match[3], match[1], " " if match[0].endswith("T") else ""),
    )

    def verbalize(match: re.Match[str]) -> str | None:
        day, month, year = match[1], match[3], match[4]
        if len(year) == 2:
            if match[2] != "/":
                return None
            year = ("20" if year < "70" else "19") + year
        if (tongue.is_month_first and match[2] != "." and int(day) <= 12) or int(month) > 12:
            day, month = month, day
        return _verbalize_date(tongue, day, month, year)

    yield Rule(re.compile(r"(?<![\w/.-])([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![\w/]|[.-][0-9])"), verbalize)


def times(tongue: Tongue) -> Iterator[Rule]:
    """15:30, and where it is written so 15h30."""

    def verbalize(match: re.Match[str]) -> str:
        number, minute = str(int(match[1])), int(match[2] or 0)
        hour = tongue.hours.get(number, number)
        if minute:
            return tongue.time.format(hour=hour, minute=minute)
        if match["unit"] and (name := tongue.units.get("h")) and tongue.language != "hi":
            return f"{hour} {name.one if number == '1' else name.many}"
        is_told = _PART_OF_DAY.match(match.string, match.end()) is not None
        return hour if is_told else tongue.full_hour.format(hour=hour)

    yield Rule(re.compile(rf"(?<![\w:.,/])([01]?[0-9]|2[0-4]):([0-5][0-9])(?P<unit> ?{_HOURS}(?!\w))?+(?![\w:])"), verbalize)
    if tongue.language in {"fr", "pt"}:
        yield Rule(re.compile(r"(?<![\w:.,/])([01]?[0-9]|2[0-4]) ?h ?([0-5][0-9])(?P<unit>)?(?![0-9])"), verbalize)


def money(tongue: Tongue) -> Iterator[Rule]:
    """$12.50, 12,50 €, -$5, $5–10, $1.2 million."""
    n, signs, scales = number(tongue), any_of(tongue.money), any_of(tongue.scales)
    scale = rf"(?: ?(?P<scale>{scales})(?!\w))?+"

    def verbalize(match: re.Match[str]) -> str:
        minus = f"{tongue.minus} " if match["minus"] else ""
        first = f"{match['first']} {tongue.to} " if match["first"] else ""
        return minus + first + _verbalize_money(tongue, tongue.money[match["sign"]], match["n"], match["scale"])

    yield Rule(
        re.compile(rf"(?<![\w$€£])(?P<minus>[-−])?(?P<sign>{signs}) ?(?:(?P<first>{n}){_DASH}{signs}?)?(?P<n>{n}){scale}"),
        verbalize,
    )
    yield Rule(
        re.compile(rf"{_START}(?P<minus>(?<!\w)[-−])?(?:(?P<first>{n}){_DASH})?(?P<n>{n}){scale} ?(?P<sign>{signs})(?!\w)"),
        verbalize,
    )


def measures(tongue: Tongue) -> Iterator[Rule]:
    """Percent, degrees, units."""
    n = rf"{_START}(?P<n>{number(tongue)})"
    yield Rule(re.compile(rf"{n} ?%"), lambda match: f"{match['n']} {tongue.percent}")
    yield Rule(re.compile(rf"{n} ?‰"), lambda match: f"{match['n']} {tongue.per_mille}")
    scales = {"C": tongue.celsius, "F": "Fahrenheit"}
    yield Rule(
        re.compile(rf"{n} ?(?:° ?(?P<scale>[CF])(?!\w)|℃)"),
        lambda match: f"{_count(tongue, match['n'], tongue.degrees)} {scales[match['scale'] or 'C']}",
    )
    yield Rule(re.compile(rf"{n} ?°"), lambda match: _count(tongue, match["n"], tongue.degrees) + " ")

    def verbalize(match: re.Match[str]) -> str | None:
        name = tongue.units[match["unit"]]
        before = match.string[max(0, match.start() - 12) : match.start()]
        if tongue.language == "en" and len(match["unit"]) == 1 and _LABELLED.search(before):
            return None
        if match["space"] == "-" or (tongue.language == "en" and _describes(match)):
            return f"{match['n']} {name.one}"
        return None if match["space"] and match["unit"] in _TIGHT else _count(tongue, match["n"], name)

    yield Rule(re.compile(rf"{n}(?P<space>[ -]?)(?P<unit>{any_of(tongue.units)})(?![\w/²³'])"), verbalize)


def fractions(tongue: Tongue) -> Iterator[Rule]:
    """½, 1½, 3/4; two numbers that are none of these are the one over the other."""
    signs = "".join(_FRACTION_SIGNS)

    def verbalize(match: re.Match[str]) -> str:
        text = _FRACTION_SIGNS.get(match["sign"], match["sign"])
        alone = tongue.fractions.get(text, text.replace("/", f" {tongue.over} "))
        unit = Name(tongue.percent, tongue.percent) if match["unit"] == "%" else tongue.units.get(match["unit"] or "")
        if match["whole"] is None:
            return alone + (_part_of(tongue, unit, match["unit"]) if unit else "")
        many = f" {unit.many}" if unit else ""
        if tongue.language == "hi" and text in _HINDI_QUARTERS:
            return _HINDI_QUARTERS[text](int(match["whole"])) + many
        return f"{match['whole']} " + tongue.and_fractions.get(text, f"{tongue.signs['&']} {alone}") + many

    units = any_of(["%", *(unit for unit in tongue.units if unit not in _TIGHT)])
    of = rf"(?: ?(?P<unit>{units})(?![\w/²³']))?+"
    yield Rule(re.compile(rf"(?:{_START}(?P<whole>[0-9]{{1,9}}) ?)?(?P<sign>[{signs}]){of}"), verbalize)
    yield Rule(
        re.compile(rf"{_START}(?<!/)(?:(?P<whole>[0-9]{{1,4}}) )?(?P<sign>[0-9]{{1,4}}/[0-9]{{1,4}})(?![\w/])(?!²|³){of}"),
        verbalize,
    )


def _part_of(tongue: Tongue, unit: Name, sign: str) -> str:
    """What is behind three quarters: " kilometer", " de kilómetro"."""
    if sign == "%" or tongue.language not in {"es", "fr", "it", "pt"}:
        return f" {unit.one}"
    return " d'" + unit.one if tongue.language == "fr" and unit.one[0] in "aeiouhé" else tongue.of_scale + unit.one


def ranges(tongue: Tongue) -> Iterator[Rule]:
    """10–20, 1914-1918."""
    n = number(tongue)
    yield Rule(
        re.compile(rf"{_START}(?<![-–])({n})(?:{_DASH}| ?– ?)({n})(?![\w]|{_DASH}[\w])"),
        lambda match: f"{match[1]} {tongue.to} {match[2]}",
    )


def signs(tongue: Tongue) -> Iterator[Rule]:
    """What a reader says for a sign that stands in a text."""
    words = tongue.signs
    yield Rule(re.compile(r"!=|>=|<=|==|->|=>"), lambda match: _ARROWS[match[0]], needs_digit=False)
    loose = "".join(sign for sign in words if sign not in "+<>#@%°=&")
    yield Rule(re.compile(rf"[{loose}=&]"), lambda match: f" {words[match[0]]} ", needs_digit=False)
    yield Rule(
        re.compile(r"(?<=[0-9A-Za-z)])(?<!\+)\+{1,3}(?!\+)|(?<!\+)\+(?= ?[0-9A-Za-z(])"),
        lambda match: f" {words['+']} " * len(match[0]),
        needs_digit=False,
    )
    yield Rule(
        re.compile(r"(?<=[\w)] )[<>](?= [\w(-])|(?<=[0-9])[<>](?=[0-9])|(?<![\w<>=])[<>](?=[0-9])"),
        lambda match: f" {words[match[0]]} ",
        needs_digit=False,
    )
    yield Rule(re.compile(r"(?<![\w@])@(?=\w)|(?<=\w )@(?= \w)"), f" {words['@']} ", needs_digit=False)


def numerals_of(tongue: Tongue) -> Iterator[Rule]:
    """Decimals and minus signs, for engines that read whole numbers."""
    points = re.escape("".join(tongue.points))

    def verbalize_decimal(match: re.Match[str]) -> str:
        whole, point, rest = match[1], match[2], match[3]
        is_spaced = len(rest) > 2 or rest[0] == "0" or tongue.language == "hi"
        return f"{whole} {tongue.points[point]} {numerals.part_digits(rest) if is_spaced else rest}"

    yield Rule(re.compile(r"(?<![\w.,:/)-])[-−](?=[0-9])"), f"{tongue.minus} ")
    yield Rule(re.compile(rf"{_START}([0-9]++)([{points}])([0-9]++)(?![\w]|[{points}][0-9])"), verbalize_decimal)
    yield Rule(re.compile(rf"(?<![0-9])[0-9]{{{numerals.MOST_DIGITS + 1},}}+"), lambda match: numerals.part_digits(match[0]))


def hindi_year(text: str) -> str:
    """A year, in hundreds as far as it is said so: "19 सौ 47"."""
    if not "1100" <= text <= "1999" or len(text) != 4:
        return text
    return f"{text[:2]} सौ {int(text[2:]) or ''}".rstrip()


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether a sentence may end with what is matched: nothing, a new paragraph or a capital letter follows."""
    following = match.string[match.end() : match.end() + 2]
    return not following.strip() or following[0] == "\n" or (following[0] == " " and following[1:].isupper())


def _is_capital_next(match: re.Match[str]) -> bool:
    following = match.string[match.end() : match.end() + 2]
    return following[:1] == " " and following[1:].isupper()


def _take_out(sign: str, match: re.Match[str]) -> str:
    return match[0].replace(sign, "")


def _describes(match: re.Match[str]) -> bool:
    """Whether a measure in English stands before what it measures: "the 100m final"."""
    before, after = match.string[max(0, match.start() - 4) : match.start()], match.string[match.end() : match.end() + 8]
    following = _WORD_AFTER.match(after)
    return _ARTICLE.search(before) is not None and following is not None and following[1] not in _NO_NOUNS


def _verbalize_address(match: re.Match[str], words: dict[str, str]) -> str:
    text = match[0].rstrip(_TRAILING)
    body = re.sub(r"\A(?:(?:https?|ftp)://|mailto:)", "", text, flags=re.IGNORECASE).rstrip("/")
    spoken = "".join(f" {words[sign].strip()} " if sign in words else sign for sign in body)
    return spoken.strip() + match[0][len(text) :] if body else match[0]


def _verbalize_date(tongue: Tongue, day: str, month: str, year: str, after: str = "") -> str | None:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    said_day = tongue.first_day if int(day) == 1 else str(int(day))
    if tongue.language == "en":
        said_day = numerals.ordinal(str(int(day)), british=False)
        year = numerals.year(year, british=not tongue.is_month_first)
    if tongue.language == "hi":
        year = hindi_year(year)
    return tongue.date.format(day=said_day, month=tongue.months[int(month) - 1], year=year) + after


def _count(tongue: Tongue, n: str, name: Name) -> str:
    """So many of them, the number agreeing with what it counts."""
    return counted(n, name.one if n == "1" else name.many, tongue.language, is_feminine=name.is_feminine)


def _verbalize_money(tongue: Tongue, currency: Money, n: str, scale: str | None) -> str:
    if scale:
        of = tongue.of_scale if tongue.scales[scale] != "mil" else " "
        name = currency.unit.many
        if tongue.language == "fr" and name[0] in "aeiou":
            of = " d'"
        return f"{n} {tongue.scales[scale]}{of}{name}"
    point = next((sign for sign in reversed(n) if sign in tongue.points), "")
    whole, _, rest = n.rpartition(point) if point and n[-3:-2] == point else (n, "", "")
    if not rest or currency.hundredth is None:
        return _count(tongue, n, currency.unit)
    hundredths = _count(tongue, str(int(rest)), currency.hundredth)
    if not int(rest):
        return _count(tongue, whole, currency.unit)
    return hundredths if whole == "0" else _count(tongue, whole, currency.unit) + tongue.cents + hundredths
