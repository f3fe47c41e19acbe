"""The engine espeak-ng: always available, of low quality. It speaks every language of its library.

Why a blend is only approximated: espeak-ng has a dozen timbres and cannot mix them. A blend has the timbre of its heaviest
voice and the mean pitch of its voices, slightly raised so that it differs from each of them.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import msgspec
import numpy as np
import soxr

from app.core.errors import InvalidValue, NotSupported
from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import CUSTOM_VOICE, Blend, BlendPart, Catalogue
from workers.engines.base import ALONE, Segment, Turn, Waveform, Word, require_fit
from workers.engines.finish import Finish
from workers.engines.memory import or_out_of_memory
from workers.text.espeak import library
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import NO_PHONEMES, PhonemizedText, find_words

_NORMAL_WPM: Final = 175
_TIMBRES: Final = {"female": ("f2", "f3", "f1", "f4", "f5"), "male": ("m3", "m7", "m1", "m2", "m4", "m5", "m6", "m8")}
_LOUDNESS: Final = {
    **{"f1": -18.9, "f2": -18.9, "f3": -19.9, "f4": -18.9, "f5": -20.5, "m1": -21.8, "m2": -21.9},
    **{"m3": -20.4, "m4": -20.7, "m5": -21.3, "m6": -20.7, "m7": -19.7, "m8": -25.8},
}
"""Loudness of each timbre's speech in LUFS (ITU-R BS.1770), the mean of five languages."""
_PITCHES: Final = (50, 38, 62, 44, 56, 32, 68)
"""The pitch changes after each round through the timbres; 50 is the timbre's own."""
_BLEND_PITCH: Final = 3
_NOT_A_LETTER: Final = re.compile(r"[\W\d_]")


class _Timbre(msgspec.Struct, frozen=True):
    """espeak-ng's sound for a voice of the catalogue."""

    variant: str
    pitch: int


class EspeakEngine:
    """The engine espeak-ng. It runs in separate processes."""

    name = "espeak"
    takes_phonemes = False
    batch_size = 1
    max_phonemes = 500
    max_context = 0
    is_loaded = True
    device_bytes = 0

    def __init__(self, catalogue: Catalogue, finish: Finish | None = None) -> None:
        """Raises EngineUnavailable if espeak-ng does not work on this machine."""
        library.self_test()
        library.voices()
        self._timbres = _assign_timbres(catalogue)
        timbres_digest = hashlib.sha256(msgspec.json.encode(self._timbres, order="deterministic")).hexdigest()
        self._finish = finish or Finish()
        self.identity = f"espeak 2 {self._finish.identity} {version('espeakng-loader')} {timbres_digest}"

    def speaks(self, language: str) -> bool:
        """Whether espeak-ng has a voice for the language."""
        return library.find_voice(language) is not None

    def check_voice(self, voice: Blend, language: str) -> None:
        """Raises NotSupported for a language without a voice, InvalidValue for a voice that is not in the catalogue."""
        self._name(voice, language)

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Returns `text` in espeak-ng's IPA, the same for all timbres. `markup` has no effect. Raises NotSupported."""
        phonemes = library.phonemes(text, _find_voice(language))
        return PhonemizedText(phonemes) if _NOT_A_LETTER.sub("", phonemes) else NO_PHONEMES

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        """Returns one waveform for each segment, with word times. Raises SegmentTooLong, EngineFailed, OutOfMemory."""
        return or_out_of_memory(lambda: [self._speak(one) for one in segments])

    def warm_up(self) -> None:
        """Speaks a word and discards the audio, so that the library's data is in the system's cache."""
        voice, text, language = (BlendPart(next(iter(self._timbres)), 1.0),), "Ready.", "en-US"
        phonemes = self.phonemize(text, language).phonemes
        self.synthesize(
            [Segment(text=text, phonemes=phonemes, voice=voice, language=language, speed=1.0, ending=Ending.SENTENCE)]
        )

    def close(self) -> None:
        """Ends the idle processes. Another engine of this process would start them again."""
        library.SPEAKING.close()

    def _speak(self, one: Segment) -> Waveform:
        require_fit(one, self)
        name, pitch = self._name(one.voice, one.language), self._pitch(one.voice)
        wpm = round(min(max(_NORMAL_WPM * one.speed, library.MIN_WPM), library.MAX_WPM))
        pcm, events = library.speak(one.text, name, wpm=wpm, pitch=pitch)
        samples = soxr.resample(pcm.astype(np.float32) / 32768, library.RATE_HZ, SAMPLE_RATE_HZ)
        seconds = len(samples) / SAMPLE_RATE_HZ
        spoken = Waveform(samples, _time(one.text, events, len(pcm), seconds))
        slower = max(1.0, library.MIN_WPM / (_NORMAL_WPM * one.speed))
        return self._finish(spoken, seconds=seconds * slower, loudness_lufs=self._loudness(one.voice))

    def _name(self, voice: Blend, language: str) -> str:
        """Returns espeak-ng's name for voice and language: `gmw/en-US+f3`."""
        return f"{_find_voice(language)}+{self._timbre(_heaviest(voice)).variant}"

    def _pitch(self, voice: Blend) -> int:
        mean = sum(part.weight * self._timbre(part.voice_id).pitch for part in voice)
        return round(mean) + (_BLEND_PITCH if len(voice) > 1 else 0)

    def _loudness(self, voice: Blend) -> float:
        """Returns the loudness of the voice in LUFS. A blend has the timbre of its heaviest voice."""
        return _LOUDNESS[self._timbre(_heaviest(voice)).variant]

    def _timbre(self, voice_id: str) -> _Timbre:
        try:
            return self._timbres[voice_id]
        except KeyError:
            if CUSTOM_VOICE.fullmatch(voice_id):
                raise NotSupported(
                    f"The voice '{voice_id}' is a voice pack for Kokoro, which espeak-ng cannot speak with. Use it with "
                    "Kokoro, or use another voice.",
                    param="voice",
                ) from None
            raise InvalidValue(f"Invalid value: '{voice_id}' is not a voice of this server.", param="voice") from None


def _heaviest(voice: Blend) -> str:
    return max(voice, key=lambda part: part.weight).voice_id


def _assign_timbres(catalogue: Catalogue) -> dict[str, _Timbre]:
    """Assigns a timbre to each voice. The voices of one gender all differ if there are enough timbres and pitches."""
    timbres = {}
    for gender, variants in _TIMBRES.items():
        voice_ids = sorted(voice.id for voice in catalogue.voices.values() if (voice.gender == "male") == (gender == "male"))
        for i, voice_id in enumerate(voice_ids):
            pitch = _PITCHES[i // len(variants) % len(_PITCHES)]
            timbres[voice_id] = _Timbre(variants[i % len(variants)], pitch)
    return timbres


def _find_voice(language: str) -> str:
    """Returns espeak-ng's voice for a language. Raises NotSupported."""
    found = library.find_voice(language)
    if found is None:
        raise NotSupported(f"The language '{language}' is not one that espeak-ng speaks.", param="language")
    return found


def _time(text: str, events: list[library.WordEvent], n_samples: int, seconds: float) -> tuple[Word, ...]:
    """Returns the words of `text`, each until the next one begins. Times between two events are interpolated by characters."""
    spans = find_words(text)
    characters = np.maximum.accumulate([0, *(min(event.character, len(text)) for event in events), len(text)])
    samples = np.maximum.accumulate([0, *(event.sample for event in events), n_samples])
    # For a number or an unknown script, espeak-ng reports several words at one position. The first event marks its beginning.
    characters, firsts = np.unique(characters[:-1], return_index=True)
    places = [*(start for start, _ in spans), len(text)]
    edges = np.interp(places, [*characters, len(text)], [*samples[firsts], n_samples]) * seconds / max(1, n_samples)
    return tuple(Word(first, last, float(edges[i]), float(edges[i + 1])) for i, (first, last) in enumerate(spans))
