"""Measures the page with Kokoro's voice, and takes its pictures: `python -m tests.browser.pictures FOLDER [--readme]`.

It shows the weight of the page, and the time from its opening and from a press on Speak to the first sound. It asserts nothing.
`--readme` also writes the picture in the README.
"""

import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from app.web.page import load_site
from tests.benchmarks.model import model_once
from tests.benchmarks.processes import served
from tests.browser.browsers import Chromium, Visitor, find_browser

README_PICTURE: Final = Path(__file__).parents[2] / "openapi" / "page.png"
MAX_README_BYTES: Final = 200_000

_PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_TIME: Final = "document.getElementById('audio').currentTime"
_WHOLE: Final = "!document.getElementById('clock').textContent.includes('about')"
_SCRIPT: Final = """\
[af_heart] Did you hear that? Somebody said my name, just now, from the other side of the door.
[am_michael] It was only the wind. It always talks on evenings like this one.
[bf_emma] The wind, my dears, does not know anybody's name.

[af_heart] Then who was it?"""
_BOOK: Final = """\
---
title: The Wind at the Door
author: Nobody Yet
---

# Copyright

No rights are reserved.

# Chapter 1: Evening

Somebody said my name from the other side of the door. It was a small voice, and it did not sound like the wind.

# Chapter 2: Night

Nobody slept that night. The house was full of little noises, and each of them seemed to have something to say.

# Chapter 3: Morning

In the morning the door was open, and there were steps in the snow that led away from it.
"""
_N_SOUNDS: Final = 5


def measure(visitor: Visitor) -> dict[str, float]:
    """Returns seconds: from opening the page to the voices and to the first sound of a text that nobody has spoken, and from a
    press on Speak to that sound; each the median of some.
    """
    opened, first, pressed = [], [], []
    for number in range(_N_SOUNDS):
        visitor.page.goto("about:blank")
        begun = time.perf_counter()
        visitor.open()
        opened.append(time.perf_counter() - begun)
        press = time.perf_counter()
        visitor.speak(f"This is sentence number {number + 11}. Another one follows it, so that there is something to wait for.")
        visitor.until(f"{_TIME} > 0")
        first.append(time.perf_counter() - begun)
        pressed.append(time.perf_counter() - press)
    return {
        "page opened, voices shown": median(opened),
        "page opened, first sound": median(first),
        "Speak pressed, first sound": median(pressed),
    }


def weigh() -> dict[str, int]:
    """Returns the bytes of the page, by kind."""
    site = load_site()
    weights = {"html": len(site.page.data)}
    for name, file in site.files.items():
        kind = name.rpartition(".")[2]
        weights[kind] = weights.get(kind, 0) + len(file.data)
    return {**weights, "all": sum(weights.values())}


def take_speak(visitor: Visitor, path: Path) -> None:
    """A text for several voices, while it is read along. The voices have spoken before, as they have on most days."""
    visitor.page.get_by_role("button", name="Favourite: Emma").click()
    visitor.speak(_SCRIPT)
    visitor.until(_WHOLE, 60)
    visitor.speak(_SCRIPT)
    visitor.until(f"{_TIME} > 6", 60)
    visitor.page.screenshot(path=path)


def take_books(visitor: Visitor, path: Path) -> None:
    """A file with its chapters, and a job."""
    visitor.find("tab-books").click()
    for _ in range(2):
        visitor.find("file").set_input_files([{"name": "wind.md", "mimeType": "text/markdown", "buffer": _BOOK.encode()}])
        visitor.find("document").wait_for()
        if not visitor.page.locator(".job").count():
            visitor.page.get_by_role("button", name="Make the audio").click()
            visitor.page.locator(".job .completed").wait_for(timeout=120_000)
    visitor.page.screenshot(path=path, full_page=True)


def take_tab(visitor: Visitor, tab: str, path: Path) -> None:
    """Another part of the page, with what is folded in it."""
    visitor.find(f"tab-{tab}").click()
    for summary in visitor.page.locator(f"#{tab} summary").all():
        summary.click()
    visitor.page.screenshot(path=path)


def take_all(chromium: Chromium, url: str, folder: Path) -> None:
    """Takes each picture into `folder`."""
    with chromium.visit(url, viewport={"width": 1280, "height": 860}, color_scheme="light") as visitor:
        take_speak(visitor, folder / "speak.png")
        take_books(visitor, folder / "books.png")
        take_tab(visitor, "apps", folder / "apps.png")
    with chromium.visit(url, color_scheme="dark") as visitor:
        take_speak(visitor, folder / "speak-dark.png")
        visitor.page.locator("#blend summary").click()
        visitor.page.locator("#blend").scroll_into_view_if_needed()
        visitor.page.screenshot(path=folder / "blend-dark.png")
        take_tab(visitor, "words", folder / "words-dark.png")
    for scheme in ("light", "dark"):
        with chromium.visit(url, color_scheme=scheme, **_PHONE) as visitor:
            take_speak(visitor, folder / f"phone-{scheme}.png")


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--readme", is_flag=True, help="Also write the picture in the README.")
def main(folder: Path, *, readme: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = model_once()
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model.folder)}
    with served("--no-offer", **settings) as server, Chromium(find_browser("chromium")) as chromium:
        with chromium.visit(server.url) as visitor:
            seconds = measure(visitor)
        take_all(chromium, server.url, folder)
    table = Table(title=f"The page, {model.weights} weights")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for kind, n_bytes in weigh().items():
        table.add_row(f"bytes of {kind}", f"{n_bytes:,}")
    for what, figure in seconds.items():
        table.add_row(what, f"{figure:.2f} s")
    Console().print(table)
    if readme:
        picture = (folder / "speak.png").read_bytes()
        if len(picture) > MAX_README_BYTES:
            raise click.ClickException(f"The picture has {len(picture):,} bytes, more than {MAX_README_BYTES:,}.")
        README_PICTURE.write_bytes(picture)


if __name__ == "__main__":
    main()
