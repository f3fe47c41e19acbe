"""The HttpClient of each installed JDK, with its defaults: it offers to continue in HTTP/2, and is answered in HTTP/1.1."""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.speech.formats import FORMATS, OPENAI_FORMATS
from tests.audio import same_file
from tests.clients.driving import HERE, plainly
from tests.clients.environments import clean_environ

MIN_VERSION = 11
"""The first version that runs a program from its source and has the client."""


@dataclass
class Answer:
    """One response, as the program reports it."""

    status: int
    version: str
    content_type: str
    request_id: str
    body: bytes


def javas() -> list[Path]:
    """Returns the `java` of every JDK or JRE here, each once."""
    named = shutil.which("java")
    places = [*([Path(named)] if named else []), *sorted(Path("/usr/lib/jvm").glob("*/bin/java"))]
    return list(dict.fromkeys(place.resolve() for place in places))


def version_of(java: Path) -> str:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    return said.split('"')[1]


JAVAS: list[Path | None] = [*javas()] or [None]


@pytest.fixture(scope="module", params=JAVAS, ids=lambda java: java.parents[1].name if java else "none")
def jdk(
    request: pytest.FixtureRequest, harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answer]:
    """Returns the responses that the program got, by name."""
    java = request.param
    if java is None:
        pytest.skip("There is no `java` here.")
    if int(version_of(java).split(".")[0]) < MIN_VERSION or not java.with_name("javac").exists():
        pytest.skip(f"{java} cannot run a program from its source.")
    folder = tmp_path_factory.mktemp("jdk")
    command = [java, HERE / "SpeakJdk.java", harnesses["open"], folder]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {
        name: Answer(int(status), version, content_type, request_id, (folder / file).read_bytes())
        for name, status, version, content_type, request_id, file in lines
    }


@pytest.mark.parametrize("format_name", OPENAI_FORMATS)
def test_every_format_is_heard_whole(jdk: dict[str, Answer], harnesses: dict[str, str], format_name: str) -> None:
    answer = jdk[f"speech.{format_name}"]

    assert (answer.status, answer.content_type) == (200, FORMATS[format_name].media_type)
    assert answer.version == "HTTP_1_1"
    assert same_file(answer.body, plainly(harnesses, model="tts-1", voice="alloy", response_format=format_name))


@pytest.mark.parametrize("name", ["chunked", "old", *(f"many_{number}" for number in range(8))])
def test_a_body_in_chunks_http_1_1_and_many_at_once_get_the_same(
    jdk: dict[str, Answer], harnesses: dict[str, str], name: str
) -> None:
    assert jdk[name].body == plainly(harnesses, model="tts-1", voice="alloy")


def test_events_are_read_line_by_line(jdk: dict[str, Answer], harnesses: dict[str, str]) -> None:
    events = [json.loads(line.removeprefix("data: ")) for line in jdk["events"].body.decode().splitlines() if line]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")

    assert audio == plainly(harnesses, model="gpt-4o-mini-tts", voice="alloy")
    assert events[-1]["type"] == "speech.audio.done"


def test_a_fault_is_reported(jdk: dict[str, Answer]) -> None:
    assert jdk["fault"].status == 400
    assert json.loads(jdk["fault"].body)["error"]["code"] == "decimal_above_max_value"
    assert jdk["fault"].request_id.startswith("req_")


def test_models_are_listed_and_only_their_headers_where_that_is_asked(jdk: dict[str, Answer]) -> None:
    assert "tts-1" in [model["id"] for model in json.loads(jdk["models"].body)["data"]]
    assert (jdk["head"].status, jdk["head"].body) == (200, b"")
