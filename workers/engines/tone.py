"""The engine `tone`: one beep for each segment, of an exact length. For tests without a model.

Why every voice has its own frequency: a test can derive the voice from decoded audio, and the number of phonemes from its
length.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Blend, show_blend
from workers.engines.base import ALONE, Samples, Segment, Turn, Waveform, Word, require_fit
from workers.engines.memory import or_out_of_memory
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import NO_PHONEMES, PhonemizedText, find_words, says_something

SECONDS_PER_PHONEME: Final = 0.06
"""Length of a phoneme at speed 1. Each character of the text is a phoneme."""
AMPLITUDE: Final = 0.5
MIN_HZ, MAX_HZ = 200.0, 1500.0

_EDGE_SAMPLES: Final = SAMPLE_RATE_HZ // 1000
_EDGE_GAIN: Final = 0.2
"""Gain at the outer ends of the fades: far above the level that the joiner trims as silence."""
_KEY: Final = b"tone50314"
"""Hash key, found by trial: with it, the 54 voices of the catalogue are at least 5 Hz apart."""


class ToneEngine:
    """The engine that beeps. It supports every language and every voice."""

    name = "tone"
    identity = "tone 1"
    takes_phonemes = True
    batch_size = 1
    max_phonemes = 510
    max_context = 0
    is_loaded = True
    device_bytes = 0

    def speaks(self, language: str) -> bool:
        """Returns True."""
        return True

    def check_voice(self, voice: Blend, language: str) -> None:
        """Accepts every voice."""

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Returns the characters of `text`. Words with phonemes in `markup` have these instead."""
        phonemes = "".join(given.phonemes if given else part for _, part, given in markup.parts(text))
        return PhonemizedText(phonemes) if says_something(phonemes) else NO_PHONEMES

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        """Returns a sine for each segment, of `frequency_hz(voice)` and `n_samples(segment)`. Word times follow characters."""
        return or_out_of_memory(lambda: [self._beep(one) for one in segments])

    def warm_up(self) -> None:
        """Does nothing: there is nothing to load."""

    def close(self) -> None:
        """Does nothing: there is nothing to release."""

    def _beep(self, one: Segment) -> Waveform:
        require_fit(one, self)
        length = n_samples(one)
        seconds = length / SAMPLE_RATE_HZ
        words = tuple(
            Word(start, end, seconds * start / len(one.text), seconds * end / len(one.text))
            for start, end in find_words(one.text)
        )
        return Waveform(_sine(frequency_hz(one.voice), length), words)


def frequency_hz(voice: Blend) -> float:
    """Returns the pitch of a voice or blend, from 200 to 1500 Hz. Different blends have different pitches."""
    digest = hashlib.blake2b(show_blend(voice).encode(), digest_size=8, key=_KEY).digest()
    return MIN_HZ + (MAX_HZ - MIN_HZ) * int.from_bytes(digest, "big") / 2**64


def n_samples(one: Segment) -> int:
    """Returns the exact length of the segment's beep at 24 kHz."""
    return max(1, round(SECONDS_PER_PHONEME * one.n_phonemes / one.speed * SAMPLE_RATE_HZ))


def _sine(hz: float, length: int) -> Samples:
    """Returns a cosine or a sine centred on its middle, the one that is louder at the edges: the edges are never near zero."""
    phase = 2 * np.pi * hz / SAMPLE_RATE_HZ * (np.arange(length) - (length - 1) / 2)
    wave = max(np.cos(phase), np.sin(phase), key=lambda candidate: abs(float(candidate[0])))
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    gain = np.minimum(1.0, _EDGE_GAIN + (1 - _EDGE_GAIN) * distance / _EDGE_SAMPLES)
    samples: Samples = (AMPLITUDE * gain * wave).astype(np.float32)
    return samples
