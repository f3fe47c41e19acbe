"""Speaks with Pipecat's service in a pipeline as its bots do, and prints the results as JSON; the samples go into files.

    python speak_pipecat.py HARNESSES FOLDER

HARNESSES is a JSON object of base URLs: `open` and `empty`.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from pipecat.frames.frames import EndFrame, ErrorFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.tts import VALID_VOICES, OpenAITTSService
from pipecat.workers.runner import WorkerRunner

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])

TEXT = "The birch canoe slid on the smooth planks."


class Listener(FrameProcessor):  # type: ignore[misc]
    """Records the audio and the errors that pass."""

    def __init__(self) -> None:
        super().__init__()
        self.audio: list[TTSAudioRawFrame] = []
        self.errors: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.audio.append(frame)
        if isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)


async def in_pipeline(harness: str = "open", **settings: Any) -> tuple[Listener, Listener]:
    """Runs the service in a pipeline. Returns the listeners before and after the service."""
    service = OpenAITTSService(api_key="none", base_url=HARNESSES[harness], settings=OpenAITTSService.Settings(**settings))
    before, after = Listener(), Listener()
    worker = PipelineWorker(Pipeline([before, service, after]))
    await worker.queue_frames([TTSSpeakFrame(TEXT), EndFrame()])
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
    return before, after


def told(file: str, frames: list[TTSAudioRawFrame]) -> dict[str, Any]:
    (FOLDER / file).write_bytes(b"".join(frame.audio for frame in frames))
    return {
        "file": file,
        "rates": sorted({frame.sample_rate for frame in frames}),
        "channels": sorted({frame.num_channels for frame in frames}),
        "lengths": [len(frame.audio) for frame in frames],
    }


async def run_tts(voice: str) -> dict[str, Any]:
    """Returns the audio that the service itself yields for one voice, called as a pipeline would call it."""
    service = OpenAITTSService(api_key="none", base_url=HARNESSES["open"], settings=OpenAITTSService.Settings(voice=voice))
    service._sample_rate = 24_000  # set by the start frame, which only a pipeline sends
    frames = [frame async for frame in service.run_tts(TEXT, "context")]
    return told(f"voice-{voice}", [frame for frame in frames if isinstance(frame, TTSAudioRawFrame)])


async def main() -> None:
    _, plain = await in_pipeline(voice="ballad")
    _, directed = await in_pipeline(voice="ballad", instructions="Whisper.", speed=1.5)
    refused, _ = await in_pipeline(voice="ballad", speed=9.0)
    report = {
        "voices": {voice: await run_tts(voice) for voice in VALID_VOICES},
        "plain": told("plain", plain.audio),
        "directed": told("directed", directed.audio),
        "refused": refused.errors,
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main())
