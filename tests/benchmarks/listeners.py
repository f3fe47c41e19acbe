"""A client that plays a response at playback speed and counts its underruns."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ


@dataclass
class Listener:
    """Plays a response. It counts an underrun whenever it has played all received audio and more is to come."""

    buffer_seconds: float | None = None
    """The listener reads more when it has at most this many seconds left to play; None reads without waiting."""
    first_seconds: float = 0.0
    """Seconds from the request to the first audio."""
    last_seconds: float = 0.0
    """Seconds from the request to the last audio."""
    audio_seconds: float = 0.0
    n_characters: int = 0
    """Length of the text."""
    is_whole: bool = False
    """Whether the whole response was received."""
    gaps: list[float] = field(default_factory=list)
    """Seconds of each underrun."""
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    _dry_at: float = 0.0

    async def play(self, http: httpx.AsyncClient, text: str, *, key: str = "", **fields: Any) -> None:
        """Plays the response to its last byte. `fields` are added to the request. Raises httpx.HTTPError."""
        self.n_characters = len(text)
        asked_at, headers = time.monotonic(), {"authorization": f"Bearer {key}"} if key else {}
        body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm", **fields}
        async with http.stream("POST", "/v1/audio/speech", json=body, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_raw():
                self.hear(len(chunk), asked_at)
                if self.buffer_seconds is not None:
                    await asyncio.sleep(self.left_seconds - self.buffer_seconds)
        self.is_whole = True

    @property
    def n_underruns(self) -> int:
        """Number of underruns."""
        return len(self.gaps)

    @property
    def dry_seconds(self) -> float:
        """Total duration of the underruns."""
        return sum(self.gaps)

    @property
    def left_seconds(self) -> float:
        """Seconds of received audio that are left to play; negative during an underrun."""
        return self._dry_at - time.monotonic()

    def hear(self, n_bytes: int, asked_at: float) -> None:
        """Hears samples of 24 kHz, 16 bits. `asked_at`: the time from which `first_seconds` counts, by `time.monotonic`."""
        now, seconds = time.monotonic(), n_bytes / (SAMPLE_BYTES * SAMPLE_RATE_HZ)
        if not self.has_begun.is_set():
            self.first_seconds, self._dry_at = now - asked_at, now
            self.has_begun.set()
        elif now > self._dry_at:
            self.gaps.append(now - self._dry_at)
            self._dry_at = now
        self._dry_at += seconds
        self.audio_seconds += seconds
        self.last_seconds = now - asked_at
