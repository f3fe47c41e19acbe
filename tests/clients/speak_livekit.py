"""Speaks with LiveKit's plugin as its agents do, and prints the results as JSON; the samples go into files.

    python speak_livekit.py HARNESSES FOLDER

HARNESSES is a JSON object of base URLs: `open`, `empty` and `down`.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from livekit.agents import APIConnectionError, APIConnectOptions, APIError
from livekit.plugins import openai

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])

TEXT = "The birch canoe slid on the smooth planks."
BREAKING = "All is well with the first of these sentences. But at this one the voice breaks."
ONCE = APIConnectOptions(max_retry=0, timeout=10)


def engine(harness: str = "open", **options: Any) -> openai.TTS:
    return openai.TTS(**({"base_url": HARNESSES[harness], "api_key": "none", "voice": "ash"} | options))


async def speak(model: str, format_name: str) -> dict[str, Any]:
    metrics: list[Any] = []
    one = engine(model=model, response_format=format_name)
    one.on("metrics_collected", metrics.append)
    async with one.synthesize(TEXT, conn_options=ONCE) as stream:
        events = [event async for event in stream]
    await one.aclose()
    file = f"{model}.{format_name}"
    (FOLDER / file).write_bytes(b"".join(bytes(event.frame.data) for event in events))
    return {
        "file": file,
        "rates": sorted({event.frame.sample_rate for event in events}),
        "channels": sorted({event.frame.num_channels for event in events}),
        "is_final": events[-1].is_final,
        "input_tokens": [metric.input_tokens for metric in metrics],
        "output_tokens": [metric.output_tokens for metric in metrics],
        "seconds": [metric.audio_duration for metric in metrics],
    }


async def warm_up() -> bool:
    """Whether speech still works after the warm-up that agents do at their start."""
    one = engine()
    one.prewarm()
    async with one.synthesize(TEXT, conn_options=ONCE) as stream:
        frame = await stream.collect()
    await one.aclose()
    return bool(frame.duration > 2)


async def raised(harness: str, text: str = TEXT, **options: Any) -> dict[str, Any]:
    one = engine(harness, **options)
    heard = 0.0
    try:
        async with one.synthesize(text, conn_options=ONCE) as stream:
            async for event in stream:
                heard += event.frame.duration
    except APIError as error:
        found: APIError | BaseException | None = error
        while isinstance(found, APIConnectionError) and isinstance(found.__cause__, APIError):
            found = found.__cause__
        names = ("status_code", "request_id", "retryable")
        return {"class": type(found).__name__, "heard": heard, **{name: getattr(found, name, None) for name in names}}
    finally:
        await one.aclose()
    return {"class": None, "heard": heard}


async def main() -> None:
    models = ("tts-1", "gpt-4o-mini-tts", "kokoro")
    formats = ("mp3", "wav", "opus", "pcm", "aac", "flac")
    report = {
        "spoken": {f"{model} {name}": await speak(model, name) for model in models for name in formats},
        "is_warm": await warm_up(),
        "voice": await raised("open", voice="zzz"),
        "no_worker": await raised("empty"),
        "down": await raised("down"),
        "breaking_audio": await raised("open", BREAKING, model="tts-1"),
        "breaking_events": await raised("open", BREAKING, model="gpt-4o-mini-tts"),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main())
