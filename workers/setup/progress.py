"""Shows one progress bar for all downloads, or a plain line for each step if there is no terminal.

Why progress is measured as the size of folders: pip, npm and the Hub's client report no progress to a caller, but they write
to a known folder.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from app.core.host.console import plain_console

_CHECK_SECONDS: Final = 0.2


def megabytes(n_bytes: int) -> str:
    """Returns a size as text: `17.1 MB`, or `104 MB`."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 100e6 else f"{n_bytes / 1e6:.0f} MB"


class Meter:
    """Shows how much of `n_bytes` is downloaded. A context manager."""

    def __init__(self, n_bytes: int, console: Console | None = None) -> None:
        console = console or plain_console()
        self._is_terminal = console.is_terminal
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, disable=not self._is_terminal, transient=True)
        self._task = self._progress.add_task("", total=n_bytes)
        self._done = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, label: str, n_bytes: int, folder: Path) -> Iterator[None]:
        """Shows a step, whose body writes `n_bytes` to `folder`."""
        self._say(label, n_bytes)
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(folder, _stored_bytes(folder), n_bytes, stop), daemon=True)
        if self._is_terminal:
            watcher.start()
        try:
            yield
        finally:
            stop.set()
        self._done += n_bytes
        self._progress.update(self._task, completed=self._done)

    def work(self, label: str) -> None:
        """Shows a step that downloads nothing."""
        self._say(label, 0)

    def _say(self, label: str, n_bytes: int) -> None:
        self._progress.update(self._task, description=label)
        if not self._is_terminal:
            click.echo(f"{label} ({megabytes(n_bytes)})" if n_bytes else label)

    def _watch(self, folder: Path, before: int, n_bytes: int, stop: threading.Event) -> None:
        done = self._done
        while not stop.wait(_CHECK_SECONDS):
            grown = min(max(0, _stored_bytes(folder) - before), n_bytes)
            if not stop.is_set():
                self._progress.update(self._task, completed=done + grown)


def _stored_bytes(folder: Path) -> int:
    """Returns the disk usage of all files under `folder`. A file that disappears meanwhile counts as 0."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent, name)).st_blocks * 512
            except OSError:
                continue
    return total
