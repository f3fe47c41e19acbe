"""Part `live`: texts that are spoken while a model writes them (Cartesia's WebSocket), and texts that are read over OpenAI's
Realtime API, compared with `POST /v1/audio/speech`.

Why without caches: both ways would otherwise give the same stored bytes.
"""

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.delivery.live.cutter import Cutter
from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row, percentile, spread
from tests.benchmarks.listeners import Listener
from tests.benchmarks.model import model_once
from tests.benchmarks.newcomers import words_of
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import served
from tests.benchmarks.report import Report, Steps
from tests.benchmarks.texts import text_of

_TOKENS_PER_SECOND: Final = 30
_TOKEN_CHARACTERS: Final = 4
_TURN_CHARACTERS: Final = 250
_GAP_SECONDS: Final = 0.02
"""A shorter gap is not heard."""
_SILENCE_SECONDS: Final = 1.0
"""After a cancel, audio that comes within this time is counted."""
_N_CONNECTIONS: Final = 4
"""Connections over which texts are read at the same time."""
_WITHOUT_CACHES: Final = {"KOE_CACHE_BYTES": "0", "KOE_SEGMENT_BYTES": "0"}

Message = dict[str, Any]


def measure_live(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part."""
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model_once().folder), **_WITHOUT_CACHES}
    n_steps = plan.n_live_turns + 1 + len(plan.live_levels) + plan.n_live_texts
    with served(**settings) as server, report.steps("live", n_steps) as steps:
        asyncio.run(_measure(report, plan, server.url, steps))


async def _measure(report: Report, plan: Plan, url: str, steps: Steps) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        await Listener().play(http, "Hello there.", voice=VOICE)
        steps.now("a model that writes")
        turns = [await _measure_turn(http, url, seed, steps) for seed in range(plan.n_live_turns)]
        await _report_turns(report, url, turns, steps)
        rows = [await _measure_level(url, n_sessions, steps) for n_sessions in plan.live_levels]
        report.add("live.sessions", f"Sessions that begin at the same time, {_TURN_CHARACTERS} characters each", rows)
        report.add("live.equality", "Texts read over OpenAI's Realtime API", [await _compare(http, url, plan, steps)])


class _Context:
    """One text over Cartesia's protocol, on a connection of its own, and the listener who hears it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.listener = Listener()
        self.clause = ""
        """The text until the first boundary at which Koe may begin to speak."""
        self.clause_at = time.monotonic()
        """Time at which the token was sent that has the first character after it."""
        self.is_refused = False

    async def send(self, text: str, **more: Any) -> None:
        """Sends a piece of the text."""
        await self._socket.send(
            json.dumps(
                {
                    "context_id": "one",
                    "model_id": "kokoro",
                    "transcript": text,
                    "continue": True,
                    "language": "en",
                    "voice": {"mode": "id", "id": VOICE},
                    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": SAMPLE_RATE_HZ},
                    **more,
                }
            )
        )

    async def write(self, text: str) -> None:
        """Sends a text as a model writes it, token by token, and ends it."""
        cutter, next_at = Cutter("en-US"), time.monotonic()
        for place in range(0, len(text), _TOKEN_CHARACTERS):
            token = text[place : place + _TOKEN_CHARACTERS]
            await self.send(token)
            cutter.add(token)
            if not self.clause and (clause := cutter.take(is_first=True)):
                self.clause, self.clause_at = clause, time.monotonic()
            next_at += 1 / _TOKENS_PER_SECOND
            await asyncio.sleep(next_at - time.monotonic())
        self.clause = self.clause or text
        await self.send("", **{"continue": False})

    async def hear(self) -> None:
        """Hears the text to its end."""
        async for data in self._socket:
            message: Message = json.loads(data)
            if message["type"] == "chunk":
                self.hear_chunk(message)
            if message["type"] in ("done", "error"):
                self.is_refused = message["type"] == "error"
                return

    def hear_chunk(self, message: Message) -> None:
        """Hears the audio of a message. The first audio counts from the end of the clause on."""
        self.listener.hear(len(base64.b64decode(message["data"])), self.clause_at)

    async def silence_after_cancel(self) -> float:
        """Cancels the text when its first audio has come. Returns the seconds until the last audio after that."""
        await self.send(text_of(3 * _TURN_CHARACTERS, 0))
        while json.loads(await self._socket.recv())["type"] != "chunk":
            pass
        await self._socket.send(json.dumps({"context_id": "one", "cancel": True}))
        cancelled_at = last_at = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await self._socket.recv()
            except TimeoutError:
                return last_at - cancelled_at
            last_at = time.monotonic()


@asynccontextmanager
async def _context(url: str) -> AsyncIterator[_Context]:
    async with connect(url.replace("http", "ws", 1) + "/tts/websocket", max_size=None) as socket:
        yield _Context(socket)


async def _hear_turn(url: str, seed: int) -> _Context:
    """Has a model write one text, and hears it to its end."""
    async with _context(url) as context:
        await asyncio.gather(context.write(text_of(_TURN_CHARACTERS, seed)), context.hear())
    return context


@dataclass
class _Turn:
    context: _Context
    clause_seconds: float
    """First audio of the clause alone, by POST."""


async def _measure_turn(http: httpx.AsyncClient, url: str, seed: int, steps: Steps) -> _Turn:
    context, alone = await _hear_turn(url, seed), Listener()
    await alone.play(http, context.clause.strip(), voice=VOICE)
    steps.done()
    return _Turn(context, alone.first_seconds)


async def _report_turns(report: Report, url: str, turns: Sequence[_Turn], steps: Steps) -> None:
    heard = [turn.context.listener for turn in turns]
    more = [one.context.listener.first_seconds - one.clause_seconds for one in turns]
    silences = []
    for _ in turns:
        async with _context(url) as context:
            silences.append(await context.silence_after_cancel())
    steps.done()
    row: Row = {
        "turns": len(turns),
        "first after clause p50 s": median(one.first_seconds for one in heard),
        "p95 s": percentile([one.first_seconds for one in heard], 0.95),
        "the clause alone p50 s": median(turn.clause_seconds for turn in turns),
        "more p50 s": median(more),
        "more p95 s": percentile(more, 0.95),
        **_gaps(heard),
        **spread(silences, name="cancel to silence"),
    }
    title = f"A model that writes {_TOKENS_PER_SECOND} tokens of {_TOKEN_CHARACTERS} characters a second"
    report.add("live.turns", title, [row], "The clause alone: its first audio by POST when it is known as a whole.")


async def _measure_level(url: str, n_sessions: int, steps: Steps) -> Row:
    steps.now(f"{n_sessions} sessions")
    began_at = time.monotonic()
    contexts = await asyncio.gather(*(_hear_turn(url, 1000 * n_sessions + number) for number in range(n_sessions)))
    seconds = time.monotonic() - began_at
    heard = [context.listener for context in contexts if not context.is_refused]
    steps.done()
    return {
        "sessions": n_sessions,
        "refused": sum(context.is_refused for context in contexts),
        **spread([one.first_seconds for one in heard], name="first after clause", unit="s", scale=1.0),
        "audio s per s": sum(one.audio_seconds for one in heard) / seconds,
        **_gaps(heard),
    }


def _gaps(heard: Sequence[Listener]) -> Row:
    gaps = [gap for one in heard for gap in one.gaps if gap > _GAP_SECONDS]
    return {f"gaps over {1000 * _GAP_SECONDS:.0f} ms": len(gaps), "longest s": max(gaps, default=0.0)}


async def _compare(http: httpx.AsyncClient, url: str, plan: Plan, steps: Steps) -> Row:
    """Reads texts over the Realtime API and by POST."""
    steps.now("texts over the Realtime API")
    waiting = iter(range(plan.n_live_texts))
    lengths = random.Random(22)
    found: list[tuple[bool, bool]] = []

    async def read_on() -> None:
        path = "/v1/realtime?model=gpt-realtime"
        async with connect(url.replace("http", "ws", 1) + path, max_size=None) as socket:
            for seed in waiting:
                text = words_of(lengths.choice(plan.live_words), seed)
                transcript, pcm = await _read(socket, text)
                body = {"model": "gpt-4o-mini-tts", "voice": VOICE, "input": text, "response_format": "pcm"}
                answer = await http.post("/v1/audio/speech", json=body)
                found.append((transcript == text, pcm == answer.raise_for_status().content))
                steps.done()

    began_at = time.monotonic()
    await asyncio.gather(*(read_on() for _ in range(_N_CONNECTIONS)))
    return {
        "texts": len(found),
        "transcript equal": sum(transcript for transcript, _ in found),
        "pcm equal to POST": sum(pcm for _, pcm in found),
        "seconds": time.monotonic() - began_at,
    }


async def _read(socket: ClientConnection, text: str) -> tuple[str, bytes]:
    """Has a text read beside the conversation. Returns the transcript and the samples."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    response = {"conversation": "none", "input": [item], "audio": {"output": {"voice": VOICE}}}
    await socket.send(json.dumps({"type": "response.create", "response": response}))
    transcript, samples = [], []
    async for data in socket:
        message: Message = json.loads(data)
        match message["type"]:
            case "response.output_audio_transcript.delta":
                transcript.append(message["delta"])
            case "response.output_audio.delta":
                samples.append(base64.b64decode(message["delta"]))
            case "response.done":
                break
    return "".join(transcript), b"".join(samples)
