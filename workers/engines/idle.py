"""A wrapper that unloads an engine after some time without work, and loads it again on demand.

Why a wrapper: loading is independent of speaking. The wrapper works for every engine that can be created again.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast

import msgspec
import structlog
from typing_extensions import override

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.speech.voices import Blend
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.engines.memory import return_memory
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

log: Final = structlog.get_logger()


LIBRARIES_STAY: Final = 5
"""The libraries stay this many times as long as the engine, because loading them too takes nearly twice as long."""


class EngineFacts(msgspec.Struct, frozen=True):
    """What a worker needs to know of an engine that is not loaded. See `Engine` for the fields."""

    name: str
    identity: str
    batch_size: int
    takes_phonemes: bool
    max_phonemes: int
    max_context: int

    @classmethod
    def of(cls, engine: Engine) -> "EngineFacts":
        """Reads them from the engine."""
        return cls(**{field: getattr(engine, field) for field in cls.__struct_fields__})


class IdleEngine(Engine):
    """The engine that `load` returns, loaded only while it has work."""

    def __init__(
        self,
        load: Callable[[], Engine],
        *,
        speaks: Callable[[str], bool],
        idle_seconds: float,
        facts: EngineFacts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Loads the engine, unless `facts` tell about it: then the first call loads it. Raises the errors of `load`.

        `speaks` replaces the engine's own method, so that it works while the engine is unloaded. After `idle_seconds` on
        `clock` without a call the engine is closed and deleted.
        """
        engine = None if facts else load()
        facts = facts or EngineFacts.of(cast("Engine", engine))
        self.name = facts.name
        self.identity = facts.identity
        self.batch_size = facts.batch_size
        self.takes_phonemes = facts.takes_phonemes
        self.max_phonemes = facts.max_phonemes
        self.max_context = facts.max_context
        self._was_loaded = engine is not None
        self._speaks = speaks
        self._load = load
        self._engine: Engine | None = engine
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._used_at = clock()
        self._n_users = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"idle-{self.name}", daemon=True)
        self._watcher.start()

    @property
    def is_loaded(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine is not None

    @property
    def leaves_libraries(self) -> bool:
        """Whether the engine is unloaded, was loaded in this process, and has had no work for so long that its libraries should
        go too.
        """
        idle_seconds = self._clock() - self._used_at
        return not self.is_loaded and self._was_loaded and idle_seconds >= LIBRARIES_STAY * self._idle_seconds

    @property
    def device_bytes(self) -> int:
        """Memory of the GPU that it has reserved; 0 while it is unloaded."""
        engine = self._engine
        return 0 if engine is None else engine.device_bytes

    @override
    def speaks(self, language: str) -> bool:
        return self._speaks(language)

    @override
    def check_voice(self, voice: Blend, language: str) -> None:
        """Raises EngineUnavailable when the engine cannot be loaded again."""
        with self._using() as engine:
            engine.check_voice(voice, language)

    @override
    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        """Raises EngineUnavailable when the engine cannot be loaded again."""
        with self._using() as engine:
            return engine.phonemize(text, language, markup)

    @override
    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        """Raises EngineUnavailable when the engine cannot be loaded again."""
        with self._using() as engine:
            return engine.synthesize(segments, turn)

    @override
    def warm_up(self) -> None:
        with self._using() as engine:
            engine.warm_up()

    @override
    def close(self) -> None:
        self._closing.set()
        self._watcher.join()
        with self._lock:
            self._unload()

    def unload_if_idle(self) -> float:
        """Unloads the engine if it was idle long enough. Returns the seconds until the next check."""
        with self._lock:
            if self._engine is None or self._n_users:
                return self._idle_seconds
            idle_seconds = self._clock() - self._used_at
            if idle_seconds < self._idle_seconds:
                return self._idle_seconds - idle_seconds
            self._unload()
            gc.collect()
            return_memory()
        log.info("engine_unloaded", engine=self.name, seconds=round(idle_seconds, 1))
        return self._idle_seconds

    def _watch(self) -> None:
        while not self._closing.wait(self.unload_if_idle()):
            pass

    @contextmanager
    def _using(self) -> Iterator[Engine]:
        """Yields the engine, which stays loaded until the end of the block. Other threads wait while it is loading."""
        with self._lock:
            engine = self._engine = self._engine or self._load_again()
            self._n_users += 1
        try:
            yield engine
        finally:
            with self._lock:
                self._n_users -= 1
                self._used_at = self._clock()

    def _load_again(self) -> Engine:
        started_at = time.monotonic()
        try:
            engine = self._load()
        except (ImportError, MemoryError, OSError, RuntimeError) as error:
            raise EngineUnavailable(
                f"The engine {self.name} could not be loaded again ({type(error).__name__}). "
                f"{remedies.koe('doctor')} says what is missing."
            ) from error
        return_memory()
        self.identity, self._was_loaded = engine.identity, True
        log.info("engine_loaded", engine=self.name, seconds=round(time.monotonic() - started_at, 1))
        return engine

    def _unload(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
