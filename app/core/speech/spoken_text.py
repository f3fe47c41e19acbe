"""SpokenText: a text and all that decides which phonemes are spoken of it, resolved once by the API.

Why an Utterance is one: it has the same fields, and a format and a speed besides. Code that prepares a text accepts both.
"""

import hashlib
from functools import cached_property
from typing import Final, Literal, Self

import msgspec

from app.core.speech.voices import Blend

WIRE_VERSION: Final = 7
"""Version of the data between the API and the workers. It is part of the digest and of the queues' names, so that two versions
never share a stream or each other's work.
"""

Emoji = Literal["drop", "say"]
"""Emoji are dropped, or spoken by their names."""


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
    pronunciations: tuple[tuple[str, str], ...] = ()
    """Pairs of word and phonemes in Misaki's alphabet, sorted."""
    owner: str = ""
    """The only key that may share the result (`KOE_CACHE_SHARED`); empty for all."""
    version: int = WIRE_VERSION

    @cached_property
    def id(self) -> str:
        """Names the work of finding its phonemes: `phonemes-` and 40 hex digits. No utterance has such an id."""
        return f"phonemes-{self._digest()}"

    def to_json(self) -> bytes:
        """Canonical: equal values give equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Raises msgspec.ValidationError for what this version cannot have written."""
        return msgspec.json.decode(data, type=cls)

    def _digest(self) -> str:
        """40 hex digits: SHA-256 of the canonical JSON, shortened."""
        return hashlib.sha256(self.to_json()).hexdigest()[:40]
