"""The scheduler: who is spoken next, and what becomes of those who are not."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from app.core.broker import Lane
from app.core.errors import Cancelled, EngineFailed, SegmentTooLong
from app.core.voices import load_catalogue
from tests.engines import FailingEngine, GatedEngine
from workers.engines.base import Segment, Waveform
from workers.engines.tone import ToneEngine
from workers.scheduler import AGING_SECONDS, Scheduler, Turn
from workers.text.segment import Ending

VOICE = load_catalogue().parse("af_heart")[0]
SOON, LATER, FAR = 1.0, 100.0, 10_000.0


def a_segment(text: str) -> Segment:
    return Segment(text=text, phonemes=text, voice=VOICE, language="en-US", speed=1.0, ending=Ending.SENTENCE)


class Line:
    """A scheduler whose only thread is held at a first segment, so that what is lined up behind it is put in order."""

    def __init__(self, **options: Any) -> None:
        self.engine = GatedEngine()
        self.scheduler = Scheduler(n_threads=1, **options)
        self.futures: dict[str, Future[Waveform]] = {}
        self.add("held")
        self.engine.wait_begun(1)

    def add(
        self,
        text: str,
        *,
        deadline: float = SOON,
        owner: str = "owner",
        lane: Lane = Lane.INTERACTIVE,
        waited: float = 0.0,
        arrived: float = 0.0,
    ) -> None:
        turn = Turn(a_segment(text), self.engine, owner=owner, lane=lane, deadline=deadline, arrived_at=arrived)
        turn.queued_at -= waited
        self.futures[text] = self.scheduler.submit(turn)

    def spoken(self) -> list[str]:
        """Lets all through; what was spoken after the first, in order."""
        self.engine.release(1000)
        for future in self.futures.values():
            future.exception(30)
        return [segment.text for segment in self.engine.spoken[1:]]


@pytest.fixture
def open_line() -> Iterator[Callable[..., Line]]:
    lines: list[Line] = []

    def open_one(**options: Any) -> Line:
        lines.append(Line(**options))
        return lines[-1]

    yield open_one
    for line in lines:
        line.engine.release(1000)
        line.scheduler.close()


@pytest.fixture
def line(open_line: Callable[..., Line]) -> Line:
    return open_line()


def test_whose_listener_runs_dry_first_is_spoken_first(line: Line) -> None:
    line.add("far", deadline=FAR)
    line.add("soon", deadline=SOON)
    line.add("later", deadline=LATER)

    assert line.spoken() == ["soon", "later", "far"]


def test_with_equal_deadlines_the_first_to_come_is_the_first(line: Line) -> None:
    for text in ("a", "b", "c"):
        line.add(text)

    assert line.spoken() == ["a", "b", "c"]


def test_a_new_listener_is_heard_before_all_who_have_audio_in_hand(line: Line) -> None:
    now = time.monotonic()
    for number in range(50):
        line.add(f"book {number}", owner=f"book {number % 5}", deadline=now + 10 + number)

    line.add("hello", owner="new", deadline=now)

    assert line.spoken()[0] == "hello"


def test_batch_comes_after_all_interactive(line: Line) -> None:
    line.add("batch", lane=Lane.BATCH)
    line.add("far", deadline=FAR)
    line.add("soon")

    assert line.spoken() == ["soon", "far", "batch"]


def test_batch_is_spoken_as_it_came_whatever_its_deadlines(line: Line) -> None:
    line.add("a", lane=Lane.BATCH, deadline=FAR, waited=2)
    line.add("b", lane=Lane.BATCH, deadline=SOON, waited=1)

    assert line.spoken() == ["a", "b"]


def test_batch_that_has_waited_long_goes_before_all(line: Line) -> None:
    line.add("soon")
    line.add("batch", lane=Lane.BATCH)
    line.add("aged", lane=Lane.BATCH, waited=AGING_SECONDS + 1)

    assert line.spoken() == ["aged", "soon", "batch"]


def test_in_a_fifo_the_first_request_is_spoken_to_its_end_before_the_next(open_line: Callable[..., Line]) -> None:
    line = open_line(policy="fifo")
    line.add("second, begin", arrived=2.0)
    line.add("first, begin", arrived=1.0, deadline=FAR)
    line.add("third", arrived=3.0, lane=Lane.BATCH, waited=AGING_SECONDS + 1)
    line.add("second, end", arrived=2.0)
    line.add("first, end", arrived=1.0, deadline=FAR)

    assert line.spoken() == ["first, begin", "first, end", "second, begin", "second, end", "third"]


def test_an_owner_s_segments_are_dropped_together_and_nobody_else_s(line: Line) -> None:
    line.add("a", owner="gone")
    line.add("b", owner="gone")
    line.add("c", owner="there")

    line.scheduler.drop("gone")

    assert line.scheduler.n_waiting == 1
    for text in ("a", "b"):
        with pytest.raises(Cancelled):
            line.futures[text].result(30)
    assert line.spoken() == ["c"]


def test_what_is_being_spoken_is_not_broken_off(line: Line) -> None:
    line.scheduler.drop("owner")

    line.engine.release()

    assert len(line.futures["held"].result(30).samples)


def test_to_drop_an_owner_of_nothing_is_nothing(line: Line) -> None:
    line.scheduler.drop("unknown")
    assert line.spoken() == []


def test_the_waveform_is_that_of_the_segment(line: Line) -> None:
    line.add("abc")
    line.add("abcdef")

    line.spoken()

    lengths = [len(line.futures[text].result(30).samples) for text in ("abc", "abcdef")]
    assert lengths == [4320, 8640]


class BatchingEngine(GatedEngine):
    batch_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def synthesize(self, segments: Sequence[Segment]) -> list[Waveform]:
        self.batches.append([segment.text for segment in segments])
        return super().synthesize(segments)


def test_an_engine_that_likes_many_gets_the_most_urgent_of_its_own_together(line: Line) -> None:
    batching = BatchingEngine()
    others = {
        text: line.scheduler.submit(Turn(a_segment(text), batching, owner="o", lane=Lane.INTERACTIVE, deadline=LATER + number))
        for number, text in enumerate("abcd")
    }
    line.add("soon", deadline=SOON)
    line.add("between", deadline=LATER + 0.5)

    batching.release(1000)
    spoken = line.spoken()

    assert [len(future.result(30).samples) for future in others.values()] == [1440] * 4
    assert batching.batches == [["a", "b", "c"], ["d"]]
    assert spoken == ["soon", "between"]


def test_what_an_engine_raises_is_its_failure_and_the_next_is_spoken() -> None:
    scheduler = Scheduler(n_threads=1)
    engine = FailingEngine(fail_at=0)
    failing, fine = (
        scheduler.submit(Turn(a_segment(text), one, owner="o", lane=Lane.INTERACTIVE, deadline=SOON))
        for text, one in (("a", engine), ("b", ToneEngine()))
    )

    with pytest.raises(EngineFailed) as caught:
        failing.result(30)

    assert "broke" not in caught.value.message
    assert len(fine.result(30).samples)
    scheduler.close()


class TalkativeEngine(ToneEngine):
    """Gives back another number of waveforms than it was asked for."""

    def synthesize(self, segments: Sequence[Segment]) -> list[Waveform]:
        return []


def test_an_engine_that_gives_back_too_little_has_failed() -> None:
    scheduler = Scheduler(n_threads=1)
    failing, fine = (
        scheduler.submit(Turn(a_segment("a"), one, owner="o", lane=Lane.INTERACTIVE, deadline=SOON))
        for one in (TalkativeEngine(), ToneEngine())
    )

    with pytest.raises(EngineFailed):
        failing.result(30)

    assert len(fine.result(30).samples)
    scheduler.close()


def test_an_error_that_says_what_it_is_stays_what_it_is() -> None:
    scheduler = Scheduler(n_threads=1)
    turn = Turn(a_segment("a" * 600), ToneEngine(), owner="o", lane=Lane.INTERACTIVE, deadline=SOON)

    with pytest.raises(SegmentTooLong):
        scheduler.submit(turn).result(30)

    scheduler.close()


def test_several_threads_speak_at_once() -> None:
    scheduler = Scheduler(n_threads=3)
    engine = GatedEngine()
    futures = [
        scheduler.submit(Turn(a_segment(text), engine, owner="o", lane=Lane.INTERACTIVE, deadline=SOON)) for text in "abcd"
    ]

    engine.wait_begun(3)
    assert scheduler.n_waiting == 1

    engine.release(4)
    assert all(len(future.result(30).samples) for future in futures)
    scheduler.close()


def test_closing_finishes_what_is_spoken_drops_what_waits_and_ends_the_threads(line: Line) -> None:
    line.add("a", owner="a")
    line.add("b", owner="b")
    closing = threading.Thread(target=line.scheduler.close)
    closing.start()
    for text in ("a", "b"):
        with pytest.raises(Cancelled):
            line.futures[text].result(30)

    line.engine.release()
    closing.join(30)

    assert len(line.futures["held"].result(30).samples)
    assert not any(thread.is_alive() for thread in line.scheduler._threads)
    with pytest.raises(Cancelled):
        line.add("late")
