"""Engines for tests: the tone engine, made to fail or to wait on command."""

import threading
from collections.abc import Sequence

from app.core.errors import InvalidValue
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.engines.tone import ToneEngine
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText


class FailingEngine(ToneEngine):
    """Raises at the segment with the index `fail_at` (0 is the first)."""

    def __init__(self, fail_at: int) -> None:
        super().__init__()
        self._fail_at = fail_at
        self._n_spoken = 0

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        if self._n_spoken == self._fail_at:
            raise RuntimeError("the engine broke")
        self._n_spoken += 1
        return super().synthesize(segments, turn)


class GatedEngine(ToneEngine):
    """Speaks a segment for each `release`, and lists the spoken segments in `spoken`, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._permits = threading.Semaphore(0)
        self._heard = threading.Condition()
        self.spoken: list[Segment] = []
        self.n_begun = 0
        self.is_broken = False
        """While it is True, every released segment fails."""

    def release(self, n_segments: int = 1) -> None:
        """Lets `n_segments` more segments be spoken."""
        self._permits.release(n_segments)

    def wait_begun(self, n_segments: int, seconds: float = 30.0) -> None:
        """Returns when `n_segments` in all have begun."""
        with self._heard:
            assert self._heard.wait_for(lambda: self.n_begun >= n_segments, seconds)

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        with self._heard:
            self.n_begun += len(segments)
            self._heard.notify_all()
        for _ in segments:
            assert self._permits.acquire(timeout=60)
        if self.is_broken:
            raise RuntimeError("the engine broke")
        self.spoken.extend(segments)
        return super().synthesize(segments, turn)


class RelayEngine(ToneEngine):
    """Hands every segment to the engine in `now`, so that each test of a shared harness can have its own engine."""

    def __init__(self) -> None:
        super().__init__()
        self.now: Engine = ToneEngine()

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        return self.now.synthesize(segments, turn)


class PickyEngine(ToneEngine):
    """Accepts the first piece of text and refuses all others."""

    def __init__(self) -> None:
        super().__init__()
        self._n_taken = 0

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        self._n_taken += 1
        if self._n_taken > 1:
            raise InvalidValue("That cannot be said.", param="input")
        return super().phonemize(text, language, markup)


def name_of(number: int) -> str:
    """A word for the number, with one letter for each digit. Normalization does not change it."""
    return str(number).translate(str.maketrans("0123456789", "abcdefghij"))


def text_of(n_segments: int, subject: str = "birch canoe") -> str:
    """A text that the tone engine speaks in `n_segments` segments."""
    return " ".join(
        f"Sentence {name_of(number)} in this text is about a {subject} that slides on smooth planks towards the dark blue "
        "background."
        for number in range(n_segments)
    )
