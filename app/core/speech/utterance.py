"""Utterance: all that decides how a text sounds, resolved once by the API; its digest is its id everywhere.

Why the digest: cached, running and new work then have one name, so equal requests meet each other without being told to.
"""

import hashlib
from functools import cached_property
from typing import Final, Literal

import msgspec

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Blend

WIRE_VERSION: Final = 6
"""Of what passes between the API and the workers. It is part of the digest and of the queues' names, so that two versions never
share a stream or take each other's work.
"""


Emoji = Literal["drop", "say"]
"""What becomes of emoji: nothing, or their names."""


class Utterance(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One request, as sound: aliases, blends and defaults are resolved before it is made."""

    text: str
    engine: str
    """`kokoro`, `espeak` or `tone`: which one speaks is decided when the request is taken."""
    identities: tuple[str, ...] = ()
    """Short digests of the identities of those workers' engines that may speak it: finished audio of other weights has another
    id. Empty where that does not matter.
    """
    voice: Blend
    language: str
    """BCP 47 tag."""
    format: str
    """A name in `app.core.speech.formats.FORMATS`."""
    bitrate_bps: int = 0
    """Of the encoded stream; 0 where the codec decides."""
    sample_rate_hz: int = SAMPLE_RATE_HZ
    """Of the file; all that is spoken is spoken at SAMPLE_RATE_HZ."""
    speed: float = 1.0
    """0.25 to 4."""
    normalize: bool = True
    emoji: Emoji = "drop"
    """What becomes of emoji in a text that is normalized."""
    pronunciations: tuple[tuple[str, str], ...] = ()
    """Pairs of word and phonemes in Misaki's alphabet, sorted."""
    owner: str = ""
    """Whose it is, where nobody is to be given what another has asked for (`KOE_CACHE_SHARED`); else empty."""
    apart: str = ""
    """Set where the same sound is being spoken and cannot be joined: any token, so that it has an id of its own."""
    version: int = WIRE_VERSION

    @cached_property
    def id(self) -> str:
        """40 hex digits: SHA-256 of the canonical JSON, shortened."""
        return hashlib.sha256(self.to_json()).hexdigest()[:40]

    def to_json(self) -> bytes:
        """Canonical: the same utterance gives the same bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, data: bytes | str) -> "Utterance":
        """Raises msgspec.ValidationError for what no utterance of this version can be."""
        return msgspec.json.decode(data, type=cls)
