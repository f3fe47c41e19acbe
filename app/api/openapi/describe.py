"""The description of the API at `/schema`: what Litestar reads from the routes, and what holds for all of them.

Why what holds for all is added to the whole and not to each route: a header that every answer has, or the key that a guard asks
for, cannot be forgotten with a new route then.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, OpenAPI, SecurityScheme, Tag

import app
from app.api.middleware.auth import require_key
from app.api.openapi.contract import Limits, request_schemas
from app.api.openapi.contract_answers import (
    ALWAYS,
    BY_ANSWER,
    BY_STATUS,
    HEADERS,
    LIMITED,
    OF_LIMITS,
    RULES,
    SOMETIMES,
    Described,
)
from app.api.openapi.swagger import DocsRouter, JsonDescription, SwaggerPage, YamlDescription
from app.core.settings import Settings
from app.core.speech.voices import Catalogue

_DESCRIPTION: Final = (
    "OpenAI's speech endpoint on machines of your own. Clients of OpenAI work unchanged: give them this server's address, with "
    "`/v1` at its end, as their base URL."
)
_KEY: Final = SecurityScheme(
    type="http",
    scheme="bearer",
    description="One of the server's keys. Where no keys are set, whatever is sent opens it.",
)
_TAGS: Final = {
    "speech": "Text in, audio out.",
    "jobs": "Long texts, spoken in the background into one file.",
    "discovery": "What can be asked for.",
    "system": "For those who run the server.",
}
_TAG_OF: Final = {
    "/v1/audio/speech/jobs": "jobs",
    "/v1/audio/speech": "speech",
    "/v1/audio/phonemize": "speech",
    "/v1/": "discovery",
    "/": "system",
}
"""By what a path begins with; the first that fits."""

_METHODS: Final = frozenset({"get", "head", "post", "delete"})
_OVERRULES: Final = {"enum": {"oneOf"}, "properties": {"additionalProperties", "propertyNames"}}
"""What a rule takes the place of, beside what it names."""

_NO_KEY: Final = ("401", "No key, or a wrong one.")
_FAULT: Final = ("500", "A fault of the server. The request id finds it in the log.")


class _Whole(OpenAPI):
    """Litestar's description, completed as it is written out."""

    def __init__(self, plain: OpenAPI, complete: Callable[[Described], None]) -> None:
        super().__init__(**{field.name: getattr(plain, field.name) for field in fields(plain)})
        self._complete = complete

    def to_schema(self) -> Described:
        whole = super().to_schema()
        self._complete(whole)
        return whole


class _Config(OpenAPIConfig):
    """Litestar's settings of the description, and what completes it."""

    def __init__(self, complete: Callable[[Described], None], **settings: Any) -> None:
        super().__init__(**settings)
        self._complete = complete

    def to_openapi_schema(self) -> OpenAPI:
        return _Whole(super().to_openapi_schema(), self._complete)


def describe(routes: Iterable[HTTPRouteHandler], settings: Settings, catalogue: Catalogue) -> OpenAPIConfig:
    """How Litestar is to describe `routes` on a server with these settings and voices."""
    guarded = {_operation_id(route, method) for route in routes if require_key in (route.guards or ()) for method in _METHODS}
    limits = Limits(
        voices=(*catalogue.aliases, *catalogue.voices),
        single_voices=(*(alias for alias, name in catalogue.aliases.items() if name in catalogue.voices), *catalogue.voices),
        max_input_chars=settings.max_input_chars,
        max_job_chars=settings.max_job_chars,
        sends_webhooks=settings.webhook_secret is not None,
    )
    has_keys = bool(settings.api_keys or settings.api_keys_file)
    return _Config(
        partial(_complete, guarded=guarded, limits=limits),
        title="Koe",
        version=app.__version__,
        summary="OpenAI's speech API on your own machines.",
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=DocsRouter(),
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        security=[{"key": []}] if has_keys else [{}, {"key": []}],
        components=Components(security_schemes={"key": _KEY}),
        operation_id_creator=lambda route, method, _: _operation_id(route, method),
        render_plugins=[SwaggerPage(), JsonDescription(), YamlDescription()],
    )


def _operation_id(route: HTTPRouteHandler, method: str) -> str:
    """`create_speech` → `createSpeech`; of a route with several methods, each begins with its own."""
    first, *rest = route.handler_name.split("_")
    return (method.lower() if len(route.http_methods) > 1 else first) + "".join(word.title() for word in rest)


def _complete(whole: Described, *, guarded: set[str], limits: Limits) -> None:
    for path, operation in _operations(whole):
        operation["tags"] = [next(tag for beginning, tag in _TAG_OF.items() if path.startswith(beginning))]
        _add_errors(operation, is_guarded=operation["operationId"] in guarded)
        for status, answer in operation["responses"].items():
            answer["headers"] = _headers(operation["operationId"], status, answer)
    components = whole["components"]
    components["headers"] = {**HEADERS}
    for name, schema in components["schemas"].items():
        _complete_answer(schema, RULES.get(name, {}))
    components["schemas"] |= {name: schema.to_schema() for name, schema in request_schemas(limits).items()}


def _operations(whole: Described) -> Iterator[tuple[str, Described]]:
    for path, item in whole["paths"].items():
        yield from ((path, item[method]) for method in _METHODS & item.keys())


def _add_errors(operation: Described, *, is_guarded: bool) -> None:
    errors = [_NO_KEY, _FAULT] if is_guarded else [_FAULT]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    operation["responses"] |= {status: {"description": text, "content": content} for status, text in errors}
    if not is_guarded:
        operation["security"] = []


def _headers(operation_id: str, status: str, answer: Described) -> Described:
    content = answer.get("content", {}).get("application/json", {})
    is_error = content.get("schema", {}).get("$ref", "").endswith("/Error")
    of_error = BY_STATUS.get(status, ()) if is_error else ()
    of_some = SOMETIMES.get(status, ()) if is_error else ()
    always = (*ALWAYS, *of_error, *BY_ANSWER.get((operation_id, status), ()))
    sometimes = OF_LIMITS if (operation_id, status) in LIMITED else ()
    described = {name: {"$ref": f"#/components/headers/{name}"} for name in (*always, *sometimes)}
    return described | {name: {**HEADERS[name], "required": False} for name in of_some}


def _complete_answer(schema: Described, rules: dict[str, Described]) -> None:
    """Every field of an answer is always there, so none has a default."""
    answered = schema.get("properties", {})
    for name, field in answered.items():
        rule = rules.get(name, {})
        overruled = {"default"}.union(*(names for word, names in _OVERRULES.items() if word in rule))
        answered[name] = {key: value for key, value in field.items() if key not in overruled} | rule
    if answered:
        schema["required"] = sorted(answered)
