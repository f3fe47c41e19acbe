"""Sound: a spoken segment as it is kept and joined, its pcm and its words; one string of bytes when it is kept in Redis.

Workers of several versions find each other's by name: what changes the shape of these bytes, or what is made of a waveform,
raises `app.core.speech.spoken_text.WIRE_VERSION`.
"""

import msgspec
import numpy as np

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from workers.engines.base import Samples, Word


class Sound(msgspec.Struct, frozen=True, array_like=True):
    """What a segment has become, without the silence around it."""

    pcm: bytes
    """s16le."""
    words: tuple[Word, ...] = ()
    """Their times are counted from the first sample of `pcm`."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / (SAMPLE_BYTES * SAMPLE_RATE_HZ)

    def to_bytes(self) -> bytes:
        """For `from_bytes`."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Sound":
        """Raises msgspec.ValidationError for what is none."""
        return msgspec.msgpack.decode(data, type=cls)


def to_pcm(samples: Samples) -> bytes:
    """Float32 in [-1, 1] as s16le, rounded; what is beyond is clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()
