"""Files become jobs: read, ticked, spoken, watched, played, saved, deleted."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from tests.browser.browsers import Chromium, Visitor
from tests.browser.engines import HoldingEngine
from tests.harness import Harness, wait_until

CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Wind</dc:title><dc:creator>Nobody</dc:creator>
<dc:language>en</dc:language><dc:identifier id="id">wind</dc:identifier></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="pic" href="pic.png" media-type="image/png" properties="cover-image"/>
<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></spine></package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol>
<li><a href="a.xhtml">Copyright</a></li><li><a href="b.xhtml">Evening</a></li><li><a href="c.xhtml">Night</a></li></ol></nav>
</body></html>"""
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63686060000003040181"
    "4b24fbc80000000049454e44ae426082"
)


def page_of(title: str, text: str) -> str:
    return f'<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{title}</h1><p>{text}</p></body></html>'


def book() -> bytes:
    """A small EPUB with a cover and three chapters, the first of which is front matter."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("book.opf", PACKAGE)
        archive.writestr("nav.xhtml", NAV)
        archive.writestr("pic.png", PICTURE)
        archive.writestr("a.xhtml", page_of("Copyright", "No rights are reserved."))
        archive.writestr("b.xhtml", page_of("Evening", "Somebody said my name."))
        archive.writestr("c.xhtml", page_of("Night", "Nobody slept, and this sentence holds the house."))
    return file.getvalue()


@pytest.fixture(autouse=True)
def no_jobs(site: Harness, engine: HoldingEngine) -> Iterator[None]:
    """Each test begins and ends without jobs."""
    engine.let_go()
    yield
    engine.let_go()
    with httpx.Client(base_url=f"{site.url}/v1/audio/speech/jobs") as client:
        for job in client.get("").json()["data"]:
            client.delete(f"/{job['id']}")


def upload(visitor: Visitor, name: str, data: bytes) -> None:
    visitor.find("tab-books").click()
    visitor.find("file").set_input_files([{"name": name, "mimeType": "application/octet-stream", "buffer": data}])
    visitor.find("document").wait_for()


def ticked(visitor: Visitor) -> list[bool]:
    return [bool(one.is_checked()) for one in visitor.page.locator("#chapter-list input").all()]


def make(visitor: Visitor, ending: str = "m4b", *, captions: bool = False) -> None:
    visitor.find("book-format").select_option(ending)
    visitor.find("book-captions").set_checked(captions)
    visitor.page.get_by_role("button", name="Make the audio").click()
    visitor.page.locator(".job").wait_for()


def test_the_chapters_of_a_book_are_listed_with_ticks(visitor: Visitor) -> None:
    upload(visitor, "wind.epub", book())

    assert visitor.find("book-title").input_value() == "The Wind"
    assert visitor.find("book-facts").inner_text() == "Nobody · epub · 3 chapters"
    assert ticked(visitor) == [False, True, True]
    visitor.until("document.getElementById('cover').naturalWidth === 1")
    visitor.find("tick-all").click()
    assert ticked(visitor) == [True, True, True]
    assert visitor.find("book-sum").inner_text().startswith("3 of 3 chapters")
    visitor.find("tick-none").click()
    visitor.page.get_by_role("button", name="Make the audio").click()
    visitor.until("document.querySelector('#books-fault:not([hidden])')")
    assert "No chapter is ticked" in visitor.faults()


def test_a_book_becomes_an_audiobook_that_is_played_by_chapters_saved_and_deleted(visitor: Visitor, tmp_path: Path) -> None:
    upload(visitor, "wind.epub", book())
    make(visitor, captions=True)
    visitor.page.locator(".job .completed").wait_for()
    assert "The Wind" in visitor.find("job-list").inner_text()

    visitor.page.get_by_role("button", name="Play: The Wind").click()
    visitor.until("document.getElementById('audio').currentTime > 0.2")
    assert visitor.page.locator("#chapter option").all_inner_texts() == ["Evening", "Night"]
    visitor.find("chapter").select_option("Night")
    visitor.until("document.getElementById('audio').currentTime > document.getElementById('chapter').options[1].value - 0.1")
    visitor.until("document.getElementById('first-sound').textContent.includes('Nobody slept')")

    for button, ending, begin in (("Save", "m4b", b"ftyp"), ("SRT", "srt", b"1"), ("VTT", "vtt", b"WEBVTT")):
        with visitor.page.expect_download() as saved:
            visitor.page.get_by_role("button", name=f"{button}: The Wind").click()
        saved.value.save_as(tmp_path / "file")
        assert saved.value.suggested_filename == f"The Wind.{ending}"
        assert begin in (tmp_path / "file").read_bytes()[:12]

    visitor.page.get_by_role("button", name="Delete: The Wind").click()
    visitor.page.locator(".job").wait_for(state="detached")
    visitor.no_complaints()


def test_a_running_job_shows_its_progress_survives_a_reload_and_is_cancelled(visitor: Visitor, engine: HoldingEngine) -> None:
    engine.hold()
    upload(visitor, "wind.epub", book())
    make(visitor)
    visitor.until("document.querySelector('.job .in_progress')")
    visitor.until("/part \\d of \\d/.test(document.querySelector('.job p').textContent)")
    visitor.open()
    assert visitor.find("books").is_visible()
    visitor.until("document.querySelector('.job .in_progress')")
    assert visitor.page.locator(".job progress").is_visible()
    visitor.page.get_by_role("button", name="Cancel: The Wind").click()
    visitor.page.locator(".job .cancelled").wait_for()


def test_a_document_that_is_being_looked_at_survives_a_reload(visitor: Visitor) -> None:
    upload(visitor, "wind.epub", book())
    visitor.open()
    visitor.find("document").wait_for()

    assert visitor.find("book-title").input_value() == "The Wind"
    visitor.find("book-close").click()
    visitor.open()
    assert not visitor.find("document").is_visible()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", "Glue the sheet.\n\nIt is easy."),
        ("a.md", "# Glue\n\nGlue the *sheet*."),
        ("a.html", "<html><body><h1>Glue</h1><p>Glue the sheet.</p></body></html>"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nGlue the sheet.\n"),
    ],
)
def test_other_files_are_edited_as_text(visitor: Visitor, name: str, data: str) -> None:
    upload(visitor, name, data.encode())
    visitor.find("book-edit").click()
    visitor.until("document.getElementById('text').value.includes('sheet')")

    assert visitor.find("text").is_visible()
    assert "-->" not in visitor.find("text").input_value()
    assert "<p>" not in visitor.find("text").input_value()


def test_a_file_is_dropped_anywhere_on_the_page(visitor: Visitor) -> None:
    visitor.page.evaluate("""() => {
      const files = new DataTransfer();
      files.items.add(new File(["Glue the sheet."], "dropped.txt", {type: "text/plain"}));
      for (const name of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(name, {dataTransfer: files, bubbles: true, cancelable: true}));
      }
    }""")
    visitor.find("document").wait_for()

    assert "dropped" in visitor.find("book-title").input_value()


@pytest.mark.parametrize(("name", "data"), [("a.exe", b"MZ\0\0"), ("a.epub", b"PK\x03\x04 no zip"), ("a.txt", b"")])
def test_a_file_that_cannot_be_read_is_explained(visitor: Visitor, name: str, data: bytes) -> None:
    visitor.find("tab-books").click()
    visitor.find("file").set_input_files([{"name": name, "mimeType": "application/octet-stream", "buffer": data}])
    visitor.until("document.querySelector('#books-fault:not([hidden])')")

    assert len(visitor.faults()) > 20
    assert not visitor.find("document").is_visible()


def test_the_jobs_of_a_key_are_played_and_saved_with_the_key(chromium: Chromium, site: Harness, visitor: Visitor) -> None:
    """A player cannot send a key: the page reads the whole file first. A server without keys accepts any."""
    visitor.page.evaluate("sessionStorage.setItem('koe-key', 'sk-any')")
    visitor.open()
    upload(visitor, "a.txt", b"Glue the sheet.")
    make(visitor, "mp3")
    visitor.page.locator(".job .completed").wait_for()
    visitor.page.get_by_role("button", name="Play: ").click()
    visitor.until("document.getElementById('audio').currentTime > 0.1")

    assert visitor.ask("document.getElementById('audio').src").startswith("blob:")
    visitor.page.route("**/content", lambda route: route.abort())
    visitor.page.get_by_role("button", name="Save: ").click()
    visitor.until("document.querySelector('#books-fault:not([hidden])')")
    assert "The server does not answer." in visitor.faults()


def test_a_job_of_another_program_appears(visitor: Visitor, site: Harness) -> None:
    visitor.find("tab-books").click()
    assert "There is no job." in visitor.find("books").inner_text()
    with httpx.Client(base_url=site.url) as client:
        body = {"model": "tts-1", "voice": "coral", "input": "Glue the sheet.", "title": "From elsewhere"}
        job = client.post("/v1/audio/speech/jobs", json=body).json()
        wait_until(lambda: client.get(f"/v1/audio/speech/jobs/{job['id']}").json()["status"] == "completed")
    visitor.open()
    visitor.page.locator(".job .completed").wait_for()

    assert "From elsewhere" in visitor.find("job-list").inner_text()


def test_a_text_is_spoken_again_when_its_word_is_pressed_after_a_job_was_played(visitor: Visitor) -> None:
    visitor.speak("Glue the sheet.")
    visitor.until("document.querySelectorAll('.word').length === 3")
    upload(visitor, "a.txt", b"The birch canoe.")
    make(visitor, "mp3")
    visitor.page.locator(".job .completed").wait_for()
    visitor.page.get_by_role("button", name="Play: ").click()
    visitor.until("document.getElementById('audio').currentTime > 0.1")
    assert not visitor.find("save-dial").is_visible()
    visitor.find("tab-speak").click()
    visitor.page.locator(".word").nth(1).click()

    visitor.until("document.getElementById('playing').textContent === 'Glue the sheet.'")
    visitor.until("document.querySelector('.word[aria-current]')")
    assert visitor.find("save-dial").is_visible()
