"""Speaks with the `litellm` package and through its proxy as their users do, and prints the results as JSON.

    python speak_litellm.py HARNESSES FOLDER

HARNESSES is a JSON object of base URLs; only `open` and `down` are used. The proxy is started here and ended at the end.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Otherwise it tries three times to download its table of prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import httpx
import litellm
import openai

HARNESSES: dict[str, str] = json.loads(sys.argv[1])
FOLDER = Path(sys.argv[2])

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
TEXT = "The birch canoe slid on the smooth planks."
SAID: dict[str, Any] = {"voice": "alloy", "input": TEXT}
MODELS = {"tts-1": "openai/tts-1", "kokoro": "openai/kokoro", "espeak": "openai/espeak", "unknown": "openai/X"}
START_SECONDS = 120
PROXY_KEY = "sk-koe-proxy-of-a-test"
"""The proxy does not start without a key."""


def keep(name: str, audio: bytes) -> str:
    (FOLDER / name).write_bytes(audio)
    return name


def speak(model: str = "openai/tts-1", **fields: Any) -> Any:
    return litellm.speech(model=model, api_base=HARNESSES["open"], api_key="none", **(SAID | {"max_retries": 0} | fields))


async def speak_async() -> bytes:
    answer = await litellm.aspeech(model="openai/tts-1", api_base=HARNESSES["open"], api_key="none", **SAID)
    return bytes(answer.content)


def raised(ask: Callable[[], Any]) -> dict[str, Any]:
    """Returns the fields of the error that `ask` raises."""
    try:
        ask()
    except (openai.OpenAIError, httpx.HTTPError) as error:
        classes = [base.__name__ for base in type(error).__mro__]
        return {"classes": classes, "status_code": getattr(error, "status_code", None), "message": str(error)}
    return {"classes": []}


def n_asked(model: str) -> int:
    """Returns how many requests a client sends for a model that the server refuses, when it may send four."""
    asked: list[int] = []
    http: Any = httpx.Client(event_hooks={"response": [lambda answer: asked.append(answer.status_code)]})
    client = openai.OpenAI(base_url=HARNESSES["open"], api_key="none", max_retries=3, http_client=http)
    raised(lambda: speak(model, client=client, max_retries=3))
    return len(asked)


def sdk() -> dict[str, Any]:
    return {
        "formats": {name: keep(f"sdk.{name}", speak(response_format=name).content) for name in FORMATS},
        "async": keep("sdk_async", asyncio.run(speak_async())),
        "kokoro": keep("sdk_kokoro", speak("openai/hexgrad/Kokoro-82M").content),
        "errors": {
            "speed": raised(lambda: speak(speed=5)),
            "model": raised(lambda: speak("openai/X")),
            "not_loaded": raised(lambda: speak("openai/espeak")),
        },
        "n_asked": n_asked("openai/espeak"),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def proxy() -> Iterator[str]:
    """Yields the address of a proxy in front of this server."""
    port = free_port()
    config = FOLDER / "config.json"
    models = [
        {"model_name": name, "litellm_params": {"model": model, "api_base": HARNESSES["open"], "api_key": "none"}}
        for name, model in MODELS.items()
    ]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": PROXY_KEY}}))  # JSON is YAML too
    command: list[str | Path] = [
        Path(sys.executable).with_name("litellm"),
        "--config",
        config,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (FOLDER / "proxy.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_alive(process, url)
            yield url
        finally:
            process.kill()


def wait_until_alive(process: subprocess.Popen[bytes], url: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health/liveliness").is_success:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None or time.monotonic() > give_up:
            raise SystemExit((FOLDER / "proxy.log").read_text()[-3000:])
        time.sleep(0.2)


def through_proxy() -> dict[str, Any]:
    with proxy() as url, openai.OpenAI(base_url=f"{url}/v1", api_key=PROXY_KEY, max_retries=0, timeout=120) as client:

        def ask(model: str = "tts-1", **fields: Any) -> Any:
            return client.audio.speech.create(model=model, **(SAID | fields))

        return {
            "formats": {name: keep(f"proxy.{name}", ask(response_format=name).content) for name in FORMATS},
            "kokoro": keep("proxy_kokoro", ask("kokoro").content),
            "errors": {
                "speed": raised(lambda: ask(speed=5)),
                "model": raised(lambda: ask("unknown")),
                "not_loaded": raised(lambda: ask("espeak")),
            },
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"sdk": sdk(), "proxy": through_proxy()}))
