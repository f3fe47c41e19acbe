"""`python -m tests.benchmarks.book`: a job of half a million characters, on one worker, and on two of which one is killed.

Each worker has one compute thread, so that two can be twice as fast on two cores. The length of the finished file is printed
next to the length of its parts and of the pauses between them: the file must contain everything that was spoken, exactly once.
"""

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import click
import httpx
import soundfile
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks.texts import text_of
from tests.end_to_end.processes import WORKER, Process, Served, events, is_alive
from tests.harness import wait_until

console = Console()

_JOBS: Final = "/v1/audio/speech/jobs"


def a_book(n_characters: int) -> str:
    """Returns a text of twenty chapters with about `n_characters` characters."""
    chapters = []
    for number in range(1, 21):
        paragraphs = [text_of(800, number * 1000 + place) for place in range(max(1, n_characters // 20 // 830))]
        chapters.append("\n\n".join([f"Chapter {number}", *paragraphs]))
    return "\n\n".join(chapters)


class Press:
    """`koe serve` with one worker and, if requested, a second one that can be killed."""

    def __init__(self, data: Path, n_workers: int, engine: str) -> None:
        self._environ = {"KOE_ENGINE": engine, "KOE_THREADS": "1", "KOE_LOG_FORMAT": "json", "KOE_SEGMENT_BYTES": "0"}
        self._data = data
        self.served = Served(data, **self._environ)
        self.others = [self._worker() for _ in range(n_workers - 1)]
        self.served.wait_ready(n_workers)

    def _worker(self) -> Process:
        log = self._data.with_name(f"{self._data.name}-{time.monotonic_ns()}.log")
        return Process(WORKER, log, KOE_DATA=str(self._data), **self._environ)

    def kill(self) -> None:
        """Kills the second worker with SIGKILL and starts another one."""
        os.kill(self.others[-1].pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(self.others[-1].pid))
        self.others.append(self._worker())

    def said(self, event: str) -> list[dict[str, Any]]:
        """Returns the log entries of all processes under this event name."""
        return [entry for process in (self.served, *self.others) for entry in events(process, event)]

    def end(self) -> None:
        """Ends all processes."""
        for process in (*self.others, self.served):
            process.end()


def print_book(text: str, *, n_workers: int, n_kills: int, engine: str, format_name: str) -> float:
    """Runs the job and prints its figures. Returns its duration in seconds."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder, Progress(console=console, transient=True) as progress:
        press = Press(Path(folder) / "data", n_workers, engine)
        try:
            body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": format_name}
            started = time.monotonic()
            job = httpx.post(f"{press.served.url}{_JOBS}", json=body, timeout=60).json()
            bar = progress.add_task(f"{n_workers} workers", total=None)
            kill_at = [place / (n_kills + 1) for place in range(1, n_kills + 1)]
            while job["status"] not in ("completed", "failed"):
                time.sleep(0.5)
                job = httpx.get(f"{press.served.url}{_JOBS}/{job['id']}", timeout=60).json()
                done, total = job["progress"]["segments_done"], job["progress"]["segments_total"]
                progress.update(bar, completed=done, total=total)
                if kill_at and total and done / total > kill_at[0]:
                    kill_at.pop(0)
                    press.kill()
            seconds = time.monotonic() - started
            _show(press, job, text, seconds, n_workers=n_workers, n_kills=n_kills - len(kill_at))
        finally:
            press.end()
    return seconds


def _show(press: Press, job: dict[str, Any], text: str, seconds: float, *, n_workers: int, n_kills: int) -> None:
    with tempfile.NamedTemporaryFile(suffix=f".{job['response_format']}") as file:
        with httpx.stream("GET", f"{press.served.url}{_JOBS}/{job['id']}/content", timeout=600) as answer:
            for piece in answer.iter_raw():
                file.write(piece)
        file.flush()
        length = soundfile.info(file.name)
    parts = {entry["part"]: entry for entry in press.said("part_spoken")}
    n_found = sum(entry["n_found"] for entry in press.said("part_spoken"))
    spoken_seconds = sum(entry["audio_seconds"] for entry in parts.values())
    (completed,) = press.said("job_completed")[:1]
    console.print(
        f"{n_workers} worker(s), {n_kills} killed: {job['status']} in {seconds:.1f} s, {completed['joining_seconds']:.1f} s of "
        f"it joining; {len(text)} characters, {len(parts)} parts, {job['progress']['segments_done']} segments"
    )
    pauses = completed["audio_seconds"] - spoken_seconds
    console.print(
        f"  file: {length.frames / length.samplerate:.3f} s by libsndfile; parts {spoken_seconds:.3f} s, pauses "
        f"between them {pauses:.3f} s; segments of killed workers that were not spoken again: {n_found}"
    )


@click.command()
@click.option("--characters", "n_characters", default=500_000, show_default=True)
@click.option("--kills", "n_kills", default=3, show_default=True)
@click.option("--engine", default="espeak", show_default=True)
@click.option("--format", "format_name", default="flac", show_default=True)
def main(n_characters: int, n_kills: int, engine: str, format_name: str) -> None:
    """Run a long job on one worker, and then on two workers, of which one is killed several times."""
    text = a_book(n_characters)
    options = {"engine": engine, "format_name": format_name}
    one = print_book(text, n_workers=1, n_kills=0, **options)
    killed = print_book(text, n_workers=2, n_kills=n_kills, **options)
    console.print(f"two workers, one of them killed {n_kills} times, took {killed / one:.2f} of the time of one")


if __name__ == "__main__":
    main()
