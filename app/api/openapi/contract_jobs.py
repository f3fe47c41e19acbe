"""What the schema at `/schema` says of the routes of jobs, beyond what Litestar reads from their types."""

from dataclasses import dataclass
from typing import Any, Final

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Parameter, RequestBody, Schema

from app.api.openapi.contract import STRING, error_responses, events_of, json_of, sound, without_errors
from app.core.speech.captions import CAPTION_FORMATS, DEFAULT_CAPTION_FORMAT

_ID_PATTERN: Final = "^job_[0-9a-f]{24}$"

_ID_OR_NONE: Final = "^(?:job_[0-9a-f]{24})?$"

_AWAY: Final = {"503": "The queue cannot be reached."}
_ONE: Final = {**_AWAY, "404": "The caller has no job of that id."}
_CREATE: Final = {
    "400": "The request is at fault.",
    "404": "No such model.",
    "413": "The body is too large.",
    "429": "Too much at once.",
    "503": "Nobody is there to speak, or the engine that was named is not loaded.",
}
_FILE_AWAY: Final = {"503": "The queue or the files cannot be reached."}
_NO_FILE: Final = {"409": "The job has no file: not yet, or, if it failed or was cancelled, never."}
_CONTENT: Final = {**_ONE, **_FILE_AWAY, **_NO_FILE, "416": "The file has not got that range."}

_OF_CAPTIONS: Final = {
    **_ONE,
    **_FILE_AWAY,
    **_NO_FILE,
    "400": "There is no such format, or the times of words were not asked for with the job.",
}

_OF_RANGES: Final = ("206", "416")


def _seconds(description: str) -> Schema:
    return Schema(type=OpenAPIType.NUMBER, minimum=0, description=description)


def _array(description: str, **fields: Schema) -> Schema:
    each = Schema(type=OpenAPIType.OBJECT, required=[*fields], properties={**fields})
    return Schema(type=OpenAPIType.ARRAY, items=each, description=description)


_CAPTIONS: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["words", "cues"],
    properties={
        "words": _array(
            "Every word that is spoken, as it was written, in order.",
            word=STRING,
            start=_seconds("Seconds in the file, to the microsecond."),
            end=_seconds("Seconds in the file, to the microsecond."),
        ),
        "cues": _array(
            "The same words as they are shown, in order.",
            start=_seconds("Seconds in the file, to the millisecond."),
            end=_seconds("Later than `start`."),
            text=Schema(type=OpenAPIType.STRING, description="One line, or two with a line break between them."),
        ),
    },
)


def _query(name: str, kind: OpenAPIType, description: str, **rules: Any) -> Parameter:
    return Parameter(name=name, param_in="query", description=description, schema=Schema(type=kind, **rules))


def _header(name: str, description: str) -> Parameter:
    return Parameter(name=name, param_in="header", description=description, schema=STRING)


def _job_id() -> Parameter:
    schema = Schema(type=OpenAPIType.STRING, pattern=_ID_PATTERN)
    return Parameter(name="job_id", param_in="path", required=True, schema=schema)


@dataclass
class JobOperation(Operation):
    """A route of one job, whose answer Litestar knows."""

    def __post_init__(self) -> None:
        self.parameters = [_job_id()]
        self.responses = without_errors(self) | error_responses(_ONE)


@dataclass
class CreateJobOperation(Operation):
    """`POST …/jobs`."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, description="At most 8 MiB.", content=json_of("JobRequest"))
        self.responses = without_errors(self) | error_responses(_CREATE)


@dataclass
class ListJobsOperation(Operation):
    """`GET …/jobs`."""

    def __post_init__(self) -> None:
        self.parameters = [
            _query("limit", OpenAPIType.INTEGER, "How many at most.", minimum=1, maximum=100, default=20),
            _query("after", OpenAPIType.STRING, "Id of the job behind which the list begins.", pattern=_ID_OR_NONE),
        ]
        self.responses = without_errors(self) | error_responses({**_AWAY, "400": "The request is at fault."})


@dataclass
class JobEventsOperation(Operation):
    """`GET …/jobs/{id}/events`."""

    def __post_init__(self) -> None:
        self.parameters = [_job_id()]
        events = OpenAPIResponse(
            description="Lines `data: {the job as JSON}`, each with a blank line behind it; the last is the ended job.",
            content={**events_of("JobObject")},
        )
        self.responses = {"200": events, **error_responses(_ONE)}


@dataclass
class ContentOperation(Operation):
    """`GET …/jobs/{id}/content`, and `HEAD`, which knows no ranges."""

    def __post_init__(self) -> None:
        self.parameters = [
            _job_id(),
            _header("Range", "One range of bytes; several get the whole file."),
            _header("If-Range", "The ETag of the file that the range is of."),
            _header("If-None-Match", "The ETag of the file that the client has."),
        ]
        self.responses = {
            "200": OpenAPIResponse(description="The whole file.", content=sound()),
            "206": OpenAPIResponse(description="The range that was asked for.", content=sound()),
            "304": OpenAPIResponse(description="The client has this file already."),
            **error_responses(_CONTENT),
        }
        if self.operation_id == "headContent":
            self.responses = {status: answer for status, answer in self.responses.items() if status not in _OF_RANGES}


@dataclass
class CaptionsOperation(Operation):
    """`GET …/jobs/{id}/captions`."""

    def __post_init__(self) -> None:
        self.parameters = [
            _job_id(),
            _query(
                "format",
                OpenAPIType.STRING,
                "SubRip, WebVTT, or the words and the cues as JSON.",
                enum=[*CAPTION_FORMATS],
                default=DEFAULT_CAPTION_FORMAT,
            ),
            _header("If-None-Match", "The ETag of the captions that the client has."),
        ]
        content = {entry.media_type: OpenAPIMediaType(schema=STRING) for entry in CAPTION_FORMATS.values()}
        content["application/json"] = OpenAPIMediaType(schema=_CAPTIONS)
        self.responses = {
            "200": OpenAPIResponse(description="The captions, in the format that was asked for.", content=content),
            "304": OpenAPIResponse(description="The client has these captions already."),
            **error_responses(_OF_CAPTIONS),
        }
