"""Limits over real HTTP: for one key, and for a server that cannot keep up."""

import hashlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from app.core.storage import keys
from tests.end_to_end.conftest import ONE_AT_A_TIME
from tests.end_to_end.listeners import SPEECH, asked
from tests.engines import GatedEngine, text_of
from tests.harness import Api, Harness, open_harness, wait_until
from workers.synthesis.pace import FirstAudioPace

HEADERS = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")


def entry(name: str, *lines: str) -> str:
    digest = hashlib.sha256(f"sk-{name}".encode()).hexdigest()
    return "\n".join(["[[keys]]", f'name = "{name}"', f'sha256 = "{digest}"', *lines, ""])


@pytest.fixture(scope="module")
def keys_file(short_folder: Path) -> Path:
    file = Path(tempfile.mkdtemp(dir=short_folder)) / "keys.toml"
    rates = {"exact": 25, "three": 3, "careful": 2, "worker": 1, "client": 1}
    limits = {name: f'rate_limit = "{n}/hour"' for name, n in rates.items()} | {"narrow": "max_concurrent = 1", "free": ""}
    file.write_text("".join(entry(name, limit) for name, limit in limits.items()))
    return file


@pytest.fixture(scope="module")
def limited(short_folder: Path, keys_file: Path) -> Iterator[tuple[Harness, str]]:
    """Yields a harness with keys and limits, and the address of a second API process on the same Redis."""
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_API_KEYS_FILE=str(keys_file)) as harness:
        second = Api(harness.settings, harness.redis_url)
        yield harness, second.start()
        second.stop()


def post(url: str, key: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(url + SPEECH, json=body, headers={"Authorization": f"Bearer sk-{key}"}, timeout=60)


def test_one_key_over_two_apis_gets_exactly_its_limit(limited: tuple[Harness, str]) -> None:
    harness, second = limited
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda n: post((harness.url, second)[n % 2], "exact", asked("Exactly.")), range(60)))

    good = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(good), len(refused)) == (25, 35)
    assert sorted(int(answer.headers[HEADERS[1]]) for answer in good) == list(range(25))


def test_a_refused_request_says_how_much_and_when(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    answers = [post(harness.url, "three", asked("Three times.")) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    error = answers[-1].json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("requests", None, "rate_limit_exceeded")
    assert error["message"].startswith("Rate limit reached: 3/hour for this key. Please try again in ")
    assert answers[-1].headers["retry-after"] == "60"
    assert [answers[-1].headers[name] for name in HEADERS[:2]] == ["3", "0"]
    assert answers[0].headers[HEADERS[2]] == "1h0m0s"


def test_a_bad_request_gets_its_error_and_does_not_count(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    bad = [post(harness.url, "careful", asked("", speed=9)) for _ in range(5)]
    good = post(harness.url, "careful", asked("Carefully."))

    assert {answer.status_code for answer in bad} == {400}
    assert (good.status_code, good.headers[HEADERS[1]]) == (200, "1")


def test_a_key_without_a_rate_limit_gets_no_headers(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    answer = post(harness.url, "free", asked("Freely."))

    assert answer.status_code == 200
    assert not set(HEADERS) & set(answer.headers)


def test_an_open_request_of_a_key_is_counted_until_it_ends(limited: tuple[Harness, str]) -> None:
    harness, second = limited
    with harness.http(headers={"Authorization": "Bearer sk-narrow"}) as http:
        with http.stream("POST", SPEECH, json=asked(text_of(36, "narrow gate"))) as answer:
            assert answer.status_code == 200
            chunks = answer.iter_raw()
            next(chunks)
            refused = post(second, "narrow", asked("Meanwhile."))
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert refused.headers["retry-after"] == "1"

    wait_until(lambda: post(second, "narrow", asked("Afterwards.")).status_code == 200)


def test_failed_requests_leave_nothing_open(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    for _ in range(3):
        post(harness.url, "narrow", asked("Loud.", model="kokoro"))
        post(harness.url, "narrow", asked("Quiet.", speed=99))

    assert post(harness.url, "narrow", asked("Last.")).status_code == 200
    owner = hashlib.sha256(b"sk-narrow").hexdigest()[:16]
    with harness.redis() as redis:
        wait_until(lambda: not redis.exists(keys.open_requests(owner)))


def test_a_new_key_opens_and_a_removed_one_does_not_without_a_restart(limited: tuple[Harness, str], keys_file: Path) -> None:
    harness, second = limited
    before = keys_file.read_text()
    assert post(harness.url, "guest", asked("Knock.")).status_code == 401

    def is_admitted(url: str) -> bool:
        return post(url, "guest", asked("Come in.")).status_code == 200

    keys_file.write_text(before + entry("guest"))
    for url in (harness.url, second):
        wait_until(partial(is_admitted, url))
    keys_file.write_text(before)

    wait_until(lambda: post(harness.url, "guest", asked("Good bye.")).status_code == 401)


def test_a_job_counts_for_the_rate(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    with harness.http(headers={"Authorization": "Bearer sk-worker"}) as http:
        first, second = (http.post(f"{SPEECH}/jobs", json=asked("A job.")) for _ in range(2))

    assert (first.status_code, first.headers[HEADERS[1]]) == (202, "0")
    assert second.status_code == 429
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


def test_the_official_client_raises_a_rate_limit_error(limited: tuple[Harness, str]) -> None:
    harness, _ = limited
    speech = harness.openai(api_key="sk-client").audio.speech
    speech.create(model="tts-1", input="Once.", voice="alloy")

    with pytest.raises(openai.RateLimitError) as refused:
        speech.create(model="tts-1", input="More.", voice="alloy")

    assert (refused.value.code, refused.value.type) == ("rate_limit_exceeded", "requests")


@contextmanager
def slow_harness(folder: Path) -> Iterator[tuple[Harness, GatedEngine]]:
    """Yields a harness that has measured one first audio every ten seconds, and its engine, which waits."""
    engine, now = GatedEngine(), [0.0]
    with open_harness(folder, {"tone": engine}, **ONE_AT_A_TIME, KOE_MAX_WAIT="30") as harness:
        assert harness.pool is not None
        pace = FirstAudioPace(1, clock=lambda: now[0])
        pace.begin("measured")
        now[0] = 10.0
        pace.record_first_audio("measured")
        harness.pool.runtime.limits.pace = pace
        try:
            yield harness, engine
        finally:
            engine.release(10_000)


def test_a_request_that_cannot_be_served_in_time_is_refused_at_once(data: Path) -> None:
    with (
        slow_harness(data) as (harness, engine),
        harness.redis() as redis,
        ThreadPoolExecutor(3) as clients,
        harness.http() as http,
    ):
        wait_until(lambda: b'"first_sound_seconds":10.0' in redis.get(redis.keys(keys.worker("*"))[0]))
        waiting = [clients.submit(http.post, SPEECH, json=asked(f"Number {n}.")) for n in range(3)]
        wait_until(lambda: redis.zcard(keys.WAITING_FOR_FIRST_AUDIO) == 3)

        refused = http.post(SPEECH, json=asked("Number four."))
        joined = clients.submit(http.post, SPEECH, json=asked("Number 0."))
        engine.release(10_000)

        error = refused.json()["error"]
        assert refused.status_code == 429
        assert (error["type"], error["param"], error["code"]) == ("requests", None, "queue_full")
        assert error["message"] == "The queue is full: 3 requests wait. Please try again in 10 s."
        assert refused.headers["retry-after"] == "10"
        assert {answer.result().status_code for answer in (*waiting, joined)} == {200}
