"""Traces: one for each request, from its HTTP answer through the queue to each segment and the encoder."""

import itertools
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import replies
from tests.end_to_end.listeners import SPEECH, wait_forgotten
from tests.engines import FailingEngine, GatedEngine, RelayEngine, text_of
from tests.harness import Harness, open_harness, wait_until
from tests.trace_receiver import ReceivedSpan, TraceReceiver, open_trace_receiver, tree
from workers.engines.tone import ToneEngine

KEY = "sk-koe-traced-0001"
SECRET = "tangerine"
"""A word of all texts here."""
_NUMBERS = itertools.count()
ROOT = f"POST {SPEECH}"
JOBS = f"{SPEECH}/jobs"


class Traced:
    """A harness whose traces go to a receiver."""

    def __init__(self, harness: Harness, relay: RelayEngine, receiver: TraceReceiver) -> None:
        self.harness = harness
        self.relay = relay
        self.receiver = receiver

    def post(self, path: str = SPEECH, /, *, parent: str = "", **fields: Any) -> httpx.Response:
        """Sends a request, as a part of the trace that `parent` names."""
        body = {"model": "tts-1", "voice": "nova", "response_format": "pcm", **fields}
        headers = {"authorization": f"Bearer {KEY}"} | ({"traceparent": parent} if parent else {})
        with self.harness.http(headers=headers) as http:
            return http.post(path, json=body)

    def trace_of(
        self, path: str = SPEECH, /, *, task: str = "synthesize", **fields: Any
    ) -> tuple[httpx.Response, list[ReceivedSpan]]:
        """Sends a request. Returns the answer and the spans of its trace, which has a span of this `task`, if it has a name."""
        trace_id = secrets.token_hex(16)
        answer = self.post(path, parent=f"00-{trace_id}-{'a' * 16}-01", **fields)
        return answer, self.receiver.trace(trace_id, f"POST {path}", *([task] if task else []))


@pytest.fixture(scope="module")
def traced(short_folder: Path) -> Iterator[Traced]:
    relay = RelayEngine()
    with pytest.MonkeyPatch.context() as patch, open_trace_receiver() as receiver:
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        settings = {"KOE_OTLP_ENDPOINT": receiver.url, "KOE_API_KEYS": KEY, "KOE_THREADS": "1"}
        with open_harness(short_folder / "traced", {"tone": relay}, **settings) as harness:
            yield Traced(harness, relay, receiver)


@pytest.fixture(autouse=True)
def a_tone_speaks(traced: Traced) -> Iterator[None]:
    traced.relay.now = ToneEngine()
    yield
    wait_forgotten(traced.harness)


def a_text(n_segments: int) -> str:
    """Returns a text of its own for each test: it is not cached."""
    return text_of(n_segments, f"{SECRET} {next(_NUMBERS)}")


def named(spans: list[ReceivedSpan], name: str) -> list[ReceivedSpan]:
    return [span for span in spans if span.name == name]


def test_a_stream_is_one_trace_from_the_request_to_each_segment_and_the_encoder(traced: Traced) -> None:
    answer, spans = traced.trace_of(input=a_text(3))
    root, waited, synthesis, prepared, *steps = spans
    segments, (encoding,) = named(steps, "segment"), named(steps, "encode")

    assert [span.name for span in (root, waited, synthesis, prepared)] == [ROOT, "queue wait", "synthesize", "prepare"]
    assert root.parent_id == "a" * 16
    assert {waited.parent_id, synthesis.parent_id} == {root.id}
    assert {span.parent_id for span in (prepared, encoding, *segments)} == {synthesis.id}
    assert len(segments) >= 2
    assert {(span.name, span.service) for span in (root, synthesis)} == {(ROOT, "koe-api"), ("synthesize", "koe-worker")}
    assert not any(span.is_error for span in spans)
    assert "first audio" in root.events
    seconds = round(len(answer.content) / 48_000, 3)
    assert root.facts["koe.audio_seconds"] == synthesis.facts["koe.audio_seconds"] == encoding.facts["koe.audio_seconds"]
    assert root.facts["koe.audio_seconds"] == seconds


def test_spans_say_what_an_operator_needs(traced: Traced) -> None:
    text = a_text(1)

    _, (root, waited, synthesis, *steps) = traced.trace_of(input=text)
    segment = named(steps, "segment")[0]

    assert root.facts == {
        "http.request.method": "POST",
        "http.route": SPEECH,
        "http.response.status_code": 200,
        "koe.model": "tts-1",
        "koe.engine": "tone",
        "koe.format": "pcm",
        "koe.n_characters": len(text),
        "koe.cache": "miss",
        "koe.audio_seconds": root.facts["koe.audio_seconds"],
    }
    assert waited.facts == {"koe.queue": "interactive"}
    assert (synthesis.facts["koe.queue"], synthesis.facts["koe.attempt"]) == ("interactive", 1)
    assert (segment.facts["koe.engine"], segment.facts["koe.cache"]) == ("tone", "miss")
    assert {"koe.n_characters", "koe.n_phonemes", "koe.audio_seconds", "koe.wait_seconds"} <= segment.facts.keys()


def test_cached_audio_has_no_step_of_a_worker(traced: Traced) -> None:
    text = a_text(1)
    traced.post(input=text)

    _, spans = traced.trace_of(input=text, task="")

    assert [span.name for span in spans] == [ROOT]
    assert spans[0].facts["koe.cache"] == "hit"


@pytest.mark.parametrize(
    ("format_name", "parent"), [("wav", ""), ("flac", "00-nonsense-01"), ("opus", f"00-{'0' * 32}-{'a' * 16}-01")]
)
def test_a_request_without_a_valid_trace_begins_one(traced: Traced, format_name: str, parent: str) -> None:
    traced.post(input=a_text(1), response_format=format_name, parent=parent)
    wait_until(lambda: any(span.facts.get("koe.format") == format_name for span in traced.receiver.wait(ROOT)))
    root = next(span for span in traced.receiver.wait(ROOT) if span.facts.get("koe.format") == format_name)

    assert root.parent_id == ""
    assert int(root.trace_id, 16)


def test_a_request_that_joins_another_has_a_link_to_its_work(traced: Traced) -> None:
    gate = GatedEngine()
    traced.relay.now = gate
    text = a_text(2)
    with ThreadPoolExecutor() as clients:
        first = clients.submit(traced.trace_of, input=text)
        gate.wait_begun(1)
        second = clients.submit(traced.trace_of, input=text, task="")
        wait_until(lambda: _n_readers(traced.harness) == 2)
        gate.release(100)
        (_, (begun, *_)), (_, (joined, *others)) = first.result(), second.result()

    assert others == []
    assert (joined.facts["koe.cache"], joined.links) == ("join", [(begun.trace_id, begun.id)])


def _n_readers(harness: Harness) -> int:
    with harness.redis() as redis:
        (record,) = [
            key for key in replies.key_names(redis, "koe:utterance:*") if "finished" not in replies.fields(redis, key)["state"]
        ]
        return sum(int(n) for name, n in replies.fields(redis, record).items() if name.startswith("readers"))


def test_phonemes_are_one_trace_too(traced: Traced) -> None:
    _, spans = traced.trace_of("/v1/audio/phonemize", task="phonemize", input=a_text(1))

    assert tree(spans) == [(0, "POST /v1/audio/phonemize"), (1, "queue wait"), (1, "phonemize")]


def test_a_job_has_a_trace_of_its_own_with_a_link_to_its_request(traced: Traced) -> None:
    answer, (request,) = traced.trace_of(JOBS, task="", input=a_text(3), response_format="mp3")
    job_id = answer.json()["id"]
    wait_until(lambda: any(span.facts.get("koe.job_id") == job_id for span in traced.receiver.wait("join")))
    job = next(span for span in traced.receiver.wait("job") if span.facts["koe.job_id"] == job_id)
    spans = traced.receiver.trace(job.trace_id, "join")
    steps = {span.name: span for span in spans}

    assert job.trace_id != request.trace_id
    assert (job.parent_id, job.links) == ("", [(request.trace_id, request.id)])
    assert {steps[name].parent_id for name in ("plan", "part", "join")} == {job.id}
    assert {span.parent_id for span in named(spans, "queue wait")} == {job.id}
    assert {span.parent_id for span in named(spans, "segment")} == {steps["part"].id}
    assert {span.parent_id for span in named(spans, "encode")} == {steps["part"].id, steps["join"].id}
    assert steps["part"].facts["koe.queue"] == "batch"
    assert not any(span.is_error for span in spans)


def test_an_error_shows_where_it_happened_and_its_class(traced: Traced) -> None:
    traced.relay.now = FailingEngine(0)

    answer, spans = traced.trace_of(input=a_text(1))
    root, _, synthesis, *steps = spans
    segment = named(steps, "segment")[0]

    assert answer.status_code == root.facts["http.response.status_code"] == 500
    assert (root.is_error, root.said, root.facts["error.type"]) == (True, "InternalError", "InternalError")
    assert [(span.is_error, span.said) for span in (synthesis, segment)] == [(True, "EngineFailed")] * 2
    assert {span.facts["error.type"] for span in (synthesis, segment)} == {"EngineFailed"}
    assert segment.events["exception"] == {"exception.type": "app.core.errors.EngineFailed"}


def test_a_refused_request_has_a_code_and_is_no_error(traced: Traced) -> None:
    _, (root,) = traced.trace_of(task="", input=a_text(1), voice="nobody")

    assert (root.facts["http.response.status_code"], root.facts["koe.code"]) == (400, "invalid_value")
    assert not root.is_error


def test_health_checks_have_no_trace(traced: Traced) -> None:
    with traced.harness.http() as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            http.get(path)
    traced.trace_of(input=a_text(1))

    assert {span.name for span in traced.receiver.spans if span.name.startswith("GET")} == set()


def test_no_span_has_text_or_a_key(traced: Traced) -> None:
    traced.trace_of(input=a_text(2))
    traced.trace_of("/v1/audio/phonemize", task="phonemize", input=a_text(1))
    said = repr(traced.receiver.spans)

    assert SECRET not in said
    assert KEY not in said


def test_spans_go_to_the_path_of_traces(traced: Traced) -> None:
    traced.trace_of(input=a_text(1))

    assert set(traced.receiver.paths) == {"/v1/traces"}
