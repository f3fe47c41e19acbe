"""Says a text as SSML's `say-as` asks: as letters, as a number, as a date.

Why most results are written forms and not words: the rules of each language read "4 March 2024" and "5 kg" already. A number
becomes words only where its written form would be taken for something else, such as a year.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names, parse_pattern
from babel.units import format_unit

from workers.text.locales import loader
from workers.text.locales.structs import EastAsian
from workers.text.normalization import numerals
from workers.text.normalization.tags.letters import spell, spell_digits

_SPACE: Final = re.compile(r"\s++")
_NUMBER: Final = re.compile(r"([-−+]?)([0-9]{1,15})(?:([.,])([0-9]{1,15}))?")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([ .,'’\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3}){0,4}")
_ORDINAL_END: Final = re.compile(r"(?<=[0-9])(?:st|nd|rd|th|º|ª|°|er|re|e|ème|\.)\Z")
_FRACTION: Final = re.compile(r"(?:([0-9]{1,9})(?: ?\+ ?| ))?([0-9]{1,9}) ?[/⁄] ?([0-9]{1,9})")
_DURATION: Final = re.compile("(?:([0-9]{1,4})['′])?(?:([0-9]{1,4})(?:\"|″|''))?")
_PARTS: Final = re.compile(r"[0-9]{1,4}")
_FORMATS: Final = ("ymd", "mdy", "dmy", "ydm", "md", "dm", "ym", "my", "y", "m", "d")
_YEAR: Final = re.compile(r"^y+[^\sa-zA-Z']?\s*|(?<![\s,])[\s,]*+(?:'de' )?y.*$")
"""The year in CLDR's form of a date."""
_PIVOT: Final = 50
"""A year of two digits below this is of this century."""

_Say = Callable[[str, str, str], str | None]


def say_as(text: str, attributes: Mapping[str, str], language: str) -> str | None:
    """Returns what is written instead of `text`; None if it stays. `language`: BCP 47 tag."""
    kind = (attributes.get("interpret-as") or attributes.get("type") or "").lower().replace("_", "-")
    form = attributes.get("format", "").lower()
    name, _, rest = kind.partition(":")
    say = _KINDS.get(form if name == "number" and form in _KINDS else rest if rest in _KINDS else name)
    return say(_SPACE.sub(" ", text).strip(), form or rest, language) if say else None


def _characters(text: str, _: str, language: str) -> str | None:
    return spell(text, language)


def _digits(text: str, _: str, language: str) -> str | None:
    return spell_digits(text, language)


def _cardinal(text: str, _: str, language: str) -> str | None:
    roman = re.fullmatch(numerals.ROMAN, text)
    match = _NUMBER.fullmatch(str(numerals.from_roman(text)) if roman else _ungroup(text))
    if match is None:
        return None
    sign, whole, point, fraction = match.groups()
    whole = whole.lstrip("0") or "0"
    minus = "-" if sign in {"-", "−"} else ""
    short = _short(language)
    if short == "en":
        british = language.lower() == "en-gb"
        words = numerals.decimal(whole, fraction, british=british) if fraction else numerals.cardinal(whole, british=british)
        return ("minus " if minus else "") + words
    if short in loader.ROMANCE and not fraction:
        return (f"{loader.romance(short).minus} " if minus else "") + numerals.in_words(int(whole), short)
    return f"{minus}{whole}{point or ''}{fraction or ''}"


def _ordinal(text: str, form: str, language: str) -> str | None:
    roman = re.fullmatch(numerals.ROMAN, text)
    digits = str(numerals.from_roman(text)) if roman else _ORDINAL_END.sub("", _ungroup(text))
    if not re.fullmatch("[0-9]{1,6}", digits) or not int(digits):
        return None
    n, short = int(digits), _short(language)
    if short == "en":
        return numerals.ordinal(str(n), british=language.lower() == "en-gb")
    if short in loader.ROMANCE:
        is_feminine = form in {"f", "feminine"} or text.endswith(("ª", "re"))
        return numerals.named_ordinal(n, short, is_feminine=is_feminine)
    words = loader.find(language).say_as
    if n <= len(words.ordinals):
        return words.ordinals[n - 1]
    return words.ordinal.format(n) if words.ordinal else None


def _telephone(text: str, _: str, language: str) -> str | None:
    locale = loader.find(language)
    words = locale.phone_digits if isinstance(locale, EastAsian) else None
    between = locale.between_groups if isinstance(locale, EastAsian) else ", "
    plus = getattr(locale, "plus", "")
    digits = re.findall("[0-9]{1,30}", text)
    is_paired = _short(language) == "fr" and all(len(group) == 2 for group in digits)
    groups = [group if is_paired and group[0] != "0" else spell_digits(group, language, words) or "" for group in digits]
    if not groups or re.search(r"[^\W\d_]", text):
        return None
    return (f"{plus} " if text.startswith("+") and plus else "") + between.join(groups)


def _date(text: str, form: str, language: str) -> str | None:
    """Returns a date as the language writes it: "March 4, 2024". `form`: the order of its parts, such as `mdy`."""
    parts = _PARTS.findall(_apart(text, form))
    order = "".join(letter for letter in form if letter in "ymd") or _guess(parts)
    if order not in _FORMATS or len(parts) != len(order) or re.search(r"[^\W\d_]", text):
        return None
    number = {letter: int(part) for letter, part in zip(order, parts, strict=True)}
    year = number.get("y", 2000)
    if "y" in number and len(parts[order.index("y")]) == 2:
        year += 2000 if year < _PIVOT else 1900
    if order == "y":
        return _year(year, language)
    if order == "d":
        return _day(number["d"], language)
    try:
        date = datetime.date(year, number.get("m", 1), number.get("d", 1))
        return _written(date, "".join(sorted(order)), Locale.parse(language, sep="-"))
    except (ValueError, KeyError, UnknownLocaleError):
        return None


def _written(date: datetime.date, parts: str, locale: Locale) -> str:
    """Returns the `parts` of a date as people write it with words. `parts`: `dmy`, `dm`, `my` or `m`."""
    if parts == "m":
        return str(get_month_names("wide", "stand-alone", locale=locale)[date.month])
    if parts == "my":
        return str(locale.datetime_skeletons["yMMMM"].apply(date, locale))
    whole = locale.date_formats["long"].pattern
    return str(parse_pattern(whole if parts == "dmy" else _YEAR.sub("", whole)).apply(date, locale))


def _apart(text: str, form: str) -> str:
    """Returns a date of eight digits with spaces between its parts."""
    match = re.fullmatch("[0-9]{8}", text)
    if match is None or form not in {"ymd", "mdy", "dmy", "ydm", "yyyymmdd", ""}:
        return text
    return f"{text[:4]} {text[4:6]} {text[6:]}" if not form.startswith(("m", "d")) else f"{text[:2]} {text[2:4]} {text[4:]}"


def _guess(parts: list[str]) -> str:
    """Returns the order of a date that begins with its year; empty for any other, which the rules of the language read."""
    is_year_first = len(parts) in {2, 3} and len(parts[0]) == len("2024")
    return "ymd"[: len(parts)] if is_year_first else ""


def _year(year: int, language: str) -> str:
    if _short(language) == "en":
        return numerals.year(str(year), british=language.lower() == "en-gb")
    return f"{year}年" if _short(language) in {"ja", "zh"} else str(year)


def _day(day: int, language: str) -> str:
    if _short(language) == "en":
        return numerals.ordinal(str(day), british=False)
    return f"{day}日" if _short(language) in {"ja", "zh"} else str(day)


def _time(text: str, _: str, language: str) -> str | None:
    """Returns minutes and seconds with the names of the units, for 1'21"."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    if _short(language) in {"ja", "zh"}:
        # Babel lacks the names.
        return "".join(f"{n}{unit}" for n, unit in zip(match.groups(), "分秒", strict=True) if n is not None)
    units = ((match[1], "duration-minute"), (match[2], "duration-second"))
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    return " ".join(format_unit(int(n), unit, locale=locale) for n, unit in units if n is not None)


def _fraction(text: str, _: str, language: str) -> str | None:
    match = _FRACTION.fullmatch(text)
    if match is None:
        return None
    whole, over, under = match.groups()
    if _short(language) != "en" or not int(under):
        return f"{whole} {over}/{under}" if whole else f"{over}/{under}"
    british = language.lower() == "en-gb"
    name = {1: "over one", 2: "half", 4: "quarter"}.get(int(under)) or numerals.ordinal(under, british=british)
    words = f"{numerals.cardinal(over, british=british)} {name}"
    if int(over) != 1 and int(under) > 1:
        words = words.removesuffix("half") + "halves" if int(under) == 2 else f"{words}s"
    if whole is None:
        return words
    article = "an" if name[0] in "aeiou" else "a"
    rest = f"{article} {name}" if int(over) == 1 else words
    return f"{numerals.cardinal(whole, british=british)} and {rest}"


def _ungroup(text: str) -> str:
    """Returns a number without the signs between its thousands."""
    sign = text[0] if text[:1] in {"-", "−", "+"} else ""
    number = text[len(sign) :].strip()
    match = _GROUPED.match(number)
    if match and match.end() and not number[match.end() : match.end() + 1].isdigit():
        return sign + match[0].replace(match[1], "") + number[match.end() :]
    return sign + number


def _short(language: str) -> str:
    return language.partition("-")[0].lower()


_KINDS: Final[dict[str, _Say]] = {
    **dict.fromkeys(("characters", "character", "spell-out", "spell", "letters", "verbatim"), _characters),
    **dict.fromkeys(("cardinal", "number", "integer"), _cardinal),
    "ordinal": _ordinal,
    **dict.fromkeys(("digits", "digit", "number-digit"), _digits),
    **dict.fromkeys(("telephone", "phone"), _telephone),
    "date": _date,
    **dict.fromkeys(("time", "duration"), _time),
    "fraction": _fraction,
}
"""Kinds that change a text. `currency`, `unit`, `address` and others leave it to the rules of the language."""
