"""Texts for benchmarks: as many as are wanted, each the same in every run."""

import random
from typing import Final

PARAGRAPH: Final = (
    "When the last ferry had gone, the harbour belonged to the gulls again. They walked along the wall with the air "
    "of owners, looked into every basket, and quarrelled about a crust that none of them wanted. An old man who "
    "mended nets there knew most of them by sight; he would have said, if anybody had asked him, that they were not "
    "so different from the people of the town. Nobody asked. The lamps came on one after the other, first on the "
    "hill, then along the road to the church, and at last on the quay itself, where the water took each of them up "
    "and gave it back in pieces. It was a quarter to nine."
)
"""A paragraph as people write them: 600 characters in sentences of many lengths, most of which have clauses."""

WORDS: Final = "the birch canoe slid on smooth planks it is easy to tell the depth of a well and rice is served in round bowls"


def text_of(n_characters: int, seed: int) -> str:
    """A text of about that length, its own for each seed, in sentences of about 60 characters."""
    chosen = random.Random(seed)
    sentences: list[str] = []
    while sum(map(len, sentences)) < n_characters:
        sentences.append(" ".join(chosen.choices(WORDS.split(), k=12)).capitalize() + ".")
    return " ".join(sentences)
