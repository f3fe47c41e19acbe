"""Finds the phonemes of a text without speaking it, for the API.

Why in a slot and not in a compute thread: a slot does the same work before every utterance, and no engine speaks here.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, TypeVar

import structlog
from msgspec import UNSET
from redis import Redis
from redis.exceptions import RedisError

from app.core.custom_voices.packs import CustomPacks
from app.core.errors import Cancelled, EngineUnavailable, KoeError, WorkersDied
from app.core.queue.answers import Answers, Wanted
from app.core.queue.registry import MAX_DEATHS
from app.core.speech.boundaries import Ending
from app.core.speech.phonemized import Phonemized, PhonemizedSegment
from app.core.speech.spoken_text import SpokenText
from app.core.tracing.spans import NO_SPAN, Span
from workers.engines.base import Engine
from workers.failures import Action, Failure, Meaning, run_task
from workers.synthesis.prepare import PreparedPassage, PreparedText, prepare_segments, prepare_text
from workers.text.cancellation import cancellation_check

log: Final = structlog.get_logger()

_T = TypeVar("_T")

_PAUSE_SECONDS: Final = 0.001
"""Pause after each segment: all slots share one G2P, and a listener's text must not wait until a long text has ended."""


class Phonemes:
    """Finds the phonemes of one text at a time in each slot."""

    def __init__(self, *, redis: Redis, engines: Mapping[str, Engine], patience_seconds: float) -> None:
        """`patience_seconds`: how long to wait if Redis is unreachable."""
        self._engines = engines
        self._custom_packs = CustomPacks(redis)
        self._answers = Answers(redis, patience_seconds=patience_seconds)

    def answer(self, text: SpokenText, *, n_deaths: int = 0, span: Span = NO_SPAN) -> None:
        """Finds the phonemes, if anybody still waits for them. `n_deaths`: number of workers that died during this task.
        `span` is the task's.

        The client gets every error. An error of this server is also raised, so that RQ records the task as failed.
        """
        span.note(engine=text.engine, n_characters=len(text.text))
        run_task(lambda: self._answer(text, n_deaths), lambda failure: self._end(text, failure), span=span)

    def _answer(self, text: SpokenText, n_deaths: int) -> None:
        started = time.monotonic()
        if not self._answers.begin(text.id):
            raise Cancelled("Nobody waits for the answer.")
        if n_deaths >= MAX_DEATHS:
            raise WorkersDied
        self._custom_packs.require(text.custom_voices)
        found = self._find(text)
        self._answers.give(text.id, found)
        log.info("question_answered", n_segments=len(found.segments), seconds=round(time.monotonic() - started, 3))

    def _end(self, text: SpokenText, failure: Failure) -> Action:
        if failure.meaning is Meaning.CANCELLED:
            log.info("question_not_wanted")
            return Action.END
        self._refuse(text, failure.to_error())
        return Action.END if failure.meaning is Meaning.REFUSED else Action.RAISE

    def _find(self, text: SpokenText) -> Phonemized:
        engine = self._engine_of(text)
        with cancellation_check(Wanted(self._answers, text.id).check):
            prepared = prepare_text(text, engine)
            prepared = PreparedText(list(prepared.passages), prepared.markup)
            restore = prepared.markup.restore
            found = ((item.segment, item.speaker) for item in prepare_segments(prepared, text, engine))
            segments = tuple(
                PhonemizedSegment(restore(segment.text), segment.phonemes, segment.n_phonemes, speaker or UNSET)
                for segment, speaker in _with_pauses(found)
                if segment is not None
            )
        return Phonemized(language=text.language, normalized=restore(_join(prepared.passages)), segments=segments)

    def _engine_of(self, text: SpokenText) -> Engine:
        try:
            return self._engines[text.engine]
        except KeyError:
            raise EngineUnavailable(f"The engine {text.engine} is not loaded on the worker that got this request.") from None

    def _refuse(self, text: SpokenText, error: KoeError) -> None:
        log.warning("question_failed", error=type(error).__name__, code=error.code)
        with suppress(RedisError):
            self._answers.refuse(text.id, error)


def _with_pauses(prepared: Iterator[_T]) -> Iterator[_T]:
    """Yields the segments, with a pause after each."""
    for segment in prepared:
        yield segment
        time.sleep(_PAUSE_SECONDS)


def _join(passages: Iterable[PreparedPassage]) -> str:
    """Returns the whole text, divided into its paragraphs."""
    parts = (passage.tracked.text + ("\n\n" if passage.ending is Ending.PARAGRAPH else " ") for passage in passages)
    return "".join(part for part in parts if not part.isspace()).strip()
