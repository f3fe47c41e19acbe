"""The catalogue of voices, OpenAI's names for them, and blends such as `af_heart(2)+bf_emma`.

Why a blend has one canonical order, with weights that add up to one: it is part of the utterance's digest, and `a+b`, `b+a` and
`a(2)+b(2)` are the same sound.
"""

import math
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from app.core.errors import InvalidValue, Misconfigured

MAX_BLEND_VOICES: Final = 8
USUAL_LOUDNESS: Final = -24.2
"""LUFS: the median of Kokoro's voices."""

DEFAULT_VOICE: Final = "af_heart"
"""The voice with the best grade, and the default of the command line and the page. OpenAI's `coral` stands for it."""

CUSTOM_VOICE: Final = re.compile(r"voice_[0-9a-f]{24}")
"""The id of a voice that a user has made: see `app.core.custom_voices`."""

_MAX_SPEC_CHARS: Final = 1000
"""A blend of eight voices has no more characters."""

_PART: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,63})(?:\(([^()]{1,32})\))?")


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One voice of Kokoro v1.0, or one that the operator added or a user has made."""

    id: str
    language: str
    """BCP 47 tag of its language."""
    gender: str
    """`female` or `male`; empty for a voice that a user has made."""
    grade: str = ""
    """Quality according to the voice's makers, `A` to `F`; empty without a grade."""
    licence: str = "Apache-2.0"
    loudness: float | None = None
    """Integrated loudness of Kokoro's speech with this voice, in LUFS (ITU-R BS.1770); None when it was not measured."""

    @property
    def name(self) -> str:
        """Name for people: `Heart`."""
        return self.id.partition("_")[2].replace("_", " ").title() or self.id


class BlendPart(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A voice and its share of the blend, in (0, 1]."""

    voice_id: str
    weight: float


Blend = tuple[BlendPart, ...]
"""Sorted by voice id; the weights add up to one. A single voice is a blend of one part."""


def show_blend(blend: Blend) -> str:
    """The blend in the form that a request uses."""
    if len(blend) == 1:
        return blend[0].voice_id
    return "+".join(f"{part.voice_id}({part.weight:g})" for part in blend)


def custom_voices_of(blend: Blend) -> tuple[str, ...]:
    """The ids in a blend of voices that users have made."""
    return tuple(part.voice_id for part in blend if CUSTOM_VOICE.fullmatch(part.voice_id))


def no_custom_voice(voice_id: str) -> InvalidValue:
    """The error for the id of a voice that a user has made, and that nobody has or another user has."""
    return InvalidValue(
        f"Invalid value: '{voice_id}'. You have no voice with this id: it was deleted, or it belongs to another key. "
        "GET /v1/audio/voices lists your voices too.",
        param="voice",
    )


class _VoicesFile(msgspec.Struct, forbid_unknown_fields=True):
    aliases: dict[str, str] = {}
    voices: list[Voice] = []


class Catalogue(msgspec.Struct, frozen=True):
    """All voices by id, and all other names that stand for them."""

    voices: dict[str, Voice]
    aliases: dict[str, str]
    """OpenAI's name, or the id of a blend that a user has made → voice id or blend."""

    def parse(self, spec: str) -> tuple[Blend, str]:
        """The blend that `spec` means and the language of its first voice. Never accesses the file system.

        Raises InvalidValue (param `voice`) for an unknown voice, a weight that is not positive and finite, or more than
        MAX_BLEND_VOICES voices.
        """
        found = self.find(spec)
        if found is None:
            raise self._invalid(spec)
        return found

    def find(self, spec: str) -> tuple[Blend, str] | None:
        """As `parse`; None where that raises."""
        parts = self.aliases.get(spec, spec).split("+", MAX_BLEND_VOICES)
        if len(parts) > MAX_BLEND_VOICES:
            return None
        weights: dict[str, float] = {}
        for part in parts:
            if (found := self._find_part(part)) is None:
                return None
            weights[found[0]] = weights.get(found[0], 0.0) + found[1]
        ordered = sorted(weights.items())
        total = sum(weight for _, weight in ordered)
        blend = tuple(BlendPart(voice_id, weight / total) for voice_id, weight in ordered)
        is_valid = math.isfinite(total) and all(part.weight > 0 for part in blend)
        return (blend, self.voices[next(iter(weights))].language) if is_valid else None

    def best_of(self, language: str) -> Voice | None:
        """The voice with the best grade for a language, by its BCP 47 tag; None where there is none."""
        spoken = [voice for voice in self.voices.values() if voice.language == language]
        return min(spoken, key=lambda voice: rank_of(voice.grade), default=None)

    def resolve(self, spec: str) -> str:
        """The blend that `spec` means, with ids of voices and the same weights: it parses as `spec` does, also when an alias
        means something else later. Raises as `parse` does.
        """
        self.parse(spec)
        found = [self._find_part(part) for part in self.aliases.get(spec, spec).split("+")]
        parts = [f"{voice_id}({repr(weight).removesuffix('.0')})" for voice_id, weight in filter(None, found)]
        return "+".join(parts) if len(parts) > 1 else parts[0].partition("(")[0]

    def loudness_of(self, blend: Blend) -> float:
        """LUFS of Kokoro's speech with the blend: the mean of its voices, by weight. A voice that was not measured, or that a
        user has made, counts as USUAL_LOUDNESS.
        """
        voices = ((part.weight, self.voices.get(part.voice_id)) for part in blend)
        return sum(weight * _or_usual(voice.loudness if voice else None) for weight, voice in voices)

    def aliases_of(self, voice_id: str) -> list[str]:
        """The other names that stand for exactly this voice."""
        return sorted(alias for alias, target in self.aliases.items() if target == voice_id)

    def _find_part(self, part: str) -> tuple[str, float] | None:
        """The voice and the weight of a part of a blend; None if it is none."""
        match = _PART.fullmatch(part.strip())
        if match is None:
            return None
        voice_id = self.aliases.get(match[1], match[1])
        try:
            weight = float(match[2]) if match[2] is not None else 1.0
        except ValueError:
            return None
        return (voice_id, weight) if voice_id in self.voices and math.isfinite(weight) and weight > 0 else None

    def _invalid(self, spec: str) -> InvalidValue:
        custom = CUSTOM_VOICE.findall(spec[:_MAX_SPEC_CHARS])
        if unknown := [voice_id for voice_id in custom if voice_id not in self.voices and voice_id not in self.aliases]:
            return no_custom_voice(unknown[0])
        if blends := [voice_id for voice_id in custom if voice_id in self.aliases]:
            return InvalidValue(
                f"Invalid value: '{blends[0]}' is a blend, which cannot be a part of another blend.", param="voice"
            )
        names = [f"'{name}'" for name in self.aliases if not CUSTOM_VOICE.fullmatch(name)]
        listed = f"{', '.join(names[:-1])}, and {names[-1]}"
        shown = spec if len(spec) <= 100 else f"{spec[:100]}…"
        return InvalidValue(
            f"Invalid value: '{shown}'. Supported values are: {listed}. Kokoro's voice ids and blends of up to "
            f"{MAX_BLEND_VOICES} such as 'af_heart(2)+bf_emma(1)' work too; GET /v1/audio/voices lists them.",
            param="voice",
        )


def rank_of(grade: str) -> tuple[str, int]:
    """The place of a voice by its grade, the best first: `A+`, `A`, `A-`, `B+`. Without a grade it is the last."""
    return grade[:1] or "~", {"+": 0, "-": 2}.get(grade[1:], 1)


def _or_usual(loudness: float | None) -> float:
    return USUAL_LOUDNESS if loudness is None else loudness


def load_catalogue(override: Path | None = None) -> Catalogue:
    """The bundled catalogue, with the additions and replacements of the operator's TOML file of the same form.

    Raises Misconfigured, with the file named, when it cannot be read or an alias stands for no voice.
    """
    bundled = _read((resources.files("app.core.speech") / "voices.toml").read_text(encoding="utf-8"), "voices.toml")
    aliases, voices = dict(bundled.aliases), {voice.id: voice for voice in bundled.voices}
    if override is not None:
        try:
            own = _read(override.read_text(encoding="utf-8"), f"KOE_VOICES_FILE: {override}")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise Misconfigured(f"KOE_VOICES_FILE: {override} cannot be read ({reason}).") from error
        aliases |= own.aliases
        voices |= {voice.id: voice for voice in own.voices}
    catalogue = Catalogue(voices, aliases)
    for alias, target in aliases.items():
        try:
            catalogue.parse(target)
        except InvalidValue:
            raise Misconfigured(
                f"KOE_VOICES_FILE: in {override} the alias {alias} names {target}, which is not a voice."
            ) from None
    return catalogue


def _read(text: str, name: str) -> _VoicesFile:
    try:
        return msgspec.convert(tomllib.loads(text), _VoicesFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(f"{name} is not a catalogue of voices: {error}.") from error
