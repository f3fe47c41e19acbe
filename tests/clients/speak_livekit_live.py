"""Has texts read over WebSockets by LiveKit's plugins, as agents do, and prints the results as JSON; the samples go into files.

    python speak_livekit_live.py HARNESSES FOLDER TEXTS

HARNESSES is a JSON object of base URLs, of which `open` is used; TEXTS has `text`, its `sentences`, `next` and `broken_off`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from livekit.agents import APIConnectOptions, llm
from livekit.plugins import cartesia
from livekit.plugins.openai import realtime

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])
TEXTS: dict[str, Any] = json.loads(sys.argv[3])

ONCE = APIConnectOptions(max_retry=0, timeout=10)
SLOW_SECONDS = 0.01


def words_of(text: str) -> list[str]:
    """Returns the words with the space after each."""
    return [f"{word} " for word in text.split()]


def threes_of(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


def keep(name: str, frames: Sequence[Any], words: Sequence[str]) -> dict[str, Any]:
    (FOLDER / name).write_bytes(b"".join(bytes(frame.data) for frame in frames))
    return {"words": list(words), "rates": sorted({frame.sample_rate for frame in frames})}


class Cartesia:
    """The plugin for Cartesia, which cuts the text itself and speaks one stream for each turn."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        server = HARNESSES["open"].removesuffix("/v1")
        self.engine = cartesia.TTS(base_url=server, api_key="none", model="sonic-3", voice="af_heart", http_session=http)

    async def read(self, name: str, pieces: Sequence[str], seconds: float = 0.0) -> dict[str, Any]:
        frames, words = [], []
        async with self.engine.stream(conn_options=ONCE) as stream:
            writing = asyncio.create_task(write(stream, pieces, seconds))
            async for event in stream:
                frames.append(event.frame)
                words += [str(word) for word in event.frame.userdata.get("lk.timed_transcripts", [])]
            await writing
        return keep(f"cartesia-{name}", frames, words)

    async def break_off(self, name: str) -> dict[str, Any]:
        """Closes a stream at its first audio, as an agent does that is interrupted."""
        frames = []
        async with self.engine.stream(conn_options=ONCE) as stream:
            await write(stream, [TEXTS["broken_off"]], 0.0)
            async for event in stream:
                frames.append(event.frame)
                break
        return keep(f"cartesia-{name}", frames, [])

    async def report(self) -> dict[str, Any]:
        text = TEXTS["text"]
        report = {
            "slow": await self.read("slow", words_of(text), SLOW_SECONDS),
            "fast": await self.read("fast", [text]),
            "threes": await self.read("threes", threes_of(text), SLOW_SECONDS),
            "broken_off": await self.break_off("broken_off"),
            "next": await self.read("next", [TEXTS["next"]]),
        }
        await self.engine.aclose()
        return report


async def write(stream: Any, pieces: Sequence[str], seconds: float) -> None:
    for piece in pieces:
        stream.push_text(piece)
        await asyncio.sleep(seconds)
    stream.end_input()


class Realtime:
    """A session of OpenAI's Realtime API. What is to be read is in the messages of the user.

    Like an agent it keeps the whole conversation itself.
    """

    def __init__(self, http: aiohttp.ClientSession, **options: Any) -> None:
        model = realtime.RealtimeModel(
            base_url=HARNESSES["open"], api_key="none", model="gpt-realtime", voice="coral", http_session=http, **options
        )
        self.session = model.session()
        self.context = llm.ChatContext.empty()
        self.errors: list[str] = []
        self.session.on("error", lambda error: self.errors.append(str(error.error)))

    async def add(self, content: Sequence[str]) -> None:
        self.context.add_message(role="user", content=list(content))
        await self.session.update_chat_ctx(self.context)

    async def read(self, name: str, *messages: Sequence[str]) -> dict[str, Any]:
        """Adds messages, one after the other, and has them read."""
        for message in messages:
            await self.add(message)
            await asyncio.sleep(SLOW_SECONDS)
        return await self._hear(name)

    async def break_off(self, name: str) -> dict[str, Any]:
        """Interrupts a reply at its first audio, and says how much of it was heard."""
        await self.add([TEXTS["broken_off"]])
        return await self._hear(name, is_interrupted=True)

    async def read_connected_again(self, name: str, reconnected: asyncio.Event) -> dict[str, Any]:
        """Has a text read, and the next one over the next connection, on which the plugin sends the first one again."""
        await self.read(f"{name}-before", [TEXTS["text"]])
        await asyncio.wait_for(reconnected.wait(), 30)
        return await self.read(name, [TEXTS["next"]])

    async def _hear(self, name: str, *, is_interrupted: bool = False) -> dict[str, Any]:
        reply = await asyncio.wait_for(self.session.generate_reply(), 30)
        message: llm.MessageGeneration = await anext(aiter(reply.message_stream))
        frames: list[Any] = []

        async def hear() -> None:
            async for frame in message.audio_stream:
                frames.append(frame)
                if is_interrupted and len(frames) == 1:
                    self.session.interrupt()
                    self.session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=20)

        _, words = await asyncio.gather(hear(), collect(message.text_stream))
        self.context.add_message(role="assistant", content=["".join(words)], id=message.message_id)
        return keep(f"realtime-{name}", frames, words) | {"errors": self.errors}


async def collect(stream: AsyncIterator[str]) -> list[str]:
    return [piece async for piece in stream]


async def realtime_report(http: aiohttp.ClientSession) -> dict[str, Any]:
    one, brief = Realtime(http), Realtime(http, max_session_duration=1.0)
    reconnected = asyncio.Event()
    brief.session.on("session_reconnected", lambda event: reconnected.set())
    text = TEXTS["text"]
    report = {
        "fast": await one.read("fast", [text]),
        "slow": await one.read("slow", *([sentence] for sentence in TEXTS["sentences"])),
        "threes": await one.read("threes", threes_of(text)),
        "broken_off": await one.break_off("broken_off"),
        "next": await one.read("next", [TEXTS["next"]]),
        "again": await brief.read_connected_again("again", reconnected),
    }
    await one.session.aclose()
    await brief.session.aclose()
    return report


async def main() -> None:
    async with aiohttp.ClientSession() as http:
        report = {"realtime": await realtime_report(http), "cartesia": await Cartesia(http).report()}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main())
