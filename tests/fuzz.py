"""Sends thousands of malformed and hostile requests to a live server over raw sockets.

`python -m tests.fuzz --requests 50000` counts the answers. `--only 1234` sends only the request with this number and shows it.

Each request is a valid one with up to four faults: in its JSON, its bytes, its headers, its method, its path, or the way in
which it is sent. The seed and the number of a request determine all of it.

The conditions: no answer is a 500 or a time-out, nothing hangs, no process dies, every error has the envelope, and the log has
the request id of every answer and no traceback.
"""

import argparse
import asyncio
import gzip
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx

from tests.end_to_end.processes import Served, events, running
from tests.harness import wait_until

AT_ONCE = 12
_SECONDS = 60.0
"""Seconds without new data that count as a hang. `KOE_MAX_WAIT` is half of it."""
_HALF_SECONDS = 0.2
"""Seconds without an answer after which a request that may be incomplete is ended."""
_MAX_BYTES = 100_000_000
_FINE_503 = {"engine_unavailable"}
_SILENT = re.compile(rb"(healthz|readyz|metrics)[^\r\n]* HTTP")
"""Paths whose requests are not logged."""

SPEECH: dict[str, Any] = {"model": "tts-1", "input": "The birch canoe slid.", "voice": "alloy", "response_format": "pcm"}
EXTRAS: dict[str, Any] = {
    "speed": 1.5,
    "language": "en-US",
    "stream_format": "sse",
    "instructions": "Speak slowly.",
    "normalize": False,
    "pronunciations": {"canoe": "kənˈu"},
    "timestamps": ["word"],
    "sample_rate": 16000,
    "bitrate": 64000,
    "title": "A title",
    "metadata": {"a": "b"},
    "webhook_url": "https://example.com/hook",
}
MODELS = ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "espeak", "kokoro", "hexgrad/Kokoro-82M", "", "tts-1 ", "x" * 500]
VOICES = [
    "alloy",
    "af_heart",
    "af_heart+bf_emma",
    "af_heart(2)+bf_emma(1)",
    "jf_alpha",
    "zf_xiaobei",
    "nobody",
    "a" * 3000,
    "+",
    "((((",
]
FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm", "ulaw", "alaw", "ogg", ""]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    0.1,
    1e308,
    -(2**63),
    2**64,
    "",
    " ",
    "\0",
    "a",
    [],
    {},
    [[]],
    {"id": "alloy"},
    ["word"],
    "null",
    "é" * 50,
]
PIECES = [
    *(" ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\u001c", "\u3000", "\u200b", "\u202e", "\ufeff", "\0", "\x7f"),
    *(
        "a",
        "Z",
        "ß",
        "é",
        "ﬁ",
        "𝐀",
        "Ⓐ",
        "क",
        "日本",
        "こ",
        "ン",
        "中",
        "한",
        "ع",
        "ש",
        "ﷺ",
        "\u0301",
        "\ufe0f",
        "\u20e3",
        "\u200d",
    ),
    *(
        "😀",
        "❤️",
        "👨‍👩‍👧",
        "🏳️‍🌈",
        "🇩🇪",
        "1",
        "²",
        "½",
        "٣",
        "12,345.67",
        "1/2",
        "$5.50",
        "€",
        "%",
        "-",
        "–",
        "…",
        ".",
        "..",
        ",",
        "!?",
        ";",
    ),
    *("s'", "’", '"', "(", ")", "[", "]", "[[", "]]", "{", "<", ">", "/", "\\", "|", "#", "*", "_", "~", "^", "`", "@", "&"),
    *(
        "[pause:0.1s]",
        "[pause:",
        "[a](/b/)",
        "[x](y)",
        "<break time='1s'/>",
        "http://a.example/?b=c",
        "a@b.example",
        "+1 (555) 123-4567",
    ),
    *("2026-11-29", "12:30", "XIV", "Dr.", "U.S.A.", "e.g.", "NASA", "1st", "\ud83d", "\udc00"),
]
ROUTES = [
    ("POST", "/v1/audio/speech", SPEECH),
    ("POST", "/v1/audio/speech", SPEECH),
    ("POST", "/v1/audio/speech/jobs", SPEECH),
    ("POST", "/v1/audio/phonemize", {"input": "Four canoes.", "voice": "alloy"}),
    ("POST", "/openai/deployments/tts-1/audio/speech?api-version=2025-01-01", SPEECH),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/tts-1", None),
    ("GET", "/v1/audio/voices", None),
    ("GET", "/v1/audio/models", None),
    ("GET", "/v1/audio/speech/jobs?limit=3", None),
    ("GET", "/v1/audio/speech/jobs/{job}", None),
    ("GET", "/v1/audio/speech/jobs/{job}/content", None),
    ("GET", "/v1/audio/speech/jobs/{job}/captions?format=srt", None),
    ("GET", "/v1/audio/speech/jobs/{job}/events", None),
    ("POST", "/v1/audio/speech/jobs/{job}/cancel", None),
    ("DELETE", "/v1/audio/speech/jobs/{job}", None),
    ("GET", "/schema/openapi.json", None),
    ("GET", "/", None),
    ("GET", "/readyz", None),
]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "NOPE",
    "get",
    "",
    "POST POST",
]
HEADERS = [
    "Content-Type: text/plain",
    "Content-Type: application/json; charset=utf-16",
    "Content-Type: multipart/form-data; boundary=x",
    "Content-Type: ",
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding : chunked",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Content-Length: 0x10",
    "Expect: 100-continue",
    "Expect: nothing",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Upgrade: TLS/1.0\r\nConnection: upgrade",
    "Connection: keep-alive, close",
    "Authorization: Bearer \0",
    "Authorization: Bearer é",
    "Authorization: Basic Zm9vOmJhcg==",
    "api-key: x",
    "Host: evil.example",
    "Host: [::1",
    "Origin: null",
    "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST",
    "Range: bytes=0-",
    "Range: bytes=-1",
    "Range: bytes=5-1,3-,-0",
    "If-None-Match: *",
    "If-Range: x",
    "X-Request-Id: " + "i" * 200,
    "X-Request-Id: é\t",
    "X-Forwarded-Prefix: /tts",
    "X-Forwarded-Prefix: //evil",
    "Accept: text/html",
    "Accept-Encoding: gzip",
    "Cookie: " + "c" * 9000,
    "X-Long: " + "l" * 70_000,
    "\r\n".join(f"X-{i}: y" for i in range(140)),
    "X-Folded: a\r\n b",
    ": nothing",
    "no colon",
    "X-\xff: \xff",
]


@dataclass
class Case:
    """One request and the way in which it is sent."""

    method: str
    path: str
    headers: list[str]
    body: bytes
    version: str = "HTTP/1.1"
    is_chunked: bool = False
    length: int | None = None
    """Content-Length that is sent instead of the real length of the body."""
    raw: list[Callable[[bytes], bytes]] = field(default_factory=list)
    """Changes to the bytes of the whole request, applied last."""
    n_pieces: int = 1
    leaves_early: bool = False
    may_be_incomplete: bool = False

    def sent(self) -> bytes:
        """The whole request as bytes."""
        lines = [f"{self.method} {self.path} {self.version}", "Connection: close", *self.headers]
        body = self.body
        if self.is_chunked:
            lines.append("Transfer-Encoding: chunked")
            body = (
                b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 97]), body[i : i + 97]) for i in range(0, len(body), 97))
                + b"0\r\n\r\n"
            )
        elif body or self.length is not None:
            lines.append(f"Content-Length: {len(body) if self.length is None else self.length}")
        whole = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + body
        for change in self.raw:
            whole = change(whole)
        return whole


def make_case(seed: int, number: int, job: str) -> Case:
    """Returns the request with this number. `job` is the id of a real job."""
    rng = random.Random(f"{seed} {number}")
    method, path, fields = rng.choice(ROUTES)
    headers = ["Host: localhost"]
    body = b""
    if fields is not None:
        headers.append("Content-Type: application/json")
        body = _write(rng, _change_fields(rng, dict(fields)))
    case = Case(method, path.replace("{job}", job if rng.random() < 0.8 else _text(rng, 3)), headers, body)
    for change in rng.choices(_CHANGES, weights=_WEIGHTS, k=rng.choice([0, 1, 1, 2, 4])):
        change(rng, case)
    case.path = re.sub(r"[^!-~\x80-\U0010ffff]", "%20", case.path) if rng.random() < 0.9 else case.path
    return case


def _change_fields(rng: random.Random, fields: dict[str, Any]) -> dict[str, Any]:
    for name, choices in (("model", MODELS), ("voice", VOICES), ("response_format", FORMATS)):
        if rng.random() < 0.3:
            fields[name] = rng.choice(choices)
    if rng.random() < 0.7:
        fields["input"] = _text(rng, rng.choice([1, 3, 20, 200]))
    for name in rng.sample(list(EXTRAS), rng.choice([0, 0, 1, 3])):
        fields[name] = EXTRAS[name]
    if rng.random() < 0.3:
        fields[rng.choice([*fields, *EXTRAS])] = rng.choice([*ODD, _text(rng, 5)])
    if rng.random() < 0.1:
        fields.pop(rng.choice(list(fields)))
    return fields


def _text(rng: random.Random, n_pieces: int) -> str:
    """Returns random pieces in a row; sometimes another one is repeated many times among them."""
    pieces = rng.choices(PIECES, k=n_pieces)
    if rng.random() < 0.2:
        pieces.insert(rng.randrange(len(pieces) + 1), rng.choice(PIECES) * rng.choice([10, 100, 2000]))
    return "".join(pieces)


def _write(rng: random.Random, fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=rng.random() < 0.7)
    return text.encode("utf-8", "surrogatepass")


def _change_bytes(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 3, 10])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + rng.randbytes(rng.choice([1, 4, 50])) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + rng.choice([1, 5, 100]) :]
        else:
            data = data[:at] + data[max(0, at - 20) : at] * 3 + data[at:]
    return data


def _spoil_body(rng: random.Random, case: Case) -> None:
    encodings: list[Callable[[bytes], bytes]] = [
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: gzip.compress(body, mtime=0),
        lambda body: body.decode("utf-8", "replace").encode("utf-16"),
        lambda body: body.decode("utf-8", "replace").encode("latin-1", "replace"),
        lambda body: body[: rng.randrange(len(body) + 1)],
        lambda body: b"[" * 5000,
        lambda body: body.replace(b'"', b"'"),
        lambda body: body.replace(b":", b": NaN,", 1),
        lambda body: rng.randbytes(rng.choice([1, 100, 3000])),
        lambda body: _change_bytes(rng, body),
    ]
    case.body = rng.choice(encodings)(case.body)


def _add_header(rng: random.Random, case: Case) -> None:
    case.headers.insert(rng.randrange(len(case.headers) + 1), rng.choice(HEADERS))
    case.may_be_incomplete = True


def _drop_header(rng: random.Random, case: Case) -> None:
    case.headers.pop(rng.randrange(len(case.headers))) if case.headers else None


def _change_method(rng: random.Random, case: Case) -> None:
    case.method = rng.choice(METHODS)


def _change_path(rng: random.Random, case: Case) -> None:
    at = rng.randrange(len(case.path) + 1)
    odd = [
        "%00",
        "%2e%2e/",
        "/../../etc/passwd",
        "//",
        "?",
        "#",
        "%",
        "%zz",
        "é",
        "\\",
        "?limit=" + "9" * 30,
        "?after=x&format=y",
        "a" * 9000,
    ]
    case.path = case.path[:at] + rng.choice(odd) + case.path[at + rng.choice([0, 0, 1]) :]


def _change_version(rng: random.Random, case: Case) -> None:
    case.version = rng.choice(["HTTP/1.0", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "", "http/1.1", "HTTP/1.1 x"])


def _send_in_chunks(rng: random.Random, case: Case) -> None:
    case.is_chunked = True


def _lie_about_length(rng: random.Random, case: Case) -> None:
    case.length = max(0, len(case.body) + rng.choice([-5, -1, 1, 5, 2**40]))
    case.may_be_incomplete = True


def _spoil_all(rng: random.Random, case: Case) -> None:
    case.raw.append(lambda whole: _change_bytes(rng, whole))
    case.may_be_incomplete = True


def _send_twice(rng: random.Random, case: Case) -> None:
    case.raw.append(lambda whole: whole.replace(b"Connection: close\r\n", b"", 1) * rng.choice([1, 3, 50]) + whole)
    case.may_be_incomplete = True


def _send_in_pieces(rng: random.Random, case: Case) -> None:
    case.n_pieces = rng.choice([2, 5, 30])


def _leave_early(rng: random.Random, case: Case) -> None:
    case.leaves_early = True


_CHANGES: list[Callable[[random.Random, Case], None]] = [
    *(_spoil_body, _add_header, _drop_header, _change_method, _change_path, _change_version),
    *(_send_in_chunks, _lie_about_length, _spoil_all, _send_twice, _send_in_pieces, _leave_early),
]
_WEIGHTS = [6, 6, 2, 2, 3, 2, 2, 2, 4, 1, 2, 1]


@dataclass
class Outcome:
    """The answers to a number of requests."""

    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    """Request id in an answer → number of its request."""

    def __str__(self) -> str:
        counted = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.statuses.items()))
        shown = "".join(f"\n  {failure}" for failure in self.failures[:20])
        return f"{sum(self.statuses.values()):,} requests ({counted}); failures: {len(self.failures)}{shown}"

    def judge(self, number: int, sent: bytes, answer: bytes) -> None:
        """Counts an answer and records its faults."""
        heads = list(re.finditer(rb"(?:^|(?<=\n)|(?<=\}))HTTP/1\.1 ([2-5]\d\d) [^\r\n]*\r\n(.*?)\r\n\r\n", answer, re.DOTALL))
        if not heads:
            self.statuses["none" if not answer else "broken"] += 1
            if answer and not answer.startswith(b"HTTP/1.1 100"):
                self.failures.append(f"{number}: no HTTP came back: {answer[:60]!r}")
            return
        last = heads[-1]
        self.statuses[last[1].decode()] += 1
        shown = re.search(rb"\r\nx-request-id: ([^\r\n]+)", b"\r\n" + last[2])
        if shown is None:
            self.failures.append(f"{number}: {last[1].decode()} has no request id")
        elif not _SILENT.search(sent):
            self.ids[shown[1].decode()] = number
        self._judge_error(number, int(last[1]), answer[last.end() :], is_head=sent.startswith(b"HEAD") or b"HEAD" in sent[:20])

    def _judge_error(self, number: int, status: int, body: bytes, *, is_head: bool) -> None:
        if status < 400 or is_head or not body:
            return
        try:
            error = json.loads(body)["error"]
            code = error["code"]
            assert set(error) == {"message", "type", "param", "code"}
        except (ValueError, KeyError, TypeError, AssertionError):
            code = "unknown code"
            if status != 503 or b'"status":"unavailable"' not in body:
                self.failures.append(f"{number}: {status} without the envelope: {body[:80]!r}")
        if status in (500, 502, 504) or (status == 503 and code not in _FINE_503 and b"queue" not in body):
            self.failures.append(f"{number}: {status} {code}")


async def send(port: int, number: int, case: Case, outcome: Outcome) -> None:
    """Sends a request and judges the answer."""
    sent = case.sent()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        size = max(1, len(sent) // case.n_pieces)
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await writer.drain()
            if case.n_pieces > 1:
                await asyncio.sleep(0)
        if case.leaves_early:
            writer.transport.abort()
            outcome.statuses["left"] += 1
            return
        outcome.judge(number, sent, await _read(reader, writer, case))
    except TimeoutError:
        outcome.statuses["hang"] += 1
        outcome.failures.append(f"{number}: hangs")
    except ConnectionError:
        outcome.statuses["reset"] += 1
    finally:
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, case: Case) -> bytes:
    """Returns the answer. Only a pause without new data is a hang: many large answers in a row may take longer in all."""
    answer = bytearray()
    if case.may_be_incomplete:
        with suppress(TimeoutError):
            while data := await asyncio.wait_for(reader.read(65_536), _HALF_SECONDS):
                answer += data
            return bytes(answer)
        writer.write_eof()
    while len(answer) < _MAX_BYTES and (data := await asyncio.wait_for(reader.read(65_536), _SECONDS)):
        answer += data
    return bytes(answer)


async def _send_all(served: Served, seed: int, numbers: range, job: str, outcome: Outcome) -> None:
    coming = iter(numbers)

    async def send_some() -> None:
        for number in coming:
            await send(served.port, number, make_case(seed, number, job), outcome)

    await asyncio.gather(*(send_some() for _ in range(AT_ONCE)))


def fuzz(served: Served, *, seed: int, numbers: range) -> Outcome:
    """Sends the requests with these numbers, then checks that the server still speaks, and checks its log."""
    outcome = Outcome()
    made = httpx.post(f"{served.url}/v1/audio/speech/jobs", json=SPEECH | {"timestamps": ["word"]}).json()
    wait_until(lambda: httpx.get(f"{served.url}/v1/audio/speech/jobs/{made['id']}").json()["status"] == "completed")
    asyncio.run(_send_all(served, seed, numbers, made["id"], outcome))
    spoken = httpx.post(f"{served.url}/v1/audio/speech", json=SPEECH, timeout=_SECONDS)
    if spoken.status_code != httpx.codes.OK:
        outcome.failures.append(f"The server does not speak any more: {spoken.status_code} {spoken.text}")
    last_id = spoken.headers["x-request-id"]
    wait_until(lambda: any(line["request_id"] == last_id for line in events(served, "request_answered")))
    _judge_log(served, outcome)
    return outcome


def _judge_log(served: Served, outcome: Outcome) -> None:
    logged_ids = {line["request_id"] for line in events(served, "request_answered")}
    outcome.failures += [
        f"{number}: {shown} is not in the log" for shown, number in outcome.ids.items() if shown not in logged_ids
    ]
    for word in ("part_died", "unforeseen_error", "Traceback", "engine_failed", "worker_lost"):
        if n_times := served.said.count(word):
            outcome.failures.append(f"The log says {word} {n_times} times.")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Send a server malformed and hostile requests.")
    parser.add_argument("--requests", type=int, default=2000, help="number of requests (default: 2000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random requests (default: 1)")
    parser.add_argument("--engine", default="tone", choices=["tone", "espeak"], help="engine that speaks (default: tone)")
    parser.add_argument("--only", type=int, help="send only the request with this number, and show its bytes")
    parser.add_argument("--log", type=Path, help="file for the server's log")
    given = parser.parse_args()
    numbers = range(given.requests) if given.only is None else range(given.only, given.only + 1)
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        served = Served(Path(folder) / "data", KOE_ENGINE=given.engine)
        with running(served):
            served.wait_ready()
            outcome = fuzz(served, seed=given.seed, numbers=numbers)
            if given.log:
                given.log.write_text(served.said)
    if given.only is not None:
        click.echo(repr(make_case(given.seed, given.only, "job_0").sent()))
    click.echo(str(outcome))
    sys.exit(1 if outcome.failures else 0)


if __name__ == "__main__":
    main()
