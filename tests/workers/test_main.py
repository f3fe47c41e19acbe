"""A worker process handles the signal that ends it, whichever of its threads the kernel delivers it to."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from tests.harness import wait_until
from workers.__main__ import _comes_back_in_time, _stop_on_signals, _wait_for


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """The event that a SIGTERM to this process sets."""
    original = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield _stop_on_signals()
    for number, handler in original.items():
        signal.signal(number, handler)


def test_a_signal_that_another_thread_is_given_is_heard(stop: threading.Event) -> None:
    main = threading.get_ident()

    def take_the_signal() -> None:
        wait_until(lambda: waits_in(_wait_for, main))
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    other = threading.Thread(target=take_the_signal)
    other.start()
    _wait_for(stop)
    other.join()

    assert stop.is_set()


@pytest.mark.parametrize(("start_seconds", "is_in_time"), [(15.0, True), (20.0, True), (21.0, False), (60.0, False)])
def test_a_worker_that_starts_slowly_keeps_its_libraries(start_seconds: float, is_in_time: bool) -> None:
    assert _comes_back_in_time(start_seconds, 30.0) == is_in_time


def waits_in(function: Callable[..., None], thread: int) -> bool:
    """Whether the thread waits for a condition somewhere within the function."""
    frame: FrameType | None = sys._current_frames()[thread]
    codes = []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    return codes[0] is threading.Condition.wait.__code__ and function.__code__ in codes
