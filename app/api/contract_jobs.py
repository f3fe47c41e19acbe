"""What the schema at `/schema` says of the routes of jobs, beyond what Litestar reads from their types."""

from dataclasses import dataclass
from typing import Any, Final

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)

from app.api.contract import SPEECH_FIELDS, SPEECH_REQUIRED, STRING, error_responses, optional
from app.api.wire import MAX_METADATA, MAX_METADATA_VALUE_CHARS, MAX_TITLE_CHARS
from app.core.formats import FORMATS

_JOB_FIELDS: Final[dict[str, Schema | Reference]] = {
    **SPEECH_FIELDS,
    "title": optional(OpenAPIType.STRING, max_length=MAX_TITLE_CHARS, description="Of the file: its tag and its name."),
    "metadata": optional(
        OpenAPIType.OBJECT,
        max_properties=MAX_METADATA,
        additional_properties=Schema(type=OpenAPIType.STRING, max_length=MAX_METADATA_VALUE_CHARS),
        description="Your own notes, given back with the job.",
    ),
    "webhook_url": optional(OpenAPIType.STRING, description="Is told of the job's end, signed as Standard Webhooks has it."),
}

_COMMON: Final = {
    "401": "No key, or a wrong one.",
    "500": "The server is at fault.",
    "503": "The queue cannot be reached.",
}
_ONE: Final = {**_COMMON, "404": "The caller has no job of that id."}
_CREATE: Final = {
    **_COMMON,
    "400": "The request is at fault.",
    "404": "No such model.",
    "413": "The body is too large.",
    "429": "Too much at once.",
    "503": "Nobody is there to speak.",
}
_CONTENT: Final = {
    **_ONE,
    "409": "The job has no file: not yet, or never.",
    "416": "The file has not got that range.",
    "503": "The queue or the files cannot be reached.",
}


def _query(name: str, kind: OpenAPIType, **rules: Any) -> Parameter:
    return Parameter(name=name, param_in="query", schema=Schema(type=kind, **rules))


def _sound(description: str) -> OpenAPIResponse:
    content = {entry.media_type: OpenAPIMediaType(schema=STRING) for entry in FORMATS.values()}
    return OpenAPIResponse(description=description, content=content)


@dataclass
class JobOperation(Operation):
    """A route of one job, whose answer Litestar knows."""

    def __post_init__(self) -> None:
        self.responses = _without_errors(self) | error_responses(_ONE)


@dataclass
class CreateJobOperation(Operation):
    """`POST …/jobs`."""

    def __post_init__(self) -> None:
        body = Schema(type=OpenAPIType.OBJECT, required=SPEECH_REQUIRED, properties=_JOB_FIELDS)
        self.request_body = RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=body)})
        self.responses = _without_errors(self) | error_responses(_CREATE)


@dataclass
class ListJobsOperation(Operation):
    """`GET …/jobs`."""

    def __post_init__(self) -> None:
        self.parameters = [
            _query("limit", OpenAPIType.INTEGER, minimum=1, maximum=100, default=20),
            _query("after", OpenAPIType.STRING, description="Id of the job behind which the list begins."),
        ]
        self.responses = _without_errors(self) | error_responses({**_COMMON, "400": "The request is at fault."})


@dataclass
class JobEventsOperation(Operation):
    """`GET …/jobs/{id}/events`."""

    def __post_init__(self) -> None:
        events = OpenAPIResponse(
            description="Lines `data: {the job as JSON}`, each with a blank line behind it.",
            content={"text/event-stream": OpenAPIMediaType(schema=STRING)},
        )
        self.responses = {"200": events, **error_responses(_ONE)}


@dataclass
class ContentOperation(Operation):
    """`GET …/jobs/{id}/content`."""

    def __post_init__(self) -> None:
        self.responses = {
            "200": _sound("The whole file."),
            "206": _sound("The range that was asked for."),
            "304": OpenAPIResponse(description="The client has it already."),
            **error_responses(_CONTENT),
        }


@dataclass
class CaptionsOperation(Operation):
    """`GET …/jobs/{id}/captions`."""

    def __post_init__(self) -> None:
        self.responses = error_responses({**_ONE, "400": "This server does not tell word times yet."})


def _without_errors(operation: Operation) -> dict[str, OpenAPIResponse | Reference]:
    return {status: answer for status, answer in (operation.responses or {}).items() if status.startswith("2")}
