"""IdleEngine: it unloads an engine without work and loads it again on demand, unnoticed by its callers."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import EngineUnavailable
from app.core.speech.voices import Catalogue
from tests.engines import GatedEngine, text_of
from tests.harness import wait_until
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.engines.espeak import EspeakEngine
from workers.engines.idle import IdleEngine
from workers.engines.kokoro.checkpoint import CheckpointError
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.registry import load_engines
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import segments_of
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

IDLE_SECONDS = 600.0
"""Idle time on a clock that the tests set; so long that no watcher thread wakes during a test."""


class StrictEngine(ToneEngine):
    """Fails when it is used after it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        assert not self.is_closed
        return super().phonemize(text, language, markup)

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        assert not self.is_closed
        return super().synthesize(segments, turn)

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True


class Bench:
    """An IdleEngine with its own clock, and all engines that it has loaded."""

    def __init__(self, make: Callable[[], Engine] = StrictEngine) -> None:
        self.now = 1000.0
        self.make = make
        self.loaded: list[Engine] = []
        self.engine = IdleEngine(self._load, speaks=lambda _: True, idle_seconds=IDLE_SECONDS, clock=lambda: self.now)

    def _load(self) -> Engine:
        self.loaded.append(self.make())
        return self.loaded[-1]

    def is_loaded(self) -> bool:
        return self.engine.is_loaded

    def idle(self, seconds: float = IDLE_SECONDS) -> float:
        """Advances the clock without work. Returns the seconds until the next check."""
        self.now += seconds
        return self.engine.unload_if_idle()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.engine.close()


def prepare(engine: Engine, catalogue: Catalogue, text: str = "Hello there.") -> Iterator[Segment]:
    voice, language = catalogue.parse("af_heart")
    return segments_of(text, engine, voice=voice, language=language, speed=1.0)


def test_without_work_for_long_enough_it_goes_and_with_work_it_comes_back(bench: Bench, catalogue: Catalogue) -> None:
    (segment,) = prepare(bench.engine, catalogue)
    (before,) = bench.engine.synthesize([segment])

    assert bench.idle(IDLE_SECONDS - 1) == 1
    assert bench.is_loaded()
    bench.idle(1)
    assert not bench.is_loaded()
    assert isinstance(bench.loaded[0], StrictEngine)
    assert bench.loaded[0].is_closed

    (after,) = bench.engine.synthesize([segment])
    np.testing.assert_array_equal(before.samples, after.samples)
    assert len(bench.loaded) == 2


@pytest.mark.parametrize("work", ["prepare", "synthesize", "warm_up"])
def test_any_work_begins_the_wait_anew(bench: Bench, catalogue: Catalogue, work: str) -> None:
    (segment,) = prepare(bench.engine, catalogue)
    bench.idle(IDLE_SECONDS - 1)

    {
        "prepare": lambda: list(prepare(bench.engine, catalogue)),
        "synthesize": lambda: bench.engine.synthesize([segment]),
        "warm_up": bench.engine.warm_up,
    }[work]()

    assert bench.idle(1) == IDLE_SECONDS - 1
    assert bench.is_loaded()


class OnDevice(StrictEngine):
    device_bytes = 5


def test_it_has_memory_of_a_device_only_while_it_is_loaded() -> None:
    bench = Bench(OnDevice)
    assert (bench.engine.device_bytes, bench.is_loaded()) == (5, True)

    bench.idle()

    assert (bench.engine.device_bytes, bench.is_loaded()) == (0, False)
    bench.engine.close()


def test_what_it_is_and_speaks_is_told_without_loading_it(bench: Bench, catalogue: Catalogue) -> None:
    bench.idle()

    assert (bench.engine.name, bench.engine.batch_size) == ("tone", 1)
    assert bench.engine.speaks("en-US")
    prepare(bench.engine, catalogue)

    assert not bench.is_loaded()


def test_it_stays_while_a_segment_is_being_spoken(catalogue: Catalogue) -> None:
    gated = GatedEngine()
    bench = Bench(lambda: gated)
    segments = list(prepare(bench.engine, catalogue))
    with ThreadPoolExecutor(1) as threads:
        spoken = threads.submit(bench.engine.synthesize, segments)
        gated.wait_begun(1)
        assert bench.idle() == IDLE_SECONDS
        assert bench.is_loaded()

        gated.release()
        assert len(spoken.result()[0].samples) > 0

    assert bench.idle(IDLE_SECONDS - 1) == 1
    bench.idle(1)
    assert not bench.is_loaded()
    bench.engine.close()


def test_who_comes_while_it_is_being_loaded_waits_for_that_one(bench: Bench, catalogue: Catalogue) -> None:
    segments = list(prepare(bench.engine, catalogue))
    bench.idle()
    asked, may_load = threading.Barrier(9), threading.Event()

    def make() -> Engine:
        assert may_load.wait(30)
        return StrictEngine()

    def speak() -> list[Waveform]:
        asked.wait(30)
        return bench.engine.synthesize(segments)

    bench.make = make
    with ThreadPoolExecutor(8) as threads:
        spoken = [threads.submit(speak) for _ in range(8)]
        asked.wait(30)
        may_load.set()
        assert all(len(one.result()) == 1 for one in spoken)

    assert len(bench.loaded) == 2


def test_a_text_that_waits_does_not_hold_the_engine_and_goes_on_where_it_was(bench: Bench, catalogue: Catalogue) -> None:
    text = text_of(4)
    whole = list(prepare(ToneEngine(), catalogue, text))
    segments = prepare(bench.engine, catalogue, text)
    given = [next(segments), next(segments)]

    bench.idle()
    gone = weakref.ref(bench.loaded.pop(0))
    gc.collect()
    assert gone() is None
    given.append(next(segments))
    bench.idle()

    assert given + list(segments) == whole
    assert len(whole) > 3


def test_a_text_that_is_over_loads_nothing(bench: Bench, catalogue: Catalogue) -> None:
    segments = prepare(bench.engine, catalogue)
    assert len(list(segments)) == 1
    bench.idle()

    assert list(segments) == []
    assert not bench.is_loaded()


def test_an_engine_that_cannot_be_loaded_again_is_told_and_tried_anew(bench: Bench, catalogue: Catalogue) -> None:
    segments = list(prepare(bench.engine, catalogue))
    bench.idle()

    bench.make = failing(OSError("disk"))
    with pytest.raises(EngineUnavailable, match=r"OSError.*koe doctor") as raised:
        bench.engine.synthesize(segments)
    assert "disk" not in raised.value.message

    bench.make = failing(EngineUnavailable("Run `koe fetch`."))
    with pytest.raises(EngineUnavailable, match="koe fetch"):
        next(prepare(bench.engine, catalogue))

    bench.make = StrictEngine
    assert len(bench.engine.synthesize(segments)) == 1


def failing(error: Exception) -> Callable[[], Engine]:
    def make() -> Engine:
        raise error

    return make


def test_what_cannot_be_loaded_at_first_is_an_error_at_once() -> None:
    with pytest.raises(EngineUnavailable, match="koe fetch"):
        IdleEngine(failing(EngineUnavailable("Run `koe fetch`.")), speaks=lambda _: True, idle_seconds=1)


def test_it_goes_by_itself_and_its_thread_ends_with_it(catalogue: Catalogue) -> None:
    engine = IdleEngine(StrictEngine, speaks=lambda _: True, idle_seconds=0.02)
    wait_until(lambda: not engine.is_loaded)
    list(prepare(engine, catalogue))
    wait_until(lambda: not engine.is_loaded)
    assert engine._watcher.is_alive()

    engine.close()

    assert not engine._watcher.is_alive()


@contextmanager
def loaded_kokoro(catalogue: Catalogue, folder: Path) -> Iterator[IdleEngine]:
    loaded = load_engines("kokoro", catalogue=catalogue, model_dir=folder, idle_unload=IDLE_SECONDS)
    kokoro = loaded.engines["kokoro"]
    assert isinstance(kokoro, IdleEngine)
    assert isinstance(loaded.engines["espeak"], EspeakEngine)
    yield kokoro
    kokoro.close()


def test_kokoro_goes_whole_and_comes_back_the_same(catalogue: Catalogue, checkpoint: Path, tmp_path: Path) -> None:
    for path in checkpoint.iterdir():
        (tmp_path / path.name).symlink_to(path)
    with loaded_kokoro(catalogue, tmp_path) as kokoro:
        text = "It rains today. We stay, all of us, at home and read."
        first, *others = prepare(kokoro, catalogue, text)
        (before,) = kokoro.synthesize([first])
        waiting = prepare(kokoro, catalogue, text)
        assert next(waiting) == first
        assert isinstance(kokoro._engine, KokoroEngine)
        model = weakref.ref(kokoro._engine._decoder)

        kokoro._clock = lambda: time.monotonic() + IDLE_SECONDS
        kokoro.unload_if_idle()
        assert model() is None
        assert kokoro.speaks("en-US")
        assert not kokoro.speaks("de")

        (tmp_path / "config.json").unlink()
        with pytest.raises(CheckpointError, match="koe fetch"):
            kokoro.synthesize([first])

        (tmp_path / "config.json").symlink_to(checkpoint / "config.json")
        (after,) = kokoro.synthesize([first])
        np.testing.assert_array_equal(before.samples, after.samples)
        assert list(waiting) == others
        assert others
