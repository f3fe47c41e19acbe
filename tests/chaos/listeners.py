"""Clients that send requests during the faults, and compare every response with the response of an undisturbed server."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.audio import without_length
from tests.end_to_end.listeners import SPEECH, asked
from tests.engines import text_of

TRIES: Final = 3
"""Number of tries, as in the official SDKs: a request that fails with 429, 500 or above, or breaks off, is repeated up to
twice.
"""


@dataclass
class Tally:
    """The results of the requests."""

    n_requests: int = 0
    n_bytes: int = 0
    n_compared: int = 0
    n_asked_again: int = 0
    """Refusals with a `Retry-After`, after which the request was sent again."""
    n_cut_by_api: int = 0
    """Responses that broke off because their API process was killed."""
    n_left: int = 0
    """Listeners that left on purpose."""
    failures: list[str] = field(default_factory=list)
    longest_gaps: list[float] = field(default_factory=list)
    """The longest gap of each response, in seconds."""


class Script:
    """The requests, and the expected response of each."""

    def __init__(self, formats: Sequence[str], lengths: Sequence[int]) -> None:
        """`lengths` in segments."""
        self.bodies = [
            asked(text_of(n_segments, f"{name} canoe"), name, model="espeak", speed=1.25)
            for n_segments in lengths
            for name in formats
        ]
        self.expected: dict[str, str] = {}

    def learn(self, url: str) -> None:
        """Gets the response of an undisturbed server for each."""
        for body in self.bodies:
            answer = httpx.post(f"{url}{SPEECH}", json=body, timeout=60)
            assert answer.status_code == 200, answer.text
            self.expected[name_of(body)] = digest_of(answer.content)


def name_of(body: dict[str, Any]) -> str:
    """Returns a name that is unique among the bodies of a script."""
    return f"{len(body['input'])} characters as {body['response_format']}"


def digest_of(data: bytes) -> str:
    """Returns the digest by which responses are compared."""
    return f"{len(data)} bytes, {hashlib.sha256(without_length(data)).hexdigest()[:16]}"


class Listener:
    """One client that sends requests repeatedly, with its own seed."""

    def __init__(self, url: str, script: Script, seed: int, tally: Tally, api_deaths: list[float]) -> None:
        self._url = url
        self._script = script
        self._random = random.Random(seed)
        self._tally = tally
        self._api_deaths = api_deaths
        self._lock = threading.Lock()

    def run(self, until: Callable[[], bool]) -> None:
        """Sends requests until `until` returns True. The last response is read to its end."""
        while not until():
            body = self._random.choice(self._script.bodies)
            manner = self._random.choices(["whole", "slow", "leaves"], [8, 1, 1])[0]
            self.ask(body, manner)

    def ask(self, body: dict[str, Any], manner: str) -> None:
        """Sends one request, with the retries of an SDK, and reads the response in the given manner."""
        self._tally.n_requests += 1
        for n_left in reversed(range(TRIES)):
            started = time.monotonic()
            try:
                self._hear(body, manner)
                return
            except _Refused as refused:
                self._tally.n_asked_again += 1
                if not n_left:
                    self._fail(body, str(refused))
                    return
                time.sleep(min(refused.retry_after_seconds, 5))
            except httpx.TransportError as error:
                was_api = any(started <= death <= time.monotonic() for death in self._api_deaths)
                self._tally.n_cut_by_api += was_api
                if not was_api or not n_left:
                    self._fail(body, repr(error))
                    return

    def _hear(self, body: dict[str, Any], manner: str) -> None:
        data, longest, last = b"", 0.0, time.monotonic()
        # A new connection: an API process that ends may close a reused one at the moment of the request.
        with httpx.stream("POST", f"{self._url}{SPEECH}", json=body, timeout=90) as answer:
            if answer.status_code != 200:
                answer.read()
                raise _Refused(answer)
            for chunk in answer.iter_raw():
                data += chunk
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
                if manner == "leaves" and len(data) > 20_000:
                    self._tally.n_left += 1
                    return
                if manner == "slow":
                    time.sleep(0.01)
        self._compare(body, data)
        self._tally.longest_gaps.append(longest)

    def _compare(self, body: dict[str, Any], data: bytes) -> None:
        self._tally.n_bytes += len(data)
        self._tally.n_compared += 1
        got, expected = digest_of(data), self._script.expected[name_of(body)]
        if got != expected:
            self._fail(body, f"{got} instead of {expected}")

    def _fail(self, body: dict[str, Any], why: str) -> None:
        self._tally.failures.append(f"{name_of(body)}: {why}")


class _Refused(Exception):
    """A response that asks to try again."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.status_code} {answer.text[:200]}")
        self.retry_after_seconds = float(answer.headers.get("retry-after", 1))


def crowd(n_listeners: int, make: Callable[[int], Listener], until: Callable[[], bool]) -> Iterator[threading.Thread]:
    """Starts `n_listeners`, each in its own thread, and yields the threads."""
    for number in range(n_listeners):
        thread = threading.Thread(target=make(number).run, args=(until,), name=f"listener-{number}")
        thread.start()
        yield thread
