"""Part `cache`: the overhead of the server, as the time from request to first byte, and the rate of cache hits.

Why hits are counted with our own client: `httpx` needs more time for a request than the server needs for the response, and both
share the machine. Our client builds the request only once, writes it and reads the response.
"""

import asyncio
import time
from typing import Any, Final
from urllib.parse import urlsplit

import httptools
import httpx
import msgspec

from tests.benchmarks.figures import Row, percentile, spread
from tests.benchmarks.listeners import Listener
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Served, served
from tests.benchmarks.report import Report
from tests.benchmarks.texts import text_of

_N_WARM: Final = 20
_HIT_CHARACTERS: Final = 200
_READ_BYTES: Final = 1024 * 1024


def measure_cache(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part, measured on one server with the tone engine."""
    with served(KOE_ENGINE="tone") as server:
        _measure_overhead(report, plan, server)
        _measure_hits(report, plan, server)


def _measure_overhead(report: Report, plan: Plan, server: Served) -> None:
    """Measures the time from request to first byte on an idle server with one client."""
    with report.steps("overhead", 1) as steps:
        new, hits = asyncio.run(_first_bytes(server, plan.n_overhead_requests))
        steps.done()
    rows: list[Row] = [{"first byte": name, **spread(seconds)} for name, seconds in (("new work", new), ("cache hit", hits))]
    memory = ", ".join(f"{role} {mib:.0f}" for role, mib in server.memory_mib().items())
    title = f"Overhead of the queue: tone, pcm, one client, {plan.n_overhead_requests} requests"
    report.add("cache.overhead", title, rows, f"ready after {server.ready_seconds:.2f} s; resident memory, MiB: {memory}")


async def _first_bytes(server: Served, n_requests: int) -> tuple[list[float], list[float]]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        for number in range(_N_WARM):
            await Listener().play(http, f"Warm {number}.")
        new = [await _first_byte(http, number) for number in range(n_requests)]
        return new, [await _first_byte(http, number) for number in range(n_requests)]


async def _first_byte(http: httpx.AsyncClient, number: int) -> float:
    listener = Listener()
    await listener.play(http, f"Number {number}.")
    return listener.first_seconds


def _measure_hits(report: Report, plan: Plan, server: Served) -> None:
    """Measures cache hits: the clients repeat the same request."""
    body = {"model": "tts-1", "voice": "alloy", "input": text_of(_HIT_CHARACTERS, seed=3), "response_format": "mp3"}
    n_bytes = len(httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=60).content)
    rows: list[Row] = []
    with report.steps("hits", len(plan.n_hit_clients)) as steps:
        for n_clients in plan.n_hit_clients:
            seconds = asyncio.run(_hit(server.url, body, n_clients, plan.hit_seconds))
            row: Row = {"clients": n_clients, "hits per s": len(seconds) / plan.hit_seconds}
            rows.append(row | {"p50 ms": percentile(seconds, 0.5) * 1000, "p99 ms": percentile(seconds, 0.99) * 1000})
            steps.done()
    note = "The clients run on the same machine and use part of its processor time."
    report.add("cache.hits", f"Cache hits: whole answers of {n_bytes / 1024:.0f} KiB of mp3", rows, note)


async def _hit(url: str, body: dict[str, Any], n_clients: int, seconds: float) -> list[float]:
    end = time.monotonic() + seconds
    each = await asyncio.gather(*(_hit_until(end, url, _request(url, body)) for _ in range(n_clients)))
    return [one for some in each for one in some]


def _request(url: str, body: dict[str, Any]) -> bytes:
    content = msgspec.json.encode(body)
    head = f"POST /v1/audio/speech HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


async def _hit_until(end: float, url: str, request: bytes) -> list[float]:
    """Returns the duration of each complete response in seconds, all on one connection."""
    found: list[float] = []
    reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
    try:
        while (started := time.monotonic()) < end:
            writer.write(request)
            answer = _Answer()
            while not answer.is_whole:
                answer.read(await reader.read(_READ_BYTES))
            found.append(time.monotonic() - started)
    finally:
        writer.close()
    return found


class _Answer:
    """Parses one response. Raises ConnectionError for a status other than 200."""

    def __init__(self) -> None:
        self.is_whole = False
        self._parser = httptools.HttpResponseParser(self)

    def read(self, data: bytes) -> None:
        """Parses the next bytes. Raises ConnectionError for empty `data`: the server has closed the connection."""
        if not data:
            raise ConnectionError("The server closed the connection.")
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._parser.get_status_code() != httpx.codes.OK:
            raise ConnectionError(f"The server answered {self._parser.get_status_code()}.")
        self.is_whole = True
