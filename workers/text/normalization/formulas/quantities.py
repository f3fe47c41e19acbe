"""Says the units of quantities in formulas: units after a power, negative powers of units, and quotients of units."""

import re
from collections.abc import Callable
from typing import Final

from workers.text.locales.entries import Name
from workers.text.locales.structs import EastAsian, Romance, Western
from workers.text.normalization.rules import Rule, any_of

_QUANTITY_BEFORE: Final = re.compile(
    r"[0-9⁰¹²³⁴-⁹] ?(?:[A-Za-zµμΩ°]{1,5}(?:⁻?[¹²³])?[·⋅ ]){0,4}(?:[A-Za-zµμΩ°]{1,5}(?:⁻?[¹²³])?)?\Z"
)
_PARTS_OF_UNIT: Final = re.compile(r"[^\s()·⋅]+")
_PLAIN_UNIT: Final = re.compile("[A-Za-zµμΩ°]{1,4}[²³]?\\Z")
_NUMBER_AND_UNIT: Final = re.compile(r"(?P<n>(?<![0-9.,])[0-9.,]{1,20}+)?+(?P<unit>[A-Za-z/]{1,6}[²³]?+)\Z")
_NUMBER_BEFORE: Final = re.compile(r"(?:[0-9½¼¾⅓⅔] ?|/)\Z")
_PER_BEFORE: Final = re.compile(r"\b(?:per|par|por|al|a|le|el|il|o|the) \Z")


class Quantities:
    """Says the units of one language."""

    def __init__(self, locale: Western | EastAsian) -> None:
        self._locale = locale
        self._words = locale.math
        self._is_spaced = locale.has_spaces
        letters = locale.iberian.letters if isinstance(locale, Romance) and locale.iberian else {}
        self._named: dict[str, Name] | dict[str, str] = (
            locale.units if isinstance(locale, EastAsian) else {**letters, **locale.units}
        )
        units = any_of([*self._named, *(locale.speeds if isinstance(locale, EastAsian) else ())])
        self._units = re.compile(rf" ?(?P<unit>{units})(?![A-Za-zÀ-ɏ0-9\u0900-\u0963/²³⁻^]|[·⋅][A-Za-z])")
        self._quotient_names = self._find_quotient_names()
        unit = any_of(self._quotient_names)
        self._quotient = re.compile(
            rf"(?<=[0-9⁰¹²³⁴-⁹])(?P<lead> ?)(?P<over>{unit})/"
            rf"(?P<under>{unit}|\({unit}(?:[·⋅ ]{unit}){{0,2}}\))(?![A-Za-z0-9/²³⁻])"
        )
        self.unit_rule: Final = self._make_unit_rule()

    def unit_after(self, text: str, at: int) -> tuple[int, str] | None:
        """Returns the end and the sign of a unit that stands at a place of a text; None without one."""
        match = self._units.match(text, at)
        return (match.end(), match["unit"]) if match else None

    def is_unit(self, sign: str) -> bool:
        """Whether `sign` is a unit of the language."""
        return sign in self._locale.units or (isinstance(self._locale, EastAsian) and sign in self._locale.speeds)

    def with_unit(self, words: str, sign: str) -> str:
        """Returns the words of a quantity: those of its number, and those of its unit."""
        if isinstance(self._locale, EastAsian):
            before, after = self._locale.speeds.get(sign) or ("", self._locale.units[sign])
            return f"{before}{words}{after}"
        return f"{words} {self.name(sign, '')}"

    def _make_unit_rule(self) -> Rule:
        """Returns the rule for units with a negative power after a number or another unit: 5 mol·L⁻¹, 10 m s⁻²."""
        powers = {"²": self._words.squared, "³": self._words.cubed}

        def verbalize(match: re.Match[str]) -> str | None:
            if not _QUANTITY_BEFORE.search(match.string[max(0, match.start() - 30) : match.start("lead")]):
                return None
            per = f"{self._words.per} {self.name(match['unit'], '1')}"
            said = powers[match["power"]].format(base=per) if match["power"] in powers else per
            return f" {said}" if self._is_spaced else said.replace(" ", "")

        units = any_of(self._locale.units)
        return Rule(
            re.compile(rf"(?P<lead>[·⋅ ]?)(?<![A-Za-z])(?P<unit>{units})⁻(?P<power>[¹²³])(?![⁰¹²³⁴-⁹])"),
            verbalize,
            needs_digit=False,
        )

    def quotient_rule(self, stand_for: Callable[[str], str | None]) -> Rule:
        """The rule for quotients of units after a number: 5 mol/L, 8.3 J/(mol·K). `stand_for` gets their words."""
        names_of = self._quotient_names

        def verbalize(match: re.Match[str]) -> str | None:
            is_special = (
                not {match["over"], match["under"]}.isdisjoint(self._words.units)
                or match["under"][-1] in "²³)"
                or match["over"][-1] in "²³"
            )
            if not is_special or match["over"] + "/" + match["under"] in self._locale.units or self._is_speed(match):
                return None
            is_one = match.string[max(0, match.start() - 2) : match.start()].strip() == "1"
            over = names_of[match["over"]][not is_one]
            parts = [names_of[part][0] for part in _PARTS_OF_UNIT.findall(match["under"])]
            said = f" {self._words.per} ".join([over, *parts])
            words = stand_for(said if self._is_spaced else said.replace(" ", ""))
            return None if words is None else f"{match['lead'] if self._is_spaced else ''}{words}"

        return Rule(self._quotient, verbalize)

    def _is_speed(self, match: re.Match[str]) -> bool:
        return isinstance(self._locale, EastAsian) and f"{match['over']}/{match['under']}" in self._locale.speeds

    def _find_quotient_names(self) -> dict[str, tuple[str, str]]:
        """Returns sign → singular and plural of each unit that a quotient may have."""
        found = {sign: (name, name) for sign, name in self._words.units.items()}
        for sign, name in self._locale.units.items():
            if _PLAIN_UNIT.match(sign):
                found[sign] = (name, name) if isinstance(name, str) else (name.one, name.many)
        return found

    def say_unit(self, formula: str, text: str, start: int) -> str | None:
        """Returns the words for a formula that is the name of a unit: km². Empty if a number stands before it, since the rules
        for measures then say it; None for any other formula.
        """
        match = _NUMBER_AND_UNIT.match(formula)
        if match is None or match["unit"] not in self._locale.units:
            return None
        before = text[max(0, start - 20) : start]
        if match["n"] or _NUMBER_BEFORE.search(before):
            return ""
        return self.name(match["unit"], "1" if _PER_BEFORE.search(before) else "")

    def name(self, sign: str, n: str) -> str:
        """Returns the name of a unit after the number `n`; empty for what is no unit."""
        unit = self._named.get(sign)
        if unit is None or isinstance(unit, str):
            return unit or ""
        return unit.one if n == "1" else unit.many
