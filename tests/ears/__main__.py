"""`make listen`: lets Koe speak with Kokoro, measures the speech, and compares the figures with the stored baseline.

It prints tables and writes a JSON file. It ends with status 1 when a figure is worse than in the baseline by more than its
margin, or when the server does not start. It ends with status 0 when nothing can be measured because Kokoro's or Whisper's
files are not available.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Final, Protocol

import click
from rich.console import Console

from tests.ears.baseline import PATH, read_baseline, worse_than, write_baseline
from tests.ears.files import NoListener, cache_folder
from tests.ears.part_faults import measure_faults
from tests.ears.part_paragraphs import measure_paragraphs
from tests.ears.part_readings import measure_readings
from tests.ears.part_sentences import measure_sentences
from tests.ears.part_short import measure_short
from tests.ears.part_speeds import measure_speeds
from tests.ears.part_times import measure_times
from tests.ears.part_voices import measure_loudness, measure_voices
from tests.ears.report import Report
from tests.ears.session import Session, open_session
from tests.ears.speaker import NoServer, NoVoice


class Part(Protocol):
    """Measures one thing and adds it to the report."""

    def __call__(self, session: Session, report: Report, *, is_quick: bool) -> None: ...


PARTS: Final[dict[str, Part]] = {
    "sentences": measure_sentences,
    "faults": measure_faults,
    "paragraphs": measure_paragraphs,
    "times": measure_times,
    "short": measure_short,
    "speeds": measure_speeds,
    "voices": measure_voices,
    "loudness": measure_loudness,
    "readings": measure_readings,
}
"""The parts, in the order in which they reuse each other's responses."""
USUAL_PARTS: Final = tuple(name for name in PARTS if name != "readings")
"""The parts that are measured without PARTS. Part `readings` takes as long as all others together."""

_WIDTH: Final = 200
"""Width of the tables in columns if the output is not a terminal."""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS, "all"]))
@click.option("--quick", "is_quick", is_flag=True, help="A few texts and voices; nothing is compared with the baseline.")
@click.option("--rebase", "is_rebased", is_flag=True, help="Store the measured figures as the new baseline.")
@click.option(
    "--json",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the figures; by default listen.json in the cache folder.",
)
def main(parts: tuple[str, ...], is_quick: bool, is_rebased: bool, path: Path | None) -> None:
    """Listen to Koe speaking with Kokoro's real voices.

    Without PARTS all parts but `readings` are measured.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the server is ended too
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    chosen = [name for name in PARTS if "all" in parts or name in (parts or USUAL_PARTS)]
    report = Report(console)
    try:
        _measure(report, chosen, is_quick=is_quick)
    except (NoListener, NoVoice) as reason:
        console.print(f"Nothing was measured: {reason}", soft_wrap=True)
        return
    except NoServer as fault:
        console.print(f"✗ {fault}", markup=False, soft_wrap=True)
        sys.exit(1)
    report.write(path or cache_folder() / "listen.json")
    console.print(f"All figures: {path or cache_folder() / 'listen.json'}", soft_wrap=True)
    if is_rebased:
        write_baseline(report.parts)
        console.print(f"New baseline: {PATH}", soft_wrap=True)
    elif not is_quick:
        sys.exit(_compare(console, report))


def _measure(report: Report, parts: list[str], *, is_quick: bool) -> None:
    started = time.monotonic()
    with open_session() as session:
        report.seconds["start"] = round(time.monotonic() - started, 1)
        for part in parts:
            with report.timing(part):
                PARTS[part](session, report, is_quick=is_quick)
    report.seconds["all"] = round(time.monotonic() - started, 1)
    report.console.print("Seconds: " + ", ".join(f"{name} {seconds:g}" for name, seconds in report.seconds.items()))


def _compare(console: Console, report: Report) -> int:
    """Prints the differences from the baseline and returns the exit status."""
    worse = list(worse_than(read_baseline(), report.parts))
    for sentence in worse:
        console.print(f"✗ {sentence}", highlight=False, markup=False, soft_wrap=True)
    console.print("Worse than the baseline." if worse else "Nothing is worse than the baseline.")
    return 1 if worse else 0


if __name__ == "__main__":
    main()
