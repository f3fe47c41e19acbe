"""`python -m app.cli.health`: ends with 0 while the API or the worker of this container is well; for its health check.

Why a worker asks Redis: it has no port, and the API knows it by its heartbeat there. Why one command decides what it checks: an
image has one health check, and its containers run an API, a worker, or both.
"""

import http.client
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from redis.exceptions import RedisError

from app.core.host.exit_status import ended_by
from app.core.queue.fleet import name_prefix
from app.core.settings import Settings, read_settings
from app.core.storage import keys
from app.core.storage.connections import connect
from app.core.storage.embedded_server import embedded_url

PROC: Final = Path("/proc")
_ANSWER_SECONDS: Final = 4.0


def main() -> None:
    """Prints one sentence, and ends with 1 if something is wrong."""
    try:
        settings = read_settings(os.environ)
        trouble = find_trouble(settings, list(worker_pids()))
    except ValueError as error:
        raise ended_by(error) from error
    if trouble:
        raise click.ClickException(trouble)
    click.echo("well")


def find_trouble(settings: Settings, pids: list[int]) -> str | None:
    """What is wrong; None if nothing is. `pids`: the processes of this container's workers; without any, the API is checked."""
    return _worker_trouble(settings, pids) if pids else _api_trouble(settings)


def worker_pids(proc: Path = PROC) -> Iterator[int]:
    """The processes of workers on this machine, as far as it is visible here. None if an API runs here too."""
    commands = {int(folder.name): _command(folder) for folder in proc.glob("[0-9]*")}
    if not any("api" in command for command in commands.values()):
        yield from (pid for pid, command in sorted(commands.items()) if _is_worker(command))


def _is_worker(command: list[str]) -> bool:
    return ["-m", "workers"] in [command[i : i + 2] for i in range(len(command))]


def _command(folder: Path) -> list[str]:
    """The arguments of a process; none of one that has ended."""
    try:
        return (folder / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _api_trouble(settings: Settings) -> str | None:
    url = urlsplit(settings.own_url)
    assert url.hostname is not None
    try:
        with closing(http.client.HTTPConnection(url.hostname, url.port, timeout=_ANSWER_SECONDS)) as connection:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"The API at {settings.own_url} does not answer: {type(error).__name__}."
    return None if status == http.client.OK else f"The API at {settings.own_url} answers with status {status}."


def _worker_trouble(settings: Settings, pids: list[int]) -> str | None:
    url = settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)
    own = tuple(name_prefix(pid).encode() for pid in pids)
    try:
        with connect(url, answer_seconds=_ANSWER_SECONDS) as redis:
            names = [name.decode() for name in redis.zrange(keys.WORKERS, 0, -1) if name.startswith(own)]
            is_alive = any(redis.exists(keys.worker(name)) for name in names)
    except RedisError as error:
        return f"Redis does not answer: {type(error).__name__}."
    return None if is_alive else "The worker has sent no heartbeat: it starts, ends, or hangs."


if __name__ == "__main__":
    try:
        main()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
