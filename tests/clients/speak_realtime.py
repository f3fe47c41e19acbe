"""Has texts read by `realtime.connect` of the `openai` package, and prints the results as JSON; the samples go into files.

    python speak_realtime.py HARNESSES FOLDER TEXTS

HARNESSES is a JSON object of base URLs, of which `open` is used; TEXTS has `text`, its `sentences`, `next` and `broken_off`.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, OpenAI

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])
TEXTS: dict[str, Any] = json.loads(sys.argv[3])

PLACE: dict[str, Any] = {"base_url": HARNESSES["open"], "api_key": "none"}
MODEL = "gpt-realtime"
SESSION: Any = {"type": "realtime", "output_modalities": ["audio"], "audio": {"output": {"voice": "coral"}}}
SLOW_SECONDS = 0.01


def message(pieces: Sequence[str]) -> Any:
    """Returns a message of the user with a part for each piece."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": piece} for piece in pieces]}


def beside(pieces: Sequence[str]) -> Any:
    """Returns a response beside the conversation."""
    return {"conversation": "none", "input": [message(pieces)], "instructions": "Read it word for word."}


def threes_of(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


class Ear:
    """Collects the events of the responses."""

    def __init__(self) -> None:
        self.audio: dict[str, bytes] = {}
        self.transcripts: dict[str, str] = {}
        self.done: list[Any] = []
        self.errors: list[Any] = []

    def hear(self, event: Any) -> None:
        if event.type == "response.output_audio.delta":
            self.audio[event.response_id] = self.audio.get(event.response_id, b"") + base64.b64decode(event.delta)
        elif event.type == "response.output_audio_transcript.delta":
            self.transcripts[event.response_id] = self.transcripts.get(event.response_id, "") + event.delta
        elif event.type == "response.done":
            self.done.append(event.response)
        elif event.type == "error":
            self.errors.append(event.error.code)

    def told(self, name: str, response: Any) -> dict[str, Any]:
        (FOLDER / name).write_bytes(self.audio[response.id])
        return {
            "transcript": self.transcripts.get(response.id, ""),
            "final": response.output[0].content[0].transcript,
            "status": response.status,
            "errors": self.errors,
        }


async def hear(connection: Any, name: str) -> dict[str, Any]:
    """Returns what the next response says."""
    ear = Ear()
    while not ear.done:
        ear.hear(await connection.recv())
    return ear.told(name, ear.done[0])


async def read(connection: Any, name: str, pieces: Sequence[str]) -> dict[str, Any]:
    await connection.response.create(response=beside(pieces))
    return await hear(connection, name)


async def read_sentences(connection: Any, sentences: Sequence[str]) -> list[dict[str, Any]]:
    """Asks for each sentence when it is there, as an agent does, while the ones before are spoken."""
    ear = Ear()
    for number, sentence in enumerate(sentences):
        await connection.response.create(response={**beside([sentence]), "metadata": {"number": str(number)}})
        await asyncio.sleep(SLOW_SECONDS)
    while len(ear.done) < len(sentences):
        ear.hear(await connection.recv())
    in_order = sorted(ear.done, key=lambda response: int(response.metadata["number"]))
    return [ear.told(f"sentence-{number}", response) for number, response in enumerate(in_order)]


async def read_turn(connection: Any, name: str, text: str) -> dict[str, Any]:
    """Adds a message to the conversation, and asks for a response."""
    await connection.conversation.item.create(item=message([text]))
    await connection.response.create()
    return await hear(connection, name)


async def break_off(connection: Any, name: str) -> dict[str, Any]:
    """Cancels a response at its first audio."""
    await connection.conversation.item.create(item=message([TEXTS["broken_off"]]))
    await connection.response.create()
    ear = Ear()
    while not ear.audio:
        ear.hear(await connection.recv())
    await connection.response.cancel()
    while not ear.done:
        ear.hear(await connection.recv())
    return ear.told(name, ear.done[0])


async def read_with_secret(client: AsyncOpenAI, name: str) -> dict[str, Any]:
    """Connects as a page does, with a secret that sets the session."""
    session: Any = {**SESSION, "model": MODEL}
    secret = await client.realtime.client_secrets.create(session=session)
    page = AsyncOpenAI(**{**PLACE, "api_key": secret.value})
    async with page.realtime.connect(model=MODEL) as connection:
        return await read(connection, name, [TEXTS["text"]])


def read_sync(name: str) -> dict[str, Any]:
    with OpenAI(**PLACE) as client, client.realtime.connect(model=MODEL) as connection:
        connection.session.update(session=SESSION)
        connection.response.create(response=beside([TEXTS["text"]]))
        ear = Ear()
        while not ear.done:
            ear.hear(connection.recv())
        return ear.told(name, ear.done[0])


async def main() -> None:
    text = TEXTS["text"]
    async with AsyncOpenAI(**PLACE) as client, client.realtime.connect(model=MODEL) as connection:
        await connection.session.update(session=SESSION)
        report = {
            "fast": await read(connection, "fast", [text]),
            "threes": await read(connection, "threes", threes_of(text)),
            "sentences": await read_sentences(connection, TEXTS["sentences"]),
            "turn": await read_turn(connection, "turn", text),
            "broken_off": await break_off(connection, "broken_off"),
            "next": await read_turn(connection, "next", TEXTS["next"]),
            "secret": await read_with_secret(client, "secret"),
            "sync": read_sync("sync"),
        }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main())
