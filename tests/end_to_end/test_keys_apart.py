"""With `KOE_CACHE_SHARED=false` no key learns what another has requested, from a header or from the response time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.listeners import SPEECH, asked
from tests.harness import Harness, open_harness, wait_until
from workers.engines.base import ALONE, Turn
from workers.engines.tone import ToneEngine
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

ALICE, BOB = ({"Authorization": f"Bearer sk-{name}"} for name in ("alice", "bob"))
TEXT = "The password of the day is 4821. It changes at midnight."
JOBS = "/v1/audio/speech/jobs"


class CountingEngine(ToneEngine):
    """Records the texts that it phonemizes and the segments that it speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.phonemized: list[str] = []
        self.spoken: list[str] = []

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        self.phonemized.append(text)
        return super().phonemize(text, language, markup)

    def synthesize(self, segments: Any, turn: Turn = ALONE) -> Any:
        self.spoken.extend(segment.text for segment in segments)
        return super().synthesize(segments, turn)


@pytest.fixture(params=["true", "false"])
def shared(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def two(short_folder: Path, engine: CountingEngine, shared: str) -> Iterator[Harness]:
    """Yields a harness with two keys."""
    environ = {"KOE_API_KEYS": "sk-alice,sk-bob", "KOE_CACHE_SHARED": shared, "KOE_SEGMENT_BYTES": "64MiB"}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": engine}, **environ) as harness:
        yield harness


@pytest.fixture
def http(two: Harness) -> Iterator[httpx.Client]:
    with two.http() as http:
        yield http


def test_finished_audio_and_spoken_segments_are_found_by_the_key_that_asked(
    http: httpx.Client, engine: CountingEngine, shared: str
) -> None:
    n_segments = {}
    found = {}
    for name, key, text in (
        ("alice", ALICE, TEXT),
        ("again", ALICE, TEXT),
        ("bob", BOB, TEXT),
        ("a sentence", BOB, f"Hello. {TEXT.partition('. ')[2]}"),
    ):
        engine.spoken.clear()
        answer = http.post(SPEECH, json=asked(text, "pcm"), headers=key)
        assert answer.status_code == 200
        found[name], n_segments[name] = answer.headers["x-koe-cache"], len(engine.spoken)

    assert found == {"alice": "miss", "again": "hit", "bob": "hit" if shared == "true" else "miss", "a sentence": "miss"}
    assert n_segments["again"] == 0
    assert n_segments["bob"] == (0 if shared == "true" else n_segments["alice"])


def test_segments_of_a_job_are_found_by_the_key_that_asked(http: httpx.Client, engine: CountingEngine, shared: str) -> None:
    # A listener's first two segments are spoken in pieces, which is another sound than a job's.
    later = {"The door is on the left.", "Nobody else may know it."}
    text = "\n\n".join([TEXT, *sorted(later)])
    assert http.post(SPEECH, json=asked(text, "pcm"), headers=ALICE).status_code == 200
    assert later < set(engine.spoken)
    engine.spoken.clear()

    job = http.post(JOBS, json=asked(text, "wav"), headers=BOB).json()
    wait_until(lambda: http.get(f"{JOBS}/{job['id']}", headers=BOB).json()["status"] == "completed")

    assert later & set(engine.spoken) == (set() if shared == "true" else later)


def test_an_answer_is_shared_by_clients_with_one_key(http: httpx.Client, engine: CountingEngine, shared: str) -> None:
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT}
    counts = []
    for key in (ALICE, ALICE, BOB):
        assert http.post("/v1/audio/phonemize", json=body, headers=key).status_code == 200
        counts.append(len(engine.phonemized))

    assert counts[0] == counts[1]
    assert (counts[2] > counts[1]) == (shared == "false")
