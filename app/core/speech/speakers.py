"""Tags that change the voice of a text: `[af_heart]` anywhere, and `af_heart:` at the start of a line.

Why one finder for the API and the workers: the API resolves the names that the workers will find.

Why OpenAI's names count only at the start of a line, and `echo:` only in a script: they are words, and `[echo]` may be a
remark. A text is a script if it has any other tag, or such lines with two different names.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from app.core.errors import InvalidValue
from app.core.speech.tags import CODE, COMMENT, MAX_VOICES, TAG, NamedVoices
from app.core.speech.voices import CUSTOM_VOICE, Blend, Catalogue, show_blend

MAX_NAME_CHARS: Final = 200
"""Longest name of a voice in a tag: a blend of eight voices has about 150 characters."""

_KOKORO: Final = rf"(?:[a-z][fm]_[A-Za-z0-9_]{{1,60}}|{CUSTOM_VOICE.pattern})(?:\([^()]{{1,32}}\))?"
_SURE: Final = re.compile(rf"{_KOKORO}(?:\s?\+\s?{_KOKORO}){{0,9}}")
"""Names in the form of Kokoro's or of voices that users have made, alone or blended. No word of a text has this form."""
_BLANK: Final = re.compile(r"(?:[ \t]++|</?[A-Za-z][^<>]{0,500}+>)*+")
"""Tags of SSML and HTML may stand before the name at the start of a line."""
_NAME: Final = rf"[^\s\[\]:：`$<>|*#~\\-][^\n\[\]:：`$<>|*#~\\]{{0,{MAX_NAME_CHARS - 1}}}+"
_FIND: Final = re.compile(
    rf"{CODE}|{COMMENT}"
    # A link, also with brackets in its text; a word with its phonemes; a bracket that is meant as one.
    r"|\[(?:[^\[\]\n]++|\[[^\[\]\n]{0,200}+\]){1,50}+\]\([^()\n]{0,2000}+\)|\\\["
    rf"|(?m:^){_BLANK.pattern}(?P<line>{_NAME})(?::(?=\s|\Z)|：)"
    rf"|(?P<markup>{TAG.pattern})"
    # [af_heart]: https://example.com defines a link.
    rf"|\[(?P<bracket>[^\[\]\n]{{1,{MAX_NAME_CHARS}}}+)\](?!\(|:[ \t]*+(?:https?:|[</]))(?::(?=\s|\Z)|：)?+",
    re.IGNORECASE,
)


class SpeakerTag(msgspec.Struct, frozen=True):
    """A tag in a text."""

    start: int
    end: int
    """Exclusive end index."""
    name: str
    """The voice as it is written in the tag."""
    is_at_line_start: bool
    has_brackets: bool


def find_tags(text: str, is_voice: Callable[[str], bool]) -> Iterator[SpeakerTag]:
    """Yields the tags of a text, in order, but not those in code, links and comments. `is_voice`: whether a name is a voice.

    A line such as `echo: …` is yielded in every text, whether it is a script or not.
    """
    done, is_at_start = 0, True
    for match in _FIND.finditer(text):
        is_at_start = _begins_line(text, done, match.start(), is_at_start=is_at_start)
        done = match.end()
        group = "line" if match["line"] else "bracket"
        name = (match[group] or "").strip()
        is_tag = bool(name) and is_voice(name) and (is_at_start or is_sure(name))
        if is_tag:
            start = match.start("line") if match["line"] else match.start()
            yield SpeakerTag(start, done, name, is_at_start, has_brackets=group == "bracket")
        is_at_start &= is_tag or match["markup"] is not None


def find_speakers(text: str, catalogue: Catalogue, *, language: str | None = None) -> NamedVoices:
    """The voices that a text names in tags; empty for a text that is no script.

    `language`: that of all voices; None for the own language of each. Raises InvalidValue (param `input`) for more than
    MAX_VOICES voices.
    """
    found: dict[str, tuple[Blend, str] | None] = {}

    def is_voice(name: str) -> bool:
        if name not in found:
            found[name] = catalogue.find(name)
        return found[name] is not None

    sure: set[str] = set()
    unsure: set[str] = set()
    for tag in find_tags(text, is_voice):
        (sure if tag.has_brackets or is_sure(tag.name) else unsure).add(tag.name)
        if len(sure | unsure) > MAX_VOICES:
            raise InvalidValue(
                f"Invalid 'input': it names too many voices. Expected at most {MAX_VOICES} different names.", param="input"
            )
    if not sure and len(unsure) < 2:
        return ()
    voices = ((name, found[name]) for name in sure | unsure)
    return tuple(sorted((name, voice[0], language or voice[1]) for name, voice in voices if voice is not None))


def is_sure(name: str) -> bool:
    """Whether a name has the form of Kokoro's, so that it is a tag also within a line."""
    return _SURE.fullmatch(name) is not None


def show_speaker(name: str, blend: Blend) -> str:
    """The name of a voice as word times show it: as it was written, if it could stand in a tag."""
    return name if re.fullmatch(rf"[^\s\[\]](?:[^\[\]\n]{{0,{MAX_NAME_CHARS - 2}}}[^\s\[\]])?", name) else show_blend(blend)


def _begins_line(text: str, done: int, place: int, *, is_at_start: bool) -> bool:
    """Whether nothing but blanks and tags stands before `place` in its line. `done`, `is_at_start`: a place before it, and
    whether the same is true there.
    """
    line = text.rfind("\n", done, place) + 1
    return (is_at_start or line > 0) and _BLANK.fullmatch(text, line or done, place) is not None
