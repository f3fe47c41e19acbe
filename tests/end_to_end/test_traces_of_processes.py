"""A trace goes on in another process when a worker dies, is named in the log, and is exported before the processes end."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.listeners import SPEECH, asked
from tests.end_to_end.processes import Served, events, running
from tests.engines import text_of
from tests.trace_receiver import ReceivedSpan, TraceReceiver, open_trace_receiver

TRACE_ID = "1" * 32
ROOT = f"POST {SPEECH}"


class Taken:
    """A request whose worker was killed, and another worker spoke it to its end; then all processes were ended."""

    def __init__(self, served: Served, receiver: TraceReceiver) -> None:
        self.served = served
        self.spans: dict[str, ReceivedSpan] = {}
        self.n_spans_before_the_end = 0
        body = asked(text_of(40, "patient listener"), "mp3", model="espeak")
        headers = {"traceparent": f"00-{TRACE_ID}-{'a' * 16}-01"}
        with (
            httpx.Client(base_url=served.url, timeout=60) as http,
            http.stream("POST", SPEECH, json=body, headers=headers) as answer,
        ):
            chunks = answer.iter_raw()
            next(chunks)
            os.kill(served.child("workers"), signal.SIGKILL)
            for _ in chunks:
                pass
        self.n_spans_before_the_end = len(receiver.spans)
        served.signal(signal.SIGTERM)
        assert served.wait() == 0
        self.spans = {span.name: span for span in receiver.trace(TRACE_ID, ROOT, "synthesize")}


@pytest.fixture(scope="module")
def taken(short_folder: Path) -> Taken:
    with open_trace_receiver() as receiver:
        served = Served(
            short_folder / "taken",
            KOE_ENGINE="espeak",
            KOE_WORKER_TIMEOUT="2",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_BSP_SCHEDULE_DELAY="600000",
        )
        with running(served):
            served.wait_ready()
            return Taken(served, receiver)


def test_another_worker_continues_the_trace(taken: Taken) -> None:
    root, synthesis = taken.spans[ROOT], taken.spans["synthesize"]

    assert synthesis.facts["koe.attempt"] == 2
    assert {synthesis.parent_id, taken.spans["queue wait"].parent_id} == {root.id}
    assert {taken.spans[name].parent_id for name in ("segment", "encode")} == {synthesis.id}
    assert (root.service, synthesis.service) == ("koe-api", "koe-worker")
    assert not root.is_error


def test_all_spans_are_exported_before_the_processes_end(taken: Taken) -> None:
    assert taken.n_spans_before_the_end == 0
    assert {ROOT, "queue wait", "synthesize", "segment", "encode"} <= taken.spans.keys()


def test_log_lines_of_both_sides_name_the_trace(taken: Taken) -> None:
    lines = [*events(taken.served, "request_answered"), *events(taken.served, "utterance_finished")]

    assert [line["trace_id"] for line in lines] == [TRACE_ID] * 2
