"""Misaki's English lexicons in tries: 5 MB for each language in place of the 55 MB of its dictionaries."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final, Self

import marisa_trie
import misaki.data
import msgspec
from misaki import en

Phonemes = str | dict[str, str | None]
"""Phonemes of a word, or those by part-of-speech tag, with `DEFAULT` for all other tags."""

_STRESSES: Final = (0.5, 2)
"""Stresses of a word with a capital letter, and of one in capital letters: Misaki's numbers."""


class Words(Mapping[str, Phonemes]):
    """Phonemes by word."""

    def __init__(self, phonemes: Mapping[str, Phonemes]) -> None:
        encode = msgspec.msgpack.Encoder().encode
        self._trie = marisa_trie.BytesTrie((word, encode(said)) for word, said in phonemes.items())
        self._decoder = msgspec.msgpack.Decoder(Phonemes)

    @classmethod
    def read(cls, name: str) -> Self:
        """Reads a lexicon of Misaki's package, with the other spelling of each word that begins with a small or a capital
        letter.
        """
        data = files(misaki.data).joinpath(f"{name}.json").read_bytes()
        return cls(en.Lexicon.grow_dictionary(msgspec.json.decode(data, type=dict[str, Phonemes])))

    def __getitem__(self, word: str) -> Phonemes:
        phonemes: Phonemes = self._decoder.decode(self._trie[word][0])
        return phonemes

    def __contains__(self, word: object) -> bool:
        return word in self._trie

    def __iter__(self) -> Iterator[str]:
        yield from self._trie.iterkeys()

    def __len__(self) -> int:
        return len(self._trie)


class Lexicon(en.Lexicon):  # type: ignore[misc]
    """Misaki's lexicon of American or British English."""

    def __init__(self, *, british: bool) -> None:
        """Replaces the constructor of Misaki, which makes dictionaries and checks each phoneme of its own data."""
        language = "gb" if british else "us"
        self.british = british
        self.cap_stresses = _STRESSES
        self.golds, self.silvers = Words.read(f"{language}_gold"), Words.read(f"{language}_silver")
