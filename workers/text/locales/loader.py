"""The locales, each read from its file once, when it is first asked for. All of them together take some 20 ms.

Why a mistake in a file ends what asked for it: a word that is left out in silence would be heard by every listener.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from workers.text.locales.structs import EastAsian, English, Hindi, Locale, Romance, Western

_L = TypeVar("_L", bound=Locale)

FOLDER: Final = Path(__file__).parent

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
"""Name of the file → what it holds. `any` holds for the texts of every language."""

ROMANCE: Final = ("es", "fr", "it", "pt")

_NO_LOCALE: Final = Locale()
_SPLIT: Final = frozenset({"units", "money"})
"""Tables with several ways of writing on the left, parted by commas."""


class LocaleError(Exception):
    """A file of a locale has a mistake; says which file and which entry."""

    def __init__(self, file: Path, mistake: str) -> None:
        super().__init__(f"{file.name}: {mistake}")


def find(language: str) -> Locale:
    """What holds for every language, for the one of a BCP 47 tag; the defaults where it has no file."""
    name = language.partition("-")[0].lower()
    return _load(name) if name in KINDS and name != "any" else _NO_LOCALE


def everywhere() -> Locale:
    """What holds in the texts of every language."""
    return _load("any")


def all_locales() -> Iterator[Locale]:
    """Every language that has a file."""
    return (_load(name) for name in KINDS if "-" not in name and name != "any")


def english(tag: str) -> English:
    """`en` or `en-GB`."""
    return _as(English, tag)


def romance(language: str) -> Romance:
    """`es`, `fr`, `it` or `pt`."""
    return _as(Romance, language)


def hindi() -> Hindi:
    """`hi`."""
    return _as(Hindi, "hi")


def east_asian(language: str) -> EastAsian:
    """`zh` or `ja`."""
    return _as(EastAsian, language)


def western(tag: str) -> Western:
    """`en`, `en-GB`, `es`, `fr`, `hi`, `it` or `pt`."""
    return _as(Western, tag)


def _as(kind: type[_L], name: str) -> _L:
    found = _load(name)
    assert isinstance(found, kind)
    return found


@cache
def _load(name: str) -> Locale:
    return read(FOLDER / f"{name}.toml", KINDS[name])


def read(file: Path, kind: type[_L]) -> _L:
    """The locale in `file`. Raises LocaleError."""
    entries = _entries(file)
    if "language" in kind.__struct_fields__:
        entries["language"] = file.stem.partition("-")[0]
    try:
        return msgspec.convert(entries, kind)
    except msgspec.ValidationError as error:
        raise LocaleError(file, _find_mistake(entries, kind) or str(error)) from None


def _entries(file: Path) -> dict[str, Any]:
    """What stands in `file`, and in the file that it is based on where it has no entry of its own."""
    try:
        own = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocaleError(file, str(error)) from None
    for table in _SPLIT & own.keys():
        own[table] = dict(_split(file, table, own[table]))
    if (base := own.pop("based_on", None)) is None:
        return own
    respelled = own.pop("respelled", {})
    whole = _entries(file.with_name(f"{base}.toml")) | own
    return whole | {"units": {sign: _respelled(name, respelled) for sign, name in whole["units"].items()}}


def _split(file: Path, table: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each way of writing with what it means: "lb, lbs" are two."""
    seen: set[str] = set()
    for key, value in entries.items():
        for sign in key.split(","):
            if sign.strip() in seen:
                raise LocaleError(file, f"`{table}` has {sign.strip()!r} twice")
            seen.add(sign.strip())
            yield sign.strip(), value


def _respelled(name: list[str], spellings: Mapping[str, str]) -> list[str]:
    for old, new in spellings.items():
        name = [word.replace(old, new) for word in name]
    return name


def _find_mistake(entries: Mapping[str, Any], kind: type[Locale]) -> str:
    """The first entry that is wrong by itself, and why; empty where each is right. msgspec does not name keys of a table."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in entries.items():
        if name not in types:
            return f"`{name}` is no entry of such a file"
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
