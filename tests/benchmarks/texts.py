"""Texts for benchmarks: as many as are wanted, each the same in every run."""

import random
from typing import Final

WORDS: Final = "the birch canoe slid on smooth planks it is easy to tell the depth of a well and rice is served in round bowls"


def text_of(n_characters: int, seed: int) -> str:
    """A text of about that length, its own for each seed, in sentences of about 60 characters."""
    chosen = random.Random(seed)
    sentences: list[str] = []
    while sum(map(len, sentences)) < n_characters:
        sentences.append(" ".join(chosen.choices(WORDS.split(), k=12)).capitalize() + ".")
    return " ".join(sentences)
