"""A listener: asks, plays what comes at the speed of playing, and counts how often it runs dry."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ


@dataclass
class Listener:
    """Plays what comes. Whenever all that has come is played and more is to come, it counts an underrun."""

    in_hand_seconds: float | None = None
    """It reads on when no more than this is left to play; None reads as it comes, however much that is."""
    first_seconds: float = 0.0
    """From the request to the first audio."""
    last_seconds: float = 0.0
    """From the request to the last."""
    audio_seconds: float = 0.0
    is_whole: bool = False
    """Whether all of it has come."""
    n_underruns: int = 0
    dry_seconds: float = 0.0
    """How long the underruns lasted, together."""
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    _dry_at: float = 0.0

    async def play(self, http: httpx.AsyncClient, text: str, *, key: str = "", **fields: Any) -> None:
        """To the last byte. `fields` go into the request. Raises HTTPError."""
        asked_at, headers = time.monotonic(), {"authorization": f"Bearer {key}"} if key else {}
        body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm", **fields}
        async with http.stream("POST", "/v1/audio/speech", json=body, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_raw():
                self._hear(len(chunk), asked_at)
                if self.in_hand_seconds is not None:
                    await asyncio.sleep(self.left_seconds - self.in_hand_seconds)
        self.is_whole = True

    @property
    def left_seconds(self) -> float:
        """What it has in hand; below 0 when it has run dry."""
        return self._dry_at - time.monotonic()

    def _hear(self, n_bytes: int, asked_at: float) -> None:
        now, seconds = time.monotonic(), n_bytes / (SAMPLE_BYTES * SAMPLE_RATE_HZ)
        if not self.has_begun.is_set():
            self.first_seconds, self._dry_at = now - asked_at, now
            self.has_begun.set()
        elif now > self._dry_at:
            self.n_underruns += 1
            self.dry_seconds += now - self._dry_at
            self._dry_at = now
        self._dry_at += seconds
        self.audio_seconds += seconds
        self.last_seconds = now - asked_at
