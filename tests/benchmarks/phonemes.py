"""Phonemes for benchmarks: words of vowels and consonants, as many as are wanted, the same in every run."""

import random
from typing import Final

_CONSONANTS: Final = "bdfhklmnpɹstvwzðŋʃ"
_VOWELS: Final = "aeiouæɑɔəɛɪʊ"


def phonemes_of(n_phonemes: int, seed: int = 0) -> str:
    """Exactly so many, spaces included."""
    chosen = random.Random(f"{n_phonemes} {seed}")
    words: list[str] = []
    while len(" ".join(words)) < n_phonemes:
        words.append("".join(chosen.choice(_CONSONANTS) + chosen.choice(_VOWELS) for _ in range(chosen.choice((1, 2, 2, 3)))))
    return " ".join(words)[: n_phonemes - 1].rstrip().ljust(n_phonemes - 1, "ə") + "."
