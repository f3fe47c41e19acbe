"""The engine of the tests of the page: it speaks in tones, and holds a sentence with the word *holds* until it is let go."""

import threading
from collections.abc import Sequence

from tests.harness import wait_until
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.tone import ToneEngine


class HoldingEngine(ToneEngine):
    """Every test lets go at its end, so that none waits for another."""

    def __init__(self) -> None:
        super().__init__()
        self._may_go = threading.Event()

    def hold(self) -> None:
        """From now on, sentences with *holds* wait."""
        self._may_go.clear()

    def let_go(self) -> None:
        """They are spoken."""
        self._may_go.set()

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        if any("holds" in segment.text for segment in segments):
            wait_until(self._may_go.is_set, 60)
        return super().synthesize(segments, turn)
