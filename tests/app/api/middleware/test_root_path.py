"""Below a path of a proxy: links work, and addresses in answers contain the path."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness import Harness, open_harness

ASKED = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}


@pytest.fixture(scope="module")
def below(short_folder: Path) -> Iterator[httpx.Client]:
    """A client of a harness that is served below a path."""
    with open_harness(short_folder / "below", KOE_ROOT_PATH="/tts/") as harness, harness.http() as http:
        yield http


def test_where_nothing_is_said_nothing_is_added(harness: Harness) -> None:
    with harness.http() as http:
        made = http.post("/v1/audio/speech/jobs", json=ASKED)

        assert made.headers["location"] == f"/v1/audio/speech/jobs/{made.json()['id']}"
        assert http.get("/schema/openapi.json").json()["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("way", ["", "/tts"], ids=["the proxy takes it out", "the proxy leaves it in"])
def test_addresses_contain_the_setting_whether_the_proxy_removes_the_path_or_not(below: httpx.Client, way: str) -> None:
    made = below.post(f"{way}/v1/audio/speech/jobs", json=ASKED)

    assert made.status_code == 202
    assert made.headers["location"] == f"/tts/v1/audio/speech/jobs/{made.json()['id']}"
    assert below.get(made.headers["location"]).status_code == 200
    for kind in ("json", "yaml", "yml"):
        assert "/tts" in below.get(f"{way}/schema/openapi.{kind}").text
    assert below.get(f"{way}/schema/openapi.json").json()["servers"] == [{"url": "/tts"}]
    assert below.get(f"{way}/").status_code == 200


def test_a_path_that_only_begins_like_it_is_another(below: httpx.Client) -> None:
    assert below.get("/ttsx/healthz").status_code == 404


def test_a_proxy_may_say_it_itself(below: httpx.Client, harness: Harness) -> None:
    with harness.http(headers={"x-forwarded-prefix": "/deep/koe/"}) as http:
        made = http.post("/v1/audio/speech/jobs", json=ASKED)
        assert made.headers["location"].startswith("/deep/koe/v1/audio/speech/jobs/job_")
        assert http.get("/schema/openapi.json").json()["servers"] == [{"url": "/deep/koe"}]
    with harness.http() as http:
        assert http.get("/schema/openapi.json").json()["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("root_path", ["/", "/tts"])
def test_a_setting_excludes_the_header_so_a_client_reaches_no_other_path(root_path: str, data: Path) -> None:
    said = {"x-forwarded-prefix": "/v1"}
    with open_harness(data, {}, KOE_ROOT_PATH=root_path) as harness, harness.http(headers=said) as http:
        assert http.get("/v1/metrics").status_code == 404
        assert http.get("/metrics").status_code == 200
        assert http.get("/schema/openapi.json").json()["servers"] == [{"url": root_path}]


@pytest.mark.parametrize(
    "said", ["//evil.example", "https://evil.example", "/a b", "/a/../..", "/<script>", "tts", "/é", "/%2e"]
)
def test_a_header_that_is_no_path_is_ignored(harness: Harness, said: str) -> None:
    with harness.http(headers={"x-forwarded-prefix": said.encode()}) as http:
        assert http.post("/v1/audio/speech/jobs", json=ASKED).headers["location"].startswith("/v1/")


@pytest.mark.parametrize("page", ["/schema", "/schema/", "/tts/schema", "/tts/schema/", "/"])
def test_every_link_of_a_page_holds_below_any_path(below: httpx.Client, page: str) -> None:
    answer = below.get(page)
    links = re.findall(r'(?:src|href)="(?!data:|#|http)([^"]+)"', answer.text)

    assert links
    for link in links:
        loaded = below.get(answer.url.join(link), follow_redirects=True)
        assert loaded.status_code == 200, link
