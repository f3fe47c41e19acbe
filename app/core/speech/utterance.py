"""Utterance: all that decides how a text sounds, resolved once by the API; its digest is its id everywhere.

Why the digest: cached, running and new work then have one name, so equal requests share the work without further protocol.
"""

import hashlib
from functools import cached_property
from typing import Final, Literal

import msgspec

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Blend

WIRE_VERSION: Final = 6
"""Version of the data between the API and the workers. It is part of the digest and of the queues' names, so that two versions
never share a stream or each other's work.
"""


Emoji = Literal["drop", "say"]
"""Emoji are dropped, or spoken by their names."""


class Utterance(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One request, as audio: aliases, blends and defaults are resolved before."""

    text: str
    engine: str
    """`kokoro`, `espeak` or `tone`: the engine is chosen when the request is accepted."""
    identities: tuple[str, ...] = ()
    """Short digests of the identities of the engines that may speak it: audio of other weights has another id. Empty when that
    does not matter.
    """
    voice: Blend
    language: str
    """BCP 47 tag."""
    format: str
    """A name in `app.core.speech.formats.FORMATS`."""
    bitrate_bps: int = 0
    """Bitrate of the encoded stream; 0 when the codec decides."""
    sample_rate_hz: int = SAMPLE_RATE_HZ
    """Sample rate of the file; speech is always made at SAMPLE_RATE_HZ."""
    speed: float = 1.0
    """0.25 to 4."""
    normalize: bool = True
    emoji: Emoji = "drop"
    """Treatment of emoji in a text that is normalized."""
    pronunciations: tuple[tuple[str, str], ...] = ()
    """Pairs of word and phonemes in Misaki's alphabet, sorted."""
    owner: str = ""
    """The owner, if cached audio is not shared between keys (`KOE_CACHE_SHARED`); otherwise empty."""
    apart: str = ""
    """Any token, which gives the utterance its own id; set when the same audio is being spoken and cannot be joined."""
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
        """Raises msgspec.ValidationError for data that is not an utterance of this version."""
        return msgspec.json.decode(data, type=cls)
