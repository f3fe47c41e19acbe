"""Names of units and months in each language, from Unicode's Common Locale Data Repository (CLDR).

Why the files of the locales may have names too: for some units CLDR has the full name, and people say a shorter one. An entry
of a file has priority.

Why Mandarin and Japanese have their own names only: babel lacks the full names of half of their units.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import get_day_names, get_month_names
from babel.units import UnknownUnitError, format_compound_unit, format_unit

_LOCALES: Final = {
    "en": "en_US",
    "en-GB": "en_GB",
    "es": "es",
    "fr": "fr",
    "hi": "hi",
    "it": "it",
    "pt": "pt_BR",
}
"""Name of a file → CLDR's name of the locale."""
_N_MONTHS: Final = 12
_ONE: Final = 1
_MANY: Final = 5
"""A number that takes the plural in every language here."""
_PER: Final = " per "


def months(name: str) -> tuple[str, ...]:
    """The months of a year. `name` is the name of a locale's file."""
    names = get_month_names("wide", "format", _locale(name))
    return tuple(names[number] for number in range(1, _N_MONTHS + 1))


def short_months(name: str) -> dict[str, str]:
    """Short forms of the months without a full stop → the months."""
    return _short_forms(
        get_month_names("abbreviated", "format", _locale(name)), get_month_names("wide", "format", _locale(name))
    )


def short_days(name: str) -> dict[str, str]:
    """Short forms of the weekdays without a full stop → the weekdays."""
    return _short_forms(get_day_names("abbreviated", "format", _locale(name)), get_day_names("wide", "format", _locale(name)))


def _short_forms(short: Mapping[int, str], full: Mapping[int, str]) -> dict[str, str]:
    forms = {short[number].removesuffix("."): full[number] for number in full}
    return {form: name for form, name in forms.items() if form != name}


def unit(unit_id: str, name: str) -> tuple[str, str] | None:
    """The singular and the plural of a unit: `length-meter`, or of two units, `digital-megabyte per duration-second`.

    `name` is the name of a locale's file. Returns None for a unit that CLDR does not have in words in this language.
    """
    one, many = _count(_ONE, unit_id, name), _count(_MANY, unit_id, name)
    return (one, many) if one and many else None


def _count(number: int, unit_id: str, name: str) -> str:
    """The words for `number` units, without the number; empty if there are none."""
    numerator, _, denominator = unit_id.partition(_PER)
    try:
        if denominator:
            counted = format_compound_unit(number, numerator, denominator_unit=denominator, locale=_locale(name)) or ""
        else:
            counted = format_unit(number, numerator, locale=_locale(name))
    except UnknownUnitError:
        return ""
    words = counted.replace(str(number), "", 1).strip().replace("’", "'")
    # Babel gives the ids of units that it lacks.
    return "" if "/" in words or any(part and part in words for part in (numerator, denominator)) else words


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(_LOCALES[name])
