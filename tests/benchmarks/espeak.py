"""`python -m tests.benchmarks.espeak`: how much longer a call takes because espeak-ng runs in its own process.

This process and the other take turns for each text, so that both meet the same conditions. For speech, the library is loaded
again for each text. The other process does this after its answer, when nobody waits, so the cost can be negative.
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
    """Opens the library in this process."""
    return Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


def speak_here(text: str) -> Any:
    """Speaks as the other process does, but also loads the library while the caller waits."""
    library = open_library()
    try:
        return library.speak(text.encode(), VOICE, wpm=175, pitch=50)[0]
    finally:
        library.close()


def speak_there(text: str) -> Any:
    """Speaks in the other process, as a worker does."""
    return library.speak(text, VOICE, wpm=175, pitch=50)[0].tobytes()


def seconds(ask: Callable[[str], Any], text: str) -> tuple[float, Any]:
    """Returns the duration of the call in seconds, and its result."""
    began = time.perf_counter()
    given = ask(text)
    return time.perf_counter() - began, given


def compare(here: Callable[[str], Any], there: Callable[[str], Any], n_rounds: int) -> list[tuple[float, float]]:
    """Returns the seconds of each call, here and there, without the first tenth. Asserts that the results are equal."""
    pairs = []
    for text in sentences("en-US") * n_rounds:
        (one, expected), (other, given) = seconds(here, text), seconds(there, text)
        assert given == expected
        pairs.append((one, other))
        # A worker pauses too: it resamples and encodes the speech before the next call.
        time.sleep(0.002)
    return pairs[len(pairs) // 10 :]


@click.command()
@click.option("--rounds", "n_rounds", type=int, default=20, show_default=True, help="Number of calls for each sentence.")
def main(n_rounds: int) -> None:
    """Compare phonemes and speech in this process with espeak-ng's own process."""
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
