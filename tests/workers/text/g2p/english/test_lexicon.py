"""Misaki's lexicons in tries."""

import pytest
from misaki import en

from workers.text.g2p.english.lexicon import Lexicon, Words


@pytest.mark.parametrize("british", [False, True])
def test_it_has_what_misakis_has(british: bool) -> None:
    original, ours = en.Lexicon(british), Lexicon(british=british)
    assert dict(ours.golds) == original.golds
    assert dict(ours.silvers) == original.silvers
    assert vars(ours).keys() == vars(original).keys()
    assert (ours.british, ours.cap_stresses) == (original.british, original.cap_stresses)


def test_a_word_is_found_by_its_spelling() -> None:
    words = Words({"cat": "kˈæt", "read": {"DEFAULT": "ɹˈid", "VBD": None}})
    assert words["cat"] == "kˈæt"
    assert words["read"] == {"DEFAULT": "ɹˈid", "VBD": None}
    assert "cat" in words
    assert len(words) == 2


def test_an_unknown_word_is_not_found() -> None:
    words = Words({"cat": "kˈæt"})
    assert "ca" not in words
    assert words.get("cats") is None
    with pytest.raises(KeyError):
        words["dog"]
