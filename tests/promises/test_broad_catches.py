"""Every line that catches any exception says why."""

import re
from pathlib import Path

import pytest

from tests.promises.guides import ROOT

REASONS = ("border of a task", "border of a thread", "last resort of the API", "third party", "undone and raised")

BROAD = re.compile(r"^ *except Exception(?: as \w+)?:(.*)$", re.MULTILINE)
MODULES = [path for side in ("app", "workers") for path in sorted((ROOT / side).rglob("*.py"))]


@pytest.mark.parametrize("path", [path for path in MODULES if BROAD.search(path.read_text("utf-8"))], ids=str)
def test_a_broad_catch_says_which_it_is(path: Path) -> None:
    for comment in BROAD.findall(path.read_text("utf-8")):
        assert re.fullmatch(rf"  # (?:noqa: BLE001 - )?(?:{'|'.join(REASONS)}): .+", comment)


def test_only_one_place_is_the_border_of_tasks() -> None:
    borders = [path for path in MODULES if "# border of a task: " in path.read_text("utf-8")]
    assert [path.relative_to(ROOT).as_posix() for path in borders] == ["workers/failures.py"]
