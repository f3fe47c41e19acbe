"""Tags in a text, and what SSML's tags ask for that the API must know: pauses and voices.

Why one pattern for the API and the workers: the API limits the silence and resolves the voices that the workers will find.

Why no XML parser: a strict one refuses a text for a missing quotation mark, a lenient one drops words, and none says at which
character a tag stands, which the times of words need.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from app.core.speech.voices import Blend, Catalogue

_VALUE: Final = r"(?:\"[^\"<]{0,4000}+\"|'[^'<]{0,4000}+'|[^\s\"'<>=]{1,400}+)"
_ATTRIBUTE: Final = rf"(?:\s++|(?<=[\"']))[\w:.-]{{1,60}}+\s*+=\s*+{_VALUE}"
_NAME: Final = r"(?:[A-Za-z](?:[\w-]|[:.](?=\w)){0,60}+|(?![A-Za-z])[^\W\d_][^\s<>\"'=/]{0,60}+)"
TAG: Final = re.compile(rf"<(?P<end>/)?+(?P<name>{_NAME})(?P<attributes>(?:{_ATTRIBUTE})*+)\s*+(?P<empty>/)?+>")
"""A tag whose attributes all have values. `a < b`, `<3` and an address in brackets are none."""
CODE: Final = r"(?P<code>```(?:[^`]++|`{1,2}+(?!`))*+`{3,}+|~~~(?:[^~]++|~{1,2}+(?!~))*+~{3,}+|`[^`\n]{1,500}+`)"
"""A pattern: what a text shows as code, as its group `code`. A tag in it is no tag."""
COMMENT: Final = r"<!--(?:[^-]++|-(?!->)){0,300}+-->"
"""A pattern."""
_FIND_ATTRIBUTE: Final = re.compile(rf"(?P<name>[\w:.-]{{1,60}}+)\s*+=\s*+(?P<value>{_VALUE})")
_QUOTES: Final = "\"'“”„‘’"

_STRENGTHS: Final = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.35, "strong": 0.7, "x-strong": 1.2}
"""Seconds of a break, by its strength."""
_USUAL: Final = "medium"
_TIME: Final = re.compile(r"\+?([0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}) ?(ms|s|)", re.IGNORECASE)
MAX_VOICES: Final = 100
"""Limit of different names of voices in one text."""

NamedVoices = tuple[tuple[str, Blend, str], ...]
"""The names of voices in a text as they are written, sorted, each with its blend and the language of its first voice."""


def attributes_of(tag: re.Match[str]) -> dict[str, str]:
    """The attributes of a tag that TAG has found. Their names are in lower case."""
    return {
        match["name"].lower(): html.unescape(match["value"].removesuffix("/").strip(_QUOTES)).strip()
        for match in _FIND_ATTRIBUTE.finditer(tag["attributes"] or "")
    }


def break_seconds(attributes: dict[str, str]) -> float:
    """The silence that a `break` asks for, without a limit. One that is not understood counts as a medium one."""
    time = _TIME.fullmatch(attributes.get("time", ""))
    if time is not None:
        return float(time[1]) / (1 if time[2].lower() == "s" else 1000)
    return _STRENGTHS.get(attributes.get("strength", "").lower(), _STRENGTHS[_USUAL])


def find_breaks(text: str) -> Iterator[float]:
    """The seconds of each `break` after the first `speak` of a text: all that a worker may find, and perhaps some more."""
    lower = text.lower()
    start = lower.find("<speak")
    if start < 0 or "<break" not in lower:
        return
    for tag in TAG.finditer(text, start):
        if tag["name"].lower() == "break":
            yield break_seconds(attributes_of(tag))


def find_voices(text: str, catalogue: Catalogue, *, language: str | None = None) -> NamedVoices:
    """The voices that SSML names in `<voice name="…">` and that the catalogue has. Several names are tried in order.

    `language`: that of all voices; None for the own language of each.
    """
    lower = text.lower()
    if "<voice" not in lower or "<speak" not in lower:
        return ()
    names = dict.fromkeys(
        name for tag in TAG.finditer(text) if tag["name"].lower() == "voice" and (name := attributes_of(tag).get("name"))
    )
    found = ((name, _find_voice(name, catalogue)) for name in list(names)[:MAX_VOICES])
    return tuple(sorted((name, voice[0], language or voice[1]) for name, voice in found if voice is not None))


def _find_voice(names: str, catalogue: Catalogue) -> tuple[Blend, str] | None:
    voices = map(catalogue.find, (names, *re.split(r"[\s,]+", names[:400])))
    return next((voice for voice in voices if voice is not None), None)
