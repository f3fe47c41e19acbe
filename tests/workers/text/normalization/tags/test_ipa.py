"""Given phonemes: IPA becomes Misaki's alphabet, and a phoneme that it lacks is reported by an empty result."""

import pytest

from workers.text.normalization.tags.ipa import to_misaki


@pytest.mark.parametrize(
    ("ipa", "language", "misaki"),
    [
        ("təˈmeɪtoʊ", "en-US", "təmˈAtO"),
        ("/təˈmɑːtəʊ/", "en-GB", "təmˈɑːtQ"),
        ("pɪˈkɑːn", "en-US", "pɪkˈɑn"),
        ("həˈloʊ", "en-US", "həlˈO"),
        ("ˈtʃɜːrtʃ", "en-US", "ʧˈɜɹʧ"),
        ("t͡ʃɝt͡ʃ", "en-US", "ʧɜɹʧ"),
        ("ˈd͡ʒʌd͡ʒ", "en-GB", "ʤˈʌʤ"),
        ("ˈrɛd", "en-US", "ɹˈɛd"),
        ("ɡʊd", "en-US", "ɡʊd"),
        ("good", "en-US", "ɡɔɔd"),
        ("ˈkæt", "en-GB", "kˈat"),
        ("ˌɪn.tɚˈnæʃ.nəl", "en-US", "ˌɪntəɹnˈæʃnəl"),
        ("bɔ̃ˈʒuʁ", "fr-FR", "bɔ̃ʒˈuʁ"),
        ("ˈtʃao", "it", "ʧˈao"),
        ("ˈrexɪstro", "es", "rˈexɪstro"),
    ],
)
def test_ipa_becomes_misakis_alphabet(ipa: str, language: str, misaki: str) -> None:
    assert to_misaki(ipa, "ipa", language) == misaki


def test_misakis_alphabet_stays_as_it_is() -> None:
    assert to_misaki("kˈOA", "x-misaki", "en-US") == "kˈOA"
    assert to_misaki("kˈOA", "misaki", "en-US") == "kˈOA"


@pytest.mark.parametrize(
    ("phonemes", "alphabet"), [("ʘǃ", "ipa"), ("t@", "x-sampa"), ("", "ipa"), ("a" * 300, "ipa"), ("1", "")]
)
def test_what_is_not_known_gives_no_phonemes(phonemes: str, alphabet: str) -> None:
    assert to_misaki(phonemes, alphabet, "en-US") == ""
