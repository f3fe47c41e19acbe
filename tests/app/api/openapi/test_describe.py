"""A server describes itself with the contract and its own values."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import schemathesis

import app
from app.api.openapi.describe import ANY_VOICE, read_contract
from app.asgi import create_description
from app.core.settings import Secret, Settings
from app.core.speech.voices import Catalogue, load_catalogue

ROOT = Path(__file__).parents[4]
CATALOGUE = load_catalogue()
SENDS_WEBHOOKS = Settings(webhook_secret=Secret("whsec_" + "a" * 32))


def schemas(settings: Settings, catalogue: Catalogue = CATALOGUE) -> dict[str, Any]:
    return dict(create_description(settings, catalogue).whole["components"]["schemas"])


@pytest.fixture
def own_voices(tmp_path: Path) -> Catalogue:
    path = tmp_path / "voices.toml"
    path.write_text(
        '[aliases]\nreader = "af_heart(2)+bf_emma"\nbob = "bm_george"\n\n'
        '[[voices]]\nid = "xx_own"\nlanguage = "en-GB"\ngender = "male"\n',
        encoding="utf-8",
    )
    return load_catalogue(path)


def test_the_export_is_fresh() -> None:
    exported = json.loads((ROOT / "openapi/served.json").read_text(encoding="utf-8"))

    assert exported == create_description(Settings(), CATALOGUE).whole, "run `make openapi`"


@pytest.mark.parametrize(
    "whole", [read_contract(), create_description(Settings(), CATALOGUE).whole], ids=["contract", "served"]
)
def test_both_are_openapi(whole: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(whole).validate()


def test_a_server_with_nothing_set_but_webhooks_serves_what_is_written() -> None:
    written, served = read_contract(), create_description(SENDS_WEBHOOKS, CATALOGUE).whole
    written["info"]["version"] = app.__version__
    written["components"]["schemas"]["Blend"]["pattern"] = served["components"]["schemas"]["Blend"]["pattern"]

    assert served == written


def test_an_installed_package_holds_the_contract() -> None:
    carried = files("app.api.openapi") / "speech.yaml"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]

    assert carried.read_bytes() == (ROOT / "openapi/speech.yaml").read_bytes()
    assert "*.yaml" in patterns["*"]


def test_only_a_server_with_keys_says_that_one_is_needed(tmp_path: Path) -> None:
    assert create_description(Settings(), CATALOGUE).whole["security"] == [{}, {"key": []}]
    assert create_description(Settings(api_keys=(Secret("sk-1"),)), CATALOGUE).whole["security"] == [{"key": []}]
    assert create_description(Settings(api_keys_file=tmp_path / "keys"), CATALOGUE).whole["security"] == [{"key": []}]


def test_the_voices_are_those_of_the_server(own_voices: Catalogue) -> None:
    served = schemas(Settings(), own_voices)

    assert served["VoiceName"]["enum"] == [*own_voices.aliases, *own_voices.voices]
    assert {"reader", "bob", "xx_own"} <= {*served["VoiceName"]["enum"]}


def test_a_blend_has_voices_of_the_server_and_no_other(own_voices: Catalogue) -> None:
    written = read_contract()["components"]["schemas"]["Blend"]["pattern"]
    pattern = re.compile(schemas(Settings(), own_voices)["Blend"]["pattern"])

    assert written.count(ANY_VOICE) == 2
    assert pattern.fullmatch("xx_own(2)+bob+af_heart")
    assert not pattern.fullmatch("nobody+af_heart")
    assert not pattern.fullmatch("reader+af_heart")


def test_the_limits_are_those_of_the_server() -> None:
    served = schemas(Settings(max_input_chars=55, max_job_chars=77))
    by_model = served["SpeechRequest"]["allOf"][0]

    assert by_model["then"]["properties"]["input"]["maxLength"] == 55
    assert by_model["else"]["properties"]["input"]["maxLength"] == 4096
    assert served["PhonemizeRequest"]["properties"]["input"]["maxLength"] == 55
    assert served["JobRequest"]["properties"]["input"]["maxLength"] == 77
    assert "maxLength" not in served["SpeechRequest"]["properties"]["input"]


def test_a_server_that_sends_no_webhooks_says_so() -> None:
    url = schemas(Settings())["JobRequest"]["properties"]["webhook_url"]

    assert url["type"] == "null"
    assert schemas(SENDS_WEBHOOKS)["JobRequest"]["properties"]["webhook_url"]["type"] == ["string", "null"]


def test_the_contract_is_read_once_and_not_before_it_is_asked_for() -> None:
    description = create_description(Settings(), CATALOGUE)

    assert "whole" not in vars(description)
    assert description.whole is description.whole
