"""The description at `/schema` is true of all responses that schemathesis gets, and a person can read it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.harness import Harness
from tests.schema import KEYS, check_contract, described_harness


@pytest.fixture
def locked_harness(data: Path) -> Iterator[Harness]:
    with described_harness(data, KOE_API_KEYS=",".join(KEYS.values())) as harness:
        yield harness


@pytest.fixture
def open_door(data: Path) -> Iterator[Harness]:
    with described_harness(data) as harness:
        yield harness


def test_a_server_with_keys_keeps_its_description(locked_harness: Harness) -> None:
    outcome = check_contract(locked_harness, n_examples=3, keys=KEYS)

    assert outcome.has_passed, outcome.printed
    assert outcome.n_operations == n_operations(locked_harness)
    assert outcome.n_cases > 400


def test_a_server_without_keys_keeps_its_description(open_door: Harness) -> None:
    outcome = check_contract(open_door, n_examples=2, phases=("examples", "fuzzing"))

    assert outcome.has_passed, outcome.printed
    assert outcome.n_operations == n_operations(open_door)


def test_the_page_and_all_that_it_loads_come_from_this_server(harness: Harness) -> None:
    with harness.http() as http:
        page = http.get("/schema")
        loaded = [http.get(path) for path in re.findall(r'(?:src|href)="(schema/[^"]+)"', page.text)]

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r"https?://|src=\"//", page.text)
    assert [answer.status_code for answer in loaded] == [200] * len(loaded)
    kinds = {str(answer.url.path): answer.headers["content-type"].partition(";")[0] for answer in loaded}
    assert kinds == {
        "/schema/openapi.json": "application/vnd.oai.openapi+json",
        "/schema/openapi.yaml": "application/vnd.oai.openapi",
        "/schema/swagger-ui.css": "text/css",
        "/schema/swagger-ui-bundle.js": "text/javascript",
        "/schema/start.js": "text/javascript",
    }


def test_the_description_is_the_same_in_json_and_yaml(harness: Harness) -> None:
    with harness.http() as http:
        as_json, as_yaml = http.get("/schema/openapi.json").json(), http.get("/schema/openapi.yaml").text

    assert yaml.safe_load(as_yaml) == as_json


def test_an_unknown_address_beside_the_page_is_answered_like_any_other(harness: Harness) -> None:
    with harness.http() as http:
        answer = http.get("/schema/nope")

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (GET /schema/nope)"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/audio/speech", "OPTIONS, POST"),
        ("/v1/audio/speech/jobs", "GET, HEAD, OPTIONS, POST"),
        ("/v1/audio/speech/jobs/job_1", "DELETE, GET, HEAD, OPTIONS"),
        ("/v1/audio/speech/jobs/job_1/content", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_and_a_wrong_method_name_the_same_methods(harness: Harness, path: str, methods: str) -> None:
    with harness.http() as http:
        asked, wrong = http.options(path), http.put(path)

    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, methods)


def n_operations(harness: Harness) -> int:
    with harness.http() as http:
        paths = http.get("/schema/openapi.json").json()["paths"]
    return sum(len(item) for item in paths.values())
