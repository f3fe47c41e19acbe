"""A few hundred of the requests of `tests.fuzz`; `python -m tests.fuzz` sends any number of them."""

from pathlib import Path

import pytest

from tests.end_to_end.processes import Served, running
from tests.fuzz import Outcome, fuzz, make_case


@pytest.mark.timeout(300)
def test_strange_requests_cause_no_500_hang_nothing_and_are_all_in_the_log(data: Path) -> None:
    served = Served(data)
    with running(served):
        served.wait_ready()
        outcome = fuzz(served, seed=7, numbers=range(400))

    assert outcome.failures == []
    assert sum(outcome.statuses.values()) == 400
    assert outcome.statuses["200"] > 40
    assert outcome.statuses["400"] > 40


def test_a_request_is_the_same_whenever_it_is_made() -> None:
    sent = [[make_case(3, number, "job_0").sent() for number in range(200)] for _ in range(2)]

    assert sent[0] == sent[1]
    assert len(set(sent[0])) > 150


HEAD = b"HTTP/1.1 %b X\r\nx-request-id: req_1\r\n\r\n"
ENVELOPE = b'{"error":{"message":"","type":"","param":null,"code":"%b"}}'


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (HEAD % b"500" + ENVELOPE % b"internal_error", "500"),
        (HEAD % b"504" + ENVELOPE % b"timeout", "504"),
        (HEAD % b"503" + ENVELOPE % b"worker_lost", "503"),
        (HEAD % b"400" + b"Bad request", "without the envelope"),
        (b"HTTP/1.1 200 OK\r\ndate: x\r\n\r\nhello", "no request id"),
        (b"hello", "no HTTP"),
    ],
)
def test_a_forbidden_answer_is_noticed(answer: bytes, word: str) -> None:
    outcome = Outcome()
    outcome.judge(1, b"POST /v1/audio/speech HTTP/1.1\r\n\r\n", answer)

    assert word in outcome.failures[0]


@pytest.mark.parametrize("answer", [HEAD % b"200" + b"hello", HEAD % b"503" + ENVELOPE % b"engine_unavailable", b""])
def test_an_allowed_answer_is_not_noticed(answer: bytes) -> None:
    outcome = Outcome()
    outcome.judge(1, b"POST /v1/audio/speech HTTP/1.1\r\n\r\n", answer)

    assert outcome.failures == []
