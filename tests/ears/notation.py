"""Writes the figures and signs of a transcript as words, in every way in which people say them.

Why several ways: Whisper writes "911" for "nine one one" and for "nine hundred eleven". The spelling nearest to the intended
words counts.

Why not with Koe's own rules: they would mend a wrong reading. The transcript of "two point five m people" would be read as
millions again. So a spelling here has no word that its sign does not stand for.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from tests.ears.numbers import digit_by_digit, in_pairs, ordinals, quantities, quantity, roman, whole_numbers

_TABLES: Final = Path(__file__).parent / "texts" / "notation.toml"
_N_ROUNDS: Final = 2
"""The first choice is made while the later ones are still wrong, so it is made again."""


class Notation(msgspec.Struct, frozen=True):
    """The signs of one language, each with the words that it stands for."""

    marks: dict[str, str]
    """Marks before decimals."""
    groups: str
    """Marks between the groups of a large number."""
    group_sizes: str = "3"
    """Digits in such a group; from `2,3` to allow two as in India."""
    to: tuple[str, ...] = ()
    """Words for - between two numbers. An empty one: the numbers follow each other."""
    minus: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    """Ways to say the time {hour}:{minute}."""
    full_hour: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
    """Ways to say an amount with hundredths."""
    scales: tuple[str, ...] = ()
    """Words between a number and its currency."""
    of_scale: str = " "
    currencies: dict[str, tuple[str, ...]] = {}
    hundredths: tuple[str, ...] = ()
    units: dict[str, tuple[str, ...]] = {}
    """Signs after a number."""
    signs: dict[str, tuple[str, ...]] = {}
    """Signs and short words anywhere."""
    ordinal_endings: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    """Months, if a day next to them may be said as an ordinal."""
    fraction: tuple[str, ...] = ()
    """Ways to say {over}/{under}."""
    has_spaces: bool = True
    """Whether spaces stand between words."""


class _Place(msgspec.Struct, frozen=True):
    """A part of the text, and all words that it may stand for."""

    start: int
    end: int
    words: Sequence[str]


_Read = Callable[[re.Match[str]], Iterable[str]]


def nearest_spelling(text: str, language: str, n_errors: Callable[[str], float]) -> str:
    """Returns `text` with its figures and signs as words: of the ways to say each, the one with the fewest errors."""
    subtag = language.partition("-")[0]
    places = _places(text, _rules(subtag)) if subtag in _notations() else []
    space = " " if places and _notations()[subtag].has_spaces else ""
    chosen = [place.words[0] for place in places]

    def spelled(at: int, words: str) -> str:
        return _put(text, places, [*chosen[:at], words, *chosen[at + 1 :]], space)

    for at, place in _N_ROUNDS * list(enumerate(places)):
        if len(place.words) > 1:
            chosen[at] = min(place.words, key=lambda words, at=at: n_errors(spelled(at, words)))  # type: ignore[misc]
    return _put(text, places, chosen, space)


def _put(text: str, places: Sequence[_Place], words: Sequence[str], space: str) -> str:
    """Returns `text` with these words at these places."""
    pieces, end = [], 0
    for place, one in zip(places, words, strict=True):
        pieces += [text[end : place.start], f"{space}{one}{space}"]
        end = place.end
    return "".join(pieces) + text[end:]


def _places(text: str, rules: Iterable[tuple[re.Pattern[str], _Read]]) -> list[_Place]:
    """Returns the places in order. Where two overlap, that of the earlier rule counts."""
    found: list[_Place] = []
    for pattern, read in rules:
        for match in pattern.finditer(text):
            is_free = all(match.end() <= place.start or place.end <= match.start() for place in found)
            if is_free and (words := list(dict.fromkeys(read(match)))):
                found.append(_Place(match.start(), match.end(), words))
    return sorted(found, key=lambda place: place.start)


@cache
def _rules(subtag: str) -> list[tuple[re.Pattern[str], _Read]]:
    return [(re.compile(pattern), read) for pattern, read in _Reader(subtag).rules()]


class _Reader:
    """Reads the signs of one language."""

    def __init__(self, subtag: str) -> None:
        self._subtag = subtag
        self._table = _notations()[subtag]

    def rules(self) -> Iterator[tuple[str, _Read]]:
        """Yields the patterns, the longest notation first, and what their matches stand for."""
        table = self._table
        group = rf"[{table.groups}]\d{{{table.group_sizes}}}"
        decimals = rf"(?P<mark>[{''.join(table.marks)}])(?P<part>\d+)"
        number = rf"(?P<whole>\d{{1,3}}(?:{group})+(?!\d)|\d+)(?:{decimals})?"
        currency, scale = any_of(table.currencies), rf"(?P<scale> {any_of(table.scales)}\b)?"
        yield rf"(?P<sign>{currency}) ?{number}{scale}(?!\w)", self._money
        yield rf"{number}{scale} ?(?P<sign>{currency})", self._money
        yield r"(?<![\d.,:])(?P<hour>[01]?\d|2[0-4])(?:[:.]| ?[hH] ?)(?P<minute>[0-5]\d)(?![\d:%]|[.,]\d)", self._clock
        yield r"(?<![\d.,:])(?P<hour>[01]?\d|2[0-4]) ?[hH](?!\w)", self._full_hour
        yield rf"(?P<n>\d+){any_of(table.ordinal_endings)}(?!\w| ?[CF]\b)", self._ordinal
        yield rf"(?P<n>\b\d\d?)(?= {any_of(table.months)}\b)", self._day
        yield rf"(?P<month>{any_of(table.months)} )(?P<n>\d\d?)(?![\d.:])", self._day
        yield r"(?<![\w.])(?P<n>[IVXL]{2,})(?P<ending>e|ème|er)?(?!\w)", self._roman
        yield r"(?<=[\d%°]) ?[-–] ?(?=\d)", lambda _: table.to
        yield r"(?<![\w.-])[-−](?=\d)", lambda _: table.minus
        yield rf"{number} ?(?P<sign>{any_of(table.units)})(?![A-Za-z])", self._measure
        yield r"(?P<over>\d+)/(?P<under>\d+)", self._fraction
        if self._subtag == "en":
            yield r"(?P<n>\d?\d?\d0)s\b", self._decade
        yield number, self._number
        yield any_of(table.signs), lambda match: table.signs[match[0]]

    def _number(self, match: re.Match[str]) -> list[str]:
        whole, part = re.sub(r"\D", "", match["whole"]), match["part"]
        if not part:
            return whole_numbers(whole, self._subtag) if whole == match["whole"] else quantities(whole, self._subtag)
        decimals = (digit_by_digit(part, self._subtag), quantity(int(part), self._subtag))
        mark = self._table.marks[match["mark"]]
        space = " " if self._table.has_spaces else ""
        return [f"{one}{space}{mark}{space}{other}" for one in quantities(whole, self._subtag) for other in decimals]

    def _money(self, match: re.Match[str]) -> list[str]:
        table, units = self._table, self._table.currencies[match["sign"]]
        if match["scale"]:
            return [f"{number}{match['scale']}{table.of_scale}{unit}" for number in self._number(match) for unit in units]
        if match["part"] is None or len(match["part"]) != 2:
            return [_with_unit(number, unit) for number in self._number(match) for unit in units]
        wholes = quantities(re.sub(r"\D", "", match["whole"]), self._subtag)
        part = quantity(int(match["part"]), self._subtag)
        return [way.format(whole=whole, unit=unit, part=part) for way in table.money for whole in wholes for unit in units]

    def _clock(self, match: re.Match[str]) -> list[str]:
        hour = quantities(match["hour"], self._subtag)[-1]
        minute = match["minute"]
        words = [quantity(int(minute), self._subtag)] + [digit_by_digit(minute, self._subtag)] * minute.startswith("0")
        ways = self._table.full_hour if minute == "00" else self._table.clock
        said = [way.format(hour=hour, minute=one) for way in ways for one in words]
        is_decimal = "." in match[0] and "." in self._table.marks
        return said + [f"{hour} {self._table.marks['.']} {one}" for one in words] if is_decimal else said

    def _full_hour(self, match: re.Match[str]) -> list[str]:
        return [way.format(hour=hour) for way in self._table.full_hour for hour in quantities(match["hour"], self._subtag)]

    def _ordinal(self, match: re.Match[str]) -> list[str]:
        return ordinals(match["n"], self._subtag)

    def _day(self, match: re.Match[str]) -> list[str]:
        said = [quantity(int(match["n"]), self._subtag), *ordinals(match["n"], self._subtag)]
        if month := match.groupdict().get("month"):
            return [month + words for words in said]
        return [*said, f"the {said[-1]} of"]

    def _decade(self, match: re.Match[str]) -> list[str]:
        return [re.sub("y$", "ies", in_pairs(match["n"], self._subtag))]

    def _roman(self, match: re.Match[str]) -> list[str]:
        digits = roman(match["n"])
        said = ordinals(digits, self._subtag)
        if self._subtag == "en":
            said = [f"the {words}" for words in said]
        return said if match["ending"] else [*said, quantity(int(digits), self._subtag)]

    def _measure(self, match: re.Match[str]) -> list[str]:
        return [_with_unit(number, unit) for number in self._number(match) for unit in self._table.units[match["sign"]]]

    def _fraction(self, match: re.Match[str]) -> list[str]:
        over, under = (quantity(int(match[name]), self._subtag) for name in ("over", "under"))
        return [way.format(over=over, under=under) for way in self._table.fraction]


def _with_unit(number: str, unit: str) -> str:
    """Puts the number where the unit has it: in {n}, else before it."""
    return unit.format(n=number) if "{n}" in unit else f"{number} {unit}"


def any_of(words: Iterable[str]) -> str:
    """Returns a pattern for one of the words, the longest first. It matches nothing if there are none."""
    longest_first = sorted(words, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})" if longest_first else "(?!)"


@cache
def _notations() -> dict[str, Notation]:
    return msgspec.convert(tomllib.loads(_TABLES.read_text(encoding="utf-8")), dict[str, Notation])
