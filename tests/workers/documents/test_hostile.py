"""Files that were made to do harm: each is refused with a reason, or read, and nothing else happens."""

import io
import os
import random
import stat
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.errors import (
    Cancelled,
    DocumentProtected,
    DocumentTooLarge,
    DocumentUnreadable,
    InvalidRequest,
    KoeError,
)
from app.core.host.own_python import own_environ, own_python
from tests.books import CONTAINER, PROSE, Epub, entry, nav_of, novel, page, zipped
from workers.documents.archive import MAX_ENTRIES, Archive, resolve
from workers.documents.book import Book
from workers.documents.child import CPU_SECONDS
from workers.documents.kinds import read_book
from workers.documents.process import read_in_process

KINDS = ("a.txt", "a.md", "a.html", "a.srt", "a.epub", "a.docx", "a")


def read(data: bytes, name: str = "a.epub") -> Book:
    return read_book(io.BytesIO(data), name)


def read_apart(data: bytes, name: str = "a.epub", **options: Any) -> Book:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return read_in_process(file, name, "", options.pop("check", lambda: None), **options)


def texts(book: Book) -> str:
    return "\n".join(chapter.text for chapter in book.chapters)


# Zips


def test_an_entry_that_becomes_too_large_is_refused_before_it_is_unpacked() -> None:
    bomb = Epub(pages={"a.xhtml": page("x" * 60_000_000)}).make()
    assert len(bomb) < 100_000
    with pytest.raises(DocumentTooLarge, match="unpacked"):
        read(bomb)


def test_entries_that_become_too_large_together_are_refused() -> None:
    pages = {f"{n}.xhtml": page(f"<!-- {' ' * 40_000_000} --><p>{n}") for n in range(7)}
    with pytest.raises(DocumentTooLarge, match="unpacked"):
        read(Epub(pages=pages).make())


def test_a_zip_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(Epub(pages={"a.xhtml": page("x" * 60_000_000)}).make())
    for place in range(len(data) - 4):
        if data[place : place + 4] == b"PK\x01\x02" and b"a.xhtml" in data[place : place + 80]:
            data[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    with pytest.raises((DocumentTooLarge, DocumentUnreadable)):
        read(bytes(data))


def test_pictures_and_zips_within_are_not_unpacked() -> None:
    others: dict[str, str | bytes] = {
        "OEBPS/images/big.png": b"\0" * 300_000_000,
        "OEBPS/inner.zip": zipped({"x": b"\0" * 10**8}),
    }
    assert len(read(novel(others=others).make()).chapters) == 7


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(DocumentTooLarge, match="entries"):
        read(novel(others={f"x/{n}": b"" for n in range(MAX_ENTRIES)}).make())


def test_an_entry_that_needs_a_password_is_told() -> None:
    data = bytearray(novel().make())
    for start in range(len(data) - 4):
        if data[start : start + 4] == b"PK\x01\x02" and b"chapter-1" in data[start : start + 80]:
            data[start + 8] |= 1
    with pytest.raises(DocumentProtected, match="password"):
        read(bytes(data))


def test_links_in_a_zip_lead_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xhtml"
    secret.write_text(page("<p>SECRET"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER.format(path="a.opf"),
        }.items():
            archive.writestr(name, text)
        archive.writestr(
            "a.opf",
            '<package><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="link.xhtml" '
            'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>',
        )
        archive.writestr("a.xhtml", page("<p>Text."))
        link = zipfile.ZipInfo("link.xhtml")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(secret))
    assert texts(read(made.getvalue())) == "Text."


@pytest.mark.parametrize(
    "href",
    ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://x/y", "..%2f..%2fetc/passwd", "..\\..\\x", ""],
)
def test_a_path_never_leaves_the_zip(href: str) -> None:
    found = resolve("OEBPS/content.opf", href)
    assert not found.startswith(("/", ".."))
    assert ":" not in found
    archive = Archive(io.BytesIO(zipped({"OEBPS/content.opf": "x", "../../etc/passwd": "y", "/etc/passwd": "z"})))
    assert archive.read(found or "none") in (None, b"x")


def test_a_package_that_lists_a_page_a_million_times_reads_it_once() -> None:
    spine = '<itemref idref="p0"/>' * 1_000_000
    assert texts(read(Epub(pages={"a.xhtml": page("<p>Once.")}, spine=spine).make())) == "Once."


@pytest.mark.parametrize("name", ["content.opf", "nav.xhtml", "toc.ncx"])
def test_entities_in_any_file_of_a_book_are_not_expanded(name: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 10)
    )
    made = novel(ncx="<x/>")
    data = zipfile.ZipFile(io.BytesIO(made.make()))
    entries = {info: data.read(info) for info in data.namelist()}
    path = f"OEBPS/{name}"
    text = entries[path].decode()
    entries[path] = (bomb + "]>" + text.partition("?>")[2].replace("Author", "Author &a9;")).encode()
    started = time.process_time()
    try:
        book = read(zipped(entries))
    except InvalidRequest:
        book = None
    assert time.process_time() - started < 20
    assert book is None or "aaaaaaaaaaaa" not in f"{book.author}{texts(book)}"


# The process


def test_the_process_ends_with_an_error_when_it_takes_too_long() -> None:
    with pytest.raises(DocumentTooLarge, match="takes longer"):
        read_apart(b"x\n\n" * 8_000_000, "a.txt", max_seconds=0.2)


def test_the_process_ends_with_an_error_when_it_takes_too_much_memory() -> None:
    with pytest.raises(DocumentTooLarge, match="memory"):
        read_apart(b"<p>x" * 9_000_000, "a.html")


def test_the_process_ends_when_nobody_waits_any_more() -> None:
    def check() -> None:
        raise Cancelled("Nobody waits.")

    with pytest.raises(Cancelled):
        read_apart(b"x\n\n" * 8_000_000, "a.txt", check=check)


def test_several_processes_at_once_give_each_its_own_book() -> None:
    found: dict[int, str] = {}

    def one(number: int) -> None:
        found[number] = texts(read_apart(f"Text {number}.".encode(), "a.txt"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: f"Text {number}." for number in range(4)}


def test_the_process_can_open_no_file_and_no_connection_and_start_no_process(tmp_path: Path) -> None:
    script = """
import os, socket, subprocess, sys
from workers.documents import child
child._import_lazily_imported()
child._give_up_resources()
def tried(step):
    try:
        step()
    except OSError:
        return 0
    return 1
steps = [lambda: open("/etc/hostname"), lambda: open("x", "w"), socket.socket, lambda: subprocess.Popen(["true"]), os.pipe]
os.write(1, str([tried(step) for step in steps]).encode())
"""
    environ = own_environ({"PYTHONPATH": str(Path(__file__).parents[3])})
    done = subprocess.run(own_python("-c", script), capture_output=True, cwd=tmp_path, env=environ, check=False)
    assert done.stdout == b"[0, 0, 0, 0, 0]", done.stderr
    assert CPU_SECONDS < 60


def test_the_process_has_no_secrets_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOE_API_KEYS", "sk-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen: list[bytes] = []

    def check() -> None:
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"workers.documents.child" in command and Path(f"/proc/{pid}/stat").read_text().split()[3] == str(
                    os.getpid()
                ):
                    seen.append(command + Path(f"/proc/{pid}/environ").read_bytes())
            except OSError:
                continue

    read_apart(f"Text. {PROSE}".encode() * 2000, "my secret name.txt", check=check)

    assert seen
    assert not any(b"sk-secret" in one or b"AWS_" in one for one in seen)
    assert not any(b"my secret name" in one.partition(b"child\0")[0] for one in seen)


# Noise


def a_word_file() -> bytes:
    made = io.BytesIO()
    document = docx.Document()
    document.add_heading("One", 1)
    document.add_paragraph(PROSE, style="List Bullet")
    document.add_table(2, 2).cell(0, 0).text = "cell"
    document.save(made)
    return made.getvalue()


SAMPLES = {
    "a.epub": novel().make(),
    "a.docx": a_word_file(),
    "a.html": page(f"<h1>A</h1><p>{PROSE}<ul><li>x<table><tr><td>a<td>b</table><ruby>a<rt>b</ruby><pre>x").encode(),
    "a.md": f"---\ntitle: x\n---\n# A\n\n{PROSE}\n\n- a\n\n| a | b |\n|---|---|\n".encode(),
    "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\n<i>Hi</i>\n- x\n\n2\n00:00:03,000 --> 00:00:04,000\nHo\n",
    "a.txt": f"Chapter 1\n\n{PROSE}\n\nChapter 2\n\n  x\n".encode("utf-16"),
}


def refused_or_read(data: bytes, name: str) -> None:
    try:
        book = read(data, name)
    except KoeError:
        return
    assert book.chapters
    assert all(chapter.text and chapter.title for chapter in book.chapters)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_with_any_bytes_changed_is_refused_or_read(name: str) -> None:
    numbers = random.Random(name)
    for _ in range(150):
        data = bytearray(SAMPLES[name])
        for _ in range(numbers.randint(1, 12)):
            place = numbers.randrange(len(data))
            data[place : place + numbers.randint(0, 3)] = numbers.randbytes(numbers.randint(0, 3))
        refused_or_read(bytes(data), name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_that_is_cut_off_anywhere_is_refused_or_read(name: str) -> None:
    data = SAMPLES[name]
    for end in range(0, len(data), max(1, len(data) // 60)):
        refused_or_read(data[:end], name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from(KINDS))
@example(b"PK\x03\x04", "a.epub")
@example(b"PK\x05\x06" + b"\0" * 18, "a.docx")
@example(b"\xff\xfe", "a.txt")
@example(b"---\n\x00", "a.md")
def test_any_bytes_under_any_name_are_refused_or_read(data: bytes, name: str) -> None:
    refused_or_read(data, name)


TAGS = """
<p> </p> <table> <tr> <td> </table> <ruby> <rt> </ruby> <ol~start='9'> <li~value=x> </ol> <h1~id=a> </h1> <sup>1</sup> <pre>
<code> </pre> <br/> <math> <nav> </nav> &amp; &#0; <a~href='#x'> </a> <!-- --> <![CDATA[ ]]> <?x text~ <x:y~z=' '> <svg>
<body> </html>
"""
MARKUP = st.lists(st.sampled_from([tag.replace("~", " ") for tag in TAGS.split()]), max_size=40)


@settings(max_examples=200, deadline=None)
@given(MARKUP)
def test_any_markup_in_any_order_is_refused_or_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    refused_or_read(text.encode(), "a.html")
    refused_or_read(
        Epub(pages={"a.xhtml": page(text), "b.xhtml": page("x")}, nav=nav_of(entry("A", "a.xhtml#a"))).make(), "a.epub"
    )
