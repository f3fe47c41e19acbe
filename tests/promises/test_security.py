"""SECURITY.md and the changelog name settings, codes and limits that the code has."""

import re
from pathlib import Path

import pytest

from app.core import errors, request_limits
from app.core.custom_voices.custom_voices import MAX_VOICES
from app.core.custom_voices.voice_consents import MAX_CONSENTS
from app.core.documents.documents import MAX_DOCUMENTS
from app.core.documents.reading import READ_SECONDS
from app.core.settings import Settings, env_name
from app.core.speech import pauses
from app.core.speech.voice_pack import MAX_FILE_BYTES
from workers.documents import archive, book, child
from workers.documents.answering import MAX_READERS

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [SECURITY, CHANGELOG], ids=["security", "changelog"])
def test_every_setting_that_is_named_is_one(text: str) -> None:
    named = set(re.findall(r"KOE_[A-Z_]+[A-Z]", text))

    assert named - {env_name(field) for field in Settings.__struct_fields__} - {"KOE_PORT"} == set()


def test_every_code_that_is_new_can_be_answered() -> None:
    line = CHANGELOG.split("New error codes: ")[1].split(".\n")[0]
    source = Path(errors.__file__).read_text(encoding="utf-8")

    assert [code for code in re.findall(r"`(\w+)`", line) if f'"{code}"' not in source] == []


@pytest.mark.parametrize(
    "row",
    [
        f"| {request_limits.HEAD_BYTES // 1024} KiB, {request_limits.HEADERS} headers each |",
        f"| {request_limits.HEAD_SECONDS:g} s; {request_limits.BODY_SECONDS:g} s |",
        f"| {request_limits.BODY_BYTES // 1024**2} MiB; {request_limits.JOB_BODY_BYTES // 1024**2} MiB for a job; "
        f"{request_limits.VOICE_BODY_BYTES // 1024**2} MiB for a voice; "
        f"{request_limits.DOCUMENT_BODY_BYTES // 1024**2} MiB for a document |",
        f"| {MAX_VOICES}; {MAX_CONSENTS} |",
        f"| {MAX_FILE_BYTES // 1024**2} MiB; {request_limits.RECORDING_BYTES // 1024**2} MiB |",
        f"| {READ_SECONDS:g} s, {child.CPU_SECONDS} s of CPU, {child.MEMORY_BYTES // 1024**3} GiB of memory, "
        f"{archive.MAX_ALL_BYTES // 1024**2} MiB after unpacking, {book.MAX_TEXT_CHARS:,} characters; "
        f"{MAX_READERS} at a time in a worker |",
        f"| {MAX_DOCUMENTS}, each for `KOE_DOCUMENT_TTL` ({Settings().document_ttl // 86_400} day) |",
        f"| {request_limits.REQUESTS_AHEAD} |",
        f"| {request_limits.WYOMING_LINE_BYTES // 1024} KiB in its first line, {request_limits.BODY_BYTES // 1024**2} MiB of "
        f"data and of payload, {request_limits.WYOMING_EVENT_SECONDS:g} s |",
        f"| {request_limits.WYOMING_TEXT_SECONDS:g} s until the next piece of its text, "
        f"{request_limits.WYOMING_SEND_SECONDS:g} s without taking audio; "
        f"{request_limits.WYOMING_CONNECTIONS} connections, a quarter of `KOE_MAX_CONNECTIONS` |",
        f"`KOE_MAX_CONNECTIONS` ({Settings().max_connections:,})",
        f"`KOE_KEEP_ALIVE` ({Settings().keep_alive:g} s)",
        f"`KOE_MAX_INPUT_CHARS` ({Settings().max_input_chars:,})",
        f"`KOE_MAX_JOB_CHARS` ({Settings().max_job_chars:,})",
        f"| {pauses.MAX_PAUSE_SECONDS:g} s a pause, {pauses.MAX_PAUSES_SECONDS / 60:g} min a request, "
        f"{pauses.MAX_JOB_PAUSES_SECONDS / 3600:g} h a job |",
        f"`KOE_MAX_JOB_SECONDS` ({Settings().max_job_seconds / 3600:g} h)",
        f"`KOE_STORE_RESERVE` ({Settings().store_reserve // 1024**2} MiB)",
        f"`KOE_MAX_OPEN_JOBS` ({Settings().max_open_jobs})",
    ],
)
def test_the_limits_are_those_of_the_code(row: str) -> None:
    assert row in SECURITY
