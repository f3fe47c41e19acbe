"""One run: it requests, transcribes and measures responses, several at a time, and each only once for all parts."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.files import find_listener
from tests.ears.listener import OTHER_MARGIN_SECONDS, Heard, Listener, Samples
from tests.ears.quality import Judge, Quality
from tests.ears.sound import Profile, measure_profile
from tests.ears.speaker import Answer, Request, Speaker, speaking

N_AT_A_TIME: Final = 5
"""Number of responses at a time. More than the cores of a small machine: some wait for the server while others are
transcribed.
"""


class Hearing:
    """A response and its measurements; each measurement is made when it is first used."""

    def __init__(self, session: "Session", request: Request, answer: Answer) -> None:
        self._session = session
        self.request = request
        self.answer = answer

    @property
    def samples(self) -> Samples:
        return self.answer.samples

    @cached_property
    def heard(self) -> Heard:
        if "timed" in self.__dict__:  # transcribed already
            return self.timed
        return self._session.listener.hear(self.samples, SAMPLE_RATE_HZ, self.request.language)

    @cached_property
    def heard_again(self) -> Heard:
        """A second transcript, for a response that seems to have errors."""
        return self._session.listener.hear(
            self.samples, SAMPLE_RATE_HZ, self.request.language, margin_seconds=OTHER_MARGIN_SECONDS
        )

    @cached_property
    def timed(self) -> Heard:
        """The transcript with the times of its words."""
        return self._session.listener.hear(self.samples, SAMPLE_RATE_HZ, self.request.language, with_times=True)

    @cached_property
    def profile(self) -> Profile:
        return measure_profile(self.samples)

    @property
    def is_rated(self) -> bool:
        """Whether the quality has been computed already."""
        return "quality" in self.__dict__

    @cached_property
    def quality(self) -> Quality:
        return self._session.judge.rate(self.samples, SAMPLE_RATE_HZ)


def _nothing() -> None:
    """Does nothing, for callers that do not count."""


def _measured(hearing: Hearing, measures: Sequence[str], done: Callable[[], None]) -> Hearing:
    for measure in measures:
        getattr(hearing, measure)
    done()
    return hearing


class Session:
    """A server that speaks, a listener that transcribes and a judge of quality."""

    def __init__(self, speaker: Speaker, listener: Listener, judge: Judge) -> None:
        self.speaker = speaker
        self.listener = listener
        self.judge = judge
        self._hearings: dict[Request, Hearing] = {}
        self._pool = ThreadPoolExecutor(N_AT_A_TIME)

    def hear(self, requests: Sequence[Request], *measures: str, done: Callable[[], None] = _nothing) -> list[Hearing]:
        """Returns the responses to `requests`, with the given attributes of Hearing measured. Calls `done` after each."""
        return list(self._pool.map(lambda request: _measured(self._ask(request), measures, done), requests))

    def of_answers(
        self, answers: Sequence[tuple[Request, Answer]], *measures: str, done: Callable[[], None] = _nothing
    ) -> list[Hearing]:
        """Does the same for responses that exist already."""
        return list(self._pool.map(lambda pair: _measured(Hearing(self, *pair), measures, done), answers))

    def _ask(self, request: Request) -> Hearing:
        if request not in self._hearings:
            self._hearings[request] = Hearing(self, request, self.speaker.say(request))
        return self._hearings[request]

    def close(self) -> None:
        """Cancels what has not started and waits for the rest."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def open_session() -> Iterator[Session]:
    """Yields a session with a running server. Raises NoListener, NoVoice and NoServer."""
    listener = Listener(find_listener())
    judge = Judge()
    with speaking() as speaker:
        session = Session(speaker, listener, judge)
        try:
            yield session
        finally:
            session.close()
