"""One bar on a terminal, plain lines elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.harness import wait_until
from workers.setup.progress import Meter, megabytes


def test_without_a_terminal_there_is_a_line_for_each_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Meter(3_000_000) as meter:
        with meter.step("first", 1_000_000, tmp_path):
            pass
        meter.work("Converting")

    assert capsys.readouterr().out == "first (1.0 MB)\nConverting\n"


def test_on_a_terminal_one_bar_follows_what_lies_in_the_folder(tmp_path: Path) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)

    with Meter(4_000_000, console) as meter, meter.step("weights", 2_000_000, tmp_path):
        (tmp_path / "part").write_bytes(bytes(1_000_000))
        wait_until(lambda: "1.0/4.0 MB" in shown.getvalue())

    assert "weights" in shown.getvalue()


def test_a_step_never_counts_more_than_its_size(tmp_path: Path) -> None:
    shown = io.StringIO()

    console = Console(file=shown, force_terminal=True, width=120)

    with Meter(4_000_000, console) as meter, meter.step("weights", 2_000_000, tmp_path):
        (tmp_path / "part").write_bytes(bytes(9_000_000))
        wait_until(lambda: "2.0/4.0 MB" in shown.getvalue())

    assert "9.0/" not in shown.getvalue()


@pytest.mark.parametrize(("n_bytes", "text"), [(17_125_692, "17.1 MB"), (327_212_226, "327 MB")])
def test_sizes_are_in_megabytes(n_bytes: int, text: str) -> None:
    assert megabytes(n_bytes) == text
