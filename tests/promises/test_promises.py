"""Guarantees that people who run Koe rely on, whatever else changes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import ONE_AT_A_TIME
from tests.end_to_end.listeners import asked, post
from tests.end_to_end.processes import ROOT, serving
from tests.harness import open_harness
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.tone import ToneEngine

SECRET_TEXT = "My grandmother hid the ruby in the clock."
KEY = "sk-koe-very-secret-key-0001"


class IndiscreetEngine(ToneEngine):
    """An engine that raises an error with the text in its message."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        raise RuntimeError(f"cannot say {segments[0].text}")


def test_neither_text_of_users_nor_a_key_is_in_the_log(data: Path) -> None:
    with serving(data, KOE_API_KEYS=KEY) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        body = {"model": "tts-1", "input": SECRET_TEXT, "voice": "nova", "instructions": SECRET_TEXT}
        right = {"Authorization": f"Bearer {KEY}"}
        statuses = [
            http.post("/v1/audio/speech", json=body, headers=right).status_code,
            http.post("/v1/audio/speech", json=body, headers={"Authorization": f"Bearer {KEY}x"}).status_code,
            http.post("/v1/audio/speech", json=body | {"speed": 9}, headers=right).status_code,
            http.post("/v1/audio/speech", content=SECRET_TEXT, headers=right).status_code,
            http.get(f"/v1/{SECRET_TEXT}", headers=right).status_code,
        ]
        served.wait_said("utterance_finished")
        served.end()

        assert statuses == [200, 401, 400, 400, 404]
        assert "grandmother" not in served.said
        assert "ruby" not in served.said
        assert KEY not in served.said


def test_an_engine_that_fails_with_the_text_does_not_write_it_to_the_log(
    data: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with open_harness(data, {"tone": IndiscreetEngine()}, **ONE_AT_A_TIME) as harness:
        answer = post(harness, asked(SECRET_TEXT))

    said = "".join(capfd.readouterr()) + caplog.text
    assert answer.status_code == 500
    assert "ruby" not in answer.text
    assert "engine_failed" in said
    assert "ruby" not in said


def test_keys_do_not_stand_on_a_command_line(data: Path) -> None:
    with serving(data, KOE_API_KEYS=KEY) as served:
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in [served.pid, *served.children()]]

    assert not any(KEY in line for line in lines)


@pytest.mark.parametrize("module", ["app.asgi", "app.cli.commands", "app.supervisor.supervisor"])
def test_the_apis_side_starts_without_the_workers_and_the_model(module: str) -> None:
    script = f"import sys, json, {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    of_workers = {"workers", "torch", "numpy", "kokoro", "misaki", "pydub", "soxr", "lxml", "markdown_it", "pysubs2"}
    assert not of_workers & set(json.loads(done.stdout))


def test_the_workers_side_starts_without_the_web_framework() -> None:
    script = "import sys, json, workers.__main__; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert not {"litestar", "uvicorn", "torch", "lxml", "markdown_it", "pysubs2"} & set(json.loads(done.stdout))
