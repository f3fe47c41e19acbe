"""What the decoder must know of voices: how silence differs, which holds for all voices, and what is usual for each voice.

Why silence is measured in each worker and not read from a file: it takes no longer than the sentence of a warm-up, and every
checkpoint has its own. A voice that is not in the file of `usual` is measured at its first use.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Final

from app.core.speech.voices import CUSTOM_VOICE, Blend
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Score
from workers.engines.kokoro.model.statistics import UsualNorms, blend
from workers.engines.kokoro.packs import MAX_CUSTOM_PACKS, VoicePacks
from workers.engines.kokoro.usual import UsualTable

KNOWN_SENTENCE: Final = "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˌOvəɹ ðə lˈAzi dˈɔɡ, ænd nˈObˌɑdi nˈOz wˌI."
"""Phonemes of most kinds, in a sentence of usual length. After a sentence of two seconds, the first pieces were up to three
decibels too loud or too soft, and here up to one and a half.
"""


class KnownVoices:
    """What is known. Thread-safe."""

    def __init__(self, decoder: Decoder, packs: VoicePacks, score_of: Callable[[str], Score]) -> None:
        """`score_of` returns the score of the known sentence for a voice's id."""
        self.decoder, self._packs, self._score_of = decoder, packs, score_of
        self._usual: dict[str, UsualNorms] = {}
        self._custom_usual: OrderedDict[str, UsualNorms] = OrderedDict()
        """Of the voices that users have made, of which there may be any number."""
        self._lock = threading.Lock()

    def learn(self, n_threads: int) -> None:
        """Measures what the decoder must know of every voice, if that is still to be done."""
        if self.decoder.has_learned:
            return
        with self._lock:
            if not self.decoder.has_learned:
                self.decoder.learn(self._score_of(self._packs.any_voice()), n_threads)

    def usual(self, voice: Blend, n_threads: int) -> UsualNorms:
        """Returns what is usual for a voice or a blend."""
        return blend([(part.weight, self._usual_of(part.voice_id, n_threads)) for part in voice])

    def _usual_of(self, voice_id: str, n_threads: int) -> UsualNorms:
        with self._lock:
            if CUSTOM_VOICE.fullmatch(voice_id):
                return self._custom_usual_of(voice_id, n_threads)
            if voice_id not in self._usual:
                found = self._table.find(voice_id, self._packs.pack(voice_id), self.decoder.norms)
                self._usual[voice_id] = found or self._measure(voice_id, n_threads)
            return self._usual[voice_id]

    def _custom_usual_of(self, voice_id: str, n_threads: int) -> UsualNorms:
        if voice_id not in self._custom_usual:
            self._custom_usual[voice_id] = self._measure(voice_id, n_threads)
        self._custom_usual.move_to_end(voice_id)
        if len(self._custom_usual) > MAX_CUSTOM_PACKS:
            self._custom_usual.popitem(last=False)
        return self._custom_usual[voice_id]

    def _measure(self, voice_id: str, n_threads: int) -> UsualNorms:
        return self.decoder.usual([self._score_of(voice_id)], n_threads)

    @cached_property
    def _table(self) -> UsualTable:
        return UsualTable()
