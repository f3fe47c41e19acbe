"""What the schema at `/schema` says of the routes whose bodies Koe reads and writes itself.

Why by hand: the speech request is judged field by field in `app.api.wire`, and its answer is sound, so Litestar cannot derive
either from a type.
"""

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, RequestBody, Schema

from app.api.wire import MAX_INSTRUCTIONS_CHARS, MAX_SPEED, MIN_SPEED, STREAM_FORMATS
from app.core.formats import DEFAULT_FORMAT, FORMATS

_STRING: Final = Schema(type=OpenAPIType.STRING)


def _optional(kind: OpenAPIType, **rules: object) -> Schema:
    return Schema(type=[kind, OpenAPIType.NULL], **rules)  # type: ignore[arg-type]


_VOICE_OBJECT: Final = Schema(type=OpenAPIType.OBJECT, required=["id"], properties={"id": _STRING})

_SPEECH_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["model", "input", "voice"],
    properties={
        "model": Schema(type=OpenAPIType.STRING, description="`GET /v1/models` lists them."),
        "input": Schema(type=OpenAPIType.STRING, min_length=1, description="What is to be said."),
        "voice": Schema(one_of=[_STRING, _VOICE_OBJECT], description="A name of `GET /v1/audio/voices`, or a blend of them."),
        "response_format": _optional(OpenAPIType.STRING, enum=[*FORMATS, None], default=DEFAULT_FORMAT),
        "speed": _optional(OpenAPIType.NUMBER, minimum=MIN_SPEED, maximum=MAX_SPEED, default=1),
        "stream_format": _optional(OpenAPIType.STRING, enum=[*STREAM_FORMATS, None], default="audio"),
        "instructions": _optional(
            OpenAPIType.STRING, max_length=MAX_INSTRUCTIONS_CHARS, description="Accepted, without effect."
        ),
        "language": _optional(OpenAPIType.STRING, description="BCP 47 tag or Kokoro's letter; the voice's own by default."),
        "lang_code": _optional(OpenAPIType.STRING, description="The same as `language`."),
        "normalize": _optional(OpenAPIType.BOOLEAN, default=True),
        "pronunciations": _optional(OpenAPIType.OBJECT, description="Word → phonemes in Misaki's alphabet."),
        "timestamps": _optional(OpenAPIType.ARRAY, items=_STRING),
    },
)

_ERROR_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["error"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["message", "type", "param", "code"],
            properties={
                "message": _STRING,
                "type": _STRING,
                "param": _optional(OpenAPIType.STRING),
                "code": _optional(OpenAPIType.STRING),
            },
        )
    },
)

_ERRORS: Final = {
    "400": "The request is at fault.",
    "401": "No key, or a wrong one.",
    "404": "No such model.",
    "413": "The body is too large.",
    "429": "Too much at once.",
    "500": "The server is at fault.",
    "503": "Nobody is there to speak.",
    "504": "Nobody came to speak in time.",
}


def _error_responses() -> dict[str, OpenAPIResponse]:
    content = {"application/json": OpenAPIMediaType(schema=_ERROR_BODY)}
    return {status: OpenAPIResponse(description=text, content=content) for status, text in _ERRORS.items()}


@dataclass
class SpeechOperation(Operation):
    """`POST /v1/audio/speech` as the schema shows it."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=_SPEECH_BODY)})
        sound = {entry.media_type: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING)) for entry in FORMATS.values()}
        spoken = OpenAPIResponse(description="The audio, streamed as it is spoken.", content=sound)
        self.responses = {"200": spoken, **_error_responses()}
