"""Speaks with Cartesia's own SDK over its WebSocket, and prints the results as JSON; the samples go into files.

    python speak_cartesia.py HARNESSES FOLDER TEXTS

HARNESSES is a JSON object of base URLs, of which `open` is used; TEXTS has `text`, `next` and `broken_off`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cartesia import AsyncCartesia, Cartesia

SERVER: str = json.loads(sys.argv[1])["open"].removesuffix("/v1")
FOLDER = Path(sys.argv[2])
TEXTS: dict[str, str] = json.loads(sys.argv[3])

PLACE = {"api_key": "none", "base_url": SERVER, "websocket_base_url": SERVER.replace("http", "ws", 1)}
VOICE = {"mode": "id", "id": "af_heart"}
FIELDS = {"model_id": "sonic-3", "voice": VOICE, "language": "en", "add_timestamps": True}
SAMPLES = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000}
SLOW_SECONDS = 0.01


def words_of(text: str) -> list[str]:
    """Returns the words with the space after each."""
    return [f"{word} " for word in text.split()]


def threes_of(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


class Ear:
    """Collects the events of a context."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.audio = b""
        self.words: list[dict[str, Any]] = []
        self.kinds: list[str] = []

    def hear(self, event: Any) -> None:
        self.kinds.append(event.type)
        if event.type == "chunk":
            self.audio += event.audio or b""
        elif event.type == "timestamps":
            told = event.word_timestamps
            self.words += [
                {"word": word, "start": start, "end": end}
                for word, start, end in zip(told.words, told.start, told.end, strict=True)
            ]

    def told(self) -> dict[str, Any]:
        (FOLDER / self.name).write_bytes(self.audio)
        return {"words": self.words, "last": self.kinds[-1]}


def read(connection: Any, name: str, pieces: Sequence[str], seconds: float = 0.0, **fields: Any) -> dict[str, Any]:
    """Has the pieces read in one context."""
    context = connection.context(**{**FIELDS, "output_format": SAMPLES, **fields})
    for piece in pieces:
        context.push(piece)
        time.sleep(seconds)
    context.no_more_inputs()
    return hear(context, name)


def hear(context: Any, name: str, is_enough: Callable[[Ear], bool] = lambda ear: False) -> dict[str, Any]:
    ear = Ear(name)
    for event in context.receive():
        if event.context_id == context._context_id:  # the SDK also gives what was under way for a cancelled context
            ear.hear(event)
        if is_enough(ear):
            break
    return ear.told()


def break_off(connection: Any, name: str) -> dict[str, Any]:
    """Cancels a context at its first audio."""
    context = connection.context(**FIELDS, output_format=SAMPLES)
    context.push(TEXTS["broken_off"])
    context.no_more_inputs()
    told = hear(context, name, lambda ear: bool(ear.audio))
    context.cancel()
    return told


def read_beside(connection: Any, names: Sequence[str]) -> dict[str, Any]:
    """Has a text read in two contexts at the same time."""
    contexts = {name: connection.context(**FIELDS, output_format=SAMPLES) for name in names}
    for piece in words_of(TEXTS["text"]):
        for context in contexts.values():
            context.push(piece)
    for context in contexts.values():
        context.no_more_inputs()
    return {name: hear(context, name) for name, context in contexts.items()}


async def read_async(name: str) -> dict[str, Any]:
    """Reads while it writes, as an agent does."""
    async with AsyncCartesia(**PLACE) as client, client.tts.websocket_connect() as connection:
        context = connection.context(**FIELDS, output_format=SAMPLES)

        async def write() -> None:
            for piece in words_of(TEXTS["text"]):
                await context.push(piece)
                await asyncio.sleep(SLOW_SECONDS)
            await context.no_more_inputs()

        writing = asyncio.create_task(write())
        ear = Ear(name)
        async for event in context.receive():
            ear.hear(event)
        await writing
        return ear.told()


def main() -> None:
    text = TEXTS["text"]
    with Cartesia(**PLACE) as client, client.tts.websocket_connect() as connection:
        report = {
            "slow": read(connection, "slow", words_of(text), SLOW_SECONDS),
            "fast": read(connection, "fast", [text]),
            "threes": read(connection, "threes", threes_of(text), SLOW_SECONDS),
            "broken_off": break_off(connection, "broken_off"),
            "next": read(connection, "next", [TEXTS["next"]]),
            **read_beside(connection, ["one", "other"]),
            "floats": read(connection, "floats", [text], output_format=SAMPLES | {"encoding": "pcm_f32le"}),
            "async": asyncio.run(read_async("async")),
        }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
