"""Phonemes for benchmarks: Koe's own G2P of prose, in segments as near to a requested length as sentences allow.

Why not random phonemes: durations depend on the text, and all times depend on the durations.
"""

from functools import cache
from itertools import accumulate, combinations
from typing import Final

from tests.benchmarks.texts import sentences
from tests.checkpoints import PHONEMES
from workers.engines.kokoro.packs import N_ROWS
from workers.engines.kokoro.vocabulary import spell
from workers.text.g2p.phonemize import Phonemizer
from workers.text.markup import NO_MARKUP

_PHONEMIZER: Final = Phonemizer()


def phonemes_near(n_phonemes: int, language: str = "en-US") -> str:
    """Returns the phonemes of consecutive sentences whose number is nearest to `n_phonemes`; at most 510."""
    spoken = _sentences(language)
    edges = list(accumulate((len(one) + 1 for one in spoken), initial=0))
    runs = [run for run in combinations(range(len(edges)), 2) if edges[run[1]] - edges[run[0]] - 1 <= N_ROWS]
    begin, end = min(runs, key=lambda run: abs(edges[run[1]] - edges[run[0]] - 1 - n_phonemes))
    return " ".join(spoken[begin:end])


@cache
def _sentences(language: str) -> list[str]:
    """Returns the phonemes of each sentence of the prose."""
    said = (_PHONEMIZER.phonemize(sentence, language, NO_MARKUP) for sentence in sentences(language))
    return [spell(one, PHONEMES)[0].phonemes for one in said]
