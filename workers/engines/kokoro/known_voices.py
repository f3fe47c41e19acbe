"""Measures what the decoder must know of voices, in one known sentence: once for all voices, and once for each voice.

Why at the first use and not at the start: it takes about a second of computing for a voice, and few of the 54 are used. Why it
is kept nowhere: it follows from the checkpoint, so each worker finds the same.
"""

import threading
from collections.abc import Callable
from typing import Final

from app.core.speech.voices import Blend
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Score
from workers.engines.kokoro.model.statistics import Usual, blend

KNOWN_SENTENCE: Final = "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˌOvəɹ ðə lˈAzi dˈɔɡ, ænd nˈObˌɑdi nˈOz wˌI."
"""Phonemes of most kinds, in a sentence of usual length. A sentence of two seconds made the speech a decibel softer."""


class KnownVoices:
    """What was measured. Thread-safe."""

    def __init__(self, decoder: Decoder, any_voice: str, score_of: Callable[[str], Score]) -> None:
        """`score_of` returns the score of the known sentence for a voice's id. `any_voice` is one of them."""
        self.decoder, self._any_voice, self._score_of = decoder, any_voice, score_of
        self._usual: dict[str, Usual] = {}
        self._lock = threading.Lock()

    def learn(self, n_threads: int) -> None:
        """Measures what the decoder must know of every voice, if that is still to be done."""
        if self.decoder.has_learned:
            return
        with self._lock:
            if not self.decoder.has_learned:
                self._usual[self._any_voice] = self.decoder.learn(self._score_of(self._any_voice), n_threads)

    def usual(self, voice: Blend, n_threads: int) -> Usual:
        """Returns the usual moments of a voice or a blend."""
        return blend([(part.weight, self._usual_of(part.voice_id, n_threads)) for part in voice])

    def _usual_of(self, voice_id: str, n_threads: int) -> Usual:
        with self._lock:
            if voice_id not in self._usual:
                self._usual[voice_id] = self.decoder.survey(self._score_of(voice_id), n_threads).usual()
            return self._usual[voice_id]
