"""`koe jobs submit` with books and other files, against a server with a worker that speaks in tones."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli import document_client
from app.cli.commands import koe
from app.cli.document_client import ChapterNumbers
from app.cli.job_watching import show_progress
from tests.books import PROSE, novel
from tests.harness import Harness, open_harness

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def harness(short_folder: Path) -> Iterator[Harness]:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder))) as harness:
        yield harness


@pytest.fixture
def run(harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `koe jobs submit` in this process and an empty folder."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(
            koe, ["jobs", "submit", *arguments, "--url", harness.url], input=given, env={"COLUMNS": "200"}
        )

    yield invoke
    root.handlers[:] = handlers
    root.setLevel(level)


def job_of(harness: Harness, result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    with harness.http() as http:
        job: dict[str, object] = http.get(f"/v1/audio/speech/jobs/{result.stdout.strip()}").json()
    return job


def jobs(harness: Harness) -> list[str]:
    with harness.http() as http:
        return [job["id"] for job in http.get("/v1/audio/speech/jobs").json()["data"]]


def documents(harness: Harness) -> list[object]:
    with harness.http() as http:
        found: list[object] = http.get("/v1/audio/documents").json()["data"]
    return found


def test_the_chapters_of_a_book_are_listed_without_a_job(run: Run, harness: Harness) -> None:
    Path("book.epub").write_bytes(novel().make())
    before = jobs(harness)

    lines = run("book.epub", "--list", "--watch").stdout.splitlines()

    assert [line.split() for line in lines[:4]] == [
        ["chapter", "spoken", "characters", "title"],
        ["1", "30", "Titlepage"],
        ["2", f"{len(PROSE) + 9}", "Imprint"],
        ["3", "yes", f"{len(PROSE) + 9}", "Preface"],
    ]
    assert run("book.epub", "--list", "--chapters", "1,7").stdout.count("yes") == 2
    assert jobs(harness) == before
    assert documents(harness) == []


def test_a_book_becomes_a_file_with_the_chapters_that_were_chosen(run: Run, harness: Harness) -> None:
    Path("book.epub").write_bytes(novel().make())

    job = job_of(harness, run("book.epub", "--chapters", "5-6", "-o", "out.m4b", "--speed", "4"))

    assert (job["title"], job["response_format"], job["status"]) == ("The Birch Canoe", "m4b", "completed")
    assert [chapter["title"] for chapter in job["chapters"]] == ["I", "II"]  # type: ignore[attr-defined]
    assert Path("out.m4b").read_bytes()[4:12] == b"ftypM4B "
    assert documents(harness) == []


def test_a_text_is_sent_as_it_is_unless_the_server_shall_read_it(run: Run, harness: Harness) -> None:
    Path("notes.txt").write_text(f"Chapter 1\n\n{PROSE}\n\nChapter 2\n\n{PROSE}", encoding="utf-8")
    Path("notes.md").write_text(f"# One\n\n{PROSE}", encoding="utf-8")

    assert job_of(harness, run("notes.txt"))["document"] is None
    assert job_of(harness, run("notes.md", "--plain"))["document"] is None
    assert job_of(harness, run("notes.md"))["title"] == "One"
    read = job_of(harness, run("notes.txt", "--document", "--title", "Mine"))
    assert str(read["document"]).startswith("doc_")
    assert read["title"] == "Mine"
    assert job_of(harness, run("notes.txt", "--chapters", "2", "--watch", "--speed", "4"))["chapters"] == [
        {"title": "Chapter 2", "start": 0.0}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("book.epub", "--chapters", "9"), "no chapter 9: the file has 7"),
        (("book.epub", "--chapters", "2-1"), "1-3,5"),
        (("book.epub", "--chapters", "0"), "1-3,5"),
        (("book.epub", "--plain", "--list"), "--plain"),
        (("book.epub", "--plain"), "EPUB"),
        (("-", "--list"), "Standard input"),
        (("bad.epub",), "damaged"),
        (("book.pdf", "--document"), "epub"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, harness: Harness, arguments: tuple[str, ...], message: str) -> None:
    Path("book.epub").write_bytes(novel().make())
    Path("bad.epub").write_bytes(novel().make()[:500])
    Path("book.pdf").write_bytes(b"%PDF-1.7")

    result = run(*arguments, given="Text.")

    assert result.exit_code != 0
    assert message in result.output
    assert documents(harness) == []


def test_a_file_that_is_too_large_is_not_sent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_client, "DOCUMENT_BODY_BYTES", 5000)
    Path("book.epub").write_bytes(b"PK" * 1000)

    assert "larger" in run("book.epub").output


@pytest.mark.parametrize(
    ("text", "indices"), [("1", [0]), ("1-3,5", [0, 1, 2, 4]), (" 7 , 2 - 3,2", [1, 2, 6]), ("999", [998])]
)
def test_chapters_are_named_by_numbers_and_ranges(text: str, indices: list[int]) -> None:
    assert ChapterNumbers().convert(text, None, None) == indices


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "1--2", "1.5", "1,,2", "99999"])
def test_what_names_no_chapters_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        ChapterNumbers().convert(text, None, None)


def test_the_time_left_is_the_servers() -> None:
    progress = {"segments_done": 3, "segments_total": 7, "audio_seconds": 2.0}
    job = {"status": "in_progress", "duration_seconds": None, "progress": progress}

    assert show_progress(job | {"progress": progress | {"seconds_left": 3725}})["left"] == "1:02:05 left"
    assert show_progress(job | {"progress": progress | {"seconds_left": None}})["left"] == ""
    assert show_progress(job)["left"] == ""
