"""The scheduler: who is spoken next, and what becomes of those who are not."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import Cancelled, EngineFailed, OutOfMemory, SegmentTooLong
from app.core.queue.broker import Lane
from app.core.speech.voices import load_catalogue
from tests.engines import FailingEngine, GatedEngine
from workers.engines.base import Engine, Segment, Waveform
from workers.engines.tone import SECONDS_PER_PHONEME, ToneEngine
from workers.synthesis.audio import Sound, to_pcm
from workers.synthesis.scheduler import AGING_SECONDS, FIRST_PACE, LATELY_SECONDS, TURNS_PER_AGED, Scheduler, Turn
from workers.text.segment import Ending

VOICE = load_catalogue().parse("af_heart")[0]
NOW = 1000.0
OVERDUE, SOON, LATER, FAR = NOW - 1000, NOW + 1, NOW + 100, NOW + 10_000


def a_segment(text: str, n_phonemes: int | None = None) -> Segment:
    phonemes = text if n_phonemes is None else "x" * n_phonemes
    return Segment(text=text, phonemes=phonemes, voice=VOICE, language="en-US", speed=1.0, ending=Ending.SENTENCE)


def a_turn(
    text: str, engine: Engine, *, owner: str = "owner", deadline: float = SOON, n_phonemes: int | None = None, **options: Any
) -> Turn:
    """Interactive, its owner's first and as long as its text, unless the options say something else."""
    options = {"lane": Lane.INTERACTIVE, "on_done": lambda waveform: Sound(to_pcm(waveform.samples))} | options
    return Turn(a_segment(text, n_phonemes), engine, owner=owner, deadline=deadline, **options)


class Clock:
    """Time that passes only when somebody says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class TimedEngine(GatedEngine):
    """Takes on its clock what the scheduler expects of an engine that it has not measured."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        waveforms = super().synthesize(segments, n_threads=n_threads)
        self._clock.now += sum(cost(segment) for segment in segments)
        return waveforms


def cost(segment: Segment) -> float:
    """Compute seconds on the clock of a TimedEngine."""
    return FIRST_PACE * segment.expected_seconds


SEGMENT_SECONDS = cost(a_segment("", 10))
LATELY_PHONEMES = round(LATELY_SECONDS / SEGMENT_SECONDS) * 10


class Line:
    """A scheduler whose threads are held at a first segment each, so that what is lined up behind it is put in order."""

    def __init__(self, *, n_threads: int = 1, engine: type[TimedEngine] = TimedEngine, **options: Any) -> None:
        self.clock = Clock()
        self.engine = engine(self.clock)
        self.scheduler = Scheduler(n_threads=n_threads, clock=self.clock, **options)
        self.futures: dict[str, Future[Sound]] = {}
        self.begun: list[str] = []
        """The segments that were taken out of line, in order, but for those that hold the threads."""
        self.held = [self.scheduler.submit(a_turn("held", self.engine, owner=f"held {number}")) for number in range(n_threads)]
        self.engine.wait_begun(n_threads)
        self._n_begun = n_threads

    def add(self, text: str, *, arrived: float = 0.0, **options: Any) -> None:
        """Each text once."""
        turn = a_turn(text, self.engine, arrived_at=arrived, on_begin=lambda: self.begun.append(text), **options)
        self.futures[text] = self.scheduler.submit(turn)

    def wait(self, seconds: float) -> None:
        """All who are in line have waited for so long."""
        self.clock.now += seconds

    def step(self) -> str:
        """Lets one segment through; the one that was taken in its place. Somebody must be in line."""
        self._n_begun += 1
        self.engine.release()
        self.engine.wait_begun(self._n_begun)
        return self.begun[-1]

    def spoken(self) -> list[str]:
        """Lets all through; what was spoken after the first, in order."""
        self.engine.release(1000)
        for future in self.futures.values():
            future.exception(30)
        return self.begun

    def close(self) -> None:
        self.engine.release(1000)
        self.scheduler.close()


@pytest.fixture
def open_line() -> Iterator[Callable[..., Line]]:
    lines: list[Line] = []

    def open_one(**options: Any) -> Line:
        lines.append(Line(**options))
        return lines[-1]

    yield open_one
    for line in lines:
        line.close()


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
    for number in range(50):
        line.add(f"book {number}", owner=f"book {number % 5}", deadline=LATER + number, is_first=False)

    line.add("hello", owner="new", deadline=FAR)

    assert line.spoken()[0] == "hello"


def test_batch_comes_after_all_interactive(line: Line) -> None:
    line.add("batch", lane=Lane.BATCH)
    line.add("far", deadline=FAR)
    line.add("playing", owner="reader", deadline=FAR, is_first=False)
    line.add("soon")

    assert line.spoken() == ["soon", "far", "playing", "batch"]


def test_batch_is_spoken_as_it_came_whatever_its_deadlines(line: Line) -> None:
    line.add("a", lane=Lane.BATCH, deadline=FAR)
    line.wait(1)
    line.add("b", lane=Lane.BATCH, deadline=SOON)

    assert line.spoken() == ["a", "b"]


def test_batch_that_has_waited_long_goes_before_all(line: Line) -> None:
    line.add("aged", lane=Lane.BATCH)
    line.wait(AGING_SECONDS + 1)
    line.add("soon")
    line.add("batch", lane=Lane.BATCH)

    assert line.spoken() == ["aged", "soon", "batch"]


def test_of_many_batch_segments_that_have_waited_long_each_lets_three_others_go_first(line: Line) -> None:
    for number in range(3):
        line.add(f"aged {number}", lane=Lane.BATCH)
    line.wait(AGING_SECONDS + 1)
    for text in "abcd":
        line.add(text)

    assert line.spoken() == ["aged 0", "a", "b", "c", "aged 1", "d", "aged 2"]


def test_a_stream_in_danger_alternates_with_new_listeners_and_a_new_listener_begins(line: Line) -> None:
    for number in range(3):
        line.add(f"playing {number}", owner="reader", deadline=OVERDUE + number, is_first=False)
        line.add(f"new {number}", owner=f"new {number}")

    assert line.spoken() == ["new 0", "playing 0", "new 1", "playing 1", "new 2", "playing 2"]


def test_a_stream_is_in_danger_when_it_would_come_too_late_at_every_other_turn(line: Line) -> None:
    for number in range(4):
        line.add(f"playing {number}", n_phonemes=10, owner=f"{number}", deadline=NOW + 9.5 * SEGMENT_SECONDS, is_first=False)
    for number in range(3):
        line.add(f"new {number}", n_phonemes=10)

    assert line.spoken()[:4] == ["new 0", "playing 0", "new 1", "playing 1"]


def test_streams_that_can_wait_for_every_other_turn_wait_for_all_new_listeners(line: Line) -> None:
    for number in range(4):
        line.add(f"playing {number}", n_phonemes=10, owner=f"{number}", deadline=NOW + 20 * SEGMENT_SECONDS, is_first=False)
    for number in range(3):
        line.add(f"new {number}", n_phonemes=10)

    assert line.spoken()[:4] == ["new 0", "new 1", "new 2", "playing 0"]


class WideEngine(TimedEngine):
    batch_size = 8


def test_at_an_engine_that_likes_many_the_danger_is_to_wait_for_many(open_line: Callable[..., Line]) -> None:
    line = open_line(engine=WideEngine)
    line.add("playing", n_phonemes=10, owner="reader", deadline=NOW + 10 * SEGMENT_SECONDS, is_first=False)
    for number in range(8):
        line.add(f"new {number}", n_phonemes=10)

    assert line.spoken()[:3] == ["new 0", "playing", "new 1"]


def test_a_stream_that_is_not_wanted_any_more_has_not_been_passed_over(line: Line) -> None:
    for number in range(2):
        line.add(f"new {number}")
        line.add(f"playing {number}", owner=f"reader {number}", deadline=OVERDUE, is_first=False)
    assert line.step() == "new 0"
    for number in range(2):
        line.scheduler.drop(f"reader {number}")
    assert line.step() == "new 1"
    line.add("playing", owner="reader", deadline=OVERDUE, is_first=False)
    line.add("new")

    assert line.spoken()[2:] == ["new", "playing"]


class SlowEngine(TimedEngine):
    """Takes twenty times as long as anybody expects."""

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        waveforms = super().synthesize(segments, n_threads=n_threads)
        self._clock.now += 19 * sum(cost(segment) for segment in segments)
        return waveforms


def test_what_is_danger_is_measured(open_line: Callable[..., Line]) -> None:
    for engine, order in ((TimedEngine, ["new 0", "new 1", "playing"]), (SlowEngine, ["new 0", "playing", "new 1"])):
        line = open_line(engine=engine)
        for number in range(10):
            line.add(f"{number}", n_phonemes=10)
        for _ in range(10):
            line.step()
        line.add("playing", n_phonemes=10, owner="reader", deadline=line.clock.now + 40 * SEGMENT_SECONDS, is_first=False)
        line.add("new 0", n_phonemes=10)
        line.add("new 1", n_phonemes=10)

        assert line.spoken()[10:] == order


def test_what_follows_a_segment_that_nobody_has_heard_is_in_no_danger(line: Line) -> None:
    for number in range(3):
        line.add(f"begin {number}", owner=f"{number}", n_phonemes=100, deadline=OVERDUE)
        line.add(f"end {number}", owner=f"{number}", deadline=OVERDUE, is_first=False)

    assert line.spoken() == ["begin 0", "begin 1", "begin 2", "end 0", "end 1", "end 2"]


def test_what_follows_a_segment_is_due_when_that_has_been_heard(line: Line) -> None:
    line.add("begin", owner="a", n_phonemes=200, deadline=OVERDUE)
    line.add("middle", owner="a", n_phonemes=200, deadline=OVERDUE, is_first=False)
    line.add("end", owner="a", n_phonemes=200, deadline=OVERDUE, is_first=False)
    # It is spoken in 4 seconds and lasts for 12; what comes next is thought to last for 16.
    line.add("before", owner="b", deadline=NOW + 15, is_first=False)
    line.add("between", owner="c", deadline=NOW + 18, is_first=False)
    line.add("after", owner="d", deadline=NOW + 33, is_first=False)

    assert line.spoken() == ["begin", "before", "middle", "between", "end", "after"]


def test_a_deadline_that_is_set_anew_counts_at_once(line: Line) -> None:
    turn = a_turn("a", line.engine, owner="a", deadline=LATER, is_first=False, on_begin=lambda: line.begun.append("a"))
    line.futures["a"] = line.scheduler.submit(turn)
    line.add("b", owner="b", deadline=LATER + 1, is_first=False)

    turn.deadline = LATER + 2

    assert line.spoken() == ["b", "a"]


def test_the_only_request_of_one_caller_is_heard_among_the_many_of_another(line: Line) -> None:
    for number in range(20):
        line.add(f"flood {number}", caller="many")
    line.step()
    line.add("hello", caller="one")

    assert line.spoken()[:4] == ["flood 0", "flood 1", "hello", "flood 2"]


def in_pairs(texts: Sequence[str]) -> list[set[str]]:
    """Who of two callers that have had equally much goes first is anybody's guess."""
    return [set(texts[place : place + 2]) for place in range(0, len(texts), 2)]


def test_callers_share_batch_too(line: Line) -> None:
    for number in range(3):
        line.add(f"a {number}", caller="a", lane=Lane.BATCH)
        line.wait(1)
    for number in range(3):
        line.add(f"b {number}", caller="b", lane=Lane.BATCH)

    assert in_pairs(line.spoken()) == [{"a 0", "b 0"}, {"a 1", "b 1"}, {"a 2", "b 2"}]


def test_nobody_saves_up_credit(line: Line) -> None:
    for number in range(20):
        line.add(f"a {number}", caller="a")
    for _ in range(10):
        line.step()
    for number in range(3):
        line.add(f"b {number}", caller="b")

    assert in_pairs(line.spoken()[10:16]) == [{"a 10", "b 0"}, {"a 11", "b 1"}, {"a 12", "b 2"}]


def test_who_has_had_more_than_others_is_not_forgiven_for_leaving(line: Line) -> None:
    line.add("much", n_phonemes=25, caller="a")
    for number in range(4):
        line.add(f"b {number}", n_phonemes=10, caller="b")
    assert line.step() == "much"
    line.add("again", caller="a")

    assert line.spoken() == ["much", "b 0", "b 1", "b 2", "again", "b 3"]


def test_who_left_with_more_than_others_is_forgiven_when_they_have_had_as_much(line: Line) -> None:
    line.add("much", n_phonemes=25, caller="a")
    for number in range(6):
        line.add(f"b {number}", n_phonemes=10, caller="b")
    for _ in range(5):
        line.step()
    for number in range(2):
        line.add(f"a {number}", n_phonemes=10, caller="a")

    assert in_pairs(line.spoken()[5:]) == [{"b 4", "a 0"}, {"b 5", "a 1"}]


def test_nobody_is_ahead_of_another_by_more_than_of_late(line: Line) -> None:
    line.add("playing", caller="quiet", deadline=FAR, is_first=False)
    for number in range(5):
        line.add(f"{number}", n_phonemes=LATELY_PHONEMES, caller="busy")
    for _ in range(5):
        line.step()
    for number in range(4):
        line.add(f"busy {number}", n_phonemes=LATELY_PHONEMES // 2, caller="busy")
        line.add(f"quiet {number}", n_phonemes=LATELY_PHONEMES * 2 // 5, caller="quiet")

    assert line.spoken()[5:10] == ["quiet 0", "quiet 1", "quiet 2", "busy 0", "quiet 3"]


def test_who_is_gone_is_forgotten(line: Line) -> None:
    for number in range(100):
        line.add(f"{number}", caller=f"caller {number}", owner=f"{number}")
    line.scheduler.drop("99")

    line.spoken()
    line.close()

    assert not any(shares._had for shares in line.scheduler._line._shares.values())
    assert not line.scheduler._line._unheard


def test_in_a_fifo_the_first_request_is_spoken_to_its_end_before_the_next(open_line: Callable[..., Line]) -> None:
    line = open_line(policy="fifo")
    line.add("second, begin", arrived=2.0)
    line.add("first, begin", arrived=1.0, deadline=FAR)
    line.add("third", arrived=3.0, lane=Lane.BATCH)
    line.wait(AGING_SECONDS + 1)
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
    line.scheduler.drop("held 0")

    line.engine.release()

    assert line.held[0].result(30)


def test_to_drop_an_owner_of_nothing_is_nothing(line: Line) -> None:
    line.scheduler.drop("unknown")
    assert line.spoken() == []


def test_the_pcm_is_that_of_the_segment(line: Line) -> None:
    line.add("abc")
    line.add("abcdef")

    line.spoken()

    lengths = [line.futures[text].result(30).seconds for text in ("abc", "abcdef")]
    assert lengths == pytest.approx([3 * SECONDS_PER_PHONEME, 6 * SECONDS_PER_PHONEME])


def test_what_is_made_of_the_waveform_is_the_result_and_what_that_raises_the_failure(line: Line) -> None:
    def refuse(waveform: Waveform) -> Sound:
        raise Cancelled("no more")

    line.add("a", on_done=lambda waveform: Sound(b"%d samples" % len(waveform.samples)))
    line.add("b", on_done=refuse)
    line.add("c")

    line.spoken()

    assert line.futures["a"].result(30).pcm == b"1440 samples"
    assert isinstance(line.futures["b"].exception(30), Cancelled)
    assert line.futures["c"].result(30)


def test_a_turn_that_may_not_begin_is_not_spoken(line: Line) -> None:
    def refuse() -> None:
        raise Cancelled("no more")

    turn = line.scheduler.submit(a_turn("a", line.engine, on_begin=refuse))
    line.add("b")

    line.spoken()

    assert isinstance(turn.exception(30), Cancelled)
    assert [segment.text for segment in line.engine.spoken] == ["held", "b"]


def test_a_turn_whose_sound_is_found_when_it_begins_is_not_spoken(line: Line) -> None:
    turn = line.scheduler.submit(a_turn("a", line.engine, on_begin=lambda: Sound(b"found")))
    line.add("b")

    line.spoken()

    assert turn.result(30) == Sound(b"found")
    assert [segment.text for segment in line.engine.spoken] == ["held", "b"]


class BatchingEngine(GatedEngine):
    batch_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        self.batches.append([segment.text for segment in segments])
        return super().synthesize(segments, n_threads=n_threads)


def test_an_engine_that_likes_many_gets_the_most_urgent_of_its_own_together(line: Line) -> None:
    batching = BatchingEngine()
    others = {
        text: line.scheduler.submit(a_turn(text, batching, deadline=LATER + number)) for number, text in enumerate("abcd")
    }
    line.add("soon", deadline=SOON)
    line.add("between", deadline=LATER + 0.5)

    batching.release(1000)
    spoken = line.spoken()

    assert all(future.result(30) for future in others.values())
    assert batching.batches == [["a", "b", "c"], ["d"]]
    assert spoken == ["soon", "between"]


def test_callers_share_what_an_engine_takes_at_once(line: Line) -> None:
    batching = BatchingEngine()
    turns = [a_turn(f"a{n}", batching, caller="a") for n in range(4)] + [
        a_turn(f"b{n}", batching, caller="b") for n in range(2)
    ]
    futures = [line.scheduler.submit(turn) for turn in turns]

    batching.release(1000)
    line.spoken()

    assert all(future.result(30) for future in futures)
    assert batching.batches == [["a0", "b0", "a1"], ["b1", "a2", "a3"]]


def test_in_a_fifo_an_engine_that_likes_many_gets_those_who_came_first(open_line: Callable[..., Line]) -> None:
    line = open_line(policy="fifo")
    batching = BatchingEngine()
    futures = [line.scheduler.submit(a_turn(f"{n}", batching, arrived_at=-float(n))) for n in range(4)]

    batching.release(1000)
    line.spoken()

    assert all(future.result(30) for future in futures)
    assert batching.batches == [["3", "2", "1"], ["0"]]


class CrampedEngine(BatchingEngine):
    """Has memory for one segment at a time, and none at all for those that are big."""

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        waveforms = super().synthesize(segments, n_threads=n_threads)
        if len(segments) > 1 or segments[0].text == "big":
            raise OutOfMemory
        return waveforms


def test_those_for_whom_there_is_no_memory_together_are_tried_alone(line: Line) -> None:
    cramped = CrampedEngine()
    begun: list[str] = []
    futures = [
        line.scheduler.submit(a_turn(text, cramped, on_begin=lambda text=text: begun.append(text)))
        for text in ("a", "big", "b")
    ]

    cramped.release(1000)
    line.spoken()

    assert futures[0].result(30)
    assert isinstance(futures[1].exception(30), OutOfMemory)
    assert futures[2].result(30)
    assert cramped.batches == [["a", "big", "b"], ["a"], ["big"], ["b"]]
    assert begun == ["a", "big", "b"]


def test_one_for_whom_there_is_no_memory_is_not_tried_again_here(line: Line) -> None:
    cramped = CrampedEngine()
    future = line.scheduler.submit(a_turn("big", cramped))

    cramped.release(1000)
    line.spoken()

    assert isinstance(future.exception(30), OutOfMemory)
    assert cramped.batches == [["big"]]


class WordyEngine(BatchingEngine):
    """Fails with words about memory, and means something else."""

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        super().synthesize(segments, n_threads=n_threads)
        raise RuntimeError("The index is out of memory range.")


def test_what_a_failure_says_of_memory_decides_nothing(line: Line) -> None:
    wordy = WordyEngine()
    futures = [line.scheduler.submit(a_turn(text, wordy)) for text in "ab"]

    wordy.release(1000)
    line.spoken()

    assert [type(future.exception(30)) for future in futures] == [EngineFailed, EngineFailed]
    assert wordy.batches == [["a", "b"]]


def test_what_an_engine_raises_is_its_failure_and_the_next_is_spoken() -> None:
    scheduler = Scheduler(n_threads=1)
    failing, fine = (scheduler.submit(a_turn("a", one)) for one in (FailingEngine(fail_at=0), ToneEngine()))

    with pytest.raises(EngineFailed) as caught:
        failing.result(30)

    assert "broke" not in caught.value.message
    assert fine.result(30)
    scheduler.close()


class TalkativeEngine(ToneEngine):
    """Gives back another number of waveforms than it was asked for."""

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        return []


def test_an_engine_that_gives_back_too_little_has_failed() -> None:
    scheduler = Scheduler(n_threads=1)
    failing, fine = (scheduler.submit(a_turn("a", one)) for one in (TalkativeEngine(), ToneEngine()))

    with pytest.raises(EngineFailed):
        failing.result(30)

    assert fine.result(30)
    scheduler.close()


def test_an_error_that_says_what_it_is_stays_what_it_is() -> None:
    scheduler = Scheduler(n_threads=1)

    with pytest.raises(SegmentTooLong):
        scheduler.submit(a_turn("a" * 600, ToneEngine())).result(30)

    scheduler.close()


def test_several_threads_speak_at_once() -> None:
    scheduler = Scheduler(n_threads=3)
    engine = GatedEngine()
    futures = [scheduler.submit(a_turn(text, engine, owner=text)) for text in "abcd"]

    engine.wait_begun(3)
    assert scheduler.n_waiting == 1

    engine.release(4)
    assert all(future.result(30) for future in futures)
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

    assert line.held[0].result(30)
    assert not any(thread.is_alive() for thread in line.scheduler._threads)
    with pytest.raises(Cancelled):
        line.add("late")


@dataclass(frozen=True)
class Asked:
    """A segment that comes when so many others have been taken."""

    number: int
    kind: str
    caller: str
    n_phonemes: int
    after: int = 0

    @property
    def text(self) -> str:
        """Tells it from all others."""
        return f"{self.kind} {self.caller} {self.number}"

    def join(self, line: Line) -> None:
        lane = Lane.BATCH if self.kind == "batch" else Lane.INTERACTIVE
        line.add(
            self.text,
            n_phonemes=self.n_phonemes,
            owner=self.text,
            caller=self.caller,
            lane=lane,
            deadline={"endangered": OVERDUE, "playing": NOW + 20}.get(self.kind, NOW),
            is_first=self.kind == "new",
        )


KINDS = ("new", "endangered", "playing", "batch")
MOST_PHONEMES = 20


@st.composite
def mixtures(draw: st.DrawFn) -> list[Asked]:
    numbers = range(draw(st.integers(1, 40)))
    one = st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.integers(1, MOST_PHONEMES), st.integers(0, 25))
    return [Asked(number, *draw(one)) for number in numbers]


@dataclass
class Taken:
    """One turn: who could have had it, and who did."""

    waiting: dict[str, float]
    """For how many seconds each of them had waited."""
    text: str


def play(asked: Sequence[Asked], n_threads: int = 1, seconds_between: float = 0.0) -> list[Taken]:
    """All turns of a line that these came into."""
    line = Line(n_threads=n_threads)
    came: dict[str, float] = {}
    turns: list[Taken] = []
    coming = sorted(asked, key=lambda one: one.after, reverse=True)
    while coming or came:
        while coming and (coming[-1].after <= len(turns) or not came):
            came[coming[-1].text] = line.clock.now
            coming.pop().join(line)
        line.wait(seconds_between)
        text = line.step()
        turns.append(Taken({text: line.clock.now - since for text, since in came.items()}, text))
        del came[text]
    line.close()
    return turns


def is_a(text: str, *kinds: str) -> bool:
    return text.split(maxsplit=1)[0] in kinds


def waits(turn: Taken, *kinds: str, least_seconds: float = 0.0) -> bool:
    return any(is_a(text, *kinds) and waited >= least_seconds for text, waited in turn.waiting.items())


def windows(turns: Sequence[Taken], n_turns: int) -> Iterator[Sequence[Taken]]:
    """So many turns on end, wherever they begin."""
    return (turns[start : start + n_turns] for start in range(len(turns) - n_turns + 1))


few = settings(max_examples=25)


@few
@given(mixtures())
def test_no_segment_is_lost_or_spoken_twice(asked: list[Asked]) -> None:
    assert sorted(turn.text for turn in play(asked)) == sorted(one.text for one in asked)


@few
@given(mixtures())
def test_whatever_the_mixture_no_group_waits_for_ever(asked: list[Asked]) -> None:
    turns = play(asked, seconds_between=1.0)

    for window in windows(turns, 2):
        if all(waits(turn, "endangered") for turn in window):
            assert any(is_a(turn.text, "endangered", "playing") for turn in window)
    for window in windows(turns, 4):
        if all(waits(turn, "new") for turn in window):
            assert any(is_a(turn.text, "new") for turn in window)
    for window in windows(turns, TURNS_PER_AGED + 1):
        if all(waits(turn, "batch", least_seconds=AGING_SECONDS + 0.001) for turn in window):
            assert any(is_a(turn.text, "batch") for turn in window)


@few
@given(mixtures())
def test_whatever_the_mixture_batch_has_a_quarter_at_most_while_listeners_wait(asked: list[Asked]) -> None:
    turns = play(asked, seconds_between=1.0)

    for window in windows(turns, TURNS_PER_AGED):
        if all(waits(turn, "new", "endangered", "playing") for turn in window):
            assert sum(is_a(turn.text, "batch") for turn in window) <= 1


@few
@given(st.sampled_from(KINDS), st.lists(st.integers(1, MOST_PHONEMES), min_size=30, max_size=30), st.integers(0, 9))
def test_two_callers_with_endless_work_get_equal_shares_within_one_segment(kind: str, sizes: list[int], after: int) -> None:
    asked = [Asked(n, kind, "ab"[n % 2], size, after if n % 2 else 0) for n, size in enumerate(sizes)]
    costs = {one.text: cost(a_segment("", one.n_phonemes)) for one in asked}
    had = {"a": 0.0, "b": 0.0}

    for turn in play(asked):
        if {text.split()[1] for text in turn.waiting} == {"a", "b"}:
            had[turn.text.split()[1]] += costs[turn.text]
            assert abs(had["a"] - had["b"]) <= max(costs.values()) + 0.001


@settings(max_examples=10)
@given(st.sampled_from((1, 2, 3)), st.integers(0, 30), st.sampled_from(KINDS))
def test_the_only_request_among_two_hundred_of_another_caller_waits_for_few(n_threads: int, after: int, kind: str) -> None:
    line = Line(n_threads=n_threads)
    for number in range(200):
        Asked(number, kind, "many", 1).join(line)
    for _ in range(after):
        line.step()
    Asked(200, kind, "one", 1).join(line)

    line.step()
    n_before = 0
    while line.begun[-1] != f"{kind} one 200":
        line.step()
        n_before += 1

    # Those that were being spoken when it came end before it, too.
    assert n_before + n_threads <= n_threads + 2
    line.close()


class CountingEngine(GatedEngine):
    """Notes how many threads it may use for each segment."""

    def __init__(self) -> None:
        super().__init__()
        self.n_threads: dict[str, int] = {}

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        self.n_threads |= {segment.text: n_threads for segment in segments}
        return super().synthesize(segments, n_threads=n_threads)


@pytest.fixture
def lending() -> Iterator[tuple[CountingEngine, Scheduler]]:
    """A scheduler with three threads, and its engine."""
    engine, scheduler = CountingEngine(), Scheduler(n_threads=3)
    yield engine, scheduler
    engine.release(1000)
    scheduler.close()


def test_a_first_segment_has_all_threads_while_nobody_else_is_there(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    first = scheduler.submit(a_turn("first", engine))
    engine.wait_begun(1)
    followers = [scheduler.submit(a_turn(text, engine, is_first=False)) for text in ("second", "third", "fourth")]

    engine.release()
    first.result(60)
    engine.wait_begun(4)

    assert engine.spoken[0].text == "first"
    assert engine.n_threads == {"first": 3, "second": 1, "third": 1, "fourth": 1}
    engine.release(3)
    assert all(follower.result(60) for follower in followers)


def test_threads_that_are_lent_are_there_for_somebody_else(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    scheduler.submit(a_turn("first", engine))
    engine.wait_begun(1)
    scheduler.submit(a_turn("another's", engine, owner="another"))
    engine.wait_begun(2)

    assert engine.n_threads == {"first": 3, "another's": 1}


def test_a_book_is_read_by_one_thread_a_segment(lending: tuple[CountingEngine, Scheduler]) -> None:
    engine, scheduler = lending
    scheduler.submit(a_turn("page one", engine, lane=Lane.BATCH))
    engine.wait_begun(1)
    assert engine.n_threads == {"page one": 1}
