"""`koe top`: queues, what is spoken now and by whom, the oldest wait, and a row for each worker. It shows no text.

Why it asks Redis and not the API: it must also work when no API answers, and one Redis knows the whole fleet.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from redis.exceptions import RedisError
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.access.keyring import Keyring
from app.core.host import remedies
from app.core.host.streams import can_show
from app.core.host.terminal import echo_json
from app.core.queue.fleet import no_worker
from app.core.queue.overview import Overview, QueueView, SpokenView, WorkerView, read_overview
from app.core.settings import Settings
from app.core.storage.connections import connect
from app.core.storage.redis_url import show_redis_url

_ANSWER_SECONDS: Final = 3.0
_STYLES: Final = {"speaking": "green", "away": "red", "draining": "yellow", "other version": "yellow"}
"""Colours of the states of workers; the others have none."""


class QueueAway(ConnectionError):
    """The queue does not answer."""

    def __init__(self, shown: str, error: RedisError) -> None:
        """`shown`: its URL without a password."""
        super().__init__(
            f"No queue answers at {shown} ({str(error).rstrip('.')}). {remedies.koe('serve')} starts one; "
            "KOE_REDIS_URL names another."
        )


class Top:
    """Reads and shows one queue."""

    def __init__(self, redis_url: str, names: Mapping[str, str]) -> None:
        """`names`: owner → name of its key."""
        self._shown_url = show_redis_url(redis_url)
        self._redis = connect(redis_url, answer_seconds=_ANSWER_SECONDS)
        self._names = names

    def print_json(self) -> None:
        """Prints everything as JSON. Raises QueueAway."""
        fields = msgspec.to_builtins(self._read())
        for one in fields["spoken"]:
            one["key"] = self._name_of(one.pop("owner"))
        echo_json(fields)

    def print_once(self, console: Console) -> None:
        """Prints everything. Raises QueueAway."""
        console.print(self._draw(self._read(), console))

    def refresh(self, console: Console, every_seconds: float) -> None:
        """Shows everything until Ctrl-C. Raises QueueAway when the queue does not answer at the start; later it is awaited."""
        shown = self._draw(self._read(), console)
        with (
            suppress(KeyboardInterrupt),
            Live(shown, console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
        ):
            while True:
                time.sleep(every_seconds)
                live.update(self._draw_or_say(console), refresh=True)

    def _draw_or_say(self, console: Console) -> RenderableType:
        try:
            return self._draw(self._read(), console)
        except QueueAway as error:
            return Text(str(error), style="red")

    def _read(self) -> Overview:
        try:
            return read_overview(self._redis)
        except RedisError as error:
            raise QueueAway(self._shown_url, error) from None

    def _draw(self, overview: Overview, console: Console) -> RenderableType:
        return Group(*_draw(overview, self._shown_url, self._name_of, _box_of(console)))

    def _name_of(self, owner: str) -> str:
        """The name of the key, as the log has it; its digits when this machine does not know the key."""
        return self._names.get(owner, owner)


def open_top(settings: Settings, redis_url: str) -> Top:
    """Prepares `koe top`; connects to nothing yet."""
    keyring = Keyring([key.reveal() for key in settings.api_keys], settings.api_keys_file)
    return Top(redis_url, keyring.names)


def _draw(overview: Overview, shown_url: str, name_of: Callable[[str], str], lines: box.Box) -> Iterator[RenderableType]:
    n_busy, n_slots = (sum(getattr(worker, name) for worker in overview.workers) for name in ("n_busy", "n_slots"))
    yield Text(f"Queue {shown_url}; {_count(len(overview.workers), 'worker')}, {n_busy} of {n_slots} slots busy", "bold")
    yield _table(lines, ("queue", "waiting", "oldest wait"), (_row_of_queue(one) for one in overview.queues), numbers=(1, 2))
    yield Text(_sentence(overview))
    yield Text(f"\nSpoken now: {len(overview.spoken)}", "bold")
    if overview.spoken:
        columns = ("id", "key", "queue", "voice", "format", "spoken", "of about", "since", "worker")
        rows = (_row_of_spoken(one, name_of) for one in overview.spoken)
        yield _table(lines, columns, rows, numbers=(5, 6, 7))
    yield Text("\nWorkers", "bold")
    if not overview.workers:
        yield Text(no_worker().message, "yellow")
        return
    columns = ("host", "pid", "engine", "busy", "slots", "memory", "last beat", "up", "state")
    yield _table(lines, columns, (_row_of_worker(one) for one in overview.workers), numbers=(1, 3, 4, 5, 6, 7))


def _box_of(console: Console) -> box.Box:
    return box.SIMPLE_HEAD if can_show("─", console.encoding) else box.ASCII


def _table(lines: box.Box, columns: tuple[str, ...], rows: Iterator[list[Text]], *, numbers: tuple[int, ...]) -> Table:
    table = Table(box=lines, pad_edge=False, show_edge=False)
    for position, name in enumerate(columns):
        table.add_column(name, justify="right" if position in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _row_of_queue(queue: QueueView) -> list[Text]:
    return _cells(queue.name, queue.n_waiting, _duration(queue.oldest_seconds))


def _sentence(overview: Overview) -> str:
    oldest = overview.oldest_first_audio_seconds
    since = f" (the oldest for {_duration(oldest)})" if oldest is not None else ""
    return (
        f"Without audio yet: {overview.n_waiting_for_first_audio}{since}; waiting for a slow reader: {overview.n_paused}; "
        f"open jobs: {overview.n_open_jobs}"
    )


def _row_of_spoken(one: SpokenView, name_of: Callable[[str], str]) -> list[Text]:
    times = (f"{one.seconds:.1f} s", f"{one.whole_seconds:.0f} s", _duration(one.age_seconds))
    return _cells(one.id[:12], name_of(one.owner) or "-", one.queue, one.voice, one.format, *times, one.worker)


def _row_of_worker(one: WorkerView) -> list[Text]:
    memory = f"{one.memory_bytes / 1024**2:.0f} MiB" if one.memory_bytes else "-"
    engines = ", ".join(one.engines) or "-"
    slots = (one.n_busy, one.n_slots) if one.n_slots else ("-", "-")
    cells = _cells(one.host, one.pid, engines, *slots, memory, f"{one.beat_seconds:.1f} s", _duration(one.uptime_seconds))
    return [*cells, Text(one.state, _STYLES.get(one.state, ""))]


def _cells(*values: object) -> list[Text]:
    return [Text(str(value)) for value in values]


def _duration(seconds: float | None) -> str:
    """Seconds below a minute, else hours, minutes and seconds; a dash for none."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
