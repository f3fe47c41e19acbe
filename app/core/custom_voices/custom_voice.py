"""A voice that a user has made, and a consent to one: what is stored of them."""

import secrets
import time
from typing import Literal

import msgspec

VoiceType = Literal["audio_sample", "prompt"]
"""OpenAI's two kinds. Here the first is a voice pack, and the second a blend."""


class CustomVoice(msgspec.Struct, frozen=True, kw_only=True):
    """A voice that a user has made. It never changes, so its id stands for its sound."""

    id: str
    """`voice_` and 24 hex digits."""
    name: str
    type: VoiceType
    created_us: int
    """Microseconds since 1970."""
    language: str
    """BCP 47 tag; for a blend, that of its first voice."""
    prompt: str | None = None
    """The blend as the user wrote it; None for a voice pack."""
    blend: str = ""
    """The blend with ids of voices alone; empty for a voice pack."""


class VoiceConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent to a voice."""

    id: str
    """`cons_` and 24 hex digits."""
    name: str
    language: str
    """BCP 47 tag of the recording."""
    created_us: int
    """Microseconds since 1970."""


def new_voice_id() -> str:
    """`voice_` and 24 hex digits."""
    return f"voice_{secrets.token_hex(12)}"


def new_consent_id() -> str:
    """`cons_` and 24 hex digits."""
    return f"cons_{secrets.token_hex(12)}"


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
