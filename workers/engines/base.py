"""Engine, Segment, Waveform: the contract of every engine. tests/workers/engines/test_contract.py tests all engines against it.

`workers.synthesis.prepare` divides a text into segments, in the same way for all engines.

Why no engine has a sample rate: all speech has `app.core.speech.formats.SAMPLE_RATE_HZ`. Segments of every engine are cached,
joined and encoded at this rate. An engine with another rate resamples.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.errors import SegmentTooLong
from app.core.speech.boundaries import Ending
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.voices import Blend, custom_voices_of, no_custom_voice
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText, PhonemizedWord

Samples = npt.NDArray[np.float32]
"""(n_samples,), float32, in [-1, 1], at `app.core.speech.formats.SAMPLE_RATE_HZ`."""


ReadCustomPack = Callable[[str], bytes]
"""Returns the numbers of a pack that a user has made, float32 in little-endian order, (510, 1, 256). Raises InvalidValue for an
unknown one.
"""


def no_custom_packs(voice_id: str) -> bytes:
    """Knows no packs of users. Raises InvalidValue."""
    raise no_custom_voice(voice_id)


SECONDS_PER_PHONEME: Final = 0.08
"""Average length of a phoneme at speed 1."""


class Segment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A piece of text that an engine speaks at once, with everything that affects its sound."""

    text: str
    phonemes: str
    """Phonemes in the engine's own alphabet; `n_phonemes` counts its characters."""
    voice: Blend
    language: str
    """BCP 47 tag."""
    speed: float
    """From 0.25 to 4; 1 is the normal speed."""
    ending: Ending
    """Determines the pause after the segment, not its sound. Not part of the digest."""
    start: int = 0
    """Index of `text` in the prepared text, in characters. Not part of the digest."""
    words: tuple[PhonemizedWord, ...] = ()
    """The phonemes of each word of `text`, if the engine's G2P returns them."""
    before: str = ""
    """Phonemes before the segment in its sentence. They affect its pronunciation and are not spoken."""
    after: str = ""
    """Phonemes after the segment in its sentence. They too affect its pronunciation and are not spoken."""
    in_pieces: bool = False
    """Whether a listener waits for it, so that the engine may speak its beginning before the rest."""
    engine: str = ""
    """`Engine.identity` of the engine that speaks it. Not part of the digest: if another engine continues an utterance, it
    joins the segments that the first engine has spoken.
    """

    @property
    def n_phonemes(self) -> int:
        """Length of the segment; engines have a limit in this unit."""
        return len(self.phonemes)

    @property
    def expected_seconds(self) -> float:
        """Estimated length of its audio, for planning."""
        return SECONDS_PER_PHONEME * self.n_phonemes / self.speed

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that identify the sound and its words within one utterance. They are also the seed of the random numbers in
        the sound.
        """
        spoken = (self.text, self.phonemes, self.voice, self.language, self.speed, self.words, self.before, self.after)
        return hashlib.sha256(msgspec.json.encode((*spoken, self.in_pieces), order="deterministic")).digest()

    @cached_property
    def name(self) -> str:
        """64 hex digits that identify the sound in all utterances. They differ between engines and versions. The ids of voices
        that users have made follow, each after a colon, so that the sound can be found when such a voice is deleted.
        """
        digest = hashlib.sha256(msgspec.json.encode((WIRE_VERSION, self.engine, self.digest.hex()))).hexdigest()
        return ":".join([digest, *custom_voices_of(self.voice)])


class Word(msgspec.Struct, frozen=True, array_like=True):
    """One word of a segment's text, and the time at which it is audible."""

    first: int
    """Index of its first character in the segment's text."""
    last: int
    """Exclusive end index."""
    start: float
    """Seconds from the segment's first sample."""
    end: float


class Waveform(msgspec.Struct, frozen=True):
    """An engine's output for one segment."""

    samples: Samples
    words: tuple[Word, ...] = ()
    """In order, without gaps in the text except white space; empty if the engine knows no times."""


def _nothing() -> None:
    """Does nothing."""


def _ignore(_: "Waveform") -> None:
    """Does nothing."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of `Engine.synthesize` may use, and what it must do for others."""

    n_threads: int = 1
    """Most threads that the call may use."""
    give_way: Callable[[], None] = _nothing
    """An engine that computes for longer than about 50 ms calls it between its steps, in the thread that called it. It may
    return late, since a more urgent segment may be spoken meanwhile in the same thread, by the same engine.
    """
    on_beginning: Callable[["Waveform"], None] = _ignore
    """Receives the beginning of a segment that is spoken `in_pieces`, perhaps several times, longer each time. Its samples are
    those of the whole segment. Its words are those that it contains.
    """


ALONE: Final = Turn()
"""One thread, and nobody waits."""


class Engine(Protocol):
    """An engine speaks segments. A process makes it once. All methods are thread-safe."""

    name: str
    """The name in `app.core.speech.models.ENGINE_ORDER` and in the `x-koe-engine` header."""
    identity: str
    """Equal for two engines that give the same segment the same sound. It consists of the engine, its files, and a number that
    is raised when its code changes the sound.
    """
    takes_phonemes: bool
    """Whether the engine accepts given phonemes for a word."""
    batch_size: int
    """The best number of segments in a call of `synthesize`: 1 on a CPU."""
    max_phonemes: int
    """Most phonemes of a segment in `synthesize`."""
    max_context: int
    """Most context phonemes before a segment, and after it, in the same sentence; 0 if the engine uses no context."""

    @property
    def is_loaded(self) -> bool:
        """Whether its model is in memory."""
        ...

    @property
    def device_bytes(self) -> int:
        """Memory of the GPU that it has reserved; 0 without a GPU."""
        ...

    def speaks(self, language: str) -> bool:
        """Whether the engine speaks this language (BCP 47 tag)."""
        ...

    def check_voice(self, voice: Blend, language: str) -> None:
        """Raises InvalidRequest for a voice or language that the engine does not support, as far as it knows without a text."""
        ...

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Returns the phonemes of `text`, which is already normalized, in the engine's own alphabet; NO_PHONEMES if there is
        nothing to say.

        If the engine `takes_phonemes`, `markup` has the phonemes of some words. Raises InvalidRequest for a language that the
        engine does not speak.
        """
        ...

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        """Returns one waveform for each segment, in order. Its samples do not depend on the other segments or on the turn.

        Raises SegmentTooLong and never cuts a segment. Raises OutOfMemory if memory is not available
        (`workers.engines.memory.or_out_of_memory`), and EngineFailed for any other failure.
        """
        ...

    def warm_up(self) -> None:
        """Does all work that would delay the first segment, so that the first request is as fast as the hundredth.

        If the engine must speak to warm up, a second call takes about as long as the first segment of most texts.
        """
        ...

    def close(self) -> None:
        """Releases all resources. No other method may be called afterwards."""
        ...


def require_fit(one: Segment, engine: Engine) -> None:
    """Raises SegmentTooLong if the segment exceeds the engine's limit."""
    if one.n_phonemes > engine.max_phonemes:
        raise SegmentTooLong(
            f"A segment has {one.n_phonemes} phonemes; the engine '{engine.name}' takes {engine.max_phonemes}."
        )
