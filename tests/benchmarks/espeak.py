"""`python -m tests.benchmarks.espeak`: what it costs a call that espeak-ng runs in a process of its own.

Each text is asked for in this process and of the other in turn, so that both meet the same machine. Speech is loaded anew for
each text; the process of its own does that after its answer, when nobody waits, and so the cost may be less than nothing.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import click
import espeakng_loader
from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import percentile
from tests.benchmarks.texts import sentences
from workers.text.espeak import library
from workers.text.espeak.child_process import Library

VOICE: Final = "gmw/en-US+f3"


def open_library() -> Library:
    """One in this process."""
    return Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


def speak_here(text: str) -> Any:
    """As the process of its own does, all of it while somebody waits."""
    library = open_library()
    try:
        return library.speak(text.encode(), VOICE, wpm=175, pitch=50)[0]
    finally:
        library.close()


def speak_there(text: str) -> Any:
    """What a worker does."""
    return library.speak(text, VOICE, wpm=175, pitch=50)[0].tobytes()


def seconds(ask: Callable[[str], Any], text: str) -> tuple[float, Any]:
    """How long a call takes, and what it gives."""
    began = time.perf_counter()
    given = ask(text)
    return time.perf_counter() - began, given


def compare(here: Callable[[str], Any], there: Callable[[str], Any], n_rounds: int) -> list[tuple[float, float]]:
    """Seconds of each call, here and there. The results must be equal."""
    pairs = []
    for text in sentences("en-US") * n_rounds:
        (one, expected), (other, given) = seconds(here, text), seconds(there, text)
        assert given == expected
        pairs.append((one, other))
        # As a worker, which resamples and encodes what was spoken before it asks for more.
        time.sleep(0.002)
    return pairs[len(pairs) // 10 :]


@click.command()
@click.option("--rounds", "n_rounds", type=int, default=20, show_default=True, help="Times that each sentence is asked for.")
def main(n_rounds: int) -> None:
    """Phonemes and speech, in this process and in one of their own."""
    table = Table("ms", "calls", *(f"{place} p{share}" for place in ("here", "there", "cost") for share in (50, 95)))
    speech = compare(speak_here, speak_there, n_rounds)
    opened = open_library()
    phonemes = compare(
        lambda text: opened.phonemes(text.encode(), VOICE, 2).decode(), lambda text: library.phonemes(text, VOICE), n_rounds
    )
    for name, pairs in (("phonemes", phonemes), ("speech", speech)):
        columns = [[one for one, _ in pairs], [other for _, other in pairs], [other - one for one, other in pairs]]
        figures = (f"{1000 * percentile(column, share):.3f}" for column in columns for share in (0.5, 0.95))
        table.add_row(name, str(len(pairs)), *figures)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
