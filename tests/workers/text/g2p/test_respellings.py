"""Words in a spelling that espeak-ng says rightly."""

from typing import Final

import pytest

from workers.text.g2p.respellings import respell

FRENCH: Final = {
    "authentique": "autentique",
    "L'Insee": "L'inssé",
    "Élisabeth et Judith": "élisabette et juditte",
    "Orly": "orli",
    "le huitième jour": "le huityème jour",
    "l'asthme": "l'asthme",
    "la sympathie": "la sympathie",
    "THC": "THC",
    "The Smith": "The Smith",
    "bonjour": "bonjour",
}
ITALIAN: Final = {
    "ch'io": "chio",
    "Ch'è": "chè",
    "c'è": "c'è",
    "gl'italiani": "gliitaliani",
    "permettersi": "perméttersi",
    "mettere": "mettere",
}


@pytest.mark.parametrize("written", FRENCH)
def test_french_words_are_respelled(written: str) -> None:
    assert respell(written, "fr-FR") == FRENCH[written]


@pytest.mark.parametrize("written", ITALIAN)
def test_italian_words_are_respelled(written: str) -> None:
    assert respell(written, "it") == ITALIAN[written]


def test_a_language_without_respellings_keeps_its_text() -> None:
    assert respell("the mythe, ch'io", "hi") == "the mythe, ch'io"
