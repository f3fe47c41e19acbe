"""SpokenText: a text and everything that decides its phonemes, resolved once by the API.

Why Utterance is a subclass: it has the same fields, and in addition a format and a speed. Code that prepares a text accepts
both.
"""

import hashlib
from functools import cached_property
from typing import Final, Literal, Self

import msgspec

from app.core.speech.tags import NamedVoices
from app.core.speech.voices import Blend, custom_voices_of

WIRE_VERSION: Final = 10
"""Version of the data between the API and the workers. It is part of the digest and of the queues' names, so that two versions
never share a stream or each other's work.
"""

Emoji = Literal["drop", "say"]
"""Emoji are dropped, or spoken by their names."""
Code = Literal["skip", "say"]
"""Blocks of code are left out, or read like text."""
Think = Literal["skip", "say"]
"""Thoughts of a model are left out, or spoken."""


class SpokenText(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A text to be spoken: aliases, blends and defaults are resolved before it is made."""

    text: str
    engine: str
    """`kokoro`, `espeak` or `tone`, decided when the request is accepted. Each has an alphabet of its own."""
    voice: Blend
    language: str
    """BCP 47 tag."""
    normalize: bool = True
    emoji: Emoji = "drop"
    """Treatment of emoji in a text that is normalized."""
    code: Code = "skip"
    """Treatment of blocks of code in a text that is normalized."""
    think: Think = "skip"
    """Treatment of thoughts of a model in a text that is normalized."""
    voices: NamedVoices = ()
    """The voices that the SSML of the text names."""
    speakers: NamedVoices = ()
    """The voices that tags such as `[af_heart]` name, and the narrator; empty in a text without such a tag."""
    narrator: str = ""
    """The voice of the request as the user wrote it, in a text with several voices; else empty."""
    pronunciations: tuple[tuple[str, str], ...] = ()
    """Pairs of word and phonemes in Misaki's alphabet, sorted."""
    owner: str = ""
    """The only key that may share the result (`KOE_CACHE_SHARED`); empty for all."""
    version: int = WIRE_VERSION

    @cached_property
    def id(self) -> str:
        """Id of the task that finds the phonemes: `phonemes-` and 40 hex digits. No utterance has such an id."""
        return f"phonemes-{self._digest()}"

    @property
    def custom_voices(self) -> tuple[str, ...]:
        """The ids of the voices in it that users have made, sorted."""
        blends = (self.voice, *(blend for _, blend, _ in (*self.voices, *self.speakers)))
        return tuple(sorted({voice_id for blend in blends for voice_id in custom_voices_of(blend)}))

    def to_json(self) -> bytes:
        """Canonical JSON: equal values give equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """The value that `to_json` wrote. Raises msgspec.ValidationError for data that this version cannot have written."""
        return msgspec.json.decode(data, type=cls)

    def _digest(self) -> str:
        """40 hex digits: SHA-256 of the canonical JSON, shortened."""
        return hashlib.sha256(self.to_json()).hexdigest()[:40]
