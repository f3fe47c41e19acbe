"""Wyoming clients of the real `koe serve`: nobody is refused and no text is lost while it is renewed."""

import asyncio
import signal
from pathlib import Path

import pytest
from wyoming.info import Describe
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from tests.end_to_end.live.wyoming_client import HEART, Client, audio_of, connected, types_of
from tests.end_to_end.processes import Served, running, serving
from tests.harness import free_port

pytestmark = pytest.mark.anyio


async def spoken(client: Client, text: str) -> bytes:
    await client.send(Synthesize(text, HEART))
    return audio_of(await client.until("audio-stop"))


async def test_a_renewal_loses_no_client_and_no_text(short_folder: Path) -> None:
    port = free_port()
    with serving(short_folder / "wyoming", KOE_WYOMING=f"tcp://127.0.0.1:{port}") as served:
        before = served.child("app.cli api")
        async with connected(port) as old:
            await old.send(SynthesizeStart(voice=HEART), SynthesizeChunk("This was begun bef"))
            served.signal(signal.SIGHUP)
            # A new API is up, and the old one waits for the text that streams in.
            await asyncio.to_thread(served.wait_said, "wyoming_listens", 2)
            async with connected(port) as new:
                await new.send(Describe())
                assert types_of(await new.until("info")) == ["info"]
            await old.send(SynthesizeChunk("ore."), SynthesizeStop())
            begun_before = audio_of(await old.until("synthesize-stopped"))
        await asyncio.to_thread(served.wait_said, "renewal_finished")
        async with connected(port) as new:
            assert await spoken(new, "This was begun before.") == begun_before
        assert served.child("app.cli api") != before


def test_an_address_that_is_taken_is_one_clear_line(data: Path) -> None:
    port = free_port()
    second = Served(data, KOE_PORT=str(port), KOE_WYOMING=f"tcp://127.0.0.1:{port}")

    with running(second):
        assert second.wait() != 0

    assert f"Koe cannot listen on 127.0.0.1:{port}" in second.said
    assert "Set KOE_WYOMING to an address that is free." in second.said
    assert "Traceback" not in second.said


def test_a_server_with_keys_does_not_start_without_a_key_for_wyoming_clients(data: Path) -> None:
    second = Served(data, KOE_API_KEYS="sk-one", KOE_WYOMING=f"tcp://127.0.0.1:{free_port()}")

    with running(second):
        assert second.wait() != 0

    assert "Set KOE_WYOMING_KEY to the name of the key" in second.said
    assert "Traceback" not in second.said
