"""The metrics of WebSockets: open sessions, and the outcome of each text, by protocol."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.live.clients import connected
from tests.engines import GatedEngine
from tests.harness import Harness, open_harness, wait_until

TOGETHER = "/v1/audio/speech/websocket?model=hexgrad/Kokoro-82M&voice=af_heart"
REALTIME = "/v1/realtime?model=gpt-realtime"
FORM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000}
FIELDS = {"model_id": "sonic-3", "voice": {"mode": "id", "id": "af_heart"}, "output_format": FORM, "continue": False}


@pytest.fixture
def gated(short_folder: Path) -> Iterator[tuple[Harness, GatedEngine]]:
    engine = GatedEngine()
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"kokoro": engine}) as harness:
        yield harness, engine
        engine.release(10_000)


def value(harness: Harness, name: str, **labels: str) -> float:
    """Returns a metric; fails if it is not there."""
    with harness.http() as http:
        families = text_string_to_metric_families(http.get("/metrics").text)
    (found,) = [one.value for family in families for one in family.samples if one.name == name and one.labels == labels]
    return found


def test_open_sessions_are_counted_by_protocol(gated: tuple[Harness, GatedEngine]) -> None:
    harness, _ = gated
    assert value(harness, "koe_live_sessions", protocol="realtime") == 0
    with (
        connected(harness.url, REALTIME) as one,
        connected(harness.url, REALTIME) as two,
        connected(harness.url, TOGETHER) as three,
    ):
        for client in (one, two, three):
            client.receive()
        assert value(harness, "koe_live_sessions", protocol="realtime") == 2
        assert value(harness, "koe_live_sessions", protocol="together") == 1
        assert value(harness, "koe_live_sessions", protocol="cartesia") == 0
    wait_until(lambda: value(harness, "koe_live_sessions", protocol="realtime") == 0)
    wait_until(lambda: value(harness, "koe_live_sessions", protocol="together") == 0)


def test_each_text_is_counted_with_its_outcome(gated: tuple[Harness, GatedEngine]) -> None:
    harness, engine = gated

    def texts(outcome: str) -> float:
        return value(harness, "koe_live_texts_total", protocol="cartesia", outcome=outcome)

    with connected(harness.url, "/tts/websocket") as client:
        engine.release()
        client.send(**FIELDS, context_id="a", transcript="This is spoken.")
        client.until("done")
        client.send(**FIELDS, context_id="b", transcript="This is cancelled.")
        engine.wait_begun(2)
        client.send(context_id="b", cancel=True)
        wait_until(lambda: texts("cancelled") == 1)
        engine.is_broken = True
        engine.release(2)
        client.send(**FIELDS, context_id="c", transcript="This fails.")
        assert client.until("error")
        client.send(**FIELDS, context_id="d", transcript=" ")
        client.until("done")
    assert (texts("spoken"), texts("cancelled"), texts("failed")) == (1, 1, 1)
