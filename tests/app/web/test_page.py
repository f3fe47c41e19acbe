"""The page that a person opens."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient

from app.api.routes.page import show_page
from app.asgi import create_litestar
from app.core.settings import Settings
from app.core.speech.formats import OPENAI_FORMATS
from app.core.speech.voices import DEFAULT_VOICE
from app.web.page import load_page

HTML = load_page().html


@pytest.fixture(scope="module")
def answer() -> Iterator[Any]:
    page = load_page()
    app = Litestar([show_page], dependencies={"page": Provide(lambda: page, sync_to_thread=False)}, openapi_config=None)
    with TestClient(app) as client:
        yield client.get("/")


def rules(answer: Any) -> dict[str, str]:
    """The page's policy, rule by rule."""
    policy = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (rule.partition(" ") for rule in policy)}


def test_it_is_html(answer: Any) -> None:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "max-age=300"
    assert answer.text == HTML


def test_it_names_no_other_host() -> None:
    assert not re.findall(r"(?:https?:|wss?:)?//[\w.-]+\.\w+|https?:|@import|url\(", HTML)


def test_all_that_it_asks_for_is_there() -> None:
    routes = {route.path for route in create_litestar(Settings(), "redis://127.0.0.1").routes}
    paths = set(re.findall(r'href="([^":]+)"', HTML)) | set(re.findall(r'"(v1/[^"]+|readyz)"', HTML))

    assert {"v1/audio/speech", "v1/audio/voices", "v1/audio/models", "readyz", "schema", "metrics"} <= paths
    assert {f"/{path}" for path in paths} <= routes


def test_every_element_that_its_script_looks_for_is_on_it() -> None:
    looked_for = set(re.findall(r'find\("([\w-]+)"\)', HTML))

    assert {"speak", "stop", "download", "notice", "fault"} <= looked_for | set(re.findall(r'id="([\w-]+)"', HTML))
    assert looked_for <= set(re.findall(r'id="([\w-]+)"', HTML))


def test_it_offers_every_format_and_knows_how_to_play_it() -> None:
    menu = re.search(r'<select id="format">(.*?)</select>', HTML, re.DOTALL)
    players = re.search(r"PLAYED_AS = \{(.*?)\}", HTML)
    assert menu is not None
    assert players is not None

    assert re.findall(r"<option>(\w+)</option>", menu[1]) == list(OPENAI_FORMATS)
    assert re.findall(r"(\w+): ", players[1]) == list(OPENAI_FORMATS)


def test_only_scripts_in_the_file_may_run(answer: Any) -> None:
    policy = rules(answer)
    scripts, styles = (re.findall(rf"<{kind}[^>]*>(.*?)</{kind}>", answer.text, re.DOTALL) for kind in ("script", "style"))

    for text, rule in [(*scripts, "script-src"), (*styles, "style-src")]:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[rule] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_nothing_on_the_page_is_forbidden_by_its_policy() -> None:
    body = re.sub(r"<(script|style)>.*?</\1>", "", HTML, flags=re.DOTALL)

    assert not re.findall(r"\s(?:style|on\w+)=|javascript:|<iframe|<object", body)


def test_it_begins_with_the_default_voice() -> None:
    assert f'BEST_VOICE = "{DEFAULT_VOICE}"' in HTML


BROWSER = """
const elements = {};
const made = (id) => new Proxy({value: "", listeners: {}, addEventListener(name, heard) { this.listeners[name] = heard; }}, {
  get: (target, name) => name in target ? target[name] : name === "options" ? [1] : () => undefined,
});
globalThis.document = {
  getElementById: (id) => elements[id] ??= made(id), baseURI: "http://koe/", hidden: true, createElement: made,
};
globalThis.window = {};
globalThis.sessionStorage = {getItem: () => "", setItem: () => {}};
globalThis.setTimeout = () => 0;
globalThis.fetch = async () => { throw new TypeError("Failed to fetch"); };
"""
"""The few functions of a browser that the page needs."""

PRESS = """
(async () => {
  document.getElementById("format").value = "wav";
  document.getElementById("key").value = KEY;
  let nAsked = 0;
  const answer = FETCH;
  globalThis.fetch = (path) => { nAsked += path !== "readyz"; return answer(path); };
  await elements.form.listeners.submit({preventDefault() {}});
  console.log(elements.fault.textContent);
  console.log(nAsked);
})();
"""
UNREACHABLE = 'async () => { throw new TypeError("Failed to fetch"); }'
BREAKS_OFF = """async (path) => ({ok: path !== "readyz", headers: new Headers(), body: {getReader: () => ({
  n: 0, async read() { if (this.n++) throw new TypeError("network error"); return {done: false, value: new Uint8Array(8)}; },
})}})"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("key", "fetch", "says", "n_asked"),
    [
        ("", UNREACHABLE, "The server does not answer, so nothing was sent. Is Koe still running?", 1),
        ("", BREAKS_OFF, "The answer broke off before its end. The audio is not whole.", 1),
        ("ключ", UNREACHABLE, "The key has characters that no key has: copy it again.", 0),
    ],
    ids=["the server is gone", "the answer breaks off", "a key that no header holds"],
)
def test_the_page_shows_the_error(key: str, fetch: str, says: str, n_asked: int) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", HTML, re.DOTALL)
    program = BROWSER + script + PRESS.replace("KEY", json.dumps(key)).replace("FETCH", fetch)
    result = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=False)

    assert result.stdout == f"{says}\n{n_asked}\n", result.stderr
