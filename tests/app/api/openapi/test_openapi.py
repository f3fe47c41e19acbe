"""What the API serves is exported, and keeps the contract that is written by hand, rule by rule."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml

from app.asgi import create_litestar
from app.core.settings import Secret, Settings
from app.core.speech.voices import load_catalogue

OPENAPI = Path(__file__).parents[4] / "openapi"
CONTRACT: dict[str, Any] = yaml.safe_load((OPENAPI / "speech.yaml").read_text(encoding="utf-8"))
METHODS = ("get", "head", "post", "put", "patch", "delete")
ANNOTATIONS = {"description", "title", "example", "examples", "deprecated"}
"""They tell people and bind nobody."""
ANY_VOICE = "[A-Za-z][A-Za-z0-9_]{0,63}"

Tree = dict[str, Any]


def described(settings: Settings) -> Tree:
    """What a server with these settings says of itself, as JSON."""
    schema = create_litestar(settings, "redis://127.0.0.1").openapi_schema.to_schema()
    return dict(json.loads(json.dumps(schema)))


SERVED = described(Settings(webhook_secret=Secret("whsec_" + "a" * 32)))


def operations(whole: Tree) -> Iterator[tuple[str, str, Tree]]:
    for path, item in whole["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


OPERATIONS = sorted((path, method) for path, method, _ in operations(CONTRACT))


def resolve(part: Tree, whole: Tree) -> Tree:
    """The part with its references followed."""
    while "$ref" in part:
        found = whole
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def rules(schema: Any, whole: Tree) -> Any:
    """A schema in one form, whichever way it is written: references followed, annotations left out, the parts of `allOf` that
    only add fields put into one, null as a type.
    """
    if isinstance(schema, list):
        return [rules(one, whole) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = resolve(schema, whole)
    plain = {key: rules(value, whole) for key, value in schema.items() if key not in ANNOTATIONS | {"properties", "allOf"}}
    if "properties" in schema:
        plain["properties"] = {name: rules(field, whole) for name, field in schema["properties"].items()}
    for part in schema.get("allOf", ()):
        plain = joined(plain, rules(part, whole))
    return in_order(nullable(plain))


def joined(one: Tree, other: Tree) -> Tree:
    """Two schemas that both hold. Conditions stay apart, since they cannot be put into one."""
    if "if" in other:
        return {**one, "conditions": [*one.get("conditions", ()), other]}
    both = one | other
    if "properties" in one and "properties" in other:
        names = one["properties"] | other["properties"]
        both["properties"] = {name: one["properties"].get(name, {}) | other["properties"].get(name, {}) for name in names}
    for key in ("required", "conditions"):
        if key in one and key in other:
            both[key] = one[key] + other[key]
    return both


def nullable(schema: Tree) -> Tree:
    """`oneOf: [X, null]` is X whose type may be null."""
    kinds = schema.get("oneOf", ())
    rest = [kind for kind in kinds if kind != {"type": ["null"]}]
    if len(kinds) != 2 or len(rest) != 1:
        return schema
    (kind,) = rest
    return {key: value for key, value in schema.items() if key != "oneOf"} | kind | {"type": [*kind["type"], "null"]}


def in_order(schema: Tree) -> Tree:
    """Sets as sorted lists."""
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"]]
    for key in ("type", "required", "enum", "conditions"):
        if key in schema:
            schema[key] = sorted(schema[key], key=repr)
    return schema


def operation(path: str, method: str, whole: Tree) -> Tree:
    return dict(whole["paths"][path][method])


def parameters(path: str, method: str, whole: Tree) -> dict[tuple[str, str], Any]:
    """By place and name: whether it must be there, and its rules."""
    given = (resolve(one, whole) for one in operation(path, method, whole).get("parameters", ()))
    return {(one["in"], one["name"]): (one.get("required", False), rules(one["schema"], whole)) for one in given}


def body(path: str, method: str, whole: Tree) -> Any:
    """Whether it must be there, and its rules by content type."""
    given = operation(path, method, whole).get("requestBody")
    return given and (given.get("required", False), content(resolve(given, whole), whole))


def content(part: Tree, whole: Tree) -> dict[str, Any]:
    return {media_type: rules(one["schema"], whole) for media_type, one in part.get("content", {}).items()}


def headers(answer: Tree, whole: Tree) -> dict[str, Any]:
    """By name: whether it is always there, and its rules."""
    given = {name.lower(): resolve(one, whole) for name, one in answer.get("headers", {}).items()}
    return {name: (one.get("required", False), rules(one["schema"], whole)) for name, one in given.items()}


def answers(path: str, method: str, whole: Tree) -> dict[str, Any]:
    """By status: the headers and the content."""
    given = {status: resolve(one, whole) for status, one in operation(path, method, whole)["responses"].items()}
    return {status: (headers(one, whole), content(one, whole)) for status, one in given.items()}


def security(path: str, method: str, whole: Tree) -> Any:
    return operation(path, method, whole).get("security", whole["security"])


@pytest.fixture(autouse=True, scope="module")
def any_voice() -> None:
    """The contract lets a blend name any voice; a server names its own."""
    catalogue = load_catalogue()
    names = "|".join(re.escape(name) for name in (*catalogue.aliases, *catalogue.voices))
    blend = SERVED["components"]["schemas"]["Blend"]
    assert blend["pattern"].count(f"(?:{names})") == 2
    blend["pattern"] = blend["pattern"].replace(f"(?:{names})", ANY_VOICE)


def test_the_export_is_fresh() -> None:
    exported = json.loads((OPENAPI / "served.json").read_text(encoding="utf-8"))

    assert exported == described(Settings()), "run `make openapi`"


@pytest.mark.parametrize("whole", [CONTRACT, SERVED], ids=["contract", "served"])
def test_both_are_openapi(whole: Tree) -> None:
    schemathesis.openapi.from_dict(whole).validate()


def test_every_operation_of_the_contract_is_served_and_no_other() -> None:
    def named(whole: Tree) -> dict[str, tuple[str, str]]:
        return {one["operationId"]: (path, method) for path, method, one in operations(whole)}

    assert named(SERVED) == named(CONTRACT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_parameters_are_those_of_the_contract(path: str, method: str) -> None:
    assert parameters(path, method, SERVED) == parameters(path, method, CONTRACT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_body_has_the_fields_and_rules_of_the_contract(path: str, method: str) -> None:
    assert body(path, method, SERVED) == body(path, method, CONTRACT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_of_the_contract_is_served_and_no_other(path: str, method: str) -> None:
    served, promised = answers(path, method, SERVED), answers(path, method, CONTRACT)

    assert served.keys() == promised.keys()
    for status, (its_headers, its_content) in promised.items():
        assert served[status][0] == its_headers, status
        assert served[status][1] == its_content, status


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_key_is_asked_for_where_the_contract_says_so(path: str, method: str) -> None:
    assert security(path, method, SERVED) == security(path, method, CONTRACT)


def test_a_server_with_keys_says_that_one_is_needed() -> None:
    whole = described(Settings(api_keys=(Secret("sk-1"),)))

    assert whole["security"] == [{"key": []}]
    assert security("/v1/audio/voices", "get", whole) == []


def test_a_server_describes_its_own_limits_and_voices(tmp_path: Path) -> None:
    voices = tmp_path / "voices.toml"
    voices.write_text('[aliases]\nreader = "af_heart(2)+bf_emma"\n', encoding="utf-8")
    whole = described(Settings(voices_file=voices, max_job_chars=77))
    job = rules(whole["components"]["schemas"]["JobRequest"], whole)

    assert "reader" in whole["components"]["schemas"]["VoiceName"]["enum"]
    assert not re.fullmatch(whole["components"]["schemas"]["Blend"]["pattern"], "reader+af_heart")
    assert job["properties"]["input"]["maxLength"] == 77
    assert job["properties"]["webhook_url"] == {"type": ["null"]}


def test_a_contract_that_is_not_kept_is_seen() -> None:
    path, method = "/v1/audio/speech", "post"
    other = json.loads(json.dumps(SERVED))
    other["components"]["schemas"]["SpeechRequest"]["properties"]["speed"]["maximum"] = 5
    del other["components"]["headers"]["x-koe-cache"]["required"]
    other["paths"][path][method]["responses"].pop("504")

    assert body(path, method, other) != body(path, method, CONTRACT)
    assert answers(path, method, other)["200"] != answers(path, method, CONTRACT)["200"]
    assert answers(path, method, other).keys() != answers(path, method, CONTRACT).keys()
