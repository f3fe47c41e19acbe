import pytest

from tests.checkpoints import PHONEMES
from workers.engines.kokoro.vocabulary import spell
from workers.text.words import PhonemizedText, PhonemizedWord


def _spell(phonemes: str) -> tuple[str, int]:
    phonemized, n_unknown = spell(PhonemizedText(phonemes, ()), PHONEMES)
    return phonemized.phonemes, n_unknown


@pytest.mark.parametrize(
    ("foreign", "near"),
    [("pˈɐɫ", "pˈɐl"), ("sʷɝ", "swɜɹ"), ("õ", "o\u0303"), ("t\u032a", "t"), ("r\u0329", "rᵊ"), ("¿sˈi?", "sˈi?")],
)
def test_what_the_model_lacks_is_said_with_the_nearest(foreign: str, near: str) -> None:
    assert _spell(foreign) == (near, 0)


def test_what_the_model_knows_stays() -> None:
    known = "".join(PHONEMES)
    assert _spell(known) == (known, 0)


def test_what_is_near_nothing_is_counted() -> None:
    assert _spell("a5鿗b") == ("ab", 2)
    assert _spell("a 鿗 b") == ("a b", 1)


def test_words_keep_their_phonemes() -> None:
    phonemized = PhonemizedText(
        "ɝ5 aɫ 5 ʷb",
        (PhonemizedWord(0, 1, 0, 2), PhonemizedWord(2, 3, 3, 5), PhonemizedWord(4, 5, 6, 7), PhonemizedWord(6, 7, 8, 10)),
    )
    changed, n_unknown = spell(phonemized, PHONEMES)
    assert n_unknown == 2
    assert [changed.phonemes[word.begin : word.end] for word in changed.words] == ["ɜɹ", "al", "", "wb"]
    assert [(word.first, word.last) for word in changed.words] == [(0, 1), (2, 3), (4, 5), (6, 7)]
