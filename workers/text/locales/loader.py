"""Loads the locales. Each file is read once, when it is first needed; one takes about 20 ms.

Why a mistake in a file raises an error: if a wrong entry were silently skipped, its word would be missing in all audio.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from workers.text.locales import cldr
from workers.text.locales.structs import EastAsian, English, Hindi, Locale, Romance, Western

_L = TypeVar("_L", bound=Locale)

FOLDER: Final = Path(__file__).parent
UNITS: Final = FOLDER / "units.toml"
"""Units of every language that is written like English: written forms → CLDR's name of the unit."""

KINDS: Final[dict[str, type[Locale]]] = {
    "any": Locale,
    "de": Locale,
    "en": English,
    "en-GB": English,
    "es": Romance,
    "fr": Romance,
    "hi": Hindi,
    "it": Romance,
    "ja": EastAsian,
    "pt": Romance,
    "zh": EastAsian,
}
"""Name of the file → class of its entries. The entries of `any` apply to the texts of every language."""

ROMANCE: Final = ("es", "fr", "it", "pt")

_NO_LOCALE: Final = Locale()
_SPLIT: Final = frozenset({"units", "money", "short_months", "short_days", "bible", "streets", "short_words"})
"""Tables in which a key may list several written forms, separated by commas."""


class LocaleError(Exception):
    """A locale file has a mistake. The message names the file and the entry."""

    def __init__(self, file: Path, mistake: str) -> None:
        super().__init__(f"{file.name}: {mistake}")


def find(language: str) -> Locale:
    """The locale of a language (BCP 47 tag); the defaults if the language has no file."""
    name = language.partition("-")[0].lower()
    return _load(name) if name in KINDS and name != "any" else _NO_LOCALE


def everywhere() -> Locale:
    """The entries that apply to the texts of every language."""
    return _load("any")


def all_locales() -> Iterator[Locale]:
    """The locales of all languages that have a file."""
    return (_load(name) for name in KINDS if "-" not in name and name != "any")


def english(tag: str) -> English:
    """The locale `en` or `en-GB`."""
    return _as(English, tag)


def romance(language: str) -> Romance:
    """The locale `es`, `fr`, `it` or `pt`."""
    return _as(Romance, language)


def hindi() -> Hindi:
    """The locale `hi`."""
    return _as(Hindi, "hi")


def east_asian(language: str) -> EastAsian:
    """The locale `zh` or `ja`."""
    return _as(EastAsian, language)


def western(tag: str) -> Western:
    """The locale `en`, `en-GB`, `es`, `fr`, `hi`, `it` or `pt`."""
    return _as(Western, tag)


def _as(kind: type[_L], name: str) -> _L:
    found = _load(name)
    assert isinstance(found, kind)
    return found


@cache
def _load(name: str) -> Locale:
    return read(FOLDER / f"{name}.toml", KINDS[name])


def read(file: Path, kind: type[_L]) -> _L:
    """Reads the locale in `file`. Raises LocaleError."""
    entries = _entries(file)
    if issubclass(kind, Western):
        entries = _with_names(file, entries)
    if issubclass(kind, (Romance, Hindi)):
        entries = entries | {
            "short_months": cldr.short_months(file.stem) | entries.get("short_months", {}),
            "short_days": cldr.short_days(file.stem) | entries.get("short_days", {}),
        }
    if "language" in kind.__struct_fields__:
        entries["language"] = file.stem.partition("-")[0]
    try:
        return msgspec.convert(entries, kind)
    except msgspec.ValidationError as error:
        raise LocaleError(file, _find_mistake(entries, kind) or str(error)) from None


def _entries(file: Path) -> dict[str, Any]:
    """The entries of `file`. Entries that it does not have come from the file that it is based on."""
    try:
        own = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocaleError(file, str(error)) from None
    for table in _SPLIT & own.keys():
        own[table] = dict(_split(file, table, own[table]))
    base = own.pop("based_on", None)
    return own if base is None else _entries(file.with_name(f"{base}.toml")) | own


def _with_names(file: Path, entries: dict[str, Any]) -> dict[str, Any]:
    """Returns `entries` with the names of months and units from CLDR, where they have none of their own."""
    name, own = file.stem, entries.get("units", {})
    feminine = frozenset(entries.get("feminine", ()))
    units = {sign: _unit(value, name, feminine) for sign, value in (_shared_units() | own).items()}
    if unknown := [sign for sign in own if units[sign] is None]:
        raise LocaleError(file, f"`units`, entry {unknown[0]!r}: CLDR has no unit {own[unknown[0]]!r} in this language")
    return {"months": cldr.months(name)} | entries | {"units": {sign: unit for sign, unit in units.items() if unit is not None}}


def _unit(value: Any, name: str, feminine: frozenset[str]) -> Any:
    """Returns the name of a unit as the files write it, if `value` is one of CLDR; its gender is that of its first word."""
    if not isinstance(value, str):
        return value
    words = cldr.unit(value, name)
    return None if words is None else [*words, "f" if words[0].split()[0] in feminine else "m"]


@cache
def _shared_units() -> dict[str, str]:
    return dict(_split(UNITS, "units", tomllib.loads(UNITS.read_text(encoding="utf-8"))))


def _split(file: Path, table: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yields each written form with its value: the key "lb, lbs" has two forms."""
    seen: set[str] = set()
    for key, value in entries.items():
        for sign in key.split(","):
            if sign.strip() in seen:
                raise LocaleError(file, f"`{table}` has {sign.strip()!r} twice")
            seen.add(sign.strip())
            yield sign.strip(), value


def _find_mistake(entries: Mapping[str, Any], kind: type[Locale]) -> str:
    """Names the first entry that is wrong by itself, and says why; empty if there is none. msgspec does not name table keys."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in entries.items():
        if name not in types:
            return f"`{name}` is not an entry of such a file"
        if mistake := _mistake(value, types[name]):
            parts = value.items() if isinstance(value, dict) else ()
            wrong = next((key for key, part in parts if _mistake({key: part}, types[name])), None)
            return f"`{name}`{'' if wrong is None else f', entry {wrong!r}'}: {mistake}"
    return ""


def _mistake(value: Any, expected: Any) -> str:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
