"""Files over the real API, queue and worker: read, listed, made into audiobooks and deleted, for their own key alone."""

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import httpx
import pytest

from app.core.documents import documents as documents_module
from app.core.documents.document import source_path
from app.core.jobs.files import Store
from app.core.storage import keys
from tests.audio import ffmpeg
from tests.books import PROSE, Epub, entry, nav_of, novel, page, png
from tests.end_to_end.processes import events, serving
from tests.harness import Harness, open_harness, wait_until

DOCUMENTS, JOBS = "/v1/audio/documents", "/v1/audio/speech/jobs"
FIRST, SECOND = "sk-koe-first-0001", "sk-koe-second-2"
SPEECH: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "speed": 4}


@pytest.fixture(scope="module")
def harness(short_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A harness with two keys and a worker that speaks in tones."""
    data = short_folder / "documents"
    data.mkdir()
    with open_harness(data, KOE_API_KEYS=f"{FIRST},{SECOND}", KOE_MAX_JOB_CHARS="3000") as harness:
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


def send(
    http: httpx.Client, data: bytes, name: str = "book.epub", media_type: str = "application/octet-stream"
) -> httpx.Response:
    return http.post(DOCUMENTS, files={"file": (name, data, media_type)})


def sent(http: httpx.Client, data: bytes, name: str = "book.epub") -> dict[str, Any]:
    answer = send(http, data, name)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def fault(answer: httpx.Response, status: int) -> tuple[str | None, str | None]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"], error["param"]


def ended(http: httpx.Client, job_id: str, seconds: float = 60) -> dict[str, Any]:
    wait_until(lambda: http.get(f"{JOBS}/{job_id}").json()["status"] not in ("queued", "in_progress"), seconds)
    job: dict[str, Any] = http.get(f"{JOBS}/{job_id}").json()
    assert job["status"] == "completed", job
    return job


def files_of(harness: Harness, folder: str) -> list[str]:
    root = harness.settings.data / "store" / folder
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


# Reading


def test_a_book_is_read_with_its_chapters_cover_and_names(http: httpx.Client, harness: Harness) -> None:
    answer = send(http, novel().make(), "folder/the book.epub", "application/epub+zip")
    document = answer.json()

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{DOCUMENTS}/{document['id']}"
    assert re.fullmatch("doc_[0-9a-f]{24}", document["id"])
    assert abs(document["created_at"] - time.time()) < 60
    assert document["expires_at"] == document["created_at"] + harness.settings.document_ttl
    chapters = document.pop("chapters")
    assert document == {
        "id": document["id"],
        "object": "audio.document",
        "filename": "the book.epub",
        "kind": "epub",
        "title": "The Birch Canoe",
        "author": "Ann Author",
        "language": "en",
        "has_cover": True,
        "n_characters": sum(chapter["n_characters"] for chapter in chapters),
        "created_at": document["created_at"],
        "expires_at": document["expires_at"],
    }
    assert [(chapter["index"], chapter["title"], chapter["is_matter"]) for chapter in chapters] == [
        (0, "Titlepage", True),
        (1, "Imprint", True),
        (2, "Preface", False),
        (3, "Part I", False),
        (4, "I", False),
        (5, "II", False),
        (6, "Colophon", True),
    ]
    assert chapters[4]["preview"].startswith("First. The birch canoe")
    assert 100 < len(chapters[4]["preview"]) <= 161
    assert files_of(harness, document["id"]) == ["cover", "text"]


def test_a_chapter_is_shown_with_its_text_and_the_cover_as_it_was(http: httpx.Client) -> None:
    document = sent(http, novel().make())
    path = f"{DOCUMENTS}/{document['id']}"

    for number, chapter in enumerate(document["chapters"]):
        shown = http.get(f"{path}/chapters/{number}").json()
        assert (shown["index"], shown["title"]) == (number, chapter["title"])
        assert len(shown["text"]) == chapter["n_characters"]
    assert http.get(f"{path}/chapters/5").json()["text"] == f"II\n\nSecond. {PROSE}"
    assert fault(http.get(f"{path}/chapters/7"), 404) == ("document_not_found", None)
    assert fault(http.get(f"{path}/chapters/-1"), 404) == ("document_not_found", None)
    cover = http.get(f"{path}/cover")
    assert (cover.status_code, cover.headers["content-type"], cover.content) == (200, "image/png", png())
    assert http.get(f"{path}/cover", headers={"If-None-Match": cover.headers["etag"]}).status_code == 304
    assert http.get(path).json() == document


def test_a_file_of_each_kind_is_read(http: httpx.Client) -> None:
    made = io.BytesIO()
    word = docx.Document()
    word.add_heading("One", 1)
    word.add_paragraph("Text.")
    word.save(made)
    files = {
        "a.txt": "Chapter 1\n\nText.\n\nChapter 2\n\nMore.".encode("utf-16"),
        "a.md": b"---\ntitle: Notes\n---\n# One\n\n*Text*.",
        "a.html": "<title>Page</title><h1>Ü</h1><p>Text.".encode("cp1252"),
        "a.docx": made.getvalue(),
        "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\n<i>Text.</i>\n",
    }
    for name, data in files.items():
        document = sent(http, data, name)
        assert (document["kind"], document["filename"], document["has_cover"]) == (name[2:], name, False)
        assert "Text" in http.get(f"{DOCUMENTS}/{document['id']}/chapters/0").json()["text"]
        assert fault(http.get(f"{DOCUMENTS}/{document['id']}/cover"), 404) == ("document_not_found", None)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"%PDF-1.7\n", "unsupported_value"),
        ("a.xyz", b"text", "unsupported_value"),
        ("a.epub", novel().make()[:-200], "document_unreadable"),
        ("a.txt", bytes(range(256)) * 40, "document_unreadable"),
        ("a.srt", b"No times here.", "document_unreadable"),
        ("a.txt", b" \n\n ", "document_empty"),
        ("a.epub", Epub(pages={"a.xhtml": page("<img src='x.png'/>")}).make(), "document_empty"),
        ("a.html", b"<div>" * 100_000 + b"text", "document_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_of_it_stays(
    http: httpx.Client, harness: Harness, name: str, data: bytes, code: str
) -> None:
    before = sorted(path.name for path in (harness.settings.data / "store").glob("doc_*"))

    assert fault(send(http, data, name), 400) == (code, "file")

    assert sorted(path.name for path in (harness.settings.data / "store").glob("doc_*")) == before


def test_a_request_without_a_file_is_refused(http: httpx.Client) -> None:
    assert fault(http.post(DOCUMENTS, json={"file": "x"}), 400)[0] == "unsupported_content_type"
    assert fault(http.post(DOCUMENTS, files={"other": ("a.txt", b"x")}), 400) == ("missing_required_parameter", "file")
    both = [("file", ("a.txt", b"x")), ("file", ("b.txt", b"y"))]
    assert fault(http.post(DOCUMENTS, files=both), 400) == ("invalid_value", "file")
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    text = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n%b\r\n--b--\r\n'
    assert fault(http.post(DOCUMENTS, content=text % b"text", headers=form), 400) == ("invalid_type", "file")
    assert fault(http.post(DOCUMENTS, content=text % b"\xff", headers=form), 400) == (None, None)
    assert fault(http.post(DOCUMENTS, content=b"no form", headers=form), 400) == (None, None)
    assert fault(http.post(DOCUMENTS, content=b"x", headers={"Content-Type": "multipart/form-data"}), 400) == (None, None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../../etc/passwd.txt", "passwd.txt"),
        (b"C:\\books\\mine.txt", "mine.txt"),
        (b"\xff\xfe.txt", None),
        ("猫 é.txt".encode(), "猫 é.txt"),
        (b"a" * 400 + b".txt", "a" * 251 + ".txt"),
        (b"-rf.txt", "-rf.txt"),
        ("\u202egpj.txt".encode(), "gpj.txt"),
    ],
)
def test_any_name_of_a_file_is_taken(http: httpx.Client, name: bytes, shown: str | None) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\nText.\r\n--b--\r\n' % name
    answer = http.post(DOCUMENTS, content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})

    assert answer.status_code == (201 if shown else answer.status_code), answer.text
    assert answer.status_code < 500
    assert shown is None or answer.json()["filename"] == shown


def test_a_file_above_the_limit_is_413(http: httpx.Client) -> None:
    assert fault(send(http, b"a" * (50 * 1024**2 + 1), "a.txt"), 413)[0] == "request_too_large"


def test_without_a_worker_a_file_is_refused_at_once(short_folder: Path) -> None:
    data = short_folder / "no-worker"
    data.mkdir()
    with open_harness(data, {}) as harness, harness.http() as http:
        answer = send(http, b"Text.", "a.txt")

        assert fault(answer, 503) == ("no_worker", None)
        assert answer.headers["retry-after"]
        assert not list((data / "store").glob("doc_*"))


def test_without_its_queue_the_server_says_so(short_folder: Path) -> None:
    data = short_folder / "no-queue"
    data.mkdir()
    with open_harness(data) as harness, harness.http() as http:
        document = sent(http, b"Text.", "a.txt")
        harness.server.stop()

        assert send(http, b"Text.", "a.txt").status_code == 503
        assert http.get(f"{DOCUMENTS}/{document['id']}").status_code == 503
        assert http.get(DOCUMENTS).status_code == 503
        assert http.delete(f"{DOCUMENTS}/{document['id']}").status_code == 503


# Listing and deleting


def test_documents_are_their_keys_own(http: httpx.Client, other: httpx.Client) -> None:
    document = sent(http, b"Text.", "a.txt")
    path = f"{DOCUMENTS}/{document['id']}"

    for theirs in (path, f"{path}/chapters/0", f"{path}/cover"):
        assert fault(other.get(theirs), 404) == ("document_not_found", None)
    assert fault(other.delete(path), 404) == ("document_not_found", None)
    wanted = SPEECH | {"document": document["id"]}
    assert fault(other.post(JOBS, json=wanted), 404) == ("document_not_found", "document")
    assert document["id"] not in other.get(DOCUMENTS).text
    assert http.get(path).status_code == 200


def test_documents_are_listed_newest_first_and_deleted(other: httpx.Client, harness: Harness) -> None:
    for document in other.get(DOCUMENTS).json()["data"]:
        other.delete(f"{DOCUMENTS}/{document['id']}")
    ids = [sent(other, b"Text.", f"{number}.txt")["id"] for number in range(3)]

    page_1 = other.get(DOCUMENTS, params={"limit": 2}).json()
    page_2 = other.get(DOCUMENTS, params={"limit": 2, "after": page_1["last_id"]}).json()
    assert [one["id"] for one in page_1["data"] + page_2["data"]] == ids[::-1]
    assert (page_1["has_more"], page_2["has_more"], page_1["object"]) == (True, False, "list")
    assert fault(other.get(DOCUMENTS, params={"limit": 0}), 400) == ("invalid_value", "limit")
    assert fault(other.get(DOCUMENTS, params={"after": "doc_0"}), 400) == ("invalid_value", "after")

    assert other.delete(f"{DOCUMENTS}/{ids[1]}").status_code == 204
    assert files_of(harness, ids[1]) == []
    assert [one["id"] for one in other.get(DOCUMENTS).json()["data"]] == [ids[2], ids[0]]
    assert fault(other.get(f"{DOCUMENTS}/{ids[1]}"), 404) == ("document_not_found", None)


def test_an_expired_document_is_gone_and_its_files_are_swept(http: httpx.Client, harness: Harness) -> None:
    document_id = sent(http, b"Text.", "a.txt")["id"]
    assert harness.pool is not None
    with harness.redis() as redis:
        redis.zadd(keys.DOCUMENTS, {document_id: int(time.time()) - 1})
        harness.pool.runtime.documents.sweep()
        assert redis.zscore(keys.DOCUMENTS, document_id) is None

    assert files_of(harness, document_id) == []
    assert fault(http.get(f"{DOCUMENTS}/{document_id}"), 404) == ("document_not_found", None)
    assert document_id not in http.get(DOCUMENTS).text


def test_a_key_has_at_most_so_many_documents(other: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(other, b"Text.", "a.txt")
    monkeypatch.setattr(documents_module, "MAX_DOCUMENTS", 1)

    assert fault(send(other, b"Text.", "b.txt"), 429)[0] == "rate_limit_exceeded"


def test_a_file_that_nobody_waits_for_any_more_is_not_read(http: httpx.Client, harness: Harness) -> None:
    store = Store(str(harness.settings.data / "store"))
    assert harness.pool is not None
    store.write(source_path("doc_" + "0" * 24), b"Text.")

    assert harness.pool.runtime.documents.answer("doc_" + "0" * 24)

    assert files_of(harness, "doc_" + "0" * 24) == []


# Jobs


def test_a_book_becomes_an_audiobook(http: httpx.Client, harness: Harness, tmp_path: Path) -> None:
    document = sent(http, novel().make())
    wanted = SPEECH | {"document": document["id"], "response_format": "m4b", "timestamps": ["word"]}
    job = http.post(JOBS, json=wanted).json()
    assert (job["document"], job["title"], job["has_captions"], job["chapters"]) == (
        document["id"],
        "The Birch Canoe",
        True,
        None,
    )
    # The job has all that it needs.
    assert http.delete(f"{DOCUMENTS}/{document['id']}").status_code == 204

    job = ended(http, job["id"])

    assert [chapter["title"] for chapter in job["chapters"]] == ["Preface", "Part I", "I", "II"]
    assert (job["progress"]["parts_done"], job["progress"]["seconds_left"]) == (job["progress"]["parts_total"], None)
    content = http.get(f"{JOBS}/{job['id']}/content")
    assert content.headers["content-type"] == "audio/mp4"
    assert content.headers["content-disposition"] == 'attachment; filename="The Birch Canoe.m4b"'
    path = tmp_path / "book.m4b"
    path.write_bytes(content.content)
    told = subprocess.run([str(ffmpeg()), "-hide_banner", "-i", str(path)], capture_output=True, check=False).stderr.decode()
    starts = [float(start) for start in re.findall(r"Chapter #0:\d: start ([\d.]+)", told)]
    assert starts == pytest.approx([chapter["start"] for chapter in job["chapters"]], abs=0.002)
    assert "(attached pic)" in told
    assert re.search(r"artist +: Ann Author", told)
    assert png() in content.content
    captions = http.get(f"{JOBS}/{job['id']}/captions", params={"format": "json"}).json()
    said = " ".join(word["word"] for word in captions["words"])
    assert said.startswith("Preface")
    assert "Part I" in said
    assert said.count("Second.") == 1
    assert "note" not in said
    part = http.get(f"{JOBS}/{job['id']}/content", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content.content[100:200])


def test_a_book_goes_on_where_it_was_when_its_worker_is_killed(data: Path) -> None:
    pages = {f"{n}.xhtml": page(f"<h1>Chapter {n}</h1>" + f"<p>{PROSE}</p>" * 30) for n in range(1, 9)}
    book = Epub(pages=pages, cover=png()).make()
    environ = {"KOE_WORKER_TIMEOUT": "2", "KOE_BATCH_SLOTS": "1", "KOE_THREADS": "1"}
    with serving(data, **environ) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        wanted = SPEECH | {"document": sent(http, book)["id"], "response_format": "m4b"}
        job_id = http.post(JOBS, json=wanted).json()["id"]
        wait_until(lambda: http.get(f"{JOBS}/{job_id}").json()["progress"]["parts_done"] >= 1, 60)
        os.kill(served.child("workers"), signal.SIGKILL)
        job = ended(http, job_id, 100)
        content = http.get(f"{JOBS}/{job_id}/content").content
        n_joined = len(events(served, "job_completed"))

    assert [chapter["title"] for chapter in job["chapters"]] == [f"Chapter {n}" for n in range(1, 9)]
    assert job["progress"]["parts_done"] == job["progress"]["parts_total"] == 8
    assert n_joined == 1
    assert content[4:12] == b"ftypM4B "
    assert png() in content


def test_chapters_are_chosen_and_a_title_is_said_once(http: httpx.Client) -> None:
    document = sent(http, novel().make())
    wanted = SPEECH | {"document": document["id"], "chapters": [5, 4], "title": "Two", "timestamps": ["word"]}
    job = ended(http, http.post(JOBS, json=wanted).json()["id"])

    assert job["title"] == "Two"
    assert [chapter["title"] for chapter in job["chapters"]] == ["I", "II"]
    captions = http.get(f"{JOBS}/{job['id']}/captions", params={"format": "json"}).json()
    assert [word["word"] for word in captions["words"]][:2] == ["I.", "First."]


def test_what_a_document_cannot_be_is_refused(http: httpx.Client) -> None:
    document = sent(http, novel().make())
    of_document = SPEECH | {"document": document["id"]}
    assert fault(http.post(JOBS, json=of_document | {"input": "x"}), 400) == ("invalid_value", "document")
    assert fault(http.post(JOBS, json=SPEECH), 400) == ("missing_required_parameter", "input")
    assert fault(http.post(JOBS, json=of_document | {"chapters": [7]}), 400) == ("invalid_value", "chapters")
    assert fault(http.post(JOBS, json=of_document | {"chapters": []}), 400) == ("invalid_value", "chapters")
    assert fault(http.post(JOBS, json=of_document | {"chapters": [1, 1]}), 400) == ("invalid_value", "chapters")
    assert fault(http.post(JOBS, json=of_document | {"chapters": ["1"]}), 400) == ("invalid_type", "chapters")
    assert fault(http.post(JOBS, json=SPEECH | {"input": "x", "chapters": [1]}), 400) == ("invalid_value", "chapters")
    assert fault(http.post(JOBS, json=SPEECH | {"document": "doc_0"}), 404) == ("document_not_found", "document")
    long = sent(http, b"word " * 700, "long.txt")
    assert fault(http.post(JOBS, json=SPEECH | {"document": long["id"]}), 400) == ("string_above_max_length", "document")
    pauses = sent(http, b"[pause:60s] " * 61, "pauses.txt")
    assert fault(http.post(JOBS, json=SPEECH | {"document": pauses["id"]}), 400) == ("invalid_value", "document")


def test_a_book_of_nothing_but_matter_is_spoken_whole(http: httpx.Client) -> None:
    pages = {"a.xhtml": page("<p>One.</p>"), "b.xhtml": page("<p>Two.</p>")}
    entries = entry("Copyright", "a.xhtml") + entry("Contents", "b.xhtml")
    document = sent(http, Epub(pages=pages, nav=nav_of(entries)).make())
    assert [chapter["is_matter"] for chapter in document["chapters"]] == [True, True]

    job = ended(http, http.post(JOBS, json=SPEECH | {"document": document["id"]}).json()["id"])

    assert [chapter["title"] for chapter in job["chapters"]] == ["Copyright", "Contents"]
