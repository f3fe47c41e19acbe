"""Phonemized: what the workers answer to a request for the phonemes of a text."""

import msgspec
from msgspec import UNSET, UnsetType


class PhonemizedSegment(msgspec.Struct, frozen=True):
    """A piece of the text that the engine would speak at once."""

    text: str
    phonemes: str
    """The phonemes in the engine's own alphabet."""
    n_phonemes: int
    speaker: str | UnsetType = UNSET
    """The voice as the user wrote it; unset, and not in the JSON, in a text with one voice."""


class Phonemized(msgspec.Struct, frozen=True):
    """A text as it would be spoken."""

    language: str
    """BCP 47 tag."""
    normalized: str
    """The text after normalization."""
    segments: tuple[PhonemizedSegment, ...]
    """Empty where there is nothing to say."""
