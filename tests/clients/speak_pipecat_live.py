"""Has texts read over WebSockets by Pipecat's services, as bots do, and prints the results as JSON; the samples go into files.

    python speak_pipecat_live.py HARNESSES FOLDER TEXTS

HARNESSES is a JSON object of base URLs, of which `open` is used; TEXTS has `text`, its `sentences`, `next` and `broken_off`.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.services.together.tts import TogetherTTSService
from pipecat.workers.runner import WorkerRunner

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])
TEXTS: dict[str, Any] = json.loads(sys.argv[3])

SOCKETS = HARNESSES["open"].replace("http", "ws", 1)
SLOW_SECONDS = 0.01
USER_SECONDS = 0.5
"""How long a user speaks who interrupts. Audio that is under way is dropped meanwhile: Together's does not name its turn."""


def words_of(text: str) -> list[str]:
    """Returns the words with the space after each."""
    return [f"{word} " for word in text.split()]


def threes_of(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


class Listener(FrameProcessor):  # type: ignore[misc]
    """Records what passes, for one turn at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.audio: list[TTSAudioRawFrame] = []
        self.words: list[str] = []
        self.errors: list[str] = []
        self.has_sound, self.has_ended, self.is_interrupted = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.audio.append(frame)
            if any(frame.audio):
                self.has_sound.set()
        elif isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame) and self.audio:  # one without audio is of a turn that was broken off
            self.has_ended.set()
        elif isinstance(frame, InterruptionFrame):
            self.is_interrupted.set()
        elif isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)

    def told(self, name: str) -> dict[str, Any]:
        (FOLDER / name).write_bytes(b"".join(frame.audio for frame in self.audio))
        return {
            "words": self.words,
            "rates": sorted({frame.sample_rate for frame in self.audio}),
            "is_whole": all(len(frame.audio) % 2 == 0 for frame in self.audio),
            "errors": self.errors,
        }


class Bot:
    """A pipeline with one service, whose turns are asked for one after the other."""

    def __init__(self, name: str, service: FrameProcessor) -> None:
        self.name = name
        self.before, self.after = Listener(), Listener()
        self.worker = PipelineWorker(Pipeline([self.before, service, self.after]))

    async def ask(self, pieces: Sequence[str], seconds: float) -> None:
        """Lets a text be spoken as that of a language model."""
        await self.worker.queue_frames([LLMFullResponseStartFrame()])
        for piece in pieces:
            await self.worker.queue_frames([LLMTextFrame(piece)])
            await asyncio.sleep(seconds)
        await self.worker.queue_frames([LLMFullResponseEndFrame()])

    async def read(self, name: str, pieces: Sequence[str], seconds: float = 0.0) -> dict[str, Any]:
        self.after.begin()
        await self.ask(pieces, seconds)
        async with asyncio.timeout(30):
            await self.after.has_ended.wait()
        await self.worker.queue_frames([BotStoppedSpeakingFrame()])  # a transport says so
        return self.after.told(f"{self.name}-{name}")

    async def break_off(self, name: str) -> dict[str, Any]:
        """Interrupts the bot at its first audio."""
        self.after.begin()
        await self.ask([TEXTS["broken_off"]], 0.0)
        async with asyncio.timeout(30):
            await self.after.has_sound.wait()
            await self.worker.queue_frames([InterruptionFrame()])
            await self.after.is_interrupted.wait()
        await asyncio.sleep(USER_SECONDS)
        return self.after.told(f"{self.name}-{name}")

    async def turns(self) -> dict[str, Any]:
        text = TEXTS["text"]
        return {
            "slow": await self.read("slow", words_of(text), SLOW_SECONDS),
            "fast": await self.read("fast", [text]),
            "threes": await self.read("threes", threes_of(text), SLOW_SECONDS),
            "broken_off": await self.break_off("broken_off"),
            "next": await self.read("next", [TEXTS["next"]]),
        }

    async def report(self) -> dict[str, Any]:
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        running = asyncio.create_task(runner.run())
        told = await self.turns()
        await self.worker.queue_frames([EndFrame()])
        await running
        return told | {"errors": self.before.errors}


class RealtimeBot(Bot):
    """A pipeline with OpenAI's Realtime API. Its first turn reads the context, and each later one an appended message."""

    def __init__(self, name: str, service: FrameProcessor) -> None:
        super().__init__(name, service)
        self.context = LLMContext([{"role": "user", "content": TEXTS["text"]}])
        users, assistants = LLMContextAggregatorPair(self.context)
        self.worker = PipelineWorker(Pipeline([users, self.before, service, self.after, assistants]))

    async def ask(self, pieces: Sequence[str], seconds: float) -> None:
        message: Any = {"role": "assistant", "content": "".join(pieces)}  # Pipecat makes instructions of all others
        await self.before.push_frame(LLMMessagesAppendFrame([message], run_llm=True))

    async def turns(self) -> dict[str, Any]:
        await self.worker.queue_frames([LLMRunFrame()])
        async with asyncio.timeout(30):
            await self.after.has_ended.wait()
        return {
            "first": self.after.told(f"{self.name}-first"),
            "broken_off": await self.break_off("broken_off"),
            "next": await self.read("next", [TEXTS["next"]]),
        }


def realtime(voice: str, *, turn_detection: Any) -> OpenAIRealtimeLLMService:
    session = events.SessionProperties(
        audio=events.AudioConfiguration(
            input=events.AudioInput(turn_detection=turn_detection), output=events.AudioOutput(voice=voice)
        )
    )
    settings = OpenAIRealtimeLLMService.Settings(session_properties=session)
    return OpenAIRealtimeLLMService(api_key="none", base_url=f"{SOCKETS}/realtime", settings=settings)


async def main() -> None:
    together = TogetherTTSService(api_key="none", url=f"{SOCKETS}/audio/speech/websocket")
    cartesia = CartesiaTTSService(
        api_key="none",
        url=f"{SOCKETS.removesuffix('/v1')}/tts/websocket",
        settings=CartesiaTTSService.Settings(voice="bf_emma"),
    )
    report = {
        "together": await Bot("together", together).report(),
        "cartesia": await Bot("cartesia", cartesia).report(),
        "realtime": await RealtimeBot("realtime", realtime("coral", turn_detection=None)).report(),
        "realtime-local": await RealtimeBot("realtime-local", realtime("sage", turn_detection=False)).report(),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main())
