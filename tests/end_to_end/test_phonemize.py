"""`POST /v1/audio/phonemize` with a real worker: espeak-ng's phonemes, the status of every fault, and no request that hangs."""

import itertools
import json
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from app.core.queue.broker import MAX_RETURNS, Broker, QueueName, rq_queue
from app.core.queue.questions import phonemes_of
from app.core.speech.spoken_text import SpokenText
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from tests.engines import name_of
from tests.harness import Harness, open_harness, wait_until
from workers.engines.espeak import EspeakEngine
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

PATH = "/v1/audio/phonemize"
KEY = {"Authorization": "Bearer sk-koe-right"}
CATALOGUE = load_catalogue()
INVALID = "invalid_request_error"
_NUMBERS = itertools.count()
"""Makes each text unique, so that no test gets the response to another test's text."""


class HeldEngine(EspeakEngine):
    """espeak-ng that waits before it phonemizes a text with `wait` in it, until `go_on` is set."""

    def __init__(self) -> None:
        super().__init__(CATALOGUE)
        self.texts: list[str] = []
        self.go_on = threading.Event()

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        self.texts.append(text)
        if "wait" in text:
            assert self.go_on.wait(60)
        return super().phonemize(text, language, markup)


@pytest.fixture(scope="module")
def engine() -> HeldEngine:
    return HeldEngine()


@pytest.fixture(scope="module")
def harness(short_folder: Path, engine: HeldEngine) -> Iterator[Harness]:
    """Yields a harness with a key, one slot and a queue of two."""
    settings = {"KOE_API_KEYS": "sk-koe-right", "KOE_SLOTS": "1", "KOE_BATCH_SLOTS": "1", "KOE_MAX_QUEUE": "2"}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"espeak": engine}, **settings) as harness:
        yield harness
        engine.go_on.set()


def ask(harness: Harness, body: Any, headers: dict[str, str] = KEY) -> httpx.Response:
    with harness.http(headers=headers) as http:
        return http.post(PATH, json=body)


def found(harness: Harness, text: str, **fields: Any) -> dict[str, Any]:
    answer = ask(harness, {"input": text} | (fields or {"voice": "alloy"}))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-koe-engine"] == "espeak"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"language", "normalized", "segments"}
    assert all(set(segment) == {"text", "phonemes", "n_phonemes"} for segment in body["segments"])
    return body


def test_hello_world_has_the_phonemes_of_its_speech(harness: Harness) -> None:
    body = found(harness, "Hello, world.")

    assert (body["language"], body["normalized"]) == ("en-US", "Hello, world.")
    (segment,) = body["segments"]
    assert segment == {"text": "Hello, world.", "phonemes": "həlˈoʊ wˈɜːld", "n_phonemes": 13}


def test_a_language_is_said_in_its_own_way_with_or_without_a_voice(harness: Harness) -> None:
    said = {}
    for name, fields in {
        "en": {"voice": "alloy"},
        "fr": {"language": "fr"},
        "de": {"model": "espeak", "language": "de"},
    }.items():
        said[name] = found(harness, "Restaurant.", **fields)

    assert [said[name]["language"] for name in said] == ["en-US", "fr-FR", "de"]
    assert len({said[name]["segments"][0]["phonemes"] for name in said}) == 3


def test_a_long_text_comes_whole_and_in_order(harness: Harness) -> None:
    text = " ".join(f"Sentence {name_of(number)} is about a birch canoe on smooth planks." for number in range(200))

    body = found(harness, text, model="espeak", voice="af_heart")

    assert " ".join(segment["text"] for segment in body["segments"]) == body["normalized"] == text
    assert all(segment["n_phonemes"] == len(segment["phonemes"]) > 0 for segment in body["segments"])


def test_text_with_nothing_to_say_has_no_segments(harness: Harness) -> None:
    assert found(harness, "🙂 ") == {"language": "en-US", "normalized": "", "segments": []}


FAULTS: list[tuple[Any, int, str, str | None, str | None]] = [
    ([], 400, INVALID, None, None),
    ({"model": "X"}, 404, INVALID, None, "model_not_found"),
    ({"model": "kokoro", "input": "Hello.", "voice": "alloy"}, 503, "server_error", None, "engine_unavailable"),
    ({}, 400, INVALID, "input", "missing_required_parameter"),
    ({"input": "", "voice": "zzz"}, 400, INVALID, "input", "empty_string"),
    ({"input": "a" * 100_001, "voice": "alloy"}, 400, INVALID, "input", "string_above_max_length"),
    ({"input": "Hello."}, 400, INVALID, "voice", "missing_required_parameter"),
    ({"input": "Hello.", "voice": "zzz", "language": "tlh"}, 400, INVALID, "voice", "invalid_value"),
    ({"input": "Hello.", "language": "tlh"}, 400, INVALID, "language", "invalid_value"),
    ({"input": "Hello.", "language": "tlh", "model": "espeak"}, 400, INVALID, "language", "not_supported"),
    ({"input": "Hello.", "voice": "alloy", "normalize": 1}, 400, INVALID, "normalize", "invalid_type"),
]


@pytest.mark.parametrize(("body", "status", "kind", "param", "code"), FAULTS)
def test_every_fault_has_its_status_and_its_envelope(
    harness: Harness, body: Any, status: int, kind: str, param: str | None, code: str | None
) -> None:
    answer = ask(harness, body)

    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == (kind, param, code)
    assert set(error) == {"message", "type", "param", "code"}


def test_the_key_is_judged_first_and_the_content_type_before_the_model(harness: Harness) -> None:
    assert ask(harness, {"model": "X"}, {}).status_code == 401
    with harness.http(headers=KEY) as http:
        answer = http.post(PATH, content=b'{"model": "X"}', headers={"Content-Type": "text/plain"})
        assert answer.json()["error"]["code"] == "unsupported_content_type"
        assert http.get(PATH).status_code == 405


@pytest.fixture
def held(harness: Harness, engine: HeldEngine) -> Iterator[HeldEngine]:
    """Yields the engine, which waits."""
    engine.texts.clear()
    engine.go_on.clear()
    yield engine
    engine.go_on.set()
    with harness.redis() as redis:
        wait_until(lambda: not rq_queue(redis, QueueName.INTERACTIVE).count)


def take_slot(harness: Harness, held: HeldEngine, threads: ThreadPoolExecutor) -> Future[httpx.Response]:
    """Sends a request that occupies the only slot until the engine continues."""
    first = threads.submit(ask, harness, {"input": f"First: wait {next(_NUMBERS)}.", "voice": "alloy"})
    wait_until(lambda: held.texts)
    return first


def test_equal_requests_are_answered_by_one_task(harness: Harness, held: HeldEngine) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(found, harness, "All wait for the same.") for _ in range(4)]
        wait_until(lambda: held.texts)
        held.go_on.set()
        bodies = [answer.result() for answer in answers]

    assert bodies.count(bodies[0]) == 4
    assert held.texts == ["All wait for the same."]


def test_a_full_queue_is_reported(harness: Harness, held: HeldEngine) -> None:
    with harness.redis() as redis, ThreadPoolExecutor(3) as threads:
        first = take_slot(harness, held, threads)
        others = [threads.submit(ask, harness, {"input": f"Number {number}.", "voice": "alloy"}) for number in range(2)]
        wait_until(lambda: rq_queue(redis, QueueName.INTERACTIVE).count == 2)

        answer = ask(harness, {"input": "One too many.", "voice": "alloy"})

        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        held.go_on.set()
        assert [answer.result().status_code for answer in (first, *others)] == [200, 200, 200]


def test_a_text_whose_client_has_left_is_not_phonemized(
    harness: Harness, held: HeldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers.WANTED_TTL_SECONDS", 1)
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.1)
    unwanted = SpokenText(text="Gone.", engine="espeak", voice=CATALOGUE.parse("alloy")[0], language="en-US")
    with harness.redis() as redis, ThreadPoolExecutor(1) as threads:
        first = take_slot(harness, held, threads)
        with closing(HTTPConnection(harness.url.removeprefix("http://"))) as leaver:
            body = json.dumps({"input": unwanted.text, "voice": "alloy"})
            leaver.request("POST", PATH, body, {"Content-Type": "application/json", **KEY})
            wait_until(lambda: unwanted.id in rq_queue(redis, QueueName.INTERACTIVE).job_ids)
        wait_until(lambda: not redis.exists(keys.answer_wanted(unwanted.id)))
        held.go_on.set()
        wait_until(lambda: status(redis, unwanted) == JobStatus.FINISHED)

        assert first.result().status_code == 200
    assert unwanted.text not in held.texts


def status(redis: Any, question: SpokenText) -> JobStatus | None:
    return Job.fetch(question.id, connection=redis, serializer=JSONSerializer).get_status()


@pytest.mark.parametrize(("n_earlier", "expected"), [(0, 200), (1, 500)])
def test_a_question_whose_worker_died_comes_back_but_not_for_ever(
    harness: Harness, held: HeldEngine, n_earlier: int, expected: int
) -> None:
    question = SpokenText(text=f"Abandoned {n_earlier}.", engine="espeak", voice=CATALOGUE.parse("alloy")[0], language="en-US")
    with harness.redis() as redis, ThreadPoolExecutor(2) as threads:
        first = take_slot(harness, held, threads)
        answer: Future[httpx.Response] = threads.submit(ask, harness, {"input": question.text, "voice": "alloy"})
        abandon(redis, question, n_earlier)
        held.go_on.set()

        assert answer.result().status_code == expected, answer.result().text
        assert first.result().status_code == 200
    if expected == 500:
        assert "died" in answer.result().json()["error"]["message"]


def abandon(redis: Any, question: SpokenText, n_earlier: int) -> None:
    """Makes the job look as if a worker had taken it from its queue and died."""
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    wait_until(lambda: question.id in queue.job_ids)
    job = Job.fetch(question.id, connection=redis, serializer=JSONSerializer)
    job.retries_left = MAX_RETURNS - n_earlier
    job.set_status(JobStatus.STARTED)
    job.save()
    redis.lrem(queue.key, 1, question.id)
    started = StartedJobRegistry(queue.name, connection=redis, serializer=JSONSerializer)
    redis.zadd(started.key, {f"{question.id}:gone": redis.time()[0] - 1})


def test_speech_and_questions_share_the_queue_in_turns(harness: Harness, held: HeldEngine) -> None:
    with harness.redis() as redis, ThreadPoolExecutor(2) as threads:
        first = take_slot(harness, held, threads)
        broker = Broker(redis, max_queue=10)
        mine = SpokenText(text="Mine.", engine="espeak", voice=CATALOGUE.parse("alloy")[0], language="en-US")
        redis.set(keys.answer_wanted(mine.id), 1)
        assert broker.submit_question(phonemes_of(mine), request_id="req_1", owner="somebody")
        assert redis.hget(keys.OWNERS, mine.id) == b"somebody"

        with harness.http(headers=KEY) as http:
            said = threads.submit(http.post, "/v1/audio/speech", json={"model": "tts-1", "input": "Hello.", "voice": "alloy"})
            wait_until(lambda: rq_queue(redis, QueueName.INTERACTIVE).count == 2)
            held.go_on.set()
            assert said.result().status_code == 200

        assert first.result().status_code == 200
        wait_until(lambda: redis.exists(keys.answer(mine.id)))
        assert redis.hgetall(keys.OWNERS) == {}
