"""On a server with keys all Wyoming clients share the key that the operator names."""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from wyoming.error import Error
from wyoming.tts import Synthesize

from tests.end_to_end.live.wyoming_client import Client, audio_of, connected, error_of
from tests.engines import GatedEngine
from tests.harness import open_harness

pytestmark = pytest.mark.anyio

ON = {"KOE_WYOMING": "tcp://127.0.0.1:0"}
_SECONDS = 30.0
KEYS = {"KOE_API_KEYS": "sk-one,sk-home", "KOE_WYOMING_KEY": "KOE_API_KEYS 2"}


async def test_all_clients_share_the_limits_of_the_key_that_the_operator_names(short_folder: Path) -> None:
    gate = GatedEngine()
    limits = {"KOE_MAX_CONCURRENT": "1"}
    with (
        open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": gate}, **ON, **KEYS, **limits) as harness,
        capture_logs() as lines,
    ):
        async with connected(harness.wyoming_port) as first, connected(harness.wyoming_port) as second:
            await first.send(Synthesize("One."))
            await asyncio.to_thread(gate.wait_begun, 1)
            await second.send(Synthesize("Two."))
            error = error_of(await second.until("error"))
            headers = {"authorization": "Bearer sk-home"}
            with harness.http(headers=headers) as http:
                body = {"model": "tts-1", "voice": "af_heart", "input": "Three."}
                assert (await asyncio.to_thread(http.post, "/v1/audio/speech", json=body)).status_code == 429
            gate.release(100)
            assert audio_of(await first.until("audio-stop"))
            await second.send(Synthesize("Two."))
            assert audio_of(await second.until("audio-stop"))

    assert error.code == "rate_limit_exceeded"
    assert {line["key"] for line in lines if line.get("route") == "wyoming"} == {"KOE_API_KEYS 2"}


async def test_a_key_that_is_removed_speaks_no_more(short_folder: Path) -> None:
    data = Path(tempfile.mkdtemp(dir=short_folder))
    file = data / "keys.toml"
    file.write_text(f'[[keys]]\nname = "home"\nsha256 = "{"a" * 64}"\n')
    with open_harness(data, {}, **ON, KOE_API_KEYS_FILE=str(file), KOE_WYOMING_KEY="home") as harness:
        async with connected(harness.wyoming_port) as client:
            await client.send(Synthesize("One."))
            assert error_of(await client.until("error")).code == "no_worker"
            file.write_text("")
            os.utime(file, (1, 1))
            give_up = time.monotonic() + _SECONDS
            while (error := await refused(client)).code == "no_worker":
                assert time.monotonic() < give_up
    assert "KOE_WYOMING_KEY" in error.text


async def refused(client: Client) -> Error:
    await client.send(Synthesize("One."))
    return error_of(await client.until("error"))
