"""A question for the phonemes of a text. Its digest is its id, so that equal questions share one answer.

Why it is not an Utterance: format and speed do not change the phonemes, and a question never becomes audio.
"""

import hashlib
from functools import cached_property

import msgspec

from app.core.errors import KoeError, from_wire, to_wire
from app.core.speech.utterance import WIRE_VERSION, Emoji
from app.core.speech.voices import Blend


class Question(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that decides the phonemes; every name in it is resolved, as in an Utterance."""

    text: str
    engine: str
    """`kokoro`, `espeak` or `tone`: each has its own alphabet."""
    voice: Blend
    language: str
    """BCP 47 tag."""
    normalize: bool = True
    emoji: Emoji = "drop"
    """As in an Utterance."""
    pronunciations: tuple[tuple[str, str], ...] = ()
    """Pairs of word and phonemes in Misaki's alphabet, sorted."""
    owner: str = ""
    """As in an Utterance."""
    version: int = WIRE_VERSION

    @cached_property
    def id(self) -> str:
        """`phonemes-` and 40 hex digits: SHA-256 of the canonical JSON, shortened. No utterance has such an id."""
        return f"phonemes-{hashlib.sha256(self.to_json()).hexdigest()[:40]}"

    def to_json(self) -> bytes:
        """Canonical: the same question gives the same bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, data: bytes | str) -> "Question":
        """Raises msgspec.ValidationError for data that is not a question of this version."""
        return msgspec.json.decode(data, type=cls)


class PhonemizedSegment(msgspec.Struct, frozen=True):
    """A piece of the text that the engine would speak at once."""

    text: str
    phonemes: str
    """In the engine's own alphabet."""
    n_phonemes: int


class Phonemized(msgspec.Struct, frozen=True):
    """The answer to a question."""

    language: str
    """BCP 47 tag."""
    normalized: str
    """The normalized text."""
    segments: tuple[PhonemizedSegment, ...]
    """Empty when there is nothing to say."""


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of a question, as it crosses Redis: the answer or the error."""

    phonemized: Phonemized | None = None
    error: dict[str, str] | None = None
    """As `app.core.errors.to_wire` writes it."""

    @classmethod
    def of_error(cls, error: KoeError) -> "Outcome":
        """An outcome with an error instead of an answer."""
        return cls(error=to_wire(error))

    def reveal(self) -> Phonemized:
        """The answer. Raises the error if there is one instead."""
        if self.error is not None:
            raise from_wire(self.error)
        assert self.phonemized is not None
        return self.phonemized
