"""Misaki's phonemes, as Kokoro v1.0 knows them: what a pronunciation may be written in."""

from typing import Final

_SYMBOLS: Final = (
    ';:,.!?—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ'
)

PHONEMES: Final = frozenset(_SYMBOLS)
"""The 114 symbols of the checkpoint's vocabulary, punctuation among them. There is no `g`: it is `ɡ`."""


PATTERN: Final = f"^[{_SYMBOLS}]+$"
"""Of a string of them, as a regular expression."""


def unknown_phonemes(text: str) -> str:
    """The characters of `text` that are none, each once, in order."""
    return "".join(dict.fromkeys(character for character in text if character not in PHONEMES))
