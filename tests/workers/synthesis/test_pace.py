"""The pace of first audio: measured while the worker is busy, estimated otherwise, and not distorted by a standstill."""

import pytest

from workers.synthesis.pace import FirstAudioPace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_known_before_anything_was_heard(clock: Clock) -> None:
    pace = FirstAudioPace(2, clock)
    pace.begin("a")

    assert pace.seconds == 0


def test_before_anything_was_heard_it_is_what_is_expected(clock: Clock) -> None:
    pace = FirstAudioPace(2, clock)
    pace.expect(3)
    assert pace.seconds == 3


def test_measurements_soon_count_more_than_what_was_expected(clock: Clock) -> None:
    pace = FirstAudioPace(2, clock)
    pace.expect(3)

    found = [pace.seconds]
    for number in range(30):
        pace.begin(str(number))
        clock.now += 60
        pace.record_first_audio(str(number))
        found.append(pace.seconds)

    assert found == sorted(found)
    assert found[1] > 15
    assert found[-1] == pytest.approx(60, rel=0.02)


def test_one_short_request_does_not_undo_what_was_expected(clock: Clock) -> None:
    pace = FirstAudioPace(2, clock)
    pace.expect(3)
    pace.begin("a word")
    clock.now += 0.3
    pace.record_first_audio("a word")

    assert pace.seconds > 1.5


def test_one_alone_has_all_threads_and_two_have_one_each(clock: Clock) -> None:
    alone, both = FirstAudioPace(2, clock), FirstAudioPace(2, clock)
    alone.begin("a")
    both.begin("a")
    both.begin("b")
    clock.now += 3
    alone.record_first_audio("a")
    both.record_first_audio("a")

    assert alone.seconds == pytest.approx(3)
    assert both.seconds == pytest.approx(1.5)


def test_the_pace_of_a_busy_worker_is_the_time_from_one_first_audio_to_the_next(clock: Clock) -> None:
    pace = FirstAudioPace(1, clock)
    for number in range(40):
        pace.begin(str(number))
    for number in range(38):
        clock.now += 2
        pace.record_first_audio(str(number))

    assert pace.seconds == pytest.approx(2)


def test_the_last_of_many_that_waited_are_not_counted_as_slow(clock: Clock) -> None:
    pace = FirstAudioPace(2, clock)
    for number in range(40):
        pace.begin(str(number))
    for number in range(40):
        clock.now += 2
        pace.record_first_audio(str(number))

    assert pace.seconds == pytest.approx(2, rel=0.1)


def test_the_second_sound_of_an_utterance_is_none(clock: Clock) -> None:
    pace = FirstAudioPace(1, clock)
    pace.begin("a")
    clock.now += 1
    pace.record_first_audio("a")
    clock.now += 50
    pace.record_first_audio("a")

    assert pace.seconds == pytest.approx(1)


def test_the_time_in_which_nobody_waits_is_not_counted(clock: Clock) -> None:
    pace = FirstAudioPace(1, clock)
    for name in "abc":
        pace.begin(name)
    clock.now += 1
    pace.record_first_audio("a")
    pace.end("b")
    pace.end("c")
    clock.now += 3600
    pace.begin("d")
    clock.now += 1
    pace.record_first_audio("d")

    assert pace.seconds == pytest.approx(1)


def test_a_worker_that_stood_still_is_as_fast_as_before(clock: Clock) -> None:
    pace = FirstAudioPace(1, clock)
    for number in range(40):
        pace.begin(str(number))
    for number in range(20):
        clock.now += 600 if number == 19 else 1
        pace.record_first_audio(str(number))

    assert 1 < pace.seconds < 1.5


def test_a_worker_that_has_become_slower_is_known_to_be_soon(clock: Clock) -> None:
    pace = FirstAudioPace(1, clock)
    for number in range(60):
        pace.begin(str(number))
    for number in range(50):
        clock.now += 1 if number < 20 else 8
        pace.record_first_audio(str(number))

    assert pace.seconds == pytest.approx(8, rel=0.1)
