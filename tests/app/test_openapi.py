"""What the API serves is exported, and keeps the contract that is written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.asgi import create_litestar
from app.core.settings import Settings

OPENAPI = Path(__file__).parents[2] / "openapi"
CONTRACT: dict[str, Any] = yaml.safe_load((OPENAPI / "speech.yaml").read_text(encoding="utf-8"))
METHODS = ("get", "post", "delete")


def served() -> dict[str, Any]:
    schema: dict[str, Any] = create_litestar(Settings(), "redis://127.0.0.1").openapi_schema.to_schema()
    return json.loads(json.dumps(schema))


def resolve(schema: Any, whole: dict[str, Any]) -> Any:
    """The schema with its references followed."""
    while "$ref" in schema:
        found = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def operations(whole: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, method) for path, item in whole["paths"].items() for method in METHODS if method in item}


def speech_fields(whole: dict[str, Any]) -> dict[str, Any]:
    body = whole["paths"]["/v1/audio/speech"]["post"]["requestBody"]
    schema = resolve(resolve(body, whole)["content"]["application/json"]["schema"], whole)
    fields: dict[str, Any] = schema["properties"]
    return fields


def fields_of(schema: Any, whole: dict[str, Any]) -> set[str]:
    """Names of the fields, those of all parts of an `allOf` included."""
    schema = resolve(schema, whole)
    return set(schema.get("properties", {})).union(*(fields_of(part, whole) for part in schema.get("allOf", ())))


def test_the_export_is_fresh() -> None:
    exported = json.loads((OPENAPI / "served.json").read_text(encoding="utf-8"))

    assert exported == served(), "run `make openapi`"


def test_every_route_of_the_contract_is_served_and_no_other() -> None:
    assert operations(served()) == operations(CONTRACT)


def test_the_speech_request_has_the_fields_of_the_contract() -> None:
    assert set(speech_fields(served())) == set(speech_fields(CONTRACT))


def test_a_job_and_its_request_have_the_fields_of_the_contract() -> None:
    def fields(whole: dict[str, Any]) -> list[set[str]]:
        create = whole["paths"]["/v1/audio/speech/jobs"]["post"]
        contents = (create["requestBody"]["content"], create["responses"]["202"]["content"])
        return [fields_of(content["application/json"]["schema"], whole) for content in contents]

    assert fields(served()) == fields(CONTRACT)


@pytest.mark.parametrize(("path", "method"), sorted(operations(CONTRACT)))
def test_every_success_of_the_contract_is_served(path: str, method: str) -> None:
    promised = {status for status in CONTRACT["paths"][path][method]["responses"] if status.startswith("2")}

    assert promised <= set(served()["paths"][path][method]["responses"])
