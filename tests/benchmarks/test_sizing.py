"""The figures for sizing: what is computed from measurements, and the measurements that need no engine."""

import os

import pytest

from tests.benchmarks.listeners import Listener
from tests.benchmarks.sizing.listeners import on_cores, price_of, seconds_per_character
from tests.benchmarks.sizing.redis import waiting_bytes


def test_a_price_follows_from_the_cpu_time_of_speech() -> None:
    assert price_of(0.36, 0.06, 0.05) == pytest.approx({"CPU h per M characters": 6.0, "USD per M characters": 0.3})
    assert set(price_of(None, 0.06, 0.05).values()) == set(price_of(0.36, None, 0.05).values()) == {None}


def test_only_texts_that_were_heard_to_their_end_count() -> None:
    whole = Listener(n_characters=100, audio_seconds=6.0, is_whole=True)
    part = Listener(n_characters=500, audio_seconds=1.0)

    assert seconds_per_character([whole, part, whole]) == pytest.approx(0.06)
    assert seconds_per_character([part]) is None


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_a_server_gets_its_cores_and_the_client_keeps_all() -> None:
    before = os.sched_getaffinity(0)
    with on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_a_longer_text_takes_more_memory_while_it_waits() -> None:
    short, long = waiting_bytes(100, 20), waiting_bytes(3000, 20)

    assert 500 < short < 10_000
    assert long > short
