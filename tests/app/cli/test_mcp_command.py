"""`koe mcp`, as an assistant starts it: with the package's own client, over standard input and output."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from mcp_types import AudioContent, CallToolResult, TextContent

from app.cli.commands import koe
from app.cli.mcp_server import MAX_INLINE_CHARS
from app.core.host import remedies
from tests.audio import decode, sounding_seconds
from tests.end_to_end.listeners import n_readers
from tests.engines import GatedEngine
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import SECONDS_PER_PHONEME

ROOT = Path(__file__).parents[3]
HELLO_SECONDS = 12 * SECONDS_PER_PHONEME
"""Duration of "Hello there." as tones."""

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def assistant(*options: str, **environ: str) -> AsyncIterator[Client]:
    """Starts `koe mcp` and yields a client of it."""
    command = ["-m", "app.cli", "mcp", *options]
    parameters = StdioServerParameters(command=sys.executable, args=command, env={**environ, "PYTHONPATH": str(ROOT)})
    async with Client(parameters) as client:
        yield client


async def call(harness: Harness, tool: str, **arguments: Any) -> CallToolResult:
    async with assistant("--url", harness.url) as client:
        result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def audio_of(result: CallToolResult) -> AudioContent:
    (content,) = result.content
    assert isinstance(content, AudioContent), result
    return content


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_an_assistant_sees_two_tools_with_their_arguments(harness: Harness) -> None:
    async with assistant("--url", harness.url) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert [*tools] == ["speak", "list_voices"]
    assert set(tools["speak"].input_schema["properties"]) == {"text", "voice", "speed", "format", "language", "file"}
    assert tools["speak"].input_schema["required"] == ["text"]
    assert set(tools["list_voices"].input_schema["properties"]) == {"language"}


async def test_a_text_is_returned_as_audio(harness: Harness) -> None:
    async with assistant("--url", harness.url) as client:
        for format_name, media_type in ((None, "audio/mpeg"), ("wav", "audio/wav"), ("flac", "audio/flac")):
            result = await client.call_tool("speak", {"text": "Hello there.", "format": format_name})
            assert isinstance(result, CallToolResult)
            audio = audio_of(result)
            assert audio.mime_type == media_type
            spoken = decode(base64.b64decode(audio.data), format_name or "mp3")
            assert sounding_seconds(spoken) == pytest.approx(HELLO_SECONDS, abs=0.03)


async def test_voice_speed_and_language_reach_the_server(harness: Harness) -> None:
    asked = {"voice": "af_heart+bf_emma", "speed": 2, "language": "en-GB", "format": "pcm"}

    audio = audio_of(await call(harness, "speak", text="Hello there.", **asked))

    assert len(base64.b64decode(audio.data)) == 2 * 24_000 * HELLO_SECONDS / 2


async def test_a_file_is_written_where_the_answer_says(harness: Harness, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"

    said = text_of(await call(harness, "speak", text="Hello there.", file=str(file)))

    assert str(file) in said
    assert sounding_seconds(decode(file.read_bytes(), "wav")) == pytest.approx(HELLO_SECONDS, abs=0.03)
    assert names_in(tmp_path) == [file.name]


async def test_a_file_that_exists_is_kept(harness: Harness, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    file.write_text("mine")

    result = await call(harness, "speak", text="Hello there.", file=str(file))

    assert result.is_error
    assert "exists already" in text_of(result)
    assert file.read_text() == "mine"


async def test_a_long_text_is_spoken_whole_with_its_progress_and_leaves_no_job(harness: Harness, tmp_path: Path) -> None:
    text = "Hello there. " * 400
    shown: list[float] = []

    async def show(progress: float, total: float | None, message: str | None) -> None:
        shown.append(progress)

    async with assistant("--url", harness.url) as client:
        written = await client.call_tool("speak", {"text": text, "file": str(tmp_path / "long.wav")}, progress_callback=show)
        inline = await client.call_tool("speak", {"text": text, "format": "wav"})

    assert isinstance(written, CallToolResult)
    assert isinstance(inline, CallToolResult)
    assert not written.is_error, written
    sound = (tmp_path / "long.wav").read_bytes()
    assert len(decode(sound, "wav")) / 24_000 >= 400 * HELLO_SECONDS
    assert base64.b64decode(audio_of(inline).data) == sound
    assert shown
    assert jobs_of(harness) == []


async def test_an_audiobook_is_written_into_a_file(harness: Harness, tmp_path: Path) -> None:
    result = await call(harness, "speak", text="Hello there.", file=str(tmp_path / "hello.m4b"))

    assert not result.is_error, result
    assert (tmp_path / "hello.m4b").read_bytes()[4:8] == b"ftyp"


async def test_errors_are_told_to_the_assistant(harness: Harness) -> None:
    told: list[tuple[dict[str, Any], str]] = [
        ({"text": "Hello.", "voice": "nobody"}, "400: Invalid value: 'nobody'"),
        ({"text": "Hello.", "speed": 9}, "speed"),
        ({"text": "a" * (MAX_INLINE_CHARS + 1)}, "set `file`"),
        ({"text": "Hello.", "format": "m4b"}, "set `file`"),
        ({"text": "Hello.", "file": "/absent/hello.mp3"}, "the folder /absent does not exist"),
        ({"text": "Hello.", "file": "hello.xyz"}, "no format has this extension"),
        ({"text": "Hello. " * 1000, "voice": "nobody"}, "400: Invalid value: 'nobody'"),
    ]
    async with assistant("--url", harness.url) as client:
        for asked, said in told:
            result = await client.call_tool("speak", asked)
            assert isinstance(result, CallToolResult)
            assert result.is_error
            assert said in text_of(result)


async def test_a_server_that_is_not_there_is_named_with_the_remedy() -> None:
    async with assistant("--url", "http://127.0.0.1:9") as client:
        for tool, arguments in (("speak", {"text": "Hello."}), ("list_voices", {})):
            result = await client.call_tool(tool, arguments)
            assert isinstance(result, CallToolResult)
            assert result.is_error
            assert "koe serve" in text_of(result)


async def test_voices_are_listed_for_all_languages_or_for_one(harness: Harness) -> None:
    async with assistant("--url", harness.url) as client:
        found: dict[str | None, list[dict[str, str]]] = {}
        for language in (None, "en", "en-GB", "b", "ja-JP"):
            result = await client.call_tool("list_voices", {"language": language} if language else {})
            assert isinstance(result, CallToolResult)
            assert result.structured_content is not None
            found[language] = result.structured_content["voices"]

    assert {"id": "af_heart", "name": "Heart (American English)", "language": "en-US"} in found[None]
    assert {voice["language"] for voice in found["en"]} == {"en-US", "en-GB"}
    assert {voice["language"] for voice in found["en-GB"]} == {"en-GB"} == {voice["language"] for voice in found["b"]}
    assert {voice["language"] for voice in found["ja-JP"]} == {"ja"}


async def test_a_language_without_a_voice_gets_the_best_voice_of_it(harness: Harness) -> None:
    async with assistant("--url", harness.url) as client:
        speech = [
            await client.call_tool("speak", {"text": "[pause:0.1s] Bonjour.", "format": "pcm", "language": "fr", **voice})
            for voice in ({}, {"voice": "ff_siwis"})
        ]

    assert speech[0] == speech[1]


async def test_the_key_and_the_address_come_from_the_settings(short_folder: Path) -> None:
    with open_harness(short_folder / "mcp-keys", KOE_API_KEYS="sk-secret") as harness:
        port = harness.url.rpartition(":")[2]
        async with assistant(KOE_PORT=port, OPENAI_API_KEY="sk-secret") as client:
            allowed = await client.call_tool("speak", {"text": "Hello there."})
        async with assistant(KOE_PORT=port, OPENAI_API_KEY="sk-wrong") as client:
            refused = await client.call_tool("speak", {"text": "Hello there."})

    assert isinstance(allowed, CallToolResult)
    assert isinstance(refused, CallToolResult)
    assert audio_of(allowed).data
    assert "401" in text_of(refused)


def jobs_of(harness: Harness) -> list[dict[str, Any]]:
    with harness.http() as http:
        jobs: list[dict[str, Any]] = http.get("/v1/audio/speech/jobs").json()["data"]
    return jobs


async def test_a_job_that_fails_is_told_and_deleted(short_folder: Path, tmp_path: Path) -> None:
    engine = GatedEngine()
    engine.is_broken = True
    engine.release(10_000)
    with open_harness(short_folder / "mcp-broken", {"tone": engine}) as harness:
        file = tmp_path / "long.mp3"
        result = await call(harness, "speak", text="Hello there. " * 400, file=str(file))
        assert result.is_error
        assert "The job failed: " in text_of(result)
        assert jobs_of(harness) == []
        assert names_in(tmp_path) == []


@pytest.mark.parametrize("text", ["Hello there.", "Hello there. " * 400], ids=["speech", "job"])
async def test_a_call_that_is_cancelled_ends_what_is_spoken(short_folder: Path, text: str) -> None:
    engine = GatedEngine()
    with open_harness(short_folder / f"mcp-{len(text)}", {"tone": engine}) as harness:
        async with assistant("--url", harness.url) as client:
            calling = asyncio.create_task(client.call_tool("speak", {"text": text}))
            await asyncio.to_thread(engine.wait_begun, 1)
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            await asyncio.to_thread(wait_until, lambda: n_readers(harness) == 0 and jobs_of(harness) == [])
        engine.release(10_000)


@pytest.mark.parametrize("text", ["Hello there.", "Hello there. " * 400], ids=["speech", "job"])
def test_an_assistant_that_leaves_ends_what_is_spoken(short_folder: Path, text: str) -> None:
    engine = GatedEngine()
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": client},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "speak", "arguments": {"text": text}}},
    ]
    with open_harness(short_folder / f"mcp-left-{len(text)}", {"tone": engine}) as harness:
        command = [sys.executable, "-m", "app.cli", "mcp", "--url", harness.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdin is not None
            for message in messages:
                process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            process.stdin.flush()
            engine.wait_begun(1)
            process.stdin.close()
            assert process.wait(30) == 0
        wait_until(lambda: n_readers(harness) == 0 and jobs_of(harness) == [])
        engine.release(10_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "app.cli", "mcp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(number)
        assert process.wait(30) == -number


def test_standard_output_has_the_protocol_alone_and_the_end_of_input_is_the_end() -> None:
    hello = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'

    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "mcp"], input=hello, capture_output=True, check=False, cwd=ROOT, timeout=60
    )

    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert b'"id":1' in line.replace(b" ", b"")
    assert done.stderr == b""


def test_without_the_package_the_remedy_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.cli.mcp_server", None)

    result = CliRunner().invoke(koe, ["mcp"], env=dict(os.environ))

    assert result.exit_code == 1
    assert remedies.install("mcp") in result.stderr
