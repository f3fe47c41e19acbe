"""Rules that languages written like English share: addresses, abbreviations, dates, times, signs.

Numbers stay numerals here, with their thousands joined: espeak-ng reads them, and `english` writes its own as words.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from workers.text.locales.structs import Hindi, Western
from workers.text.normalization import numerals
from workers.text.normalization.numerals import DASH, START, number
from workers.text.normalization.rules import Rule, any_of

_NUMBER_SIGNS: Final = frozenset("°º№§¶")
_WORD_START: Final = r"(?<![\w.\u0900-\u0963])"
"""The place where a word may begin; Python's `\\w` does not know the marks of Devanagari."""
_ADDRESS: Final = r"[!#-;=?-~À-ɏ]"
_TOP: Final = "com|org|net|io|dev|edu|gov|app|info|uk|eu|fr|de|br|jp|cn"
_TRAILING: Final = ".,;:!?)'*_]}"
_IN_RANGE: Final = re.compile(r"(?<!\w)(?:[Dd]e|[Ee]ntre|[Dd]esde|[Hh]asta|a|y) \Z")
"""Words without an article before an hour that begins or ends a range: de 9:00 a 14:00."""
_PART_OF_DAY: Final = re.compile(" (?:de la|del|di) ")
"""The beginning of a part of the day after an hour: de la mañana, di mattina."""
_BEGINNING: Final = re.compile("(?:(?P<last>[^\\W\\d_]{0,9})\\.|[!?…])[\"'»)]?\\s[\"'«(¿¡]?\\Z|\n\n[\"'«(¿¡]?\\Z")
"""The end of the text before a sentence, with the last word of the sentence before it."""
_OPENERS: Final = "\"'«(¿¡"
HALF_OF_DAY: Final = r" ?(?P<half>[AaPp])(?:\. ?[Mm]\.?|[Mm])(?!\w)"
"""The half of the day: a.m., p. m."""
_ITEM: Final = re.compile(r" [0-9]{1,2}[.)] [^\W\d_]")
"""The next item of a numbered list."""
_ARROWS: Final = {"!=": "≠", ">=": "≥", "<=": "≤", "==": "=", "->": "→", "=>": "→", "&&": "&"}
_HOURS: Final = "(?:h|hs|hrs|horas?|heures?|ore|बजे)"
"""Words for hours that may follow a time of day."""


def addresses(locale: Western) -> Iterator[Rule]:
    """Rules for e-mail addresses and URLs: their signs become words, and the scheme is not said."""

    def verbalize(match: re.Match[str]) -> str:
        return _verbalize_address(match, locale.address)

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


def abbreviations(locale: Western) -> Iterator[Rule]:
    """Rules that write abbreviations out. The full stop stays if the abbreviation may end a sentence and does so."""

    def verbalize(match: re.Match[str]) -> str | None:
        short = match[0][:-1]
        if len(short) == 1 and not _is_capital_next(match):
            return None
        words = in_place(locale, match, locale.abbreviations[short])
        return words + ("." if short in locale.may_end and ends_sentence(match) else "")

    yield Rule(re.compile(rf"{_WORD_START}{any_of(locale.abbreviations)}\.(?!\w)"), verbalize, needs_digit=False)
    if joined := [short for short in locale.abbreviations if re.search(r"\.\w{2}", short)]:
        # Sig.ra
        yield Rule(
            re.compile(rf"(?<![\w.]){any_of(joined)}(?!\w)"), lambda match: locale.abbreviations[match[0]], needs_digit=False
        )
    signs = [word for word in locale.before_number if not _NUMBER_SIGNS.isdisjoint(word)]
    words = [word for word in locale.before_number if word not in signs]
    yield Rule(
        re.compile(rf"{_WORD_START}(?:{any_of(words)}\. ?|{any_of(signs)}\.? ?)(?=[0-9])"),
        lambda match: (
            locale.before_number[match[0].rstrip(" ") if match[0].rstrip(" ") in signs else match[0].rstrip(". ")] + " "
        ),
    )


def phones(say_digits: Callable[[str], str], plus: str) -> Iterator[Rule]:
    """The rule for telephone numbers that begin with +: they are said digit by digit, in their groups."""

    def verbalize(match: re.Match[str]) -> str | None:
        text = match[0].rstrip(" .()-")
        groups = re.findall("[0-9]+", text)
        if not 7 <= sum(map(len, groups)) <= 15:
            return None
        return f"{plus} " + ", ".join(map(say_digits, groups)) + match[0][len(text) :]

    yield Rule(re.compile(r"(?<![\w+])\+[0-9][0-9 ().-]{5,22}"), verbalize)


def dates(locale: Western) -> Iterator[Rule]:
    """Rules for dates: 2024-03-05, 5/3/2024, 5.3.2024."""
    yield Rule(
        re.compile(r"(?<![\w/.-])([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(?:T(?=[0-9]{2}:)|(?![\w/-]))"),
        lambda match: _verbalize_date(locale, match[4], match[3], match[1], " " if match[0].endswith("T") else ""),
    )

    def verbalize(match: re.Match[str]) -> str | None:
        day, month, year = match[1], match[3], match[4]
        if len(year) == 2:
            if match[2] != "/":
                return None
            year = ("20" if year < "70" else "19") + year
        if (locale.is_month_first and match[2] != "." and int(day) <= 12) or int(month) > 12:
            day, month = month, day
        return _verbalize_date(locale, day, month, year)

    yield Rule(re.compile(r"(?<![\w/.-])([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![\w/]|[.-][0-9])"), verbalize)


def times(locale: Western) -> Iterator[Rule]:
    """Rules for times of day: 15:30, and 15h30 in French and Portuguese."""

    def verbalize(match: re.Match[str]) -> str:
        number, minute = str(int(match[1])), int(match[2] or 0)
        hour = locale.hours.get(number, number)
        stop = "." if (match["unit"] or "").endswith(".") and ends_sentence(match) else ""
        if minute:
            return clock(locale, locale.time, number).format(hour=hour, minute=minute) + stop
        if match["unit"] and (name := locale.units.get("h")) and locale.language != "hi":
            return f"{hour} {name.one if number == '1' else name.many}{stop}"
        names_part_of_day = _PART_OF_DAY.match(match.string, match.end()) is not None
        is_end = _IN_RANGE.search(match.string[max(0, match.start() - 10) : match.start()]) is not None
        if names_part_of_day or (is_end and locale.language in {"es", "it"}):
            return hour
        return clock(locale, locale.full_hour, number).format(hour=hour)

    yield Rule(
        re.compile(rf"(?<![\w:.,/])([01]?[0-9]|2[0-4]):([0-5][0-9])(?P<unit> ?{_HOURS}(?!\w)(?:(?<=h)\.(?!\w))?+)?+(?![\w:])"),
        verbalize,
    )
    if locale.language in {"fr", "pt"}:
        yield Rule(re.compile(r"(?<![\w:.,/])([01]?[0-9]|2[0-4]) ?h ?([0-5][0-9])(?P<unit>)?(?![0-9])"), verbalize)


def clock(locale: Western, template: str, hour: str) -> str:
    """The words for a time of day, with the singular of the hour where the language has one."""
    return template.replace(*locale.one_hour) if locale.one_hour and hour in {"0", "1"} else template


def named(locale: Western, hashtag: str) -> Iterator[Rule]:
    """Rules for signs next to a letter, a word or a number: C#, #koe, #5, ~30, 2x1, 24/7."""
    words = locale.signs
    yield Rule(re.compile(r"(?<!\w)([CF])#(?!\w)"), lambda match: f"{match[1]} sharp", needs_digit=False)
    yield Rule(re.compile(r"(?<![\w#&])#(?=[^\W\d_])"), f"{hashtag} ", needs_digit=False)
    yield Rule(re.compile(r"(?<![\w#&])#(?=[0-9])"), locale.before_number["№"] + " ")
    yield Rule(re.compile(r"(?<![\w~])~ ?(?=[$€£]?[0-9])"), f"{words['≈']} ")
    yield Rule(re.compile(r"(?<=[0-9]) ?[x×] ?(?=[0-9])"), f" {words['×']} ")
    yield Rule(re.compile(r"(?<![\w/])24/7(?![\w/])"), "24 7")


def ranges(locale: Western) -> Iterator[Rule]:
    """The rule for ranges: 10–20, 1914-1918."""
    n = number(locale)
    yield Rule(
        re.compile(rf"{START}(?<![-–])({n})(?:{DASH}| ?– ?)({n})(?![\w]|{DASH}[\w])"),
        lambda match: f"{match[1]} {locale.to} {match[2]}",
    )


def signs(locale: Western) -> Iterator[Rule]:
    """Rules that replace a sign in a text by the word that a reader says for it."""
    words = locale.signs
    yield Rule(re.compile(r"!=|>=|<=|==|->|=>|&&"), lambda match: _ARROWS[match[0]], needs_digit=False)
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


def numerals_of(locale: Western) -> Iterator[Rule]:
    """Rules for minus signs, decimals and very long numbers, for engines that read whole numbers."""
    points = re.escape("".join(locale.points))

    def verbalize_decimal(match: re.Match[str]) -> str:
        whole, point, rest = match[1], match[2], match[3]
        is_spaced = len(rest) > 2 or rest[0] == "0" or locale.language == "hi"
        return f"{whole} {locale.points[point]} {numerals.part_digits(rest) if is_spaced else rest}"

    yield Rule(re.compile(r"(?<![\w.,:/)\u0900-\u0963-])[-−](?=[0-9])"), f"{locale.minus} ")
    yield Rule(re.compile(rf"{START}([0-9]++)([{points}])([0-9]++)(?![\w]|[{points}][0-9])"), verbalize_decimal)
    yield Rule(re.compile(rf"(?<![0-9])[0-9]{{{numerals.MAX_DIGITS + 1},}}+"), lambda match: numerals.part_digits(match[0]))


def in_place(locale: Western, match: re.Match[str], words: str) -> str:
    """The words for a short form, with a capital if the form has one and begins a sentence."""
    return words[0].upper() + words[1:] if match[0][0].isupper() and begins_sentence(locale, match) else words


def begins_sentence(locale: Western, match: re.Match[str]) -> bool:
    """Whether nothing precedes the match, or a sentence ends before it, and not only an abbreviation."""
    if match.start() < 2 and not match.string[: match.start()].strip(_OPENERS):
        return True
    before = _BEGINNING.search(match.string[max(0, match.start() - 14) : match.start()])
    return before is not None and (before["last"] not in locale.abbreviations or before["last"] in locale.may_end)


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether a sentence may end with the match: nothing, a new paragraph, a capital letter or the number of the next item
    follows it, with or without a quotation mark.
    """
    end = match.end() + (match.string[match.end() : match.end() + 1] in {'"', "'", "”", "»"})
    following = match.string[end : end + 3]
    if not following[:2].strip() or following[0] == "\n":
        return True
    return following[0] == " " and (
        following[1:].lstrip("\"'(“«¿¡")[:1].isupper() or _ITEM.match(match.string, end) is not None
    )


def full_stop(match: re.Match[str]) -> str:
    """The full stop of the abbreviation in `match`, which may have it in its group `stop`, if it also ends a sentence."""
    return "." if match["stop"] and ends_sentence(match) else ""


def _is_capital_next(match: re.Match[str]) -> bool:
    following = match.string[match.end() : match.end() + 2]
    return following[:1] == " " and following[1:].isupper()


def _verbalize_address(match: re.Match[str], words: dict[str, str]) -> str:
    text = match[0].rstrip(_TRAILING)
    body = re.sub(r"\A(?:(?:https?|ftp)://|mailto:)", "", text, flags=re.IGNORECASE).rstrip("/")
    body = re.sub(r"(?<![0-9])[0-9]{5,}", lambda digits: f" {numerals.part_digits(digits[0])} ", body)
    spoken = "".join(f" {words[sign]} " if sign in words else sign for sign in body)
    return re.sub(" {2,}", " ", spoken).strip() + match[0][len(text) :] if body else match[0]


def _verbalize_date(locale: Western, day: str, month: str, year: str, after: str = "") -> str | None:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    day_words = locale.first_day if int(day) == 1 else str(int(day))
    if locale.language == "en":
        day_words = numerals.ordinal(str(int(day)), british=False)
        year = numerals.year(year, british=not locale.is_month_first)
    if isinstance(locale, Hindi):
        year = hundreds(year, locale)
    return locale.date.format(day=day_words, month=locale.months[int(month) - 1], year=year) + after


def hundreds(year: str, locale: Hindi) -> str:
    """A year in Hindi. A year from 1100 to 1999 is said in hundreds: "19 सौ 47"."""
    if not "1100" <= year <= "1999" or len(year) != 4:
        return year
    return f"{year[:2]} {locale.hundred} {int(year[2:]) or ''}".rstrip()
