"""The guides agree with the code and with each other, as far as a test can check this."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.api.requests.jobs import MAX_METADATA
from app.api.requests.speech import MAX_INSTRUCTIONS_CHARS
from app.api.requests.text import MAX_PRONUNCIATIONS
from app.api.responses.errors import status_of
from app.cli.commands import koe
from app.cli.mcp_server import MAX_INLINE_CHARS
from app.core import request_limits
from app.core.errors import CLASSES_BY_CODE, Cancelled, JobTooLong
from app.core.metrics.table import HELP
from app.core.settings import Settings, env_name
from app.core.speech.formats import FORMATS, OPENAI_FORMATS, SAMPLE_RATES_HZ
from app.core.speech.models import MODELS, OPENAI_MAX_INPUT_CHARS
from app.core.speech.utterance import MAX_SPEED, MIN_SPEED
from app.core.speech.voices import MAX_BLEND_VOICES
from tests.promises import metrics_table
from tests.promises.guides import (
    CLIENTS,
    CONTRIBUTING,
    GUIDES,
    MOVING,
    OPERATORS,
    README,
    ROOT,
    anchors,
    links,
    name_of,
    read,
    section,
)
from tests.promises.settings_table import rows_for, rows_of
from workers.jobs.webhook_delivery import TRY_SECONDS
from workers.jobs.webhooks import MAX_PER_HOST, MAX_PER_OWNER, MAX_SENDERS, RETRY_SECONDS

MAX_README_BYTES = 15_000
CONTRACT = yaml.safe_load(read(ROOT / "openapi/speech.yaml"))
HIDDEN_COMMANDS = {"completion", "has-voice", "openapi", "redis-url"}
NOT_ANSWERED = {Cancelled.code, JobTooLong.code}
"""Codes that no response has: one is never shown, the other is the end of a job."""


def test_the_readme_is_short() -> None:
    assert README.stat().st_size <= MAX_README_BYTES


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    named = set(re.findall(r"\bKOE_[A-Z0-9_]*[A-Z]\b", read(page)))

    assert named - {env_name(field) for field in Settings.__struct_fields__} == set()


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_target_of_make_that_is_named_is_one(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", read(page))) - targets == set()


@pytest.mark.parametrize("page", [README, OPERATORS], ids=name_of)
def test_the_tables_of_settings_are_the_settings(page: Path) -> None:
    assert rows_of(page) == rows_for(page)


def test_every_command_is_described() -> None:
    for name in koe.entries:
        assert name in HIDDEN_COMMANDS or f"`koe {name}" in section(README, "Commands")


def test_every_command_that_is_named_is_one() -> None:
    for page in GUIDES:
        assert set(re.findall(r"`koe ([a-z][a-z-]+)", read(page))) - set(koe.entries) == set()


def command_in(group: click.Command, name: str) -> click.Command | None:
    """Returns the command of that name, if `group` is a group and has it."""
    return group.get_command(click.Context(group, **koe.context_settings), name) if isinstance(group, click.Group) else None


def test_every_option_that_is_named_is_one() -> None:
    for page in GUIDES:
        for line in re.findall(r"(?:`|^\$ |^)(?:\.venv/bin/)?(koe [a-z][^`#\n]*)", read(page), re.MULTILINE):
            words = re.findall(r"[\w-]+", line)
            command: click.Command = koe
            for word in words[1:]:
                command = command_in(command, word) or command
            options = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
            assert {word for word in words if word.startswith("--")} - options == set(), line


@pytest.mark.parametrize(
    "limit",
    [
        f"{request_limits.HEAD_BYTES // 1024} KiB and {request_limits.HEADERS} headers",
        f"| {request_limits.HEAD_SECONDS:g} s from",
        f"| {request_limits.BODY_SECONDS:g} s from",
        f"| {request_limits.BODY_BYTES // 1024**2} MiB of body; {request_limits.JOB_BODY_BYTES // 1024**2} MiB for a job",
        f"| {request_limits.REQUESTS_AHEAD} requests",
        f"Wyoming: {request_limits.WYOMING_LINE_BYTES // 1024} KiB in the first line of an event, "
        f"{request_limits.BODY_BYTES // 1024**2} MiB of data; {request_limits.WYOMING_EVENT_SECONDS:g} s for an event, "
        f"{request_limits.WYOMING_TEXT_SECONDS:g} s until the next piece of a text",
        f"Wyoming: {request_limits.WYOMING_CONNECTIONS} connections",
        f"`KOE_MAX_CONNECTIONS` ({Settings().max_connections:,})",
        f"`KOE_KEEP_ALIVE` ({Settings().keep_alive:g} s)",
        f"`KOE_MAX_OPEN_JOBS` ({Settings().max_open_jobs})",
        f"`KOE_MAX_QUEUE` ({Settings().max_queue})",
        f"{MAX_PER_OWNER} of its webhooks at the same time, {MAX_PER_HOST} to one host, {MAX_SENDERS} by one worker; "
        f"{TRY_SECONDS:g} s a try",
    ],
)
def test_the_limits_are_those_of_the_code(limit: str) -> None:
    assert limit in section(OPERATORS, "Limits")


def test_a_quarter_of_the_files_is_left_for_other_things_than_connections() -> None:
    assert request_limits.SPARE_FILES == 0.25
    assert "three quarters of the files" in section(OPERATORS, "Limits")


def test_webhooks_are_repeated_when_the_guide_says() -> None:
    assert RETRY_SECONDS == (5, 30, 2 * 60, 10 * 60, 3600, 3 * 3600)
    assert "after 5 s, 30 s, 2 min, 10 min, 1 h and 3 h" in " ".join(section(OPERATORS, "Jobs, files, webhooks").split())


def test_every_code_is_listed_with_its_status() -> None:
    described: dict[str, int] = {}
    for statuses, codes in re.findall(r"^\| ([\d, ]+) \| (.*) \|$", section(CLIENTS, "Errors"), re.MULTILINE):
        described |= {code: int(statuses) for code in re.findall(r"`(\w+)`", codes)}

    answered = {code: status_of(kind.__new__(kind))[0] for code, kind in CLASSES_BY_CODE.items() if code not in NOT_ANSWERED}
    assert described == answered


def properties_of(schema: dict[str, Any]) -> set[str]:
    """Returns the fields of a schema of the contract, including the fields of its `allOf` parts."""
    if "$ref" in schema:
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    made_of = (properties_of(part) for part in schema.get("allOf", []))
    return set(schema.get("properties", {})).union(*made_of)


def test_every_field_of_a_request_for_speech_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \|", section(CLIENTS, "A request for speech"), re.MULTILINE)

    assert {*described, "lang_code"} == properties_of({"$ref": "SpeechRequest"})


def test_the_formats_and_their_rates_are_described() -> None:
    text = section(CLIENTS, "A request for speech")

    assert [name for name in FORMATS if f"`{name}`" not in text] == []
    assert ", ".join(str(rate) for rate in SAMPLE_RATES_HZ[:-1]) + f" or {SAMPLE_RATES_HZ[-1]} Hz" in text
    assert f"{MIN_SPEED:g} to {MAX_SPEED:g}" in text
    assert f"at most {MAX_PRONUNCIATIONS}" in text
    assert f"take {OPENAI_MAX_INPUT_CHARS:,} characters" in text
    assert f"up to {MAX_BLEND_VOICES} voices" in " ".join(section(CLIENTS, "Voices").split())
    assert f"{MAX_METADATA} pairs" in section(CLIENTS, "Jobs")


def test_every_model_and_format_that_stays_is_named() -> None:
    text = section(MOVING, "What stays")

    assert [model.id for model in MODELS.values() if model.engine is None and f"`{model.id}`" not in text] == []
    assert [name for name in OPENAI_FORMATS if f"`{name}`" not in text] == []
    assert f"up to {MAX_INSTRUCTIONS_CHARS:,} characters" in section(MOVING, "What differs")


def test_the_limits_of_assistants_are_described() -> None:
    text = " ".join(section(CLIENTS, "Clients").split())

    assert f"more than {OPENAI_MAX_INPUT_CHARS:,} characters is spoken as a" in text
    assert f"A text of more than {MAX_INLINE_CHARS:,} characters" in text


def test_the_table_of_metrics_is_the_one_in_the_code() -> None:
    assert metrics_table.written() == metrics_table.table()
    assert set(re.findall(r"`(koe_\w+)", section(OPERATORS, "Metrics and log"))) - {"koe_process_"} == set(HELP)


def test_the_figures_of_speech_are_those_of_the_baseline() -> None:
    baseline = json.loads(read(ROOT / "tests/ears/baseline.json"))
    figures = section(README, "Figures")
    languages = {"en": "English", "es": "Spanish", "pt": "Portuguese", "fr": "French", "it": "Italian", "hi": "Hindi"}
    for tag, language in (languages | {"ja": "Japanese", "zh": "Mandarin"}).items():
        errors = [row["word errors %"] for name, row in baseline["sentences"].items() if name.startswith(tag)]
        least, most = f"{min(errors):g}", f"{max(errors):g}"
        assert f"{language} {least} %" in figures if least == most else f"{language} {least} to {most} %" in figures
    assert f"within {baseline['loudness']['all']['LUFS from median']} LU" in figures
    assert f"at most −{-baseline['loudness']['all']['peak dBFS']} dBFS" in figures
    typical = [1000 * row["typical error s"] for row in baseline["times"].values()]
    assert f"{min(typical):g} to {max(typical):g} ms" in figures


def test_every_word_of_the_glossary_is_used_in_the_code() -> None:
    table = section(CONTRIBUTING, "House style").split("| word |")[1]
    words = [word for names in re.findall(r"^\| (?!-|what)([^|]+) \|", table, re.MULTILINE) for word in names.split(", ")]
    code = " ".join(read(path).lower() for side in ("app", "workers") for path in (ROOT / side).rglob("*.py"))

    assert len(words) > 30
    assert [word for word in words if re.search(re.escape(word).replace(r"\ ", "[ _]?"), code) is None] == []


def test_every_folder_is_described_to_contributors() -> None:
    described = set(re.findall(r"^\| `([a-z/]+)/` \|", section(CONTRIBUTING, "How it is made"), re.MULTILINE))
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}

    assert folders & {"app", "workers", "openapi", "deploy", "tests"} <= described
