"""The server and the contract agree in both directions: addresses, statuses, keys, fields, codes."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema_rs
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.api.middleware.auth import require_key
from app.api.middleware.headers import OPENAI_VERSION
from app.api.openapi.describe import read_contract
from app.api.openapi.swagger import PATH
from app.api.requests.jobs import MAX_CHAPTERS
from app.api.requests.lists import DEFAULT_LIMIT, MAX_LIMIT
from app.api.responses.errors import STATUSES, envelope
from app.api.responses.speech_events import usage
from app.asgi import create_litestar
from app.core.documents.document import KINDS
from app.core.errors import CLASSES_BY_CODE, Cancelled, InvalidValue, from_wire
from app.core.queue.broker import QueueName
from app.core.queue.registry import Found, Report
from app.core.settings import Settings
from app.core.speech.captions import CAPTION_FORMATS, DEFAULT_CAPTION_FORMAT, Captions
from app.core.speech.formats import FORMATS, JOB_FORMATS, Format
from app.core.speech.models import ENGINE_ORDER
from app.core.speech.word_times import TimedWord, write_words
from app.web.page import FOLDER

Tree = dict[str, Any]

CONTRACT = read_contract()
SCHEMAS: Tree = CONTRACT["components"]["schemas"]
METHODS = ("get", "head", "post", "put", "patch", "delete")
TWINS = {"/openai/deployments/{deployment}/audio/speech", "/v1/models/{owner}/{name}", "/v1/voices"}
"""Second addresses of described routes; the description of the route mentions them."""


def served() -> dict[tuple[str, str], tuple[HTTPRoute, HTTPRouteHandler]]:
    """The routes and handlers that are served, by address and method, without the files of pages."""
    litestar = create_litestar(Settings(), "redis://127.0.0.1")
    return {
        (route.path_format, method.lower()): (route, handler)
        for route in litestar.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith((PATH, f"/{FOLDER}/"))
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"
    }


SERVED = served()
DESCRIBED = {(path, method): item[method] for path, item in CONTRACT["paths"].items() for method in METHODS if method in item}
PLACES = sorted(SERVED.keys() & DESCRIBED.keys())


def followed(part: Tree) -> Tree:
    while "$ref" in part:
        kind, name = part["$ref"].removeprefix("#/components/").split("/")
        part = CONTRACT["components"][kind][name]
    return part


def answers(place: tuple[str, str]) -> dict[str, Tree]:
    return {status: followed(answer) for status, answer in DESCRIBED[place]["responses"].items()}


def refusals(place: tuple[str, str]) -> dict[int, Tree]:
    return {int(status): answer for status, answer in answers(place).items() if int(status) >= 400}


def answered_type(handler: HTTPRouteHandler) -> Any:
    """The type `X` of a handler that returns `X` or `Response[X]`."""
    annotation = handler.parsed_fn_signature.return_type.annotation
    return next(iter(get_args(annotation)), annotation)


def is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


ANSWERED = sorted({answered_type(handler) for _, handler in SERVED.values()} - {None}, key=str)
STRUCTS = [kind for kind in ANSWERED if is_struct(kind)] + [Captions]
_, OF_TYPES = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")


# Addresses


def test_every_address_that_is_served_is_described_and_no_other() -> None:
    as_get = {(path, "get" if method == "head" else method) for path, method in DESCRIBED}

    assert SERVED.keys() - as_get == {(path, method) for path, method in SERVED if path in TWINS}
    assert as_get - SERVED.keys() == set()


@pytest.mark.parametrize("path", sorted(TWINS))
def test_every_further_path_is_in_the_contract(path: str) -> None:
    described_paths = json.dumps(CONTRACT["paths"])

    assert path.replace("{deployment}", "{model}") in described_paths or path == "/v1/models/{owner}/{name}"


def test_an_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in DESCRIBED.values()]

    assert len({*names}) == len(names)


@pytest.mark.parametrize("place", PLACES)
def test_an_operation_is_named_like_its_handler(place: tuple[str, str]) -> None:
    first, *rest = SERVED[place][1].handler_name.split("_")

    assert DESCRIBED[place]["operationId"] == first + "".join(word.title() for word in rest)


@pytest.mark.parametrize("place", PLACES)
def test_the_parameters_in_the_path_are_those_of_the_route(place: tuple[str, str]) -> None:
    named = [one["name"] for one in DESCRIBED[place].get("parameters", ()) if one["in"] == "path"]

    assert named == list(SERVED[place][0].path_parameters)


# Statuses


@pytest.mark.parametrize("place", PLACES)
def test_the_success_of_the_handler_is_described(place: tuple[str, str]) -> None:
    assert str(SERVED[place][1].status_code) in answers(place)


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_asked_for_where_the_contract_says_so(place: tuple[str, str]) -> None:
    is_guarded = any(getattr(guard, "func", guard) is require_key for guard in SERVED[place][1].resolve_guards())
    operation = DESCRIBED[place]

    assert operation.get("security", CONTRACT["security"]) == (CONTRACT["security"] if is_guarded else [])
    assert (401 in refusals(place)) == is_guarded


@pytest.mark.parametrize("place", PLACES)
def test_a_body_has_the_limit_that_the_handler_has(place: tuple[str, str]) -> None:
    limit_bytes = SERVED[place][1].resolve_request_max_body_size()
    body = DESCRIBED[place].get("requestBody")

    assert (413 in refusals(place)) == (body is not None)
    assert body is None or body["description"] == f"At most {(limit_bytes or 0) >> 20} MiB."


@pytest.mark.parametrize("place", sorted(DESCRIBED))
def test_a_refusal_has_a_status_of_the_map_and_the_envelope(place: tuple[str, str]) -> None:
    known = {status for status, _ in STATUSES.values()}

    assert refusals(place).keys() <= known
    assert 500 in refusals(place)
    for status, answer in refusals(place).items():
        schema = answer["content"]["application/json"]["schema"]
        expected = "Readiness" if (place[0], status) == ("/readyz", 503) else "Error"
        assert schema == {"$ref": f"#/components/schemas/{expected}"}


@pytest.mark.parametrize("place", sorted(DESCRIBED))
def test_every_answer_has_the_headers_of_all_answers(place: tuple[str, str]) -> None:
    for answer in answers(place).values():
        assert {"x-request-id", "openai-processing-ms", "openai-version"} <= answer["headers"].keys()


HEADERS_OF = {
    401: {"WWW-Authenticate"},
    409: {"x-should-retry"},
    416: {"Content-Range"},
    429: {"Retry-After"},
    500: {"x-should-retry"},
    503: {"Retry-After", "x-should-retry"},
}


@pytest.mark.parametrize("place", sorted(DESCRIBED))
def test_a_refusal_has_the_headers_of_its_status(place: tuple[str, str]) -> None:
    for status, answer in refusals(place).items():
        if place[0] != "/readyz":
            assert HEADERS_OF.get(status, set()) <= answer["headers"].keys()


# Answers


@pytest.mark.parametrize("place", PLACES)
def test_an_answer_is_described_by_the_schema_of_its_type(place: tuple[str, str]) -> None:
    handler = SERVED[place][1]
    kind, content = answered_type(handler), answers(place)[str(handler.status_code)].get("content", {})

    if is_struct(kind):
        assert content["application/json"]["schema"] == {"$ref": f"#/components/schemas/{kind.__name__}"}
    elif kind is str:
        assert [*content] == [getattr(handler.media_type, "value", handler.media_type)]
    elif kind is type(None):
        assert content == {}


def test_each_type_of_an_answer_has_a_schema() -> None:
    assert {"JobObject", "JobStatus", "Progress", "VoiceObject", "PhonemizedSegment", "Readiness"} <= OF_TYPES.keys()
    assert OF_TYPES.keys() - SCHEMAS.keys() <= {"Cue", "QueueName", "TimedWord"}


@pytest.mark.parametrize("name", sorted(OF_TYPES.keys() & SCHEMAS.keys()))
def test_a_schema_has_the_fields_of_the_type(name: str) -> None:
    assert list(differences(OF_TYPES[name], SCHEMAS[name], name)) == []


OPTIONAL = {"speaker", "prompt"}
"""Fields that an answer may lack."""


def differences(of_type: Tree, described: Tree, place: str) -> Iterator[str]:
    """The differences between a schema that msgspec makes from a type and a schema of the contract."""
    of_type, described = opened(of_type, OF_TYPES), opened(described, SCHEMAS)
    if (expected := json_types(of_type)) != (got := json_types(described)):
        yield f"{place}: {sorted(expected)} in the code, {sorted(got)} in the contract"
    if "enum" in of_type and {*of_type["enum"]} != {*described.get("enum", ())} - {None}:
        yield f"{place}: {of_type['enum']} in the code, {described.get('enum')} in the contract"
    if of_type.get("items"):
        yield from differences(of_type["items"], described["items"], f"{place}[]")
    if "properties" in of_type:
        fields = described["properties"]
        if [*of_type["properties"]] != [*fields] or {*described["required"]} != {*fields} - OPTIONAL:
            yield f"{place}: fields {[*of_type['properties']]} in the code, {[*fields]} in the contract"
        for field in of_type["properties"].keys() & fields.keys():
            yield from differences(of_type["properties"][field], fields[field], f"{place}.{field}")
    elif isinstance(values := of_type.get("additionalProperties"), dict):
        for field in described.get("properties", {"*": described.get("additionalProperties")}).values():
            yield from differences(values, field, f"{place}.*")


def opened(schema: Tree, named: Tree) -> Tree:
    """The schema with its reference resolved and its union merged into one schema."""
    if "$ref" in schema:
        return opened(named[schema["$ref"].rpartition("/")[2]], named)
    if not (kinds := schema.get("anyOf") or schema.get("oneOf")):
        return schema
    ones = [opened(kind, named) for kind in kinds]
    joined: Tree = {key: value for one in ones for key, value in one.items()}
    enum = [value for one in ones for value in one.get("enum", ())]
    return joined | {"type": [*set().union(*map(json_types, ones))]} | ({"enum": enum} if enum else {})


def json_types(schema: Tree) -> set[str]:
    if "type" not in schema:
        return {"null" if value is None else "string" for value in schema.get("enum", ())}
    return {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}


def test_a_field_that_the_contract_lacks_is_seen() -> None:
    changed = json.loads(json.dumps(SCHEMAS["Progress"]))
    del changed["properties"]["audio_seconds"]
    changed["properties"]["segments_done"]["type"] = "string"

    found = list(differences(OF_TYPES["Progress"], changed, "Progress"))

    assert len(found) == 2


# Tables


def test_the_codes_of_errors_are_those_that_somebody_is_shown() -> None:
    fault = SCHEMAS["Error"]["properties"]["error"]["properties"]

    assert fault["code"]["enum"] == [*sorted(CLASSES_BY_CODE.keys() - {Cancelled.code}), None]
    assert {*fault["type"]["enum"]} == {kind for _, kind in STATUSES.values()}


def header(name: str) -> Tree:
    return dict(CONTRACT["components"]["headers"][name]["schema"])


def test_headers_have_the_values_that_the_code_sends() -> None:
    assert header("openai-version")["const"] == OPENAI_VERSION.decode()
    assert header("x-koe-engine")["enum"] == [*ENGINE_ORDER]
    assert {*header("x-koe-cache")["enum"]} == {found.value for found in Found}


@pytest.mark.parametrize("name", ["ModelObject", "VoiceObject", "Readiness"])
def test_an_engine_is_one_of_the_engines(name: str) -> None:
    assert SCHEMAS[name]["properties"]["engine"]["enum"] == [*ENGINE_ORDER, None]


def test_waiting_tasks_are_counted_by_queue() -> None:
    assert SCHEMAS["Readiness"]["properties"]["queue"]["required"] == [*QueueName]


@pytest.mark.parametrize(
    ("place", "formats"),
    [(("/v1/audio/speech", "post"), FORMATS), (("/v1/audio/speech/jobs/{job_id}/content", "get"), JOB_FORMATS)],
    ids=["speech", "file"],
)
def test_audio_has_the_media_types_of_the_formats(place: tuple[str, str], formats: dict[str, Format]) -> None:
    names = {name for entry in formats.values() for name in (entry.media_type, entry.rate_media_type) if name}

    assert answers(place)["200"]["content"].keys() - {"text/event-stream"} == names
    assert SCHEMAS["JobObject"]["properties"]["response_format"]["enum"] == [*JOB_FORMATS]


def test_captions_have_the_formats_of_captions() -> None:
    place = ("/v1/audio/speech/jobs/{job_id}/captions", "get")
    (name,) = (one for one in DESCRIBED[place]["parameters"] if one["name"] == "format")

    assert name["schema"] == {"type": "string", "enum": [*CAPTION_FORMATS], "default": DEFAULT_CAPTION_FORMAT}
    assert [*answers(place)["200"]["content"]] == [entry.media_type for entry in CAPTION_FORMATS.values()]


def test_a_document_has_the_kinds_and_a_chapter_the_indices_of_the_code() -> None:
    place = ("/v1/audio/documents/{document_id}/chapters/{index}", "get")
    (index,) = (one for one in DESCRIBED[place]["parameters"] if one["name"] == "index")

    assert SCHEMAS["DocumentObject"]["properties"]["kind"]["enum"] == [*KINDS]
    assert index["schema"] == SCHEMAS["JobRequest"]["properties"]["chapters"]["items"]
    assert index["schema"]["maximum"] == MAX_CHAPTERS - 1


@pytest.mark.parametrize("path", ["/v1/audio/speech/jobs", "/v1/audio/documents", "/v1/audio/voice_consents"])
def test_a_list_has_the_limits_of_the_handler(path: str) -> None:
    (limit,) = (one for one in DESCRIBED[path, "get"]["parameters"] if one["name"] == "limit")

    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}


# Events


def keeps(name: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}
    return jsonschema_rs.validator_for(schema).is_valid(json.loads(msgspec.json.encode(value)))


def test_an_event_is_as_described() -> None:
    report = Report(n_segments=1, n_phonemes=3, audio_seconds=1.0, n_bytes=48_000)
    words = json.loads(write_words([TimedWord("Hello.", 0.0, 0.5), TimedWord("Hi.", 0.5, 0.9, "af_heart")]))
    fault = envelope(InvalidValue("No.", param="input"))

    assert keeps("SpeechEvent", {"type": "speech.audio.done", "usage": usage(report)})
    assert keeps("SpeechEvent", {"type": "speech.audio.words", "words": words})
    assert keeps("SpeechEvent", {"type": "error", **fault})
    assert keeps("Error", fault)
    assert not keeps("SpeechEvent", {"type": "speech.audio.words", "words": words[0]})


@pytest.mark.parametrize("code", sorted(CLASSES_BY_CODE.keys() - {Cancelled.code}))
def test_every_failure_is_described_as_an_error_object(code: str) -> None:
    assert keeps("Error", envelope(from_wire({"code": code, "message": "No.", "param": ""})))
