"""Texts for benchmarks, as people write them: prose in nine languages, and any number of English texts made from it."""

import random
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from app.core.speech.boundaries import find_sentence_ends

PROSE: Final[dict[str, str]] = {
    tag: text.strip() for tag, text in tomllib.loads(Path(__file__).with_name("prose.toml").read_text("utf-8")).items()
}
"""Prose by language tag; a blank line separates paragraphs."""

PARAGRAPH: Final = PROSE["en-US"].partition("\n\n")[0]
"""600 characters in sentences of many lengths, most of which have clauses."""

_WHO: Final = (
    "Anna, Mr. Bell, Clara, Davies, Emily, Frank, Mrs. Grant, Henry, Irene, Jack, Kate, Leo, Martha, Nora, Oliver, Paul"
)
_DID_WHAT: Final = (
    "came home, went out, called, sang, fell asleep, left, waited, wrote a letter, swam, lost a shoe, found a coin, worked"
)
_WHERE: Final = (
    "by the river, in the village, near the mill, at the station, on the hill, behind the church, under the bridge, at sea"
)
_WHEN: Final = "on Monday, on Tuesday, on Friday, at noon, at seven, in March, in June, before dawn, last week, after the storm"

_SHORTEST: Final = 20
"""A number of characters; there is always a shorter sentence."""


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Returns the sentences of the prose in order, split where Koe splits them."""
    text = PROSE[language]
    edges = [0, *find_sentence_ends(text, 0, language), len(text)]
    return tuple(sentence for begin, end in pairwise(edges) if (sentence := text[begin:end].strip()))


def text_of(n_characters: int, seed: int) -> str:
    """Returns an English text of about that length, different for each seed: who did what where and when, then sentences of
    prose.
    """
    chosen = random.Random(seed)
    opening = " ".join(chosen.choice(words.split(", ")) for words in (_WHO, _DID_WHAT, _WHERE, _WHEN))
    return " ".join([f"{opening}.", *_fill(n_characters - len(opening), chosen)])


def _fill(n_characters: int, chosen: random.Random) -> Iterator[str]:
    """Yields sentences in random order; none repeats until all others were used or do not fit."""
    while n_characters > _SHORTEST:
        for sentence in chosen.sample(sentences("en-US"), len(sentences("en-US"))):
            if len(sentence) < n_characters:
                n_characters -= len(sentence) + 1
                yield sentence
