"""A worker without work gives back the memory of Kokoro and of its libraries, and speaks again when it is asked."""

from pathlib import Path

import pytest

from tests.end_to_end.processes import Served, command_of, serving
from tests.harness import wait_until

pytestmark = pytest.mark.timeout(1000)


def resident_mib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 >> 20


def has_loaded_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def speak(served: Served) -> bytes:
    speech = served.openai().audio.speech
    return speech.create(model="kokoro", voice="af_heart", input="Good morning.", response_format="pcm").content


def test_an_idle_worker_frees_the_libraries_and_speaks_again(checkpoint: Path, data: Path) -> None:
    settings = {"KOE_IDLE_UNLOAD": "1", "KOE_MAX_WAIT": "300", "KOE_CACHE_BYTES": "0", "KOE_SEGMENT_BYTES": "0"}
    with serving(data, KOE_ENGINE="kokoro", KOE_MODEL_DIR=str(checkpoint), **settings) as served:
        worker = served.child("workers --with-parent")
        before = speak(served)
        for _ in range(2):
            wait_until(lambda: "--after" in command_of(worker) and not has_loaded_torch(worker), 300)
            assert served.ready()["workers"] == 1
            assert resident_mib(worker) < 300

            assert speak(served) == before

            assert has_loaded_torch(worker)
        assert served.child("workers --with-parent") == worker
        # A slow machine may be idle long enough to unload once more.
        assert served.said.count("engine_loaded") >= 2
        assert "Traceback" not in served.said
