"""`koe doctor`: what is here, what is missing, and the command that fixes it; and the welcome of `koe serve`.

Why the workers' half of the diagnosis runs in its own process: this side imports neither torch nor the engines, and a broken
installation of either must not stop the diagnosis.
"""

import importlib.util
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rich.console import Console
from rich.text import Text

from app import __version__
from app.core.errors import Misconfigured
from app.core.host import remedies
from app.core.host.check import Check
from app.core.host.own_python import own_python
from app.core.host.streams import can_show
from app.core.queue.fleet import Registration
from app.core.settings import Settings, part_environ
from app.core.storage import keys
from app.core.storage.connections import connect
from app.core.storage.redis_check import check_redis
from app.core.storage.redis_url import show_redis_url

_POLL_SECONDS: Final = 0.2
_SETTLE_SECONDS: Final = 1.0
"""Pause before the API is asked. It is longer than the API caches the fleet, which may just have been renewed."""


def diagnose(settings: Settings, redis_url: str) -> list[Check]:
    """Returns every check."""
    return [_python(), _queue(redis_url), *_speaking_side(settings)]


def is_well(checks: list[Check]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(check.is_well or not check.is_needed for check in checks)


def show(checks: list[Check], console: Console) -> None:
    """Prints the checks, and the remedies of those that are not well."""
    for check in checks:
        console.print(Text.assemble(_mark(check, console), f" {check.name}: {check.detail}"), soft_wrap=True)
        if check.remedy and not check.is_well:
            console.print(f"    {_either('→', '->', console)} {check.remedy}", soft_wrap=True)


def _mark(check: Check, console: Console) -> tuple[str, str]:
    """Returns the sign of a check and its colour."""
    if check.is_well:
        return _either("✓", "+", console), "green"
    return (_either("✗", "x", console), "red") if check.is_needed else ("!", "yellow")


def _either(sign: str, plain: str, console: Console) -> str:
    return sign if can_show(sign, console.encoding) else plain


def welcome(settings: Settings, console: Console) -> None:
    """Prints the URL and first commands once Koe can speak; returns at once."""
    threading.Thread(target=_welcome, args=(settings, console), name="welcome", daemon=True).start()


def _welcome(settings: Settings, console: Console) -> None:
    url = settings.own_url
    time.sleep(_SETTLE_SECONDS)
    ready = _wait_until_ready(url)
    weights = f" ({ready['weights']} weights)" if ready["weights"] else ""
    strong = [(text, "bold") for text in (f"\nKoe {__version__}", f"{url}/v1", str(ready["engine"]))]
    console.print(Text.assemble(strong[0], " speaks at ", strong[1], " with ", strong[2], weights), soft_wrap=True)
    if ready["notice"]:
        console.print(Text.assemble(("!", "yellow"), f" {ready['notice']}"), soft_wrap=True)
    for command, meaning in _commands(url, ready):
        console.print(f"  {remedies.bare(command):34} {meaning}", soft_wrap=True)
    console.print("  Ctrl-C ends it.\n")


def _commands(url: str, ready: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields commands to try next, and what they do."""
    yield remedies.koe('say "Hello" -o hello.mp3'), f"or any OpenAI client with base_url={url}/v1"
    if ready["weights"] == "8-bit":
        yield remedies.koe("fetch --from hub"), "gets Kokoro's original weights (330 MB), while this runs"
    elif ready["engine"] != "kokoro" and " fetch" in (ready["notice"] or ""):
        yield remedies.koe("fetch"), "gets Kokoro's voice, while this runs"


def _wait_until_ready(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=url) as http:
        while (found := _readiness(http)) is None:
            time.sleep(_POLL_SECONDS)
    return found


def _readiness(http: httpx.Client) -> dict[str, Any] | None:
    """Returns the answer of /readyz; None while the server is not ready."""
    try:
        answer = http.get("/readyz")
    except httpx.HTTPError:
        return None
    body: dict[str, Any] | None = answer.json() if answer.status_code == httpx.codes.OK else None
    return body


def _python() -> Check:
    version = platform.python_version()
    return Check(
        name="Python",
        is_well=(3, 11) <= sys.version_info[:2] < (3, 13),
        detail=f"{version}, Koe {__version__}",
        remedy="Kokoro's package runs on Python 3.11 and 3.12: make a virtual environment with one of them.",
    )


def _queue(redis_url: str) -> Check:
    shown = show_redis_url(redis_url)
    try:
        with connect(redis_url) as redis:
            check_redis(redis)
            version = _version(redis)
            registrations = [redis.get(keys.worker(name.decode())) for name in redis.zrange(keys.WORKERS, 0, -1)]
    except RedisError as error:
        remedy = f"{remedies.koe('serve')} brings a queue of its own; for one elsewhere set KOE_REDIS_URL."
        return Check(name="Queue", is_well=False, detail=f"{shown}: {error}", remedy=remedy, is_needed=False)
    except Misconfigured as error:
        return Check(name="Queue", is_well=False, detail="cannot be used", remedy=str(error))
    workers = [msgspec.json.decode(registration, type=Registration) for registration in registrations if registration]
    speak = ", ".join(f"{registration.name} ({'+'.join(registration.engines)})" for registration in workers) or "none running"
    return Check(name="Queue", is_well=True, detail=f"{shown}, version {version}; workers: {speak}")


def _version(redis: Redis) -> str:
    """Returns the version in the server's INFO. Some servers refuse this command."""
    try:
        return str(redis.info("server")["redis_version"])
    except ResponseError:
        return "unknown"


def has_workers() -> bool:
    """Whether at least some of the workers' packages are installed here."""
    return any(importlib.util.find_spec(module) is not None for module in ("torch", "espeakng_loader"))


def _speaking_side(settings: Settings) -> list[Check]:
    if not has_workers():
        remedy = remedies.bare(remedies.install("worker"))
        detail = "not installed here; a machine that speaks needs it"
        return [Check(name="Worker", is_well=False, detail=detail, remedy=remedy, is_needed=False)]
    command = own_python("-m", "workers.setup.diagnose")
    done = subprocess.run(command, env=part_environ(settings), capture_output=True, check=False)
    if done.returncode != 0:
        detail = (done.stderr.decode(errors="replace").strip().splitlines() or ["ended without a message"])[-1]
        return [Check(name="Worker", is_well=False, detail=detail, remedy=remedies.bare(remedies.install("worker")))]
    return msgspec.json.decode(done.stdout, type=list[Check])
