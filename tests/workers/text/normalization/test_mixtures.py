"""Pieces of examples, joined in any order with marks and lines between them, are read: no mixture of kinds is an error.

Why besides the examples: each rule is written for a text that has only its own kind, and meets what other rules left.
"""

import random
from typing import Final

import pytest

from tests.workers.text.normalization.examples import LANGUAGES, load
from workers.text.normalization.normalize import normalize

N_TEXTS: Final = 1000
PIECES: Final = [example.input for language in LANGUAGES for examples in load(language).values() for example in examples]
BETWEEN: Final = [
    *(" ", "\n", "\n\n", " \n", "\n \n \n", "\t", "\u00a0\n", "\u3000", "", "|", " | ", "\n- ", "> ", "```\n"),
    *("$", "`", "**", "<b>", "</b>", "<", "[", "]", "(", ")", "-", ".", ":", "/", "½", "²", "1", "0"),
]


def mixture(rng: random.Random) -> str:
    parts = []
    for piece in rng.choices(PIECES, k=rng.randint(1, 6)):
        start, end = sorted((rng.randint(0, len(piece)), rng.randint(0, len(piece))))
        parts += [piece[start:end], *rng.choices(BETWEEN, k=rng.randint(1, 3))]
    return "".join(parts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pieces_of_examples_are_read_in_any_order(language: str) -> None:
    rng = random.Random(language)
    for _ in range(N_TEXTS):
        text = mixture(rng)
        spoken = normalize(text, language, says_emoji=rng.random() < 0.3, says_code=rng.random() < 0.3)
        places = [spoken.origin(at, at + 1) for at in range(len(spoken))]
        assert all(0 <= start < end <= len(text) for start, end in places), text
