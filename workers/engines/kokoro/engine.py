"""Kokoro-82M as an engine: text to phonemes, phonemes to a score, scores to samples.

Why two decoders: a CPU is fastest with one segment on each core, in arithmetic that fits its caches. A GPU is fastest with many
segments in one batch.
"""

import gc
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import structlog
import torch

from app.core.errors import EngineFailed, InvalidValue
from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Blend, BlendPart, Catalogue, custom_voices_of
from app.core.weights.files import find_checkpoint
from workers.engines.base import (
    ALONE,
    ReadCustomPack,
    Samples,
    Segment,
    Turn,
    Waveform,
    Word,
    no_custom_packs,
    require_fit,
)
from workers.engines.finish import Finish
from workers.engines.identity import identity_of
from workers.engines.kokoro.checkpoint import load_model
from workers.engines.kokoro.devices import find_device, reserved_bytes
from workers.engines.kokoro.framing import MAX_CONTEXT, Framed, frame
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.known_voices import KNOWN_SENTENCE, KnownVoices
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.gpu_decoder import N_AT_ONCE, BatchDecoder
from workers.engines.kokoro.model.pieces import FRAME_SAMPLES
from workers.engines.kokoro.model.prosody import Prosody, Score
from workers.engines.kokoro.packs import N_ROWS, VoicePacks
from workers.engines.kokoro.vocabulary import spell
from workers.engines.memory import or_out_of_memory, return_memory
from workers.text.g2p.english import tagger
from workers.text.g2p.phonemize import Phonemizer
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import NO_PHONEMES, PhonemizedText, PhonemizedWord, says_something

MIN_MODEL_SPEED: Final = 0.8
MAX_MODEL_SPEED: Final = 1.25
"""Within this range the model's own speed loses no word. Outside, it drops phonemes or lengthens vowels, since each phoneme
has a whole number of frames and at least one.
"""

_FRAME_SECONDS: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ
"""Length of a frame, the unit of the model's durations."""

PIECE_ENDS: Final = (16, 38, 76, 140)
"""Frames after which the pieces of a segment end, from its first audible frame: 0.4, 1, 1.9 and 3.5 s. The rest is the last
piece. The first is short for the listener's sake. By calculation, a thread that computes at twice the speed of speech has each
later one ready before the one before was heard.
"""

_LONG_FRAMES: Final = 500
"""After a longer segment the freed memory is returned to the system: hundreds of megabytes, which others may need."""

_FADE: Final[Samples] = np.linspace(0.0, 1.0, SAMPLE_RATE_HZ // 200, dtype=np.float32)
"""A fade of 5 ms for a sound that was cut out of its sentence."""

_SOUNDLESS: Final = frozenset("ˈˌː↓→↗↘ʰʲ\u0303")
"""Signs of the vocabulary that only modify a neighbouring sound."""

_NO_MEMORY: Final = ("DefaultCPUAllocator: can't allocate memory", "can't start new thread")

_log = structlog.get_logger()


class KokoroEngine:
    """The engine with the `kokoro` package's model."""

    name = "kokoro"
    takes_phonemes = True
    max_phonemes = N_ROWS
    """The model reads 512 tokens, two of them pads."""
    max_context = MAX_CONTEXT
    is_loaded = True

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        model_dir: Path | None,
        fetched_dir: Path | None = None,
        device: str = "cpu",
        precision: Precision = "float32",
        finish: Finish | None = None,
        read_custom_pack: ReadCustomPack = no_custom_packs,
    ) -> None:
        """Loads the checkpoint that `app.core.weights.files.find_checkpoint` finds.

        `device` is a PyTorch device, or `auto` for the best available of `cuda`, `mps` and `cpu`. `precision`: of prepared
        weights on a CPU. `read_custom_pack` returns a pack that a user has made. Raises
        `app.core.weights.files.CheckpointError`, an EngineUnavailable that names the file and the remedy.
        """
        files = find_checkpoint(model_dir, catalogue.voices, fetched_dir)
        self.weights = files.precision
        self._device = find_device(device)
        self.batch_size = 1 if self._device.type == "cpu" else N_AT_ONCE
        model = load_model(files)
        self._vocabulary: dict[str, int] = model.vocab
        self._decoder: Decoder | BatchDecoder
        if self._device.type == "cpu":
            self._prosody, self._decoder = Prosody(model, precision), Decoder(model.decoder, precision)
        else:
            self._prosody, self._decoder = Prosody(model), BatchDecoder(model.decoder, self._device)
        self._packs = VoicePacks(files, catalogue, read_custom_pack)
        self._voices = (
            KnownVoices(self._decoder, self._packs, self._known_score) if isinstance(self._decoder, Decoder) else None
        )
        self._phonemizer = Phonemizer(tagger.find(model_dir, fetched_dir))
        self._catalogue = catalogue
        self._finish = finish or Finish()
        self.identity = identity_of(f"kokoro 10 {precision} {self._finish.identity}", files.paths)
        _log.info(
            "kokoro_loaded", place=files.place, weights=self.weights, n_voices=len(files.voices), device=str(self._device)
        )

    @property
    def device_bytes(self) -> int:
        """Memory of the GPU that PyTorch has reserved for this process; 0 on a CPU."""
        return reserved_bytes(self._device)

    @staticmethod
    def speaks(language: str) -> bool:
        """Whether it is one of the nine languages and its packages are installed. `phonemize` names the missing packages."""
        return Phonemizer().speaks(language)

    def check_voice(self, voice: Blend, language: str) -> None:
        """Raises InvalidValue for an unknown voice, CheckpointError for a voice without a pack."""
        self._packs.check(voice)

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Returns `text` in phonemes of Kokoro's vocabulary. Phonemes without a replacement are counted in the log.

        Raises NotSupported (param `language`).
        """
        phonemized, n_unknown = spell(self._phonemizer.phonemize(text, language, markup), self._vocabulary)
        if n_unknown:
            _log.warning("unknown_phonemes", n_phonemes=n_unknown, language=language)
        return phonemized if says_something(phonemized.phonemes.translate(_WITHOUT_SIGNS)) else NO_PHONEMES

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        """Returns one waveform for each segment, with word times. Raises SegmentTooLong, OutOfMemory, EngineFailed."""
        # This setting is per thread. One is enough: the scheduler runs as many segments at once as there are cores.
        torch.set_num_threads(1)
        try:
            return or_out_of_memory(lambda: self._speak_somewhere(segments, turn), is_shortage=_is_shortage)
        except RuntimeError as error:
            n_phonemes = ", ".join(str(one.n_phonemes) for one in segments)
            raise EngineFailed(f"Kokoro could not speak segments of {n_phonemes} phonemes ({type(error).__name__}).") from error

    def _speak_somewhere(self, segments: Sequence[Segment], turn: Turn) -> list[Waveform]:
        """Speaks in this thread, or in a new one if oneDNN cannot generate code here.

        Why: a thread in which oneDNN once found no memory for its code can never generate any again. Another thread can, and
        its code serves all threads.
        """
        try:
            return self._speak(segments, turn)
        except RuntimeError as error:
            if not _lacks_code(error):
                raise
        with ThreadPoolExecutor(1, initializer=lambda: torch.set_num_threads(1)) as other:
            return other.submit(self._speak, segments, turn).result()

    def warm_up(self) -> None:
        """Speaks a sentence and discards the audio: this loads the English G2P and makes the model allocate its memory."""
        voice, language = (BlendPart(self._packs.any_voice(), 1.0),), "en-US"
        text = "It speaks as soon as you have told it what to say."
        phonemes = self.phonemize(text, language).phonemes
        self.synthesize(
            [Segment(text=text, phonemes=phonemes, voice=voice, language=language, speed=1.0, ending=Ending.SENTENCE)]
        )
        return_memory()

    def close(self) -> None:
        """Frees the memory of the model and of the G2P."""
        self._phonemizer.close()
        del self._prosody, self._decoder, self._voices
        if self._device.type == "cuda":
            # PyTorch caches freed memory, and only the garbage collector frees modules with cyclic references.
            gc.collect()
            torch.cuda.empty_cache()

    def _speak(self, segments: Sequence[Segment], turn: Turn) -> list[Waveform]:
        scores = [self._score(one, turn) for one in segments]
        if self._voices is None:
            return [self._finished(*parts) for parts in zip(segments, scores, self._decoder(scores), strict=True)]
        self._voices.learn(turn.n_threads)
        return [self._speak_pieces(self._voices, *parts, turn) for parts in zip(segments, scores, strict=True)]

    def _speak_pieces(self, voices: KnownVoices, one: Segment, score: Score, turn: Turn) -> Waveform:
        """Speaks a segment. If it is spoken in pieces, the turn gets its beginning after each piece."""
        n_all = score.encoded.shape[2]
        n_heard = FRAME_SAMPLES * (n_all - score.n_lead - score.n_trail)
        in_pieces = one.in_pieces and self._finish.keeps_length(n_heard, _seconds(one, score))
        ends, usual = (PIECE_ENDS, voices.usual(one.voice, turn.n_threads)) if in_pieces else ((), None)
        spoken = torch.zeros(0)
        for piece in voices.decoder.in_pieces(score, ends, usual, turn.n_threads, turn.give_way):
            spoken = torch.cat([spoken, piece])
            if in_pieces and len(spoken) < FRAME_SAMPLES * n_all:
                turn.on_beginning(self._beginning(one, score, spoken))
        if n_all > _LONG_FRAMES:
            return_memory()
        return self._finished(one, score, spoken)

    def _score(self, one: Segment, turn: Turn = ALONE) -> Score:
        require_fit(one, self)
        framed = _framed(one)
        ids = torch.tensor([[0, *(self._vocabulary[phoneme] for phoneme in framed.phonemes), 0]])
        style = self._packs.style(one.voice, min(len(framed.phonemes), N_ROWS))
        speed = _model_speed(one.speed)
        max_frames = _max_frames(ids.shape[1]) if custom_voices_of(one.voice) else math.inf
        return self._prosody(ids, style, speed, one.digest, framed.tokens, turn.n_threads, turn.give_way, max_frames)

    def _finished(self, one: Segment, score: Score, spoken: torch.Tensor) -> Waveform:
        loudness_lufs = self._catalogue.loudness_of(one.voice)
        return self._finish(_waveform(one, score, spoken), seconds=_seconds(one, score), loudness_lufs=loudness_lufs)

    def _beginning(self, one: Segment, score: Score, spoken: torch.Tensor) -> Waveform:
        begun = _waveform(one, msgspec.structs.replace(score, n_trail=0), spoken)
        return self._finish.beginning(begun, loudness_lufs=self._catalogue.loudness_of(one.voice))

    def _known_score(self, voice_id: str) -> Score:
        voice = (BlendPart(voice_id, 1.0),)
        return self._score(
            Segment(text="", phonemes=KNOWN_SENTENCE, voice=voice, language="en-US", speed=1.0, ending=Ending.SENTENCE)
        )


def _max_frames(n_tokens: int) -> int:
    """Returns the most frames of so many tokens with a voice that a user has made: about twice what a slow voice has. A pack
    may be anything, and a segment of 510 phonemes could have 25,000 frames, for which few machines have the memory.
    """
    return 8 * n_tokens + 200


def _seconds(one: Segment, score: Score) -> float:
    """Returns the length that the segment shall have."""
    return score.n_natural_frames * _FRAME_SECONDS / one.speed


def _framed(one: Segment) -> Framed:
    return frame(one.phonemes, one.before, one.after, one.language)


def _model_speed(speed: float) -> float:
    """Returns the speed for the model: `speed` within the model's range, else 1. Time stretching does the rest. Of 76 words at
    twice the speed, Whisper then misheard 4; it misheard 6 if the model did a part of the speed-up.
    """
    return speed if MIN_MODEL_SPEED <= speed <= MAX_MODEL_SPEED else 1.0


def _waveform(one: Segment, score: Score, spoken: torch.Tensor) -> Waveform:
    samples = _without_context(spoken.numpy(), score)
    if not np.isfinite(samples).all():
        if custom_voices_of(one.voice):
            raise InvalidValue("This voice cannot be used: Kokoro gives no sound with it.", param="voice")
        raise EngineFailed(f"Kokoro gave samples that are not finite for a segment of {one.n_phonemes} phonemes.")
    silence, *own = _framed(one).own_frames(score.n_frames.tolist())
    return Waveform(samples, tuple(_time(one.words, [silence + score.n_before, *own])))


def _without_context(samples: Samples, score: Score) -> Samples:
    """Cuts off the samples of context frames, and fades the cut ends."""
    first, last = score.n_lead * FRAME_SAMPLES, len(samples) - score.n_trail * FRAME_SAMPLES
    own = samples[first:last].copy()
    if score.n_lead:
        own[: len(_FADE)] *= _FADE
    if score.n_trail:
        own[-len(_FADE) :] *= _FADE[::-1]
    return own


def _is_shortage(error: Exception) -> bool:
    """Whether memory ran out. PyTorch's CPU allocator, oneDNN and a new thread raise a plain RuntimeError, known only by its
    message.
    """
    is_refused = type(error) is RuntimeError and any(words in str(error) for words in _NO_MEMORY)
    return is_refused or _lacks_code(error) or isinstance(error, torch.OutOfMemoryError | MemoryError)


def _lacks_code(error: Exception) -> bool:
    """Whether oneDNN found no memory for the code that it generates."""
    return type(error) is RuntimeError and str(error) == "could not create a primitive"


_WITHOUT_SIGNS: Final = {ord(sign): None for sign in _SOUNDLESS}


def _time(words: Sequence[PhonemizedWord], n_frames: Sequence[int]) -> Iterator[Word]:
    """Yields the time of each word. `n_frames`: frames of each token of the model, the phonemes with a pad at both ends."""
    edges = [n * _FRAME_SECONDS for n in accumulate(n_frames)]
    for word in words:
        yield Word(word.first, word.last, edges[word.begin], edges[word.end])
