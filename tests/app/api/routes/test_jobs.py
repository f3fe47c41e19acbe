"""The routes of jobs over real HTTP. No worker runs: the tests do the work of one."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.responses.files import PIECE_BYTES
from app.core.errors import EngineFailed
from app.core.jobs.files import Store, file_path, words_path
from app.core.jobs.job import File, Part
from app.core.jobs.job_store import JobStore
from app.core.queue.broker import QueueName, rq_queue
from app.core.queue.fleet import Registration, announce
from app.core.request_limits import JOB_BODY_BYTES
from app.core.speech.captions import write_captions
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.word_times import TimedWord
from tests.harness import Harness, open_harness, wait_until

JOBS = "/v1/audio/speech/jobs"
GOOD: dict[str, Any] = {"model": "tts-1", "input": "Hello. " * 1000, "voice": "alloy"}
FIRST, SECOND = "sk-koe-first-0001", "sk-koe-second-2"
SOUND = bytes(range(256)) * 3000
WORDS = [TimedWord("Öhr", 0.0, 0.500042), TimedWord("&", 0.5625, 0.75), TimedWord("<b>", 0.75, 1.25)]


@pytest.fixture(scope="module")
def harness(short_folder: Path) -> Iterator[Harness]:
    """A harness with two keys, in which a worker is registered but none runs."""
    environ = {
        "KOE_API_KEYS": f"{FIRST},{SECOND}",
        "KOE_MAX_JOB_CHARS": "10000",
        "KOE_MAX_QUEUE": "100",
        "KOE_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    }
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}, **environ) as harness:
        with harness.redis() as redis:
            announce(redis, Registration(name="w", engines=("tone",), wire=WIRE_VERSION), 3600, takes_work=True)
        yield harness


@pytest.fixture(scope="module")
def http(harness: Harness) -> Iterator[httpx.Client]:
    with harness.http(headers={"Authorization": f"Bearer {FIRST}"}) as http:
        yield http


@pytest.fixture(scope="module")
def other(harness: Harness) -> Iterator[httpx.Client]:
    """A client with the other key."""
    with harness.http(headers={"Authorization": f"Bearer {SECOND}"}) as http:
        yield http


def create(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = http.post(JOBS, json=GOOD | fields)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def complete(job_store: JobStore, store: Store, job_id: str, sound: bytes = SOUND) -> None:
    """Completes the job at once, as the workers do."""
    job_store.begin(job_id)
    job_store.plan(job_id, [Part(start=0, end=7, n_segments=3)])
    job_store.part_done(job_id, 1, n_segments=3, audio_seconds=1.25, n_bytes=8, loudness_db=None)
    with store.put(file_path(job_id, "speech.mp3")) as file:
        file.write(sound)
    assert job_store.complete(job_id, File(name="speech.mp3", n_bytes=len(sound), etag="5f", seconds=1.25))


@pytest.fixture(scope="module")
def finished(http: httpx.Client, job_store: JobStore, store: Store) -> str:
    """The path of a completed job."""
    job_id = create(http, title="Das Öhr")["id"]
    complete(job_store, store, job_id)
    return f"{JOBS}/{job_id}"


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


# Creating


def test_a_new_job_is_answered_at_once_and_waits_in_the_batch_queue(
    harness: Harness, http: httpx.Client, job_store: JobStore
) -> None:
    more = {"title": "A book", "metadata": {"mine": "1"}, "webhook_url": "https://example.com/hook", "response_format": "flac"}
    answer = http.post(JOBS, json=GOOD | more | {"voice": {"id": "af_heart+af_bella"}, "speed": 1.5})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{JOBS}/{job['id']}"
    assert answer.headers["x-request-id"]
    assert job["created_at"] > 1_700_000_000
    assert job == {
        "id": job["id"],
        "object": "audio.speech.job",
        "status": "queued",
        "created_at": job["created_at"],
        "started_at": None,
        "completed_at": None,
        "expires_at": None,
        "model": "tts-1",
        "voice": "af_heart+af_bella",
        "response_format": "flac",
        "title": "A book",
        "metadata": {"mine": "1"},
        "progress": {
            "segments_done": 0,
            "segments_total": 0,
            "audio_seconds": 0.0,
            "parts_done": 0,
            "parts_total": 0,
            "seconds_left": None,
        },
        "duration_seconds": None,
        "chapters": None,
        "has_captions": False,
        "document": None,
        "error": None,
    }
    assert http.get(answer.headers["location"]).json() == job
    stored = job_store.load(job["id"])
    assert stored is not None
    assert (stored.utterance.engine, stored.utterance.speed, stored.utterance.text) == ("tone", 1.5, "")
    assert (stored.webhook_url, stored.request_id) == ("https://example.com/hook", answer.headers["x-request-id"])
    assert job_store.text(job["id"]) == GOOD["input"]
    with harness.redis() as redis:
        assert f"{job['id']}-plan" in rq_queue(redis, QueueName.BATCH).job_ids


def test_every_model_takes_a_long_text_up_to_the_servers_limit(http: httpx.Client) -> None:
    for model in ("tts-1", "gpt-4o-mini-tts"):
        create(http, model=model, input="a" * 10_000)
        error = error_of(http.post(JOBS, json=GOOD | {"model": model, "input": "a" * 10_001}), 400)
        assert (error["param"], error["code"]) == ("input", "string_above_max_length")


def test_a_body_is_read_up_to_eight_mebibytes(http: httpx.Client) -> None:
    assert error_of(http.post(JOBS, json=GOOD | {"input": "a" * (JOB_BODY_BYTES - 1000)}), 400)["param"] == "input"
    error = error_of(http.post(JOBS, json=GOOD | {"input": "a" * JOB_BODY_BYTES}), 413)
    assert str(JOB_BODY_BYTES) in error["message"]


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts"])
def test_a_stream_format_is_without_effect(http: httpx.Client, model: str, stream_format: str) -> None:
    create(http, model=model, stream_format=stream_format)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"stream_format": "avi"}, "stream_format", "invalid_value"),
        ({"timestamps": ["letter"]}, "timestamps", "invalid_value"),
        ({"title": 1}, "title", "invalid_type"),
        ({"title": "a" * 201}, "title", "string_above_max_length"),
        ({"title": "two\nlines"}, "title", "invalid_value"),
        ({"input": "[pause:60s]" * 61}, "input", "invalid_value"),
        ({"metadata": []}, "metadata", "invalid_type"),
        ({"metadata": {"a": 1}}, "metadata", "invalid_type"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata", "invalid_value"),
        ({"metadata": {"a" * 65: ""}}, "metadata", "string_above_max_length"),
        ({"metadata": {"a": "b" * 513}}, "metadata", "string_above_max_length"),
        ({"webhook_url": 1}, "webhook_url", "invalid_type"),
        ({"webhook_url": ""}, "webhook_url", "invalid_value"),
        ({"webhook_url": "ftp://example.com/"}, "webhook_url", "invalid_value"),
        ({"webhook_url": "https://me:secret@example.com/"}, "webhook_url", "invalid_value"),
        ({"webhook_url": "http://127.0.0.1/"}, "webhook_url", "invalid_value"),
        ({"webhook_url": "http://localhost/"}, "webhook_url", "invalid_value"),
        ({"webhook_url": "http://[::1]/"}, "webhook_url", "invalid_value"),
        ({"webhook_url": "http://169.254.169.254/"}, "webhook_url", "invalid_value"),
        ({"title": 1, "metadata": 1, "webhook_url": 1}, "title", "invalid_type"),
        ({"metadata": 1, "webhook_url": 1}, "metadata", "invalid_type"),
        ({"speed": 9, "title": 1}, "speed", "decimal_above_max_value"),
    ],
)
def test_the_first_fault_is_reported(http: httpx.Client, fields: dict[str, Any], param: str, code: str) -> None:
    error = error_of(http.post(JOBS, json=GOOD | fields), 400)
    assert (error["param"], error["code"]) == (param, code)


def test_fields_at_their_limit_or_null_are_accepted(http: httpx.Client) -> None:
    metadata = {f"{number:064}": "v" * 512 for number in range(16)}
    assert create(http, title="猫" * 200, metadata=metadata)["metadata"] == metadata
    job = create(http, title=None, metadata=None, webhook_url=None)
    assert (job["title"], job["metadata"]) == (None, None)
    assert create(http, metadata={})["metadata"] == {}


def test_an_owner_with_as_many_open_jobs_as_allowed_gets_429_and_others_do_not(short_folder: Path) -> None:
    environ = {"KOE_API_KEYS": f"{FIRST},{SECOND}", "KOE_MAX_OPEN_JOBS": "3", "KOE_MAX_QUEUE": "1"}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}, **environ) as harness:
        with harness.redis() as redis:
            announce(redis, Registration(name="w", engines=("tone",), wire=WIRE_VERSION), 3600, takes_work=True)
        mine, theirs = ({"Authorization": f"Bearer {key}"} for key in (FIRST, SECOND))
        with harness.http() as http:
            jobs = [http.post(JOBS, json=GOOD, headers=mine) for _ in range(3)]
            assert {answer.status_code for answer in jobs} == {202}
            refused = http.post(JOBS, json=GOOD, headers=mine)
            assert error_of(refused, 429)["code"] == "rate_limit_exceeded"
            assert refused.headers["retry-after"] == "30"
            assert len(http.get(JOBS, headers=mine).json()["data"]) == 3
            assert http.post(JOBS, json=GOOD, headers=theirs).status_code == 202
            http.post(f"{JOBS}/{jobs[0].json()['id']}/cancel", headers=mine)
            assert http.post(JOBS, json=GOOD, headers=mine).status_code == 202


def test_without_a_secret_webhooks_are_refused_and_without_keys_everybody_is_one_owner(short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}) as harness, harness.http() as http:
        with harness.redis() as redis:
            announce(redis, Registration(name="w", engines=("tone",), wire=WIRE_VERSION), 3600, takes_work=True)
        error = error_of(http.post(JOBS, json=GOOD | {"webhook_url": "https://example.com/"}), 400)
        assert (error["param"], error["code"]) == ("webhook_url", "not_supported")
        assert "KOE_WEBHOOK_SECRET" in error["message"]
        job = create(http)
        assert http.get(f"{JOBS}/{job['id']}", headers={"Authorization": "Bearer anything"}).json() == job


# Looking


def test_all_routes_want_a_key_and_show_a_key_its_own_jobs_alone(
    harness: Harness, http: httpx.Client, other: httpx.Client
) -> None:
    path = f"{JOBS}/{create(http)['id']}"
    calls = [
        ("GET", path),
        ("GET", f"{path}/events"),
        ("GET", f"{path}/content"),
        ("GET", f"{path}/captions"),
        ("POST", f"{path}/cancel"),
        ("DELETE", path),
    ]
    with harness.http() as nobody:
        for method, url in [*calls, ("GET", JOBS), ("POST", JOBS)]:
            assert error_of(nobody.request(method, url), 401)["code"] is None
    for method, url in calls:
        assert error_of(other.request(method, url), 404)["code"] == "job_not_found"
        assert error_of(http.request(method, url.replace("job_", "job_0")), 404)["code"] == "job_not_found"
    assert other.head(f"{path}/content").status_code == 404
    assert http.get(path).json()["status"] == "queued"


def test_a_list_is_ones_own_newest_first_and_in_pages(other: httpx.Client) -> None:
    assert other.get(JOBS).json() == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    made = [create(other)["id"] for _ in range(3)][::-1]
    whole = other.get(JOBS).json()
    assert [job["id"] for job in whole["data"]] == made
    assert (whole["first_id"], whole["last_id"], whole["has_more"]) == (made[0], made[2], False)
    first = other.get(JOBS, params={"limit": 2}).json()
    assert ([job["id"] for job in first["data"]], first["has_more"]) == (made[:2], True)
    second = other.get(JOBS, params={"limit": 2, "after": first["last_id"]}).json()
    assert ([job["id"] for job in second["data"]], second["has_more"]) == (made[2:], False)


@pytest.mark.parametrize(
    "params",
    [{"limit": value} for value in ("0", "101", "-1", "a", "", "1.5", "9" * 5000)]
    + [{"after": "job_1"}, {"after": f"job_{'0' * 24}"}],
)
def test_a_list_that_cannot_be_is_refused(http: httpx.Client, params: dict[str, str]) -> None:
    error = error_of(http.get(JOBS, params=params), 400)
    assert (error["param"], error["code"]) == (next(iter(params)), "invalid_value")


def test_a_failed_job_says_why(http: httpx.Client, job_store: JobStore) -> None:
    path = f"{JOBS}/{(job_id := create(http)['id'])}"
    job_store.begin(job_id)
    job_store.fail(job_id, EngineFailed("It broke."))
    job = http.get(path).json()
    assert (job["status"], job["error"]) == ("failed", {"code": "internal_error", "message": "It broke."})
    assert job["started_at"] <= job["completed_at"] < job["expires_at"]
    assert job["duration_seconds"] is None
    answer = http.get(f"{path}/content")
    error = error_of(answer, 409)
    assert error["code"] == "not_ready"
    assert answer.headers["x-should-retry"] == "false"
    assert "failed" in error["message"]


# Events


def events_of(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        assert not line or line.startswith(("data: ", ":")), line
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_events_report_each_change_until_the_end(http: httpx.Client, job_store: JobStore, store: Store) -> None:
    job_id = create(http)["id"]
    with http.stream("GET", f"{JOBS}/{job_id}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of(answer)
        assert next(events)["status"] == "queued"
        job_store.begin(job_id)
        assert next(events)["status"] == "in_progress"
        complete(job_store, store, job_id)
        *_, last = events
    assert (last["status"], last["duration_seconds"]) == ("completed", 1.25)
    assert last == http.get(f"{JOBS}/{job_id}").json()


def test_events_of_an_ended_job_are_one(http: httpx.Client, finished: str) -> None:
    answer = http.get(f"{finished}/events")
    assert answer.text == f"data: {http.get(finished).text}\n\n"


def test_events_report_a_deletion_as_the_end(http: httpx.Client) -> None:
    path = f"{JOBS}/{create(http)['id']}"
    with http.stream("GET", f"{path}/events") as answer:
        events = events_of(answer)
        next(events)
        http.delete(path)
        assert [event["status"] for event in events] == ["cancelled"]


def test_a_comment_keeps_a_silent_connection(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.responses.events.KEEP_ALIVE_SECONDS", 0.05)
    with http.stream("GET", f"{JOBS}/{create(http)['id']}/events") as answer:
        lines = answer.iter_lines()
        wait_until(lambda: next(lines).startswith(":"))


# The file


def test_a_file_is_whole_with_exact_headers(http: httpx.Client, finished: str) -> None:
    answer = http.get(f"{finished}/content")
    assert answer.status_code == 200
    assert answer.content == SOUND
    assert len(SOUND) > 2 * PIECE_BYTES
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["content-length"] == str(len(SOUND))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == '"5f"'
    assert answer.headers["content-disposition"] == "attachment; filename=\"Das Ohr.mp3\"; filename*=UTF-8''Das%20%C3%96hr.mp3"
    assert "transfer-encoding" not in answer.headers


def test_a_head_is_the_same_without_the_file(http: httpx.Client, finished: str) -> None:
    whole, head = http.get(f"{finished}/content"), http.head(f"{finished}/content", headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "accept-ranges", "etag", "content-disposition"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=-10", -10, None), (f"bytes={PIECE_BYTES - 1}-", PIECE_BYTES - 1, None)],
)
def test_a_range_is_that_piece(http: httpx.Client, finished: str, asked: str, start: int, end: int | None) -> None:
    answer = http.get(f"{finished}/content", headers={"Range": asked, "If-Range": '"5f"'})
    piece = SOUND[start:end]
    first = start % len(SOUND)
    assert (answer.status_code, answer.content) == (206, piece)
    assert answer.headers["content-length"] == str(len(piece))
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(piece) - 1}/{len(SOUND)}"


def test_a_range_that_is_not_there_is_416_with_the_length(http: httpx.Client, finished: str) -> None:
    answer = http.get(f"{finished}/content", headers={"Range": f"bytes={len(SOUND)}-"})
    error_of(answer, 416)
    assert answer.headers["content-range"] == f"bytes */{len(SOUND)}"


def test_several_ranges_or_another_file_get_the_whole(http: httpx.Client, finished: str) -> None:
    for headers in ({"Range": "bytes=0-1,4-5"}, {"Range": "bytes=0-1", "If-Range": '"old"'}):
        answer = http.get(f"{finished}/content", headers=headers)
        assert (answer.status_code, answer.content) == (200, SOUND)


def test_a_client_that_has_the_file_is_not_sent_it_again(http: httpx.Client, finished: str) -> None:
    answer = http.get(f"{finished}/content", headers={"If-None-Match": '"5f"', "Range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"5f"'


def test_before_it_is_finished_there_is_no_file(http: httpx.Client) -> None:
    path = f"{JOBS}/{create(http)['id']}"
    answer = http.get(f"{path}/content")
    error = error_of(answer, 409)
    assert error["code"] == "not_ready"
    assert "x-should-retry" not in answer.headers
    assert "queued" in error["message"]
    http.post(f"{path}/cancel")
    answer = http.get(f"{path}/content")
    assert "cancelled" in error_of(answer, 409)["message"]
    assert answer.headers["x-should-retry"] == "false"


def test_a_file_that_is_lost_names_the_setting(http: httpx.Client, job_store: JobStore, store: Store) -> None:
    job_id = create(http)["id"]
    complete(job_store, store, job_id)
    store.delete_folder(job_id)
    error = error_of(http.get(f"{JOBS}/{job_id}/content"), 503)
    assert error["code"] == "storage_failed"
    assert "KOE_STORE" in error["message"]


def test_a_file_that_is_too_short_is_broken_off(http: httpx.Client, job_store: JobStore, store: Store) -> None:
    job_id = create(http)["id"]
    complete(job_store, store, job_id)
    with store.put(file_path(job_id, "speech.mp3")) as file:
        file.write(SOUND[:1000])
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(f"{JOBS}/{job_id}/content")


# Captions


@pytest.fixture(scope="module")
def captioned(http: httpx.Client, job_store: JobStore, store: Store) -> str:
    """The path of a completed job that has captions."""
    job_id = create(http, title="Das Öhr", timestamps=["word"])["id"]
    with store.put(words_path(job_id)) as file:
        file.write(write_captions(WORDS))
    complete(job_store, store, job_id)
    return f"{JOBS}/{job_id}/captions"


SRT = "1\n00:00:00,000 --> 00:00:01,250\nÖhr & <b>\n\n"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nÖhr &amp; &lt;b&gt;\n\n"


@pytest.mark.parametrize(
    ("params", "media_type", "text", "suffix"),
    [
        ({}, "application/x-subrip", SRT, "srt"),
        ({"format": "srt"}, "application/x-subrip", SRT, "srt"),
        ({"format": "vtt"}, "text/vtt", VTT, "vtt"),
        ({"format": "json"}, "application/json", None, "json"),
    ],
)
def test_captions_are_a_file_in_the_format_asked_for(
    http: httpx.Client, captioned: str, params: dict[str, str], media_type: str, text: str | None, suffix: str
) -> None:
    answer = http.get(captioned, params=params)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="Das Ohr.{suffix}"')
    assert text is None or answer.content.decode() == text
    again = http.get(captioned, params=params, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_captions_as_json_are_the_words_and_the_cues(http: httpx.Client, captioned: str) -> None:
    assert http.get(captioned, params={"format": "json"}).json() == {
        "words": [{"word": word.word, "start": word.start, "end": word.end} for word in WORDS],
        "cues": [{"start": 0.0, "end": 1.25, "text": "Öhr & <b>"}],
    }


@pytest.mark.parametrize("name", ["ass", "SRT", "", "srt,vtt"])
def test_captions_in_another_format_are_refused(http: httpx.Client, captioned: str, name: str) -> None:
    error = error_of(http.get(captioned, params={"format": name}), 400)
    assert (error["param"], error["code"]) == ("format", "invalid_value")
    assert "'srt' or 'vtt' or 'json'" in error["message"]


def test_the_error_for_captions_that_were_not_requested_names_the_field_to_set(http: httpx.Client, finished: str) -> None:
    for path in (finished, f"{JOBS}/{create(http, timestamps=[])['id']}"):
        error = error_of(http.get(f"{path}/captions"), 400)
        assert (error["param"], error["code"]) == (None, "not_supported")
        assert '"timestamps": ["word"]' in error["message"]


def test_before_the_end_there_are_no_captions(http: httpx.Client) -> None:
    path = f"{JOBS}/{create(http, timestamps=['word'])['id']}"
    error = error_of(http.get(f"{path}/captions"), 409)
    assert error["code"] == "not_ready"
    assert "queued" in error["message"]


def test_captions_that_are_lost_name_the_setting(http: httpx.Client, job_store: JobStore, store: Store) -> None:
    job_id = create(http, timestamps=["word"])["id"]
    complete(job_store, store, job_id)
    error = error_of(http.get(f"{JOBS}/{job_id}/captions"), 503)
    assert error["code"] == "storage_failed"
    assert "KOE_STORE" in error["message"]


# Ending


def test_a_cancelled_job_is_shown_as_cancelled_and_stays_so(http: httpx.Client, job_store: JobStore) -> None:
    path = f"{JOBS}/{(job_id := create(http)['id'])}"
    job_store.begin(job_id)
    answer = http.post(f"{path}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["expires_at"] is not None
    assert http.post(f"{path}/cancel").json() == answer.json()
    assert not job_store.is_wanted(job_id)


def test_cancelling_a_completed_job_changes_nothing(http: httpx.Client, finished: str) -> None:
    before = http.get(finished).json()
    assert http.post(f"{finished}/cancel").json() == before


def test_a_deleted_job_is_unknown_and_its_files_are_deleted(http: httpx.Client, job_store: JobStore, store: Store) -> None:
    path = f"{JOBS}/{(job_id := create(http)['id'])}"
    complete(job_store, store, job_id)
    answer = http.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(http.get(path), 404)["code"] == "job_not_found"
    assert error_of(http.delete(path), 404)["code"] == "job_not_found"
    assert not store.exists(job_id)
