"""The number of open files: a process raises its limit as far as the system allows."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


def limits_after(*, soft: int, hard: int) -> tuple[int, int]:
    """The soft limit of a process with these limits after `raise_limit`, and the value that `raise_limit` returned."""
    script = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from app.core.host.descriptors import raise_limit; said = raise_limit()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], said)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    after, said = map(int, done.stdout.split())
    return after, said


@pytest.mark.parametrize("soft", [256, 1024, 2048])
def test_the_limit_is_raised_to_what_is_allowed(soft: int) -> None:
    assert limits_after(soft=soft, hard=2048) == (2048, 2048)
