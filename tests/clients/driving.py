"""Runs a driver in its client's environment; what it prints is for the tests to judge."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.clients.environments import NotToBeHad, clean_environ

HERE = Path(__file__).parent
TEXT = "The birch canoe slid on the smooth planks."
"""What every driver has spoken."""

FLAC_TOTAL = slice(21, 26)
"""Where a flac says how many samples it has, with four bits of something else before it."""

Found = TypeVar("Found")


def installed(install: Callable[[], Found]) -> Found:
    """What `install` gives; where it cannot be had the test is skipped, but fails in CI."""
    try:
        return install()
    except NotToBeHad as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def run(command: Sequence[str | Path]) -> Any:
    """The JSON that a driver prints."""
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def plainly(houses: Mapping[str, str], **body: Any) -> bytes:
    """The same speech without any client."""
    answer = httpx.post(f"{houses['open']}/audio/speech", json={"input": TEXT} | body, timeout=60)
    return answer.raise_for_status().content


def same_sound(one: bytes, other: bytes, format_name: str) -> bool:
    """Whether two files are the same, but for the length in the header of a flac, which only a finished one has."""
    if format_name == "flac":
        one, other = (data[: FLAC_TOTAL.start] + data[FLAC_TOTAL.stop :] for data in (one, other))
    return one == other
