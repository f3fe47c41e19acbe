"""Misaki's phonemes, as Kokoro v1.0 has them: the alphabet of pronunciations."""

from typing import Final

_SYMBOLS: Final = (
    ';:,.!?—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ'
)

PHONEMES: Final = frozenset(_SYMBOLS)
"""The 114 symbols of the checkpoint's vocabulary, including punctuation. There is no `g`, only `ɡ`."""


PATTERN: Final = f"^[{_SYMBOLS}]+$"
"""Regular expression of a string of phonemes."""


def unknown_phonemes(text: str) -> str:
    """The characters of `text` that are not phonemes, each once, in order."""
    return "".join(dict.fromkeys(character for character in text if character not in PHONEMES))
