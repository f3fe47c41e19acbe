"""The fair queue: it chooses the next segment, and nobody waits forever."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.queue.broker import QueueName
from tests.engines import GatedEngine
from tests.workers.synthesis.queues import (
    FAR,
    LATER,
    MAX_LEAD_PHONEMES,
    NOW,
    OVERDUE,
    SEGMENT_SECONDS,
    SOON,
    BatchingEngine,
    HeldQueue,
    TimedEngine,
    a_queued,
    a_segment,
    cost,
)
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.synthesis.fair_queue import AGED_INTERVAL, AGING_SECONDS, FairQueue


def test_the_segment_whose_listener_runs_out_of_audio_first_is_spoken_first(queue: HeldQueue) -> None:
    queue.add("far", deadline=FAR)
    queue.add("soon", deadline=SOON)
    queue.add("later", deadline=LATER)

    assert queue.spoken() == ["soon", "later", "far"]


def test_with_equal_deadlines_the_first_to_come_is_the_first(queue: HeldQueue) -> None:
    for text in ("a", "b", "c"):
        queue.add(text)

    assert queue.spoken() == ["a", "b", "c"]


def test_a_new_listener_comes_before_all_who_have_audio_left(queue: HeldQueue) -> None:
    for number in range(50):
        queue.add(f"book {number}", task=f"book {number % 5}", deadline=LATER + number, is_first=False)

    queue.add("hello", task="new", deadline=FAR)

    assert queue.spoken()[0] == "hello"


def test_batch_comes_after_all_interactive(queue: HeldQueue) -> None:
    queue.add("batch", queue_name=QueueName.BATCH)
    queue.add("far", deadline=FAR)
    queue.add("playing", task="reader", deadline=FAR, is_first=False)
    queue.add("soon")

    assert queue.spoken() == ["soon", "far", "playing", "batch"]


def test_batch_is_spoken_as_it_came_whatever_its_deadlines(queue: HeldQueue) -> None:
    queue.add("a", queue_name=QueueName.BATCH, deadline=FAR)
    queue.wait(1)
    queue.add("b", queue_name=QueueName.BATCH, deadline=SOON)

    assert queue.spoken() == ["a", "b"]


def test_batch_that_has_waited_long_goes_before_all(queue: HeldQueue) -> None:
    queue.add("aged", queue_name=QueueName.BATCH)
    queue.wait(AGING_SECONDS + 1)
    queue.add("soon")
    queue.add("batch", queue_name=QueueName.BATCH)

    assert queue.spoken() == ["aged", "soon", "batch"]


def test_of_many_batch_segments_that_have_waited_long_each_lets_three_others_go_first(queue: HeldQueue) -> None:
    for number in range(3):
        queue.add(f"aged {number}", queue_name=QueueName.BATCH)
    queue.wait(AGING_SECONDS + 1)
    for text in "abcd":
        queue.add(text)

    assert queue.spoken() == ["aged 0", "a", "b", "c", "aged 1", "d", "aged 2"]


def test_a_stream_in_danger_alternates_with_new_listeners_and_a_new_listener_begins(queue: HeldQueue) -> None:
    for number in range(3):
        queue.add(f"playing {number}", task="reader", deadline=OVERDUE + number, is_first=False)
        queue.add(f"new {number}", task=f"new {number}")

    assert queue.spoken() == ["new 0", "playing 0", "new 1", "playing 1", "new 2", "playing 2"]


def test_a_stream_is_in_danger_when_it_would_come_too_late_at_every_other_turn(queue: HeldQueue) -> None:
    for number in range(4):
        queue.add(f"playing {number}", n_phonemes=10, task=f"{number}", deadline=NOW + 9.5 * SEGMENT_SECONDS, is_first=False)
    for number in range(3):
        queue.add(f"new {number}", n_phonemes=10)

    assert queue.spoken()[:4] == ["new 0", "playing 0", "new 1", "playing 1"]


def test_streams_that_can_wait_for_every_other_turn_wait_for_all_new_listeners(queue: HeldQueue) -> None:
    for number in range(4):
        queue.add(f"playing {number}", n_phonemes=10, task=f"{number}", deadline=NOW + 20 * SEGMENT_SECONDS, is_first=False)
    for number in range(3):
        queue.add(f"new {number}", n_phonemes=10)

    assert queue.spoken()[:4] == ["new 0", "new 1", "new 2", "playing 0"]


class WideEngine(TimedEngine):
    batch_size = 8


def test_with_a_batching_engine_a_stream_is_endangered_by_a_whole_batch(open_queue: Callable[..., HeldQueue]) -> None:
    queue = open_queue(engine=WideEngine)
    queue.add("playing", n_phonemes=10, task="reader", deadline=NOW + 10 * SEGMENT_SECONDS, is_first=False)
    for number in range(8):
        queue.add(f"new {number}", n_phonemes=10)

    assert queue.spoken()[:3] == ["new 0", "playing", "new 1"]


def test_a_stream_that_is_not_wanted_any_more_has_not_been_passed_over(queue: HeldQueue) -> None:
    for number in range(2):
        queue.add(f"new {number}")
        queue.add(f"playing {number}", task=f"reader {number}", deadline=OVERDUE, is_first=False)
    assert queue.step() == "new 0"
    for number in range(2):
        queue.scheduler.drop(f"reader {number}")
    assert queue.step() == "new 1"
    queue.add("playing", task="reader", deadline=OVERDUE, is_first=False)
    queue.add("new")

    assert queue.spoken()[2:] == ["new", "playing"]


class SlowEngine(TimedEngine):
    """Takes twenty times as long as expected."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        waveforms = super().synthesize(segments, turn)
        self._clock.now += 19 * sum(cost(segment) for segment in segments)
        return waveforms


def test_danger_depends_on_the_measured_pace(open_queue: Callable[..., HeldQueue]) -> None:
    for engine, task in ((TimedEngine, ["new 0", "new 1", "playing"]), (SlowEngine, ["new 0", "playing", "new 1"])):
        queue = open_queue(engine=engine)
        for number in range(10):
            queue.add(f"{number}", n_phonemes=10)
        for _ in range(10):
            queue.step()
        queue.add("playing", n_phonemes=10, task="reader", deadline=queue.clock.now + 40 * SEGMENT_SECONDS, is_first=False)
        queue.add("new 0", n_phonemes=10)
        queue.add("new 1", n_phonemes=10)

        assert queue.spoken()[10:] == task


def test_a_new_listener_interrupts_again_when_the_interrupted_segment_was_computed_for_as_long() -> None:
    queue, engine = FairQueue(n_threads=1), GatedEngine()
    for number in range(2):
        queue.add(a_queued(f"book {number}", engine, task="book", deadline=OVERDUE, is_first=False))
    assert [taken.segment.text for taken in queue.take(NOW)] == ["book 0"]

    for text in ("one", "two", "three"):
        queue.add(a_queued(text, engine, task=text, deadline=NOW))
    (one,) = queue.take_newcomer(NOW)
    assert one.segment.text == "one"
    assert not queue.take_newcomer(NOW + 1)

    queue.begun(one, NOW + 2)
    assert not queue.take_newcomer(NOW + 3)
    (two,) = queue.take_newcomer(NOW + 4)
    assert two.segment.text == "two"

    queue.done([two], [], 1.0, NOW + 5)
    assert not queue.take_newcomer(NOW + 5.9)
    assert [taken.segment.text for taken in queue.take(NOW + 5.9)] == ["book 1"]
    assert [taken.segment.text for taken in queue.take_newcomer(NOW + 5.9)] == ["three"]


def test_a_segment_after_an_unspoken_first_segment_is_not_endangered(queue: HeldQueue) -> None:
    for number in range(3):
        queue.add(f"begin {number}", task=f"{number}", n_phonemes=100, deadline=OVERDUE)
        queue.add(f"end {number}", task=f"{number}", deadline=OVERDUE, is_first=False)

    assert queue.spoken() == ["begin 0", "begin 1", "begin 2", "end 0", "end 1", "end 2"]


def test_a_segment_is_due_when_the_one_before_it_ends(queue: HeldQueue) -> None:
    queue.add("begin", task="a", n_phonemes=200, deadline=OVERDUE)
    queue.add("middle", task="a", n_phonemes=200, deadline=OVERDUE, is_first=False)
    queue.add("end", task="a", n_phonemes=200, deadline=OVERDUE, is_first=False)
    # `begin` is spoken in 4 seconds and lasts for 12 seconds; `middle` is estimated to last for 16 seconds.
    queue.add("before", task="b", deadline=NOW + 15, is_first=False)
    queue.add("between", task="c", deadline=NOW + 18, is_first=False)
    queue.add("after", task="d", deadline=NOW + 33, is_first=False)

    assert queue.spoken() == ["begin", "before", "middle", "between", "end", "after"]


def test_a_deadline_that_is_set_anew_counts_at_once(queue: HeldQueue) -> None:
    queued = a_queued("a", queue.engine, task="a", deadline=LATER, is_first=False, on_begin=lambda: queue.begun.append("a"))
    queue.futures["a"] = queue.scheduler.submit(queued)
    queue.add("b", task="b", deadline=LATER + 1, is_first=False)

    queued.deadline = LATER + 2

    assert queue.spoken() == ["b", "a"]


def test_the_only_request_of_one_caller_is_heard_among_the_many_of_another(queue: HeldQueue) -> None:
    for number in range(20):
        queue.add(f"flood {number}", owner="many")
    queue.step()
    queue.add("hello", owner="one")

    assert queue.spoken()[:4] == ["flood 0", "flood 1", "hello", "flood 2"]


def in_pairs(texts: Sequence[str]) -> list[set[str]]:
    """Returns pairs without an order: if two owners have used equally much, either may go first."""
    return [set(texts[place : place + 2]) for place in range(0, len(texts), 2)]


def test_callers_share_batch_too(queue: HeldQueue) -> None:
    for number in range(3):
        queue.add(f"a {number}", owner="a", queue_name=QueueName.BATCH)
        queue.wait(1)
    for number in range(3):
        queue.add(f"b {number}", owner="b", queue_name=QueueName.BATCH)

    assert in_pairs(queue.spoken()) == [{"a 0", "b 0"}, {"a 1", "b 1"}, {"a 2", "b 2"}]


def test_nobody_saves_up_credit(queue: HeldQueue) -> None:
    for number in range(20):
        queue.add(f"a {number}", owner="a")
    for _ in range(10):
        queue.step()
    for number in range(3):
        queue.add(f"b {number}", owner="b")

    assert in_pairs(queue.spoken()[10:16]) == [{"a 10", "b 0"}, {"a 11", "b 1"}, {"a 12", "b 2"}]


def test_an_owner_keeps_a_lead_while_absent(queue: HeldQueue) -> None:
    queue.add("much", n_phonemes=25, owner="a")
    for number in range(4):
        queue.add(f"b {number}", n_phonemes=10, owner="b")
    assert queue.step() == "much"
    queue.add("again", owner="a")

    assert queue.spoken() == ["much", "b 0", "b 1", "b 2", "again", "b 3"]


def test_an_absent_owner_loses_the_lead_when_the_others_have_caught_up(queue: HeldQueue) -> None:
    queue.add("much", n_phonemes=25, owner="a")
    for number in range(6):
        queue.add(f"b {number}", n_phonemes=10, owner="b")
    for _ in range(5):
        queue.step()
    for number in range(2):
        queue.add(f"a {number}", n_phonemes=10, owner="a")

    assert in_pairs(queue.spoken()[5:]) == [{"b 4", "a 0"}, {"b 5", "a 1"}]


def test_nobody_is_ahead_of_another_by_more_than_the_limit(queue: HeldQueue) -> None:
    queue.add("playing", owner="quiet", deadline=FAR, is_first=False)
    for number in range(5):
        queue.add(f"{number}", n_phonemes=MAX_LEAD_PHONEMES, owner="busy")
    for _ in range(5):
        queue.step()
    for number in range(4):
        queue.add(f"busy {number}", n_phonemes=MAX_LEAD_PHONEMES // 2, owner="busy")
        queue.add(f"quiet {number}", n_phonemes=MAX_LEAD_PHONEMES * 2 // 5, owner="quiet")

    assert queue.spoken()[5:10] == ["quiet 0", "quiet 1", "quiet 2", "busy 0", "quiet 3"]


def test_absent_owners_are_forgotten(queue: HeldQueue) -> None:
    for number in range(100):
        queue.add(f"{number}", owner=f"owner {number}", task=f"{number}")
    queue.scheduler.drop("99")

    queue.spoken()
    queue.close()

    fair_queue = queue.scheduler._queue
    assert isinstance(fair_queue, FairQueue)
    assert not any(virtual_times._times for virtual_times in fair_queue._virtual_times.values())
    assert not fair_queue._without_audio


def test_in_a_fifo_the_first_request_is_spoken_to_its_end_before_the_next(open_queue: Callable[..., HeldQueue]) -> None:
    queue = open_queue(policy="fifo")
    queue.add("second, begin", arrived=2.0)
    queue.add("first, begin", arrived=1.0, deadline=FAR)
    queue.add("third", arrived=3.0, queue_name=QueueName.BATCH)
    queue.wait(AGING_SECONDS + 1)
    queue.add("second, end", arrived=2.0)
    queue.add("first, end", arrived=1.0, deadline=FAR)

    assert queue.spoken() == ["first, begin", "first, end", "second, begin", "second, end", "third"]


def test_a_batching_engine_gets_its_most_urgent_segments_together(queue: HeldQueue) -> None:
    batching = BatchingEngine()
    others = {
        text: queue.scheduler.submit(a_queued(text, batching, deadline=LATER + number)) for number, text in enumerate("abcd")
    }
    queue.add("soon", deadline=SOON)
    queue.add("between", deadline=LATER + 0.5)

    batching.release(1000)
    spoken = queue.spoken()

    assert all(future.result(30) for future in others.values())
    assert batching.batches == [["a", "b", "c"], ["d"]]
    assert spoken == ["soon", "between"]


def test_callers_share_what_an_engine_takes_at_once(queue: HeldQueue) -> None:
    batching = BatchingEngine()
    all_queued = [a_queued(f"a{n}", batching, owner="a") for n in range(4)] + [
        a_queued(f"b{n}", batching, owner="b") for n in range(2)
    ]
    futures = [queue.scheduler.submit(queued) for queued in all_queued]

    batching.release(1000)
    queue.spoken()

    assert all(future.result(30) for future in futures)
    assert batching.batches == [["a0", "b0", "a1"], ["b1", "a2", "a3"]]


def test_in_a_fifo_a_batching_engine_gets_the_first_segments_together(open_queue: Callable[..., HeldQueue]) -> None:
    queue = open_queue(policy="fifo")
    batching = BatchingEngine()
    futures = [queue.scheduler.submit(a_queued(f"{n}", batching, arrived_at=-float(n))) for n in range(4)]

    batching.release(1000)
    queue.spoken()

    assert all(future.result(30) for future in futures)
    assert batching.batches == [["3", "2", "1"], ["0"]]


@dataclass(frozen=True)
class Asked:
    """A segment that is added when `after` others have been taken."""

    number: int
    kind: str
    owner: str
    n_phonemes: int
    after: int = 0

    @property
    def text(self) -> str:
        """Text that no other segment has."""
        return f"{self.kind} {self.owner} {self.number}"

    def join(self, queue: HeldQueue) -> None:
        queue_name = QueueName.BATCH if self.kind == "batch" else QueueName.INTERACTIVE
        queue.add(
            self.text,
            n_phonemes=self.n_phonemes,
            task=self.text,
            owner=self.owner,
            queue_name=queue_name,
            deadline={"endangered": OVERDUE, "playing": NOW + 20}.get(self.kind, NOW),
            is_first=self.kind == "new",
        )


KINDS = ("new", "endangered", "playing", "batch")
MAX_PHONEMES = 20


@st.composite
def mixtures(draw: st.DrawFn) -> list[Asked]:
    numbers = range(draw(st.integers(1, 40)))
    one = st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.integers(1, MAX_PHONEMES), st.integers(0, 25))
    return [Asked(number, *draw(one)) for number in numbers]


@dataclass
class Taken:
    """A segment that was taken, and the segments that waited then."""

    waiting: dict[str, float]
    """Text → seconds that the segment had waited."""
    text: str


def play(asked: Sequence[Asked], n_threads: int = 1, seconds_between: float = 0.0) -> list[Taken]:
    """Adds these segments to a queue. Returns them in the order in which they were taken."""
    queue = HeldQueue(n_threads=n_threads)
    came: dict[str, float] = {}
    all_taken: list[Taken] = []
    coming = sorted(asked, key=lambda one: one.after, reverse=True)
    while coming or came:
        while coming and (coming[-1].after <= len(all_taken) or not came):
            came[coming[-1].text] = queue.clock.now
            coming.pop().join(queue)
        queue.wait(seconds_between)
        text = queue.step()
        all_taken.append(Taken({text: queue.clock.now - since for text, since in came.items()}, text))
        del came[text]
    queue.close()
    return all_taken


def is_a(text: str, *kinds: str) -> bool:
    return text.split(maxsplit=1)[0] in kinds


def waits(taken: Taken, *kinds: str, least_seconds: float = 0.0) -> bool:
    return any(is_a(text, *kinds) and waited >= least_seconds for text, waited in taken.waiting.items())


def windows(all_taken: Sequence[Taken], n_taken: int) -> Iterator[Sequence[Taken]]:
    """Returns each sequence of `n_taken` segments that were taken in a row."""
    return (all_taken[start : start + n_taken] for start in range(len(all_taken) - n_taken + 1))


few = settings(max_examples=25)


@few
@given(mixtures())
def test_no_segment_is_lost_or_spoken_twice(asked: list[Asked]) -> None:
    assert sorted(taken.text for taken in play(asked)) == sorted(one.text for one in asked)


@few
@given(mixtures())
def test_whatever_the_mixture_no_group_waits_for_ever(asked: list[Asked]) -> None:
    all_taken = play(asked, seconds_between=1.0)

    for window in windows(all_taken, 2):
        if all(waits(taken, "endangered") for taken in window):
            assert any(is_a(taken.text, "endangered", "playing") for taken in window)
    for window in windows(all_taken, 4):
        if all(waits(taken, "new") for taken in window):
            assert any(is_a(taken.text, "new") for taken in window)
    for window in windows(all_taken, AGED_INTERVAL + 1):
        if all(waits(taken, "batch", least_seconds=AGING_SECONDS + 0.001) for taken in window):
            assert any(is_a(taken.text, "batch") for taken in window)


@few
@given(mixtures())
def test_whatever_the_mixture_batch_has_a_quarter_at_most_while_listeners_wait(asked: list[Asked]) -> None:
    all_taken = play(asked, seconds_between=1.0)

    for window in windows(all_taken, AGED_INTERVAL):
        if all(waits(taken, "new", "endangered", "playing") for taken in window):
            assert sum(is_a(taken.text, "batch") for taken in window) <= 1


@few
@given(st.sampled_from(KINDS), st.lists(st.integers(1, MAX_PHONEMES), min_size=30, max_size=30), st.integers(0, 9))
def test_two_callers_with_endless_work_get_equal_shares_within_one_segment(kind: str, sizes: list[int], after: int) -> None:
    asked = [Asked(n, kind, "ab"[n % 2], size, after if n % 2 else 0) for n, size in enumerate(sizes)]
    costs = {one.text: cost(a_segment("", one.n_phonemes)) for one in asked}
    had = {"a": 0.0, "b": 0.0}

    for taken in play(asked):
        if {text.split()[1] for text in taken.waiting} == {"a", "b"}:
            had[taken.text.split()[1]] += costs[taken.text]
            assert abs(had["a"] - had["b"]) <= max(costs.values()) + 0.001


@settings(max_examples=10)
@given(st.sampled_from((1, 2, 3)), st.integers(0, 30), st.sampled_from(KINDS))
def test_the_only_request_among_two_hundred_of_another_caller_waits_for_few(n_threads: int, after: int, kind: str) -> None:
    queue = HeldQueue(n_threads=n_threads)
    for number in range(200):
        Asked(number, kind, "many", 1).join(queue)
    for _ in range(after):
        queue.step()
    Asked(200, kind, "one", 1).join(queue)

    queue.step()
    n_before = 0
    while queue.begun[-1] != f"{kind} one 200":
        queue.step()
        n_before += 1

    # The segments that were being spoken when it was added also end before it.
    assert n_before + n_threads <= n_threads + 2
    queue.close()
