"""`python -m workers`: one worker process. `koe worker` runs this module, since `app` never imports `workers`."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Final

import click
import structlog

from app.core.custom_voices.packs import CustomPacks
from app.core.errors import EngineUnavailable, KoeError, Misconfigured
from app.core.host.descriptors import raise_limit
from app.core.host.exit_status import ended_by
from app.core.host.parent import end_with_parent
from app.core.host.service_link_warning import warn_of_service_links
from app.core.logs import configure_logs
from app.core.settings import read_settings
from app.core.speech.voices import load_catalogue
from app.core.storage.connections import connect
from app.core.storage.data_folder import prepare_folders
from app.core.storage.embedded_server import EmbeddedError, embedded_url
from app.core.storage.redis_url import read_redis_url
from app.core.weights.watch import ModelWatch
from workers.engines.finish import Finish
from workers.engines.memory import share_memory
from workers.engines.registry import NO_FACTS, load_engines
from workers.process.pool import Pool
from workers.process.replacement import Predecessor, read_predecessor, replace_process
from workers.synthesis.encoder import find_ffmpeg

log: Final = structlog.get_logger()

_NICE: Final = 10
"""Low priority: on a busy core the API and the queue run first, so that they answer at once."""
_CHECK_SECONDS: Final = 0.25
_SLOWER: Final = 1.5
"""A busy machine may take this many times as long to load the engine again."""
_WITH_PARENT: Final = "--with-parent"


def main(*, is_alone: bool = True, predecessor: Predecessor | None = None) -> None:
    """Loads the engines and takes work until SIGTERM or SIGINT, then finishes running work. A second signal ends it at once."""
    share_memory()
    pool, watch, comes_back_in_time = _open(is_alone, predecessor)
    stop = _stop_on_signals()
    pool.start(predecessor)
    say_changes = partial(_say_changed, watch) if is_alone else lambda: None
    _wait_for(stop, lambda: comes_back_in_time and pool.is_replaceable, say_changes)
    pool.stop(is_followed=lambda: not stop.is_set())
    if not stop.is_set():
        replace_process(pool.predecessor(), *([] if is_alone else [_WITH_PARENT]))


def _open(is_alone: bool, predecessor: Predecessor | None) -> tuple[Pool, ModelWatch, bool]:
    """Returns the warm pool, a watch of the files that it has loaded, and whether this took so little time that the worker may
    be replaced when it is idle. Ends the process if it cannot work.
    """
    try:
        settings = read_settings(os.environ)
        configure_logs(settings.log_format)
        warn_of_service_links(os.environ)
        prepare_folders(settings.data, settings.store, holds_queue=settings.redis_url is None)
        watch = ModelWatch(
            settings.model_dir,
            settings.fetched_model,
            load_catalogue(settings.voices_file).voices,
            is_wanted=settings.wants_model,
        )
        if predecessor is None:
            os.nice(_NICE)
        raise_limit()
        redis_url = settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)
        read_redis_url(redis_url)
        began_at = time.monotonic()
        loaded = load_engines(
            settings.engine,
            catalogue=load_catalogue(settings.voices_file),
            model_dir=settings.model_dir,
            fetched_dir=settings.fetched_model,
            device=settings.device,
            precision=settings.precision,
            idle_unload=settings.idle_unload,
            finish=Finish(ffmpeg_path=find_ffmpeg(settings.ffmpeg), loudness_lufs=settings.loudness),
            facts=predecessor.facts if predecessor else NO_FACTS,
            read_custom_pack=CustomPacks(connect(redis_url)).read,
        )
        pool = Pool(settings, redis_url, loaded, is_alone=is_alone)
        pool.warm_up(predecessor)
    except EngineUnavailable as error:
        raise ended_by(Misconfigured(error.message)) from error
    except (EmbeddedError, KoeError, ValueError) as error:
        raise ended_by(error) from error
    return pool, watch, _comes_back_in_time(time.monotonic() - began_at, settings.max_wait)


def _comes_back_in_time(start_seconds: float, max_wait_seconds: float) -> bool:
    """Whether a worker that starts in this time can load its engine for a request and answer within the longest wait."""
    return _SLOWER * start_seconds <= max_wait_seconds


def _say_changed(watch: ModelWatch) -> None:
    """Logs a change of the model's files. Under `koe serve` the supervisor restarts the worker instead."""
    if watch.has_changed():
        log.warning("model_files_changed", remedy="Restart this worker to use Kokoro's new files.")


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


def _wait_for(
    stop: threading.Event, is_over: Callable[[], bool] = lambda: False, on_check: Callable[[], None] = lambda: None
) -> None:
    """Calls `on_check` periodically, and returns soon after `stop` is set or `is_over` returns True.

    Why it wakes up periodically: the kernel may deliver a signal to any thread, and Python runs the handler only when the main
    thread, this one, runs again. Without a timeout it could continue to sleep.
    """
    while not stop.wait(_CHECK_SECONDS) and not is_over():
        on_check()


@click.command(help=main.__doc__)
@click.option(_WITH_PARENT, is_flag=True, hidden=True, help="End when the process that started this one does.")
@click.option("--after", hidden=True, help="The worker that this one replaces, as it describes itself.")
def command(with_parent: bool, after: str | None) -> None:
    """See `main`."""
    if with_parent:
        end_with_parent()
    main(is_alone=not with_parent, predecessor=read_predecessor(after))


if __name__ == "__main__":
    sys.exit(command())
