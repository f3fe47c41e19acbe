"""Speaks with the `openai` package as its users do, and prints the results as JSON; the audio goes into files.

    python speak_openai.py HARNESSES FOLDER KEY

HARNESSES is a JSON object of base URLs: `open`, `locked` (which knows only KEY and allows one request a second), `empty`,
`hasty` and `down`.
"""

import asyncio
import base64
import inspect
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import openai

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])
KEY = sys.argv[3]

FORMATS: tuple[Any, ...] = ("mp3", "opus", "aac", "flac", "wav", "pcm")
TEXT = "The birch canoe slid on the smooth planks."
MODERN: dict[str, Any] = {"model": "gpt-4o-mini-tts", "voice": "coral", "input": TEXT}
OLD: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": TEXT}
BREAKING: dict[str, Any] = MODERN | {
    "input": "All is well with the first of these sentences. But at this one the voice breaks."
}


@cache
def visitor(harness: str) -> openai.OpenAI:
    """Returns the client of a harness. There is only one for each, since making it takes half a second."""
    return openai.OpenAI(base_url=HARNESSES[harness], api_key="none", max_retries=0)


def client(harness: str = "open", **options: Any) -> openai.OpenAI:
    return visitor(harness).with_options(**options)


def events_wanted() -> dict[str, Any]:
    """Returns the arguments by which this version requests events; older versions do not know the field."""
    known = inspect.signature(openai.OpenAI(api_key="none").audio.speech.create).parameters
    return {"stream_format": "sse"} if "stream_format" in known else {"extra_body": {"stream_format": "sse"}}


def keep(name: str, audio: bytes) -> str:
    (FOLDER / name).write_bytes(audio)
    return name


def audio() -> dict[str, Any]:
    """Requests the same file in every possible way."""
    speech = client().audio.speech
    raw = speech.with_raw_response.create(**OLD)
    with speech.with_streaming_response.create(**OLD) as response:
        pieces = b"".join(response.iter_bytes(1000))
    with speech.with_streaming_response.create(**OLD) as response:
        response.stream_to_file(FOLDER / "to_file")
    whole = speech.create(**OLD)
    whole.write_to_file(FOLDER / "written")
    return {
        "type": raw.headers["content-type"],
        "request_id": raw.request_id,
        "files": [keep("whole", whole.read()), keep("raw", raw.content), keep("pieces", pieces), "to_file", "written"],
    }


async def audio_async() -> dict[str, Any]:
    async with openai.AsyncOpenAI(base_url=HARNESSES["open"], api_key="none", max_retries=0) as one:
        whole = await one.audio.speech.create(**OLD)
        raw = await one.audio.speech.with_raw_response.create(**OLD)
        async with one.audio.speech.with_streaming_response.create(**OLD) as response:
            pieces = b"".join([piece async for piece in response.iter_bytes(1000)])
        many = await asyncio.gather(*(one.audio.speech.create(**OLD) for _ in range(8)))
    files = [keep("async_whole", await whole.aread()), keep("async_raw", raw.content), keep("async_pieces", pieces)]
    return {
        "type": raw.headers["content-type"],
        "request_id": raw.request_id,
        "files": files + [keep(f"async_{number}", await each.aread()) for number, each in enumerate(many)],
    }


def formats() -> dict[str, Any]:
    answers = {}
    for name in FORMATS:
        raw = client().audio.speech.with_raw_response.create(**MODERN, response_format=name)
        answers[name] = {"type": raw.headers["content-type"], "file": keep(f"speech.{name}", raw.content)}
    return answers


def events_of(lines: Any) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def told(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the types of the events, and the last event without its audio."""
    return {"types": [event["type"] for event in events], "last": {**events[-1], "audio": None}}


def joined(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")


def events() -> dict[str, Any]:
    answers = {}
    for name in FORMATS:
        asked = MODERN | {"response_format": name} | events_wanted()
        with client().audio.speech.with_streaming_response.create(**asked) as response:
            got = events_of(response.iter_lines())
            answers[name] = {"type": response.headers["content-type"], **told(got), "file": keep(f"sse.{name}", joined(got))}
    return answers


async def events_async() -> dict[str, Any]:
    speech = openai.AsyncOpenAI(base_url=HARNESSES["open"], api_key="none", max_retries=0).audio.speech
    async with speech.with_streaming_response.create(**MODERN, **events_wanted()) as response:
        got = events_of([line async for line in response.iter_lines()])
    return {**told(got), "file": keep("async_sse", joined(got))}


def old_model_events() -> dict[str, Any]:
    raw = client().audio.speech.with_raw_response.create(**OLD, **events_wanted())
    return {"type": raw.headers["content-type"], "file": keep("old_model", raw.content)}


def raised(ask: Callable[[], Any]) -> dict[str, Any]:
    """Returns the fields of the error that `ask` raises."""
    try:
        ask()
    except openai.APIError as error:
        names = ("status_code", "code", "param", "type", "request_id", "message")
        own = {name: getattr(error, name, None) for name in names}
        response = getattr(error, "response", None)
        return own | {
            "class": type(error).__name__,
            "classes": [base.__name__ for base in type(error).__mro__],
            "header_request_id": response.headers.get("x-request-id") if response is not None else None,
        }
    return {"class": None}


def errors() -> dict[str, Any]:
    def speak(harness: str = "open", options: dict[str, Any] | None = None, **fields: Any) -> Callable[[], Any]:
        return lambda: client(harness, **(options or {})).audio.speech.create(**OLD | fields)

    return {
        "wrong_key": raised(speak("locked", {"api_key": "sk-a-wrong-key-of-many-letters"})),
        "speed": raised(speak(speed=5)),
        "voice": raised(speak(voice="zzz")),
        "no_voice": raised(speak(voice=None)),
        "long": raised(speak(input="a" * 5000)),
        "format": raised(speak(response_format="ogg")),
        "model": raised(speak(model="X")),
        "model_page": raised(lambda: client().models.retrieve("X")),
        "huge": raised(speak(input="a" * 2**20)),
        "not_loaded": raised(speak(model="espeak")),
        "no_worker": raised(speak("empty")),
        "too_slow": raised(speak("hasty", input="This one waits.")),
        "no_patience": raised(speak("open", {"timeout": 0.3}, input="And this one waits.")),
        "down": raised(speak("down")),
        "breaks": raised(speak(**BREAKING)),
        "mine": raised(speak(speed=5, extra_headers={"x-request-id": "mine-1"})),
    }


def breaking_events() -> dict[str, Any]:
    """Reads the lines of a response that fails midway. Returns its events and the name of the error."""
    got: list[dict[str, Any]] = []
    error = None
    try:
        with client().audio.speech.with_streaming_response.create(**BREAKING, **events_wanted()) as response:
            for line in response.iter_lines():
                got += events_of([line])
    except Exception as fault:  # noqa: BLE001 - from any HTTP library
        error = type(fault).__name__
    return {**told(got), "raised": error}


def breaking_audio() -> str | None:
    """Reads the bytes of a response that fails midway. Returns the name of the error."""
    try:
        with client().audio.speech.with_streaming_response.create(**BREAKING) as response:
            response.read()
    except Exception as fault:  # noqa: BLE001 - from any HTTP library
        return type(fault).__name__
    return None


def retries() -> dict[str, Any]:
    """Sends two requests where one a second is allowed, and a third without retries between them. Returns the responses as they
    came, and their times.
    """
    seen: list[dict[str, Any]] = []

    def see(response: Any) -> None:
        seen.append(
            {"status": response.status_code, "at": time.monotonic(), "retry_after": response.headers.get("retry-after")}
        )

    http = getattr(openai, "DefaultHttpx2Client", openai.DefaultHttpxClient)(event_hooks={"response": [see]})
    patient = client("locked", api_key=KEY, max_retries=2, http_client=http)
    patient.audio.speech.create(**OLD)
    refused = raised(lambda: patient.with_options(max_retries=0).audio.speech.create(**OLD))
    patient.audio.speech.create(**OLD)
    return {"refused": refused, "seen": seen}


def models() -> dict[str, Any]:
    one = client()
    return {"listed": [model.id for model in one.models.list()], "one": one.models.retrieve("tts-1").to_dict()}


def main() -> None:
    report = {
        "audio": audio(),
        "audio_async": asyncio.run(audio_async()),
        "formats": formats(),
        "events": events(),
        "events_async": asyncio.run(events_async()),
        "old_model_events": old_model_events(),
        "errors": errors(),
        "breaking_events": breaking_events(),
        "breaking_audio": breaking_audio(),
        "retries": retries(),
        "models": models(),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
