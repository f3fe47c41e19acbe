"""Utterance: everything that decides how a text sounds, resolved once by the API; its digest is its id everywhere.

Why the digest: cached, running and new work then have one name, so equal requests share the work without further protocol.
"""

from functools import cached_property
from typing import Final

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.spoken_text import SpokenText

MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 4.0

SECONDS_PER_BYTE: Final = 0.065
"""Audio for each byte of a text in UTF-8, for estimates: a Latin letter is one byte, a Han character or a kana is three."""


class Utterance(SpokenText, frozen=True, kw_only=True, dict=True):
    """A text to be spoken, with everything that decides its audio."""

    identities: tuple[str, ...] = ()
    """Short digests of the identities of the engines that may speak it: audio of other weights has another id. Empty when that
    does not matter.
    """
    format: str
    """A name in `app.core.speech.formats.FORMATS`."""
    bitrate_bps: int = 0
    """Bitrate of the encoded stream; 0 when the codec decides."""
    sample_rate_hz: int = SAMPLE_RATE_HZ
    """Sample rate of the file; speech is always made at SAMPLE_RATE_HZ."""
    speed: float = 1.0
    """Speed of the speech, 0.25 to 4."""
    apart: str = ""
    """Any token, which gives the utterance its own id; set when the same audio is being spoken and cannot be joined."""

    @property
    def expected_seconds(self) -> float:
        """Estimated length of its audio."""
        return round(SECONDS_PER_BYTE * len(self.text.encode()) / self.speed, 3)

    @cached_property
    def id(self) -> str:
        """40 hex digits: SHA-256 of the canonical JSON, shortened."""
        return self._digest()
