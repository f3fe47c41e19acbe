"""Sound: a spoken segment as it is cached and joined, with its pcm and its words. In Redis it is one string of bytes.

Workers of several versions find each other's sounds by name. So a change of these bytes, or of how a waveform becomes a sound,
must raise `app.core.speech.spoken_text.WIRE_VERSION`.
"""

import msgspec
import numpy as np

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from workers.engines.base import Samples, Word


class Sound(msgspec.Struct, frozen=True, array_like=True):
    """A spoken segment. The silence at its edges is trimmed."""

    pcm: bytes
    """Samples as s16le."""
    words: tuple[Word, ...] = ()
    """Words of the segment, with times from the first sample of `pcm`."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / (SAMPLE_BYTES * SAMPLE_RATE_HZ)

    def after(self, beginning: "Sound") -> "Sound":
        """Returns what follows `beginning`. The words keep their times."""
        return Sound(self.pcm[len(beginning.pcm) :], self.words[len(beginning.words) :])

    def beginning_with(self, beginning: "Sound") -> "Sound":
        """Returns this sound with `beginning` in place of its first samples and words."""
        rest = self.after(beginning)
        return Sound(beginning.pcm + rest.pcm, beginning.words + rest.words)

    def to_bytes(self) -> bytes:
        """Returns the bytes that `from_bytes` reads."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Sound":
        """Returns the sound. Raises msgspec.DecodeError if `data` is not a sound."""
        return msgspec.msgpack.decode(data, type=cls)


def to_pcm(samples: Samples) -> bytes:
    """Converts float32 to s16le, rounded. Samples outside [-1, 1] are clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()
