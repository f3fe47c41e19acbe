"""Engine, Segment, Waveform: the one page that every engine obeys; tests/workers/engines/test_contract.py holds them to it.

How a text becomes segments is the same for all of them and stands in `workers.synthesis.prepare`.

Why no engine has a sample rate: all speech has `app.core.speech.formats.SAMPLE_RATE_HZ`, in which segments are cached, joined
and encoded whoever has spoken them. An engine with another rate resamples.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.errors import SegmentTooLong
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.voices import Blend
from workers.text.boundaries import Ending
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import Said, SaidWord

Samples = npt.NDArray[np.float32]
"""(n_samples,), float32, in [-1, 1], at `app.core.speech.formats.SAMPLE_RATE_HZ`."""


SECONDS_PER_PHONEME: Final = 0.08
"""About, at speed 1."""


class Segment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A piece that an engine speaks at once, with all that decides how it sounds."""

    text: str
    phonemes: str
    """In the engine's own alphabet; what `n_phonemes` counts."""
    voice: Blend
    language: str
    """BCP 47 tag."""
    speed: float
    """0.25 to 4."""
    ending: Ending
    """Decides the pause behind it and nothing within. No part of the digest."""
    start: int = 0
    """Where `text` begins in the text that was prepared, in characters. No part of the digest."""
    said: tuple[SaidWord, ...] = ()
    """Which phonemes each word of `text` has, where the engine's G2P tells."""
    before: str = ""
    """Phonemes of the same sentence that stand before it, where it is a part of one: they decide how it is said, and are not
    spoken."""
    after: str = ""
    """The same of those that stand after it."""
    engine: str = ""
    """`Engine.identity` of the one that speaks it. No part of the digest: whoever goes on with what another engine has begun
    joins what that one has spoken.
    """

    @property
    def n_phonemes(self) -> int:
        """How much it is; engines have a limit in this unit."""
        return len(self.phonemes)

    @property
    def expected_seconds(self) -> float:
        """A guess at its audio, good enough to plan by."""
        return SECONDS_PER_PHONEME * self.n_phonemes / self.speed

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that name the sound and its words within one utterance: seeds whatever is random in it."""
        sound = (self.text, self.phonemes, self.voice, self.language, self.speed, self.said, self.before, self.after)
        return hashlib.sha256(msgspec.json.encode(sound, order="deterministic")).digest()

    @cached_property
    def name(self) -> str:
        """64 hex digits that name the sound wherever it stands: no other engine, and no other version, has the same."""
        return hashlib.sha256(msgspec.json.encode((WIRE_VERSION, self.engine, self.digest.hex()))).hexdigest()


class Word(msgspec.Struct, frozen=True, array_like=True):
    """One word of a segment's text, and when it is heard."""

    first: int
    """Its first character in the segment's text."""
    last: int
    """One behind its last."""
    start: float
    """Seconds from the segment's first sample."""
    end: float


class Waveform(msgspec.Struct, frozen=True):
    """What an engine gives back for one segment."""

    samples: Samples
    words: tuple[Word, ...] = ()
    """In order, without gaps in the text but white space; empty where the engine knows no times."""


class Engine(Protocol):
    """What speaks. Made once for the life of a process; every method may be called from several threads at a time."""

    name: str
    """As `app.core.speech.models.ENGINE_ORDER` and the `x-koe-engine` header have it."""
    identity: str
    """Equal where the same segment sounds the same: it tells the engine, the files that it speaks with, and a number that is
    raised when its code makes another sound of them.
    """
    takes_phonemes: bool
    """Whether it can be told how a word is said."""
    batch_size: int
    """Segments that are best handed to `synthesize` at once: 1 on a CPU."""
    max_phonemes: int
    """Phonemes of the longest segment that `synthesize` takes."""
    max_context: int
    """Phonemes before a segment, and after it, in the same sentence, that it reads as well; 0 where it reads each segment
    alone.
    """

    def speaks(self, language: str) -> bool:
        """Whether text of this language (BCP 47 tag) can be said."""
        ...

    def check_voice(self, voice: Blend, language: str) -> None:
        """Raises InvalidRequest for a voice that it cannot speak, or a language, as far as it knows that without a text."""
        ...

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> Said:
        """`text`, already normalized, in the engine's own alphabet; NOTHING_SAID where there is nothing to say.

        Where the engine `takes_phonemes`, `markup` has those of some words. Raises InvalidRequest for a language that it cannot
        speak.
        """
        ...

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        """One waveform for each segment, in order. The same segment gives the same samples, whatever stands beside it and
        however many threads, `n_threads` at most, it is spoken by.

        Raises SegmentTooLong, and never cuts; OutOfMemory when it finds no memory
        (`workers.engines.memory.or_out_of_memory`), and EngineFailed when it fails otherwise.
        """
        ...

    def warm_up(self) -> None:
        """Does whatever the first segment would wait for, so that the first request is like the hundredth. Takes about as long
        as the first segment of most texts, where that is known only by speaking.
        """
        ...

    def close(self) -> None:
        """Gives back what it holds. Nothing else is called afterwards."""
        ...


def require_fit(one: Segment, engine: Engine) -> None:
    """Raises SegmentTooLong for a segment that is longer than the engine takes."""
    if one.n_phonemes > engine.max_phonemes:
        raise SegmentTooLong(
            f"A segment has {one.n_phonemes} phonemes; the engine '{engine.name}' takes {engine.max_phonemes}."
        )
