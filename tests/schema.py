"""Schemathesis against a live harness over real HTTP: it reads the server's API description and checks the server against it.

`python -m tests.schema --examples 200` sends more requests than the tests do.

Why in its own process: it brings settings of Hypothesis, hooks and threads that must not affect the other tests, and only its
command line is a stable interface.

Why a tone engine speaks every model: then the server may refuse no request that the description allows, whatever its model.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tests.harness import Harness, open_harness
from workers.engines.tone import ToneEngine

CONFIG = Path(__file__).with_name("schemathesis.toml")
KEYS = {"one": "sk-examined-one", "two": "sk-examined-two"}
"""Owner → key, for a harness with keys. One owner must not see the jobs of the other."""

PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Outcome:
    """The result of a run of schemathesis."""

    n_operations: int
    n_cases: int
    failures: list[str]
    is_complete: bool
    printed: str

    @property
    def has_passed(self) -> bool:
        """Whether all operations were tested and no failure was found."""
        return self.is_complete and not self.failures

    def __str__(self) -> str:
        return f"operations {self.n_operations}, cases {self.n_cases}, failures {len(self.failures)}"


@contextmanager
def described_harness(data: Path, **environ: str) -> Iterator[Harness]:
    """Opens a harness that speaks every model in tones, and limits texts so that the longest are spoken quickly."""
    engines = {name: ToneEngine() for name in ("kokoro", "espeak")}
    limits = {"KOE_MAX_INPUT_CHARS": "300", "KOE_MAX_JOB_CHARS": "300"}
    with open_harness(data, engines, **(limits | environ)) as harness:
        yield harness


def check_contract(
    harness: Harness, *, n_examples: int, keys: dict[str, str] | None = None, phases: Sequence[str] = PHASES
) -> Outcome:
    """Runs all checks on all operations: the cases that follow from the description, and `n_examples` random ones of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(_write_config(folder, keys or {}))),
            *("run", f"{harness.url}/schema/openapi.json", "--no-color"),
            *("--max-examples", str(n_examples), "--phases", ",".join(phases)),
            *("--report", "json", "--report-json-path", "report.json"),
        ]
        # This folder keeps Hypothesis's tables of all characters: making them takes longer than all the rest.
        environ = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(Path(__file__).parents[1] / ".hypothesis")}
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Outcome(
        n_operations=report["operations"]["tested"],
        n_cases=report["test_cases"]["generated"],
        failures=[f"{one['title']}: {one.get('operations', '')}" for one in report["failures"] + report["errors"]],
        is_complete=done.returncode in (0, 1) and report["complete"] and report["stop_reason"] == "completed",
        printed=done.stdout + done.stderr,
    )


def _write_config(folder: Path, keys: dict[str, str]) -> Path:
    text = CONFIG.read_text(encoding="utf-8")
    if keys:
        users = [
            {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {key}"}]} for name, key in keys.items()
        ]
        (folder / "users.json").write_text(json.dumps({"auth": users}), encoding="utf-8")
        text += f"\n[auth.wfc]\npath = {json.dumps(str(folder / 'users.json'))}\npeers = {json.dumps([*keys])}\n"
    path = folder / "schemathesis.toml"
    path.write_text(text, encoding="utf-8")
    return path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.schema", description="Check a server against its API description.")
    parser.add_argument("--examples", type=int, default=200, help="random cases of each operation and phase (default: 200)")
    n_examples = parser.parse_args().examples
    outcomes = {"without keys": _check_new_harness({}, n_examples), "with keys": _check_new_harness(KEYS, n_examples)}
    for title, outcome in outcomes.items():
        click.echo(f"{'' if outcome.has_passed else outcome.printed}{title}: {outcome}")
    sys.exit(0 if all(outcome.has_passed for outcome in outcomes.values()) else 1)


def _check_new_harness(keys: dict[str, str], n_examples: int) -> Outcome:
    with (
        tempfile.TemporaryDirectory(prefix="koe-") as data,
        described_harness(Path(data), KOE_API_KEYS=",".join(keys.values())) as harness,
    ):
        return check_contract(harness, n_examples=n_examples, keys=keys)


if __name__ == "__main__":
    main()
