"""The page that a person opens, and its files."""

import os
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient

from app.api.routes.page import show_page, show_web_file
from app.asgi import create_litestar
from app.core.settings import Settings
from app.core.speech.formats import OPENAI_FORMATS
from app.core.speech.voices import DEFAULT_VOICE
from app.web.page import FOLDER, load_site

SITE = load_site()
HTML = SITE.page.data.decode()
TEXTS = {name: file.data.decode() for name, file in SITE.files.items() if not name.endswith(".png")}
SCRIPTS = {name: text for name, text in TEXTS.items() if name.endswith(".js")}
MAX_BYTES = 150_000
FOLDERS = ["basics", "sound", "voices", "speak", "books", ""]
"""The folders of scripts; each imports from itself and those before it."""
MODULE_IMPORT = re.compile(r'^import \{(.+?)\} from "(\..+?)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE)


def imports(name: str) -> list[tuple[set[str], str]]:
    """Returns the names that a script imports, and the script that has them."""
    folder = PurePosixPath(name).parent
    return [
        (set(names.split(", ")), os.path.normpath(folder / module)) for names, module in MODULE_IMPORT.findall(SCRIPTS[name])
    ]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    site = {"site": Provide(lambda: SITE, sync_to_thread=False)}
    with TestClient(Litestar([show_page, show_web_file], dependencies=site, openapi_config=None)) as client:
        yield client


def test_it_is_html_that_a_browser_asks_for_each_time(client: Any) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text == HTML
    assert client.get("/", headers={"if-none-match": answer.headers["etag"]}).status_code == 304


def test_every_file_that_it_names_is_there_and_may_be_kept_for_ever(client: Any) -> None:
    named = set(re.findall(rf'"{FOLDER}/([^"]+)"', HTML))

    assert {"style.css", "main.js", "icon.svg"} <= {path.rpartition("/")[2] for path in named}
    for path in named:
        answer = client.get(f"/{FOLDER}/{path}")
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]


def test_a_file_of_another_version_is_not_kept(client: Any) -> None:
    assert client.get(f"/{FOLDER}/0000/style.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2Fpage.py", "../page.py", "page.py", "basics"])
def test_nothing_but_its_files_is_served(client: Any, name: str) -> None:
    assert client.get(f"/{FOLDER}/{SITE.digest}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("name", "media_type"), [("main.js", "text/javascript"), ("style.css", "text/css"), ("icon.png", "image/png")]
)
def test_each_file_has_its_media_type(client: Any, name: str, media_type: str) -> None:
    assert client.get(f"/{FOLDER}/{SITE.digest}/{name}").headers["content-type"].partition(";")[0] == media_type


def test_it_names_no_other_host() -> None:
    for name, text in {"index.html": HTML, **TEXTS}.items():
        without_names = text.replace("http://www.w3.org/2000/svg", "")
        assert not re.findall(r"(?:https?|wss?)://[\w.-]+|@import|url\(", without_names), name


def test_it_is_light() -> None:
    assert len(SITE.page.data) + sum(len(file.data) for file in SITE.files.values()) < MAX_BYTES


def test_its_policy_allows_this_server_and_nothing_else(client: Any) -> None:
    policy = dict(rule.split(" ", 1) for rule in client.get("/").headers["content-security-policy"].split("; "))

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in " ".join(policy.values())
    assert not re.findall(r"\s(?:style|on\w+)=|javascript:|<iframe|<object|<script>|<style>", HTML)


def test_no_script_writes_html() -> None:
    for name, text in SCRIPTS.items():
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), name


def test_all_routes_that_its_scripts_call_are_there() -> None:
    routes = {re.sub(r"\{.*?\}", "{}", route.path) for route in create_litestar(Settings(), "redis://127.0.0.1").routes}
    paths = set(re.findall(r'"(v1/[^"]+|readyz)"', "".join(SCRIPTS.values()))) | set(
        re.findall(r'href="(v1/[^"]+|schema|readyz|metrics)"', HTML)
    )

    assert {"v1/audio/speech", "v1/audio/speech/jobs", "v1/audio/voices", "v1/audio/models", "readyz"} <= paths
    assert {f"/{path}" for path in paths} <= routes


def test_every_element_that_its_scripts_look_for_is_on_it() -> None:
    looked_for = set(re.findall(r'find\("([\w-]+)"\)', "".join(SCRIPTS.values())))
    ids = re.findall(r'\sid="([\w-]+)"', HTML)

    assert len(ids) == len(set(ids))
    assert {"text", "speak-button", "voice-list", "play"} <= looked_for
    assert looked_for <= set(ids)


def test_every_label_and_control_of_it_names_an_element() -> None:
    named = set(re.findall(r'\s(?:for|aria-controls|aria-labelledby|list)="([\w-]+)"', HTML))

    assert named <= set(re.findall(r'\sid="([\w-]+)"', HTML))
    assert {f"icon-{name}" for name in re.findall(r'"#icon-(\w+)"', HTML)} <= set(re.findall(r'<symbol id="([\w-]+)"', HTML))


def test_every_script_imports_what_another_exports_and_uses_it() -> None:
    for name, text in SCRIPTS.items():
        for wanted, module in imports(name):
            assert wanted <= set(EXPORT.findall(SCRIPTS[module])), f"{name} from {module}"
            for one in wanted:
                assert len(re.findall(rf"\b{one}\b", text)) > 1, f"{name} does not use {one}"


def test_every_script_is_reached_from_the_first() -> None:
    reached, open_ones = {"theme.js"}, {"main.js"}
    while open_ones:
        name = open_ones.pop()
        reached.add(name)
        open_ones |= {module for _, module in imports(name)} - reached

    assert reached == set(SCRIPTS)


def test_folders_of_scripts_import_each_other_one_way() -> None:
    for name in SCRIPTS:
        for _, module in imports(name):
            here, there = (str(PurePosixPath(one).parent).replace(".", "") for one in (name, module))
            assert FOLDERS.index(there) <= FOLDERS.index(here), f"{name} imports {module}"


def test_it_saves_every_format() -> None:
    formats = re.search(r"const FORMATS = \[(.*?)\]", SCRIPTS["speak/spoken.js"])
    assert formats is not None

    assert re.findall(r'"(\w+)"', formats[1]) == list(OPENAI_FORMATS)


def test_it_begins_with_the_default_voice() -> None:
    assert f'voice: "{DEFAULT_VOICE}"' in SCRIPTS["basics/settings.js"]
    assert f'BEST = "{DEFAULT_VOICE}"' in SCRIPTS["voices/catalogue.js"]
