"""What the schema at `/schema` says of the routes whose bodies Koe reads and writes itself.

Why by hand: the speech request is judged field by field in `app.api.wire`, and its answer is sound, so Litestar cannot derive
either from a type.
"""

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Reference, RequestBody, Schema

from app.api.wire import MAX_INSTRUCTIONS_CHARS, MAX_SPEED, MIN_SPEED, STREAM_FORMATS
from app.core.formats import DEFAULT_FORMAT, FORMATS

STRING: Final = Schema(type=OpenAPIType.STRING)


def optional(kind: OpenAPIType, **rules: object) -> Schema:
    """A field that may be null."""
    return Schema(type=[kind, OpenAPIType.NULL], **rules)  # type: ignore[arg-type]


_VOICE_OBJECT: Final = Schema(type=OpenAPIType.OBJECT, required=["id"], properties={"id": STRING})

SPEECH_FIELDS: Final = {
    "model": Schema(type=OpenAPIType.STRING, description="`GET /v1/models` lists them."),
    "input": Schema(type=OpenAPIType.STRING, min_length=1, description="What is to be said."),
    "voice": Schema(one_of=[STRING, _VOICE_OBJECT], description="A name of `GET /v1/audio/voices`, or a blend of them."),
    "response_format": optional(OpenAPIType.STRING, enum=[*FORMATS, None], default=DEFAULT_FORMAT),
    "speed": optional(OpenAPIType.NUMBER, minimum=MIN_SPEED, maximum=MAX_SPEED, default=1),
    "stream_format": optional(OpenAPIType.STRING, enum=[*STREAM_FORMATS, None], default="audio"),
    "instructions": optional(OpenAPIType.STRING, max_length=MAX_INSTRUCTIONS_CHARS, description="Accepted, without effect."),
    "language": optional(OpenAPIType.STRING, description="BCP 47 tag or Kokoro's letter; the voice's own by default."),
    "lang_code": optional(OpenAPIType.STRING, description="The same as `language`."),
    "normalize": optional(OpenAPIType.BOOLEAN, default=True),
    "pronunciations": optional(OpenAPIType.OBJECT, description="Word → phonemes in Misaki's alphabet."),
    "timestamps": optional(OpenAPIType.ARRAY, items=STRING),
}
"""Of the body of a request for speech."""

SPEECH_REQUIRED: Final = ["model", "input", "voice"]

_SPEECH_BODY: Final = Schema(type=OpenAPIType.OBJECT, required=SPEECH_REQUIRED, properties=dict(SPEECH_FIELDS))

_ERROR_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["error"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["message", "type", "param", "code"],
            properties={
                "message": STRING,
                "type": STRING,
                "param": optional(OpenAPIType.STRING),
                "code": optional(OpenAPIType.STRING),
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


def error_responses(errors: dict[str, str]) -> dict[str, OpenAPIResponse | Reference]:
    """Answers with the envelope of errors; `errors` is status → what it says."""
    content = {"application/json": OpenAPIMediaType(schema=_ERROR_BODY)}
    return {status: OpenAPIResponse(description=text, content=content) for status, text in errors.items()}


@dataclass
class SpeechOperation(Operation):
    """`POST /v1/audio/speech` as the schema shows it."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=_SPEECH_BODY)})
        sound = {entry.media_type: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING)) for entry in FORMATS.values()}
        spoken = OpenAPIResponse(description="The audio, streamed as it is spoken.", content=sound)
        self.responses = {"200": spoken, **error_responses(_ERRORS)}
