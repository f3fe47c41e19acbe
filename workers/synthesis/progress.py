"""How far the tasks of this process are, for `koe top`: seconds spoken, and an estimate of the whole, never the text."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.core.queue.activity import SpokenNow
from app.core.speech.voices import show_blend
from workers.synthesis.prepare import PreparedItem
from workers.synthesis.task import SynthesisTask

_SECONDS_PER_CHARACTER: Final = 0.065
"""Speech of a character of English prose, as measured with Kokoro; counts until a segment of the text is spoken."""


class Progress:
    """How far one task is."""

    def __init__(self, task: SynthesisTask) -> None:
        self._task = task
        self._started_at = time.monotonic()
        self._seconds = 0.0
        self._n_characters_done = 0

    def advance(self, item: PreparedItem, audio_seconds: float) -> None:
        """Records that the audio up to the end of this segment has `audio_seconds`."""
        self._seconds = audio_seconds
        if item.segment is not None:
            self._n_characters_done = _end_in_text(item)

    def view(self) -> SpokenNow:
        """How far the task is now."""
        utterance = self._task.utterance
        return SpokenNow(
            id=self._task.name.partition(":")[0],
            owner=self._task.owner,
            queue=self._task.queue_name.value,
            voice=show_blend(utterance.voice),
            format=utterance.format,
            n_characters=len(utterance.text),
            seconds=round(self._seconds, 2),
            whole_seconds=round(self._whole_seconds(), 1),
            age_seconds=round(time.monotonic() - self._started_at, 2),
        )

    def _whole_seconds(self) -> float:
        n_characters = len(self._task.utterance.text)
        if not self._n_characters_done:
            return self._seconds + n_characters * _SECONDS_PER_CHARACTER / self._task.utterance.speed
        return max(self._seconds, self._seconds * n_characters / self._n_characters_done)


class TasksNow:
    """The tasks that this process speaks now. Thread-safe."""

    def __init__(self) -> None:
        self._tasks: dict[str, Progress] = {}

    @contextmanager
    def watch(self, task: SynthesisTask) -> Iterator[Progress]:
        """Lists the task until the end of the block."""
        progress = self._tasks[task.name] = Progress(task)
        try:
            yield progress
        finally:
            self._tasks.pop(task.name, None)

    def view(self) -> tuple[SpokenNow, ...]:
        """How far each task is now."""
        return tuple(progress.view() for progress in self._tasks.copy().values())


def _end_in_text(item: PreparedItem) -> int:
    """Where the segment ends in the user's text: an exclusive index."""
    assert item.segment is not None
    start = min(item.segment.start, len(item.tracked) - 1)
    return item.tracked.origin(start, min(start + len(item.segment.text), len(item.tracked)))[1]
