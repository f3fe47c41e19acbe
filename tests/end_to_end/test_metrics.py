"""The metrics of a scrape after real responses, and during them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import structlog
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from app.api.middleware import request_log
from app.asgi import create_app
from app.core.metrics.table import HELP
from app.core.settings import Settings
from tests.end_to_end.conftest import ONE_AT_A_TIME, RelayHarness
from tests.end_to_end.listeners import SPEECH, asked, listening, post
from tests.end_to_end.test_leaving import asking
from tests.engines import GatedEngine, text_of
from tests.harness import Harness, wait_until
from workers.engines.tone import ToneEngine

HARNESS = ONE_AT_A_TIME


def scrape(harness: Harness) -> Callable[..., float]:
    """Scrapes the metrics. Returns a function: the sum of the samples with this name and these labels; 0 if there are none."""
    with harness.http() as http:
        answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())

    return value


def test_answers_are_counted_by_route_and_status(relay_harness: RelayHarness) -> None:
    harness = relay_harness.harness
    before = scrape(harness)
    with harness.http() as http:
        for path in ("/v1/models/tts-1", "/v1/models/nope", "/v1/models/nope-2", "/v1/nope", "/v1/nope-2"):
            http.get(path)
        http.put("/healthz")
    after = scrape(harness)

    def counted(**labels: str) -> float:
        return after("koe_requests_total", **labels) - before("koe_requests_total", **labels)

    assert counted(method="GET", route="/v1/models/{model_id}", status="200") == 1
    assert counted(route="/v1/models/{model_id}", status="404") == 2
    assert counted(route="unknown", status="404") == 2
    assert counted(method="PUT", route="unknown", status="405") == 1
    assert counted(route="/metrics") == 1
    for code in ("model_not_found", "unknown_url"):
        assert after("koe_errors_total", code=code) - before("koe_errors_total", code=code) == 2


def test_the_first_audio_is_timed_by_how_it_was_found(relay_harness: RelayHarness) -> None:
    harness = relay_harness.harness
    relay_harness.relay.now = ToneEngine()
    before = scrape(harness)
    for _ in range(3):
        assert post(harness, asked("Timed.")).status_code == 200
    post(harness, asked("Timed.", model="gpt-4o-mini-tts", stream_format="sse"))
    after = scrape(harness)

    for cache, n_times in (("miss", 1), ("hit", 3), ("join", 0)):
        name = "koe_first_audio_seconds_count"
        assert after(name, cache=cache) - before(name, cache=cache) == n_times
    assert after("koe_first_audio_seconds_sum", cache="miss") > before("koe_first_audio_seconds_sum", cache="miss")
    assert after("koe_cache_bytes") > before("koe_cache_bytes")


@pytest.mark.parametrize("how", [{}, {"model": "gpt-4o-mini-tts", "stream_format": "sse"}])
def test_the_seconds_of_audio_are_counted(relay_harness: RelayHarness, how: dict[str, str]) -> None:
    harness = relay_harness.harness
    relay_harness.relay.now = ToneEngine()
    body = asked("Twenty code points..", "pcm")
    seconds = len(post(harness, body).content) / 48_000
    before = scrape(harness)("koe_audio_seconds_total")

    post(harness, body | how)

    assert scrape(harness)("koe_audio_seconds_total") - before == pytest.approx(seconds)


def test_waiting_tasks_and_open_requests_are_metrics(gated: Harness, gate: GatedEngine) -> None:
    before = scrape(gated)
    with asking(gated, asked("The first of two.")), asking(gated, asked("The second of two.")):
        gate.wait_begun(1)
        wait_until(lambda: scrape(gated)("koe_waiting_utterances", lane="interactive") == 1)
        assert scrape(gated)("koe_open_requests") == before("koe_open_requests") + 2

    wait_until(lambda: scrape(gated)("koe_open_requests") == before("koe_open_requests"))
    assert scrape(gated)("koe_requests_total", route=SPEECH, status="499") == before("koe_requests_total", status="499") + 2
    assert scrape(gated)("koe_errors_total", code="cancelled") == 0


def broken_off(harness: Harness) -> list[float]:
    """Returns the numbers of speech responses that began and did not end: because the client left, and because they failed."""
    now = scrape(harness)
    return [now("koe_broken_off_total", route=SPEECH, reason=reason) for reason in ("left", "failed")]


def test_an_answer_whose_client_leaves_half_way_is_counted(gated: Harness, gate: GatedEngine) -> None:
    left, failed = broken_off(gated)
    gate.release(1)

    with listening(gated, asked(text_of(6, "leaving"))):
        pass

    wait_until(lambda: broken_off(gated) == [left + 1, failed])


def test_an_answer_that_fails_half_way_is_counted(gated: Harness, gate: GatedEngine) -> None:
    left, failed = broken_off(gated)
    gate.release(1)

    with listening(gated, asked(text_of(6, "failing"))) as listener:
        gate.is_broken = True
        gate.release(6)
        with pytest.raises(httpx.RemoteProtocolError):
            listener.hear_all()

    wait_until(lambda: broken_off(gated) == [left, failed + 1])


def test_it_is_one_line_of_the_log_with_its_code(gated: Harness, gate: GatedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "log", structlog.get_logger())
    with capture_logs() as captured:
        gate.release(1)
        with listening(gated, asked(text_of(6, "failing again"))) as listener:
            gate.is_broken = True
            gate.release(6)
            with pytest.raises(httpx.RemoteProtocolError):
                listener.hear_all()
        wait_until(lambda: any(line.get("broken_off") for line in captured))

    (line,) = [line for line in captured if line.get("broken_off")]
    assert (line["broken_off"], line["code"], line["status"]) == ("failed", "internal_error", 200)
    assert line["log_level"] == "warning"
    assert line["n_bytes"] > 0


def test_the_fleet_is_seen(relay_harness: RelayHarness) -> None:
    now = scrape(relay_harness.harness)

    assert now("koe_redis_up") == now("koe_workers") == now("koe_engine", engine="tone") == 1
    assert now("koe_process_resident_memory_bytes") > 1_000_000


def test_no_label_is_chosen_by_a_client(relay_harness: RelayHarness) -> None:
    harness = relay_harness.harness
    with harness.http() as http:
        for word in ("quite-unheard-of", "%F0%9F%A6%86"):
            http.get(f"/{word}")
            http.get(f"/v1/models/{word}")
            http.request(word.upper()[:5].replace("%", "X"), "/healthz")
            http.post(SPEECH, json=asked("Hello.", model=word, voice=word))
        text = http.get("/metrics").text

    assert "unheard" not in text.lower()
    assert "🦆" not in text
    assert {line.split()[2] for line in text.splitlines() if line.startswith("# HELP koe_")} > set(HELP)


def test_without_redis_a_scrape_is_answered_without_the_values_in_redis() -> None:
    client: TestClient[Any] = TestClient(create_app(Settings(), "redis://127.0.0.1:1"))
    client.get("/healthz")
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert "koe_redis_up 0.0" in answer.text
    assert "koe_workers" not in answer.text
    assert 'koe_requests_total{method="GET",route="/healthz",status="200"} 1.0' in answer.text
