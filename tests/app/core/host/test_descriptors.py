"""How many files a process may have open: as many as it is let."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


def limits_after(*, soft: int, hard: int) -> tuple[int, int]:
    """What a process with these limits has after it has raised them, and what it says of it."""
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
