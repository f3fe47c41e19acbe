"""The scheduler: the result of each segment, and the work of its threads."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from app.core.errors import Cancelled, EngineFailed, InvalidValue, OutOfMemory, SegmentTooLong
from app.core.queue.broker import QueueName
from tests.engines import FailingEngine, GatedEngine
from tests.harness import wait_until
from tests.workers.synthesis.queues import BatchingEngine, Clock, HeldQueue, a_queued
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.tone import SECONDS_PER_PHONEME, ToneEngine
from workers.measures import Measures
from workers.synthesis.audio import Sound
from workers.synthesis.scheduler import Scheduler


def test_a_task_s_segments_are_dropped_together_and_nobody_else_s(queue: HeldQueue) -> None:
    queue.add("a", task="gone")
    queue.add("b", task="gone")
    queue.add("c", task="there")

    queue.scheduler.drop("gone")

    assert queue.scheduler.n_waiting == 1
    for text in ("a", "b"):
        with pytest.raises(Cancelled):
            queue.futures[text].result(30)
    assert queue.spoken() == ["c"]


def test_what_is_being_spoken_is_not_broken_off(queue: HeldQueue) -> None:
    queue.scheduler.drop("held 0")

    queue.engine.release()

    assert queue.held[0].result(30)


def test_to_drop_a_task_without_segments_is_nothing(queue: HeldQueue) -> None:
    queue.scheduler.drop("unknown")
    assert queue.spoken() == []


def test_the_pcm_is_that_of_the_segment(queue: HeldQueue) -> None:
    queue.add("abc")
    queue.add("abcdef")

    queue.spoken()

    lengths = [queue.futures[text].result(30).seconds for text in ("abc", "abcdef")]
    assert lengths == pytest.approx([3 * SECONDS_PER_PHONEME, 6 * SECONDS_PER_PHONEME])


def test_the_result_of_on_done_is_the_sound_and_its_exception_is_the_failure(queue: HeldQueue) -> None:
    def refuse(waveform: Waveform) -> Sound:
        raise Cancelled("no more")

    queue.add("a", on_done=lambda waveform: Sound(b"%d samples" % len(waveform.samples)))
    queue.add("b", on_done=refuse)
    queue.add("c")

    queue.spoken()

    assert queue.futures["a"].result(30).pcm == b"1440 samples"
    assert isinstance(queue.futures["b"].exception(30), Cancelled)
    assert queue.futures["c"].result(30)


def test_a_segment_that_may_not_begin_is_not_spoken(queue: HeldQueue) -> None:
    def refuse() -> None:
        raise Cancelled("no more")

    refused = queue.scheduler.submit(a_queued("a", queue.engine, on_begin=refuse))
    queue.add("b")

    queue.spoken()

    assert isinstance(refused.exception(30), Cancelled)
    assert [segment.text for segment in queue.engine.spoken] == ["held", "b"]


def test_a_segment_whose_sound_is_found_when_it_begins_is_not_spoken(queue: HeldQueue) -> None:
    found = queue.scheduler.submit(a_queued("a", queue.engine, on_begin=lambda: Sound(b"found")))
    queue.add("b")

    queue.spoken()

    assert found.result(30) == Sound(b"found")
    assert [segment.text for segment in queue.engine.spoken] == ["held", "b"]


class CrampedEngine(BatchingEngine):
    """Has memory for one segment at a time, but not for the segment `big`."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        waveforms = super().synthesize(segments, turn)
        if len(segments) > 1 or segments[0].text == "big":
            raise OutOfMemory
        return waveforms


def test_segments_without_memory_for_all_are_tried_one_by_one(queue: HeldQueue) -> None:
    cramped = CrampedEngine()
    begun: list[str] = []
    futures = [
        queue.scheduler.submit(a_queued(text, cramped, on_begin=lambda text=text: begun.append(text)))
        for text in ("a", "big", "b")
    ]

    cramped.release(1000)
    queue.spoken()

    assert futures[0].result(30)
    assert isinstance(futures[1].exception(30), OutOfMemory)
    assert futures[2].result(30)
    assert cramped.batches == [["a", "big", "b"], ["a"], ["big"], ["b"]]
    assert begun == ["a", "big", "b"]


class PickyEngine(BatchingEngine):
    """Refuses the voice of the segment `odd`."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        waveforms = super().synthesize(segments, turn)
        if any(segment.text == "odd" for segment in segments):
            raise InvalidValue("This voice cannot be used.", param="voice")
        return waveforms


def test_an_invalid_voice_fails_its_own_segment_alone(queue: HeldQueue) -> None:
    picky = PickyEngine()
    futures = [queue.scheduler.submit(a_queued(text, picky)) for text in ("a", "odd", "b")]

    picky.release(1000)
    queue.spoken()

    assert futures[0].result(30)
    assert isinstance(futures[1].exception(30), InvalidValue)
    assert futures[2].result(30)


def test_a_single_segment_without_memory_is_not_tried_again_here(queue: HeldQueue) -> None:
    cramped = CrampedEngine()
    future = queue.scheduler.submit(a_queued("big", cramped))

    cramped.release(1000)
    queue.spoken()

    assert isinstance(future.exception(30), OutOfMemory)
    assert cramped.batches == [["big"]]


class WordyEngine(BatchingEngine):
    """Fails with a message about memory, but for another reason."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        super().synthesize(segments, turn)
        raise RuntimeError("The index is out of memory range.")


def test_a_message_about_memory_does_not_mean_out_of_memory(queue: HeldQueue) -> None:
    wordy = WordyEngine()
    futures = [queue.scheduler.submit(a_queued(text, wordy)) for text in "ab"]

    wordy.release(1000)
    queue.spoken()

    assert [type(future.exception(30)) for future in futures] == [EngineFailed, EngineFailed]
    assert wordy.batches == [["a", "b"]]


def test_what_an_engine_raises_is_its_failure_and_the_next_is_spoken() -> None:
    scheduler = Scheduler(n_threads=1)
    failing, fine = (scheduler.submit(a_queued("a", one)) for one in (FailingEngine(fail_at=0), ToneEngine()))

    with pytest.raises(EngineFailed) as caught:
        failing.result(30)

    assert "broke" not in caught.value.message
    assert fine.result(30)
    scheduler.close()


class NoWaveformEngine(ToneEngine):
    """Returns no waveforms."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        return []


def test_an_engine_that_gives_back_too_little_has_failed() -> None:
    scheduler = Scheduler(n_threads=1)
    failing, fine = (scheduler.submit(a_queued("a", one)) for one in (NoWaveformEngine(), ToneEngine()))

    with pytest.raises(EngineFailed):
        failing.result(30)

    assert fine.result(30)
    scheduler.close()


def test_an_error_that_says_what_it_is_stays_what_it_is() -> None:
    scheduler = Scheduler(n_threads=1)

    with pytest.raises(SegmentTooLong):
        scheduler.submit(a_queued("a" * 600, ToneEngine())).result(30)

    scheduler.close()


def test_several_threads_speak_at_once() -> None:
    scheduler = Scheduler(n_threads=3)
    engine = GatedEngine()
    futures = [scheduler.submit(a_queued(text, engine, task=text)) for text in "abcd"]

    engine.wait_begun(3)
    assert scheduler.n_waiting == 1

    engine.release(4)
    assert all(future.result(30) for future in futures)
    scheduler.close()


def test_closing_finishes_what_is_spoken_drops_what_waits_and_ends_the_threads(queue: HeldQueue) -> None:
    queue.add("a", task="a")
    queue.add("b", task="b")
    closing = threading.Thread(target=queue.scheduler.close)
    closing.start()
    for text in ("a", "b"):
        with pytest.raises(Cancelled):
            queue.futures[text].result(30)

    queue.engine.release()
    closing.join(30)

    assert queue.held[0].result(30)
    assert not any(thread.is_alive() for thread in queue.scheduler._threads)
    with pytest.raises(Cancelled):
        queue.add("late")


class CountingEngine(GatedEngine):
    """Records how many threads it may use for each segment."""

    def __init__(self) -> None:
        super().__init__()
        self.n_threads: dict[str, int] = {}

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        self.n_threads |= {segment.text: turn.n_threads for segment in segments}
        return super().synthesize(segments, turn)


@pytest.fixture
def lending() -> Iterator[tuple[CountingEngine, Scheduler]]:
    """A scheduler with three threads, and its engine."""
    engine, scheduler = CountingEngine(), Scheduler(n_threads=3)
    yield engine, scheduler
    engine.release(1000)
    scheduler.close()


def test_a_first_segment_has_all_threads_while_nobody_else_is_there(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    first = scheduler.submit(a_queued("first", engine))
    engine.wait_begun(1)
    followers = [scheduler.submit(a_queued(text, engine, is_first=False)) for text in ("second", "third", "fourth")]

    engine.release()
    first.result(60)
    engine.wait_begun(4)

    assert engine.spoken[0].text == "first"
    assert engine.n_threads == {"first": 3, "second": 1, "third": 1, "fourth": 1}
    engine.release(3)
    assert all(follower.result(60) for follower in followers)


def test_threads_that_are_lent_are_there_for_somebody_else(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    scheduler.submit(a_queued("first", engine))
    engine.wait_begun(1)
    scheduler.submit(a_queued("another's", engine, task="another"))
    engine.wait_begun(2)

    assert engine.n_threads == {"first": 3, "another's": 1}


def test_a_book_is_read_by_one_thread_a_segment(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    scheduler.submit(a_queued("page one", engine, queue_name=QueueName.BATCH))
    engine.wait_begun(1)
    assert engine.n_threads == {"page one": 1}


class PoliteEngine(CountingEngine):
    """Gives way before each permit, as an engine does between its steps. Records the threads and the order of the ends."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.threads: dict[str, str] = {}

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        (segment,) = segments
        self.threads[segment.text] = threading.current_thread().name
        waveforms = super().synthesize(segments, turn)
        self._clock.now += 1
        turn.give_way()
        self._clock.now += 1
        return waveforms


class NotedMeasures(Measures):
    """Keeps the seconds of each call of an engine."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def record_synthesis(self, engine: str, seconds: float, audio_seconds: Sequence[float]) -> None:
        self.seconds.append(seconds)


class Stage:
    """A scheduler with a polite engine."""

    def __init__(self, n_threads: int) -> None:
        self.clock = Clock()
        self.engine = PoliteEngine(self.clock)
        self.measures = NotedMeasures()
        self.scheduler = Scheduler(n_threads=n_threads, clock=self.clock, measures=self.measures)
        self.ended: list[str] = []

    def add(self, text: str, **options: Any) -> Future[Sound]:
        """Queues a segment of a task with the same name. When it has ended, its text is in `ended`."""
        future = self.scheduler.submit(a_queued(text, self.engine, task=text, **options))
        future.add_done_callback(lambda _: self.ended.append(text))
        return future

    def begin(self, text: str, **options: Any) -> Future[Sound]:
        """Queues a segment and waits until the engine has it."""
        future = self.add(text, **options)
        wait_until(lambda: text in self.engine.threads)
        return future


@pytest.fixture
def stage() -> Iterator[Callable[[int], Stage]]:
    stages: list[Stage] = []

    def open_one(n_threads: int) -> Stage:
        stages.append(Stage(n_threads))
        return stages[-1]

    yield open_one
    for one in stages:
        one.engine.release(1000)
        one.scheduler.close()


LATER_ONES = {"a later segment": {"is_first": False}, "a book": {"queue_name": QueueName.BATCH}}


@pytest.mark.parametrize("options", LATER_ONES.values(), ids=LATER_ONES.keys())
def test_a_newcomer_is_spoken_within_another_segment_in_the_same_thread(
    stage: Callable[[int], Stage], options: dict[str, Any]
) -> None:
    one = stage(1)
    outer = one.begin("outer", **options)
    one.add("newcomer")

    one.engine.release(2)
    outer.result(30)

    assert one.ended == ["newcomer", "outer"]
    assert one.engine.threads["newcomer"] == one.engine.threads["outer"]


def test_newcomers_do_not_interrupt_each_other(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    added = [one.add(text) for text in ("first", "second", "third")]

    one.engine.release(4)
    for future in (*added, outer):
        future.result(30)

    assert one.ended == ["first", "second", "third", "outer"]


def test_a_later_segment_interrupts_nothing(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    later = one.add("later", is_first=False)

    one.engine.release(2)
    for future in (outer, later):
        future.result(30)

    assert one.ended == ["outer", "later"]


def test_a_newcomer_has_the_threads_of_those_that_stop_for_it(stage: Callable[[int], Stage]) -> None:
    one = stage(2)
    outer = [one.begin(text, is_first=False) for text in ("one", "two")]
    newcomer = one.add("newcomer")

    one.engine.release(3)
    for future in (newcomer, *outer):
        future.result(30)

    assert one.engine.n_threads == {"one": 1, "two": 1, "newcomer": 2}


def test_two_newcomers_have_a_thread_each(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    added = [one.add(text) for text in ("first", "second")]

    one.engine.release(3)
    for future in (*added, outer):
        future.result(30)

    assert set(one.engine.n_threads.values()) == {1}


def test_the_time_for_a_newcomer_does_not_count_for_the_segment_that_it_interrupts(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    one.add("newcomer")

    one.engine.release(2)
    outer.result(30)

    assert one.measures.seconds == [2, 2]


def test_a_newcomer_that_fails_leaves_the_interrupted_segment_whole(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    newcomer = one.add("newcomer", on_begin=refuse)

    one.engine.release(2)

    assert isinstance(newcomer.exception(30), Cancelled)
    assert outer.result(30)


def refuse() -> None:
    raise Cancelled("no more")


def test_a_segment_that_nobody_wants_is_broken_off_at_the_next_step(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    one.scheduler.drop("outer", breaks_off=True)

    one.engine.release()

    assert isinstance(outer.exception(30), Cancelled)


def test_a_segment_of_somebody_else_is_not_broken_off(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    outer = one.begin("outer", is_first=False)
    one.scheduler.drop("another", breaks_off=True)

    one.engine.release()

    assert outer.result(30)


class PiecewiseEngine(PoliteEngine):
    """Gives the beginning of a segment before it gives way."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        turn.on_beginning(Waveform(np.zeros(10, np.float32)))
        return super().synthesize(segments, turn)


def test_a_newcomer_interrupts_a_first_segment_whose_listener_has_its_beginning(stage: Callable[[int], Stage]) -> None:
    one = stage(1)
    one.engine = PiecewiseEngine(one.clock)
    begun: list[int] = []
    outer = one.begin("outer", on_beginning=lambda waveform: begun.append(len(waveform.samples)))
    one.add("newcomer")

    one.engine.release(2)
    outer.result(30)

    assert one.ended == ["newcomer", "outer"]
    assert begun == [10]


def test_a_listener_who_has_the_beginning_stops_no_thread_any_more(stage: Callable[[int], Stage]) -> None:
    one = stage(2)
    one.engine = PiecewiseEngine(one.clock)
    one.engine.release(3)
    alone = one.begin("alone")
    others = [one.add(text, is_first=False) for text in ("one", "two")]

    for future in (alone, *others):
        assert future.result(30)
    assert one.engine.n_threads["alone"] == 2


def test_the_others_go_on_as_soon_as_a_newcomer_has_the_beginning(stage: Callable[[int], Stage]) -> None:
    one = stage(2)
    one.engine = PiecewiseEngine(one.clock)
    outer = [one.begin(text, is_first=False) for text in ("one", "two")]
    newcomer = one.add("newcomer")

    # The newcomer's permit comes last: it is still being spoken when the others end.
    one.engine.release(2)
    wait_until(lambda: bool(one.ended))
    one.engine.release()
    for future in (newcomer, *outer):
        assert future.result(30)
