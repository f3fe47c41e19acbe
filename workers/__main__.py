"""`python -m workers`: one worker process. `koe worker` runs this module, since `app` never imports `workers`."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

import click
import structlog

from app.core.errors import EngineUnavailable, KoeError, Misconfigured
from app.core.host.descriptors import raise_limit
from app.core.host.exit_status import ended_by
from app.core.host.parent import end_with_parent
from app.core.host.service_link_warning import warn_of_service_links
from app.core.logs import configure_logs
from app.core.settings import read_settings
from app.core.speech.voices import load_catalogue
from app.core.storage.data_folder import prepare_folders
from app.core.storage.embedded_server import EmbeddedError, embedded_url
from app.core.storage.redis_url import read_redis_url
from app.core.weights.watch import ModelWatch
from workers.engines.finish import Finish
from workers.engines.memory import share_arenas
from workers.engines.registry import load_engines
from workers.process.pool import Pool
from workers.synthesis.encoder import find_ffmpeg

log: Final = structlog.get_logger()

_NICE: Final = 10
"""Low priority: on a busy core the API and the queue run first, so that they answer at once."""
_CHECK_SECONDS: Final = 0.25


def main(*, is_alone: bool = True) -> None:
    """Loads the engines and takes work until SIGTERM or SIGINT, then finishes running work. A second signal ends it at once."""
    try:
        share_arenas()
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
        os.nice(_NICE)
        raise_limit()
        redis_url = settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)
        read_redis_url(redis_url)
        loaded = load_engines(
            settings.engine,
            catalogue=load_catalogue(settings.voices_file),
            model_dir=settings.model_dir,
            fetched_dir=settings.fetched_model,
            device=settings.device,
            precision=settings.precision,
            idle_unload=settings.idle_unload,
            finish=Finish(ffmpeg_path=find_ffmpeg(settings.ffmpeg), loudness_lufs=settings.loudness),
        )
        pool = Pool(settings, redis_url, loaded, is_alone=is_alone)
        pool.warm_up()
    except EngineUnavailable as error:
        raise ended_by(Misconfigured(error.message)) from error
    except (EmbeddedError, KoeError, ValueError) as error:
        raise ended_by(error) from error
    stop = _stop_on_signals()
    pool.start()
    _wait_for(stop, (lambda: _say_changed(watch)) if is_alone else lambda: None)
    pool.stop()


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


def _wait_for(stop: threading.Event, on_check: Callable[[], None] = lambda: None) -> None:
    """Calls `on_check` periodically, and returns soon after `stop` is set.

    Why it wakes up periodically: the kernel may deliver a signal to any thread, and Python runs the handler only when the main
    thread, this one, runs again. Without a timeout it could continue to sleep.
    """
    while not stop.wait(_CHECK_SECONDS):
        on_check()


@click.command(help=main.__doc__)
@click.option("--with-parent", is_flag=True, hidden=True, help="End when the process that started this one does.")
def command(with_parent: bool) -> None:
    """See `main`."""
    if with_parent:
        end_with_parent()
    main(is_alone=not with_parent)


if __name__ == "__main__":
    sys.exit(command())
