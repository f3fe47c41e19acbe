"""Runs a driver in its client's environment and returns its output, which the tests judge."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.clients.environments import NotInstallable, clean_environ

HERE = Path(__file__).parent
TEXT = "The birch canoe slid on the smooth planks."
"""The text of every driver's requests."""

Found = TypeVar("Found")


def installed(install: Callable[[], Found]) -> Found:
    """Returns the result of `install`. If it cannot be installed, the test is skipped, but fails in CI."""
    try:
        return install()
    except NotInstallable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def run(command: Sequence[str | Path], **environ: str) -> Any:
    """Runs a driver, with more variables if need be, and returns the JSON that it prints."""
    variables = clean_environ() | environ
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def plainly(harnesses: Mapping[str, str], **body: Any) -> bytes:
    """Returns the same speech, requested without a client library."""
    answer = httpx.post(f"{harnesses['open']}/audio/speech", json={"input": TEXT} | body, timeout=60)
    return answer.raise_for_status().content
