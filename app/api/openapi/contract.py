"""What the schema at `/schema` says of the requests for speech and of the errors, which Litestar cannot derive from types.

Why by hand: the requests are judged field by field in `app.api.requests`, and the answer is sound or events. Why the
schemas of the requests are made anew for each server: which voices there are, how long a text may be and whether webhooks are
sent is for its operator to say, and a description that is true only of some other server is none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat

from app.api.requests.jobs import MAX_METADATA, MAX_METADATA_KEY_CHARS, MAX_METADATA_VALUE_CHARS, MAX_TITLE_CHARS
from app.api.requests.speech import MAX_INSTRUCTIONS_CHARS, MAX_SPEED, MIN_SPEED, STREAM_FORMATS, TIMESTAMPS
from app.api.requests.text import MAX_PRONUNCIATION_CHARS, MAX_PRONUNCIATIONS
from app.core.errors import CLASSES_BY_CODE, Cancelled
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS, SAMPLE_RATES_HZ, Bitrates
from app.core.speech.languages import LANGUAGES
from app.core.speech.lexicon import WORD
from app.core.speech.models import MODELS, OPENAI_MAX_INPUT_CHARS, OTHER_NAMES, names_of
from app.core.speech.phonemes import PATTERN
from app.core.speech.voices import MAX_BLEND_VOICES

STRING: Final = Schema(type=OpenAPIType.STRING)

Fields = dict[str, Schema | Reference]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What this server takes, where servers differ."""

    voices: tuple[str, ...]
    """Every name that may be sent as `voice`."""
    single_voices: tuple[str, ...]
    """Those of them that may be part of a blend, since they are none themselves."""
    max_input_chars: int
    """Code points of `input` with Koe's own models."""
    max_job_chars: int
    """The same for a job, with every model."""
    sends_webhooks: bool


def optional(kind: OpenAPIType, **rules: Any) -> Schema:
    """A field that may be null."""
    return Schema(type=[kind, OpenAPIType.NULL], **rules)


def reference(name: str) -> Reference:
    """To a schema of `request_schemas` or of an answer."""
    return Reference(ref=f"#/components/schemas/{name}")


SPEECH_FIELDS: Final[Fields] = {
    "model": Schema(
        type=OpenAPIType.STRING,
        enum=[*MODELS, *OTHER_NAMES],
        description="A name of OpenAI's gets the best engine loaded; `kokoro` and `espeak` get that engine and no other. What "
        "routers and other servers call them is understood too; upper and lower case are the same.",
    ),
    "input": Schema(type=OpenAPIType.STRING, min_length=1, description="What is to be said."),
    "voice": reference("VoiceChoice"),
    "response_format": optional(OpenAPIType.STRING, enum=[*FORMATS, None], default=DEFAULT_FORMAT),
    "speed": optional(OpenAPIType.NUMBER, minimum=MIN_SPEED, maximum=MAX_SPEED, default=1, description="1 is the voice's own."),
    "stream_format": optional(
        OpenAPIType.STRING,
        enum=[*STREAM_FORMATS, None],
        default="audio",
        description="`sse`: server-sent events. It is plain audio with the `tts-1` models, as it is at OpenAI.",
    ),
    "instructions": optional(
        OpenAPIType.STRING, max_length=MAX_INSTRUCTIONS_CHARS, description="Accepted on every model, without effect."
    ),
    "language": optional(
        OpenAPIType.STRING,
        examples=["en-GB", "ja", "z"],
        description="Of the text, as a BCP 47 tag or Kokoro's letter; the voice's own if it is left out, `auto` or empty.",
    ),
    "lang_code": Schema(description="Another name of `language`. It is not looked at where `language` is given."),
    "normalize": optional(
        OpenAPIType.BOOLEAN,
        default=True,
        description="Whether numbers, dates, money, URLs and the like are expanded into words.",
    ),
    "pronunciations": optional(
        OpenAPIType.OBJECT,
        max_properties=MAX_PRONUNCIATIONS,
        property_names=Schema(min_length=1, max_length=MAX_PRONUNCIATION_CHARS, pattern=f"^{WORD.pattern}$"),
        additional_properties=Schema(
            type=OpenAPIType.STRING, min_length=1, max_length=MAX_PRONUNCIATION_CHARS, pattern=PATTERN
        ),
        description="Word → phonemes in Misaki's alphabet. espeak-ng cannot be told any, and reads the word.",
    ),
    "timestamps": optional(
        OpenAPIType.ARRAY,
        items=Schema(type=OpenAPIType.STRING, enum=[*TIMESTAMPS]),
        description='`["word"]`: times of words, in events of their own (`stream_format: sse`) or as captions of a job.',
    ),
    "sample_rate": optional(
        OpenAPIType.INTEGER,
        enum=[*SAMPLE_RATES_HZ, None],
        description="Of the file, in Hz, where the format has it. 24000 by default, and 8000 with `ulaw` and `alaw`.",
    ),
    "bitrate": optional(
        OpenAPIType.INTEGER, description="Bits a second of mp3, opus and aac, which have others at other sample rates."
    ),
}
"""Of the body of a request for speech."""

SPEECH_REQUIRED: Final = ["model", "input", "voice"]

_JOB_FIELDS: Final[Fields] = {
    "title": optional(
        OpenAPIType.STRING,
        max_length=MAX_TITLE_CHARS,
        pattern=r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$",
        description="One line, of the file: its tag and its name.",
    ),
    "metadata": optional(
        OpenAPIType.OBJECT,
        max_properties=MAX_METADATA,
        property_names=Schema(max_length=MAX_METADATA_KEY_CHARS),
        additional_properties=Schema(type=OpenAPIType.STRING, max_length=MAX_METADATA_VALUE_CHARS),
        description="The caller's own notes, given back with the job.",
    ),
}

_WEIGHT: Final = r"(?:[1-9][0-9]{0,3}(?:\.[0-9]{1,4})?|0\.[0-9]{0,3}[1-9])"
"""As a blend is written; other ways to write a positive number work too."""

_TAG_OF_KOKORO: Final = "|".join(
    "".join(f"[{letter.upper()}{letter}]" for letter in tag) for tag in sorted({one.tag[:2] for one in LANGUAGES})
)
_LETTERS: Final = "".join(one.letter for one in LANGUAGES)
_OWN: Final = "|[Aa][Uu][Tt][Oo]"
"""The voice's own: `""` and `auto`."""

_OF_KOKORO: Final = f"^(?:{_OWN}|[{_LETTERS}{_LETTERS.upper()}]|(?:{_TAG_OF_KOKORO})(?:-[A-Za-z0-9]{{1,8}}){{0,3}})$"
_NAMED: Final = f"[{_LETTERS}{_LETTERS.upper()}]|[A-Za-z]{{2,3}}(?:-[A-Za-z0-9]{{1,8}}){{0,3}}"
_OF_ESPEAK: Final = f"^(?:{_OWN}|{_NAMED})$"
_LANGUAGE_NAME: Final = Schema(type=OpenAPIType.STRING, pattern=f"^(?:{_NAMED})$")
_LANG_CODE: Final = Schema(
    required=["lang_code"], properties={"lang_code": _LANGUAGE_NAME, "language": Schema(type=OpenAPIType.NULL)}
)


def request_schemas(limits: Limits) -> dict[str, Schema]:
    """The schemas that this server's requests for speech refer to, by name."""
    return {
        "VoiceName": Schema(
            type=OpenAPIType.STRING, enum=[*limits.voices], description="`GET /v1/audio/voices` tells of each."
        ),
        "Blend": Schema(
            type=OpenAPIType.STRING,
            pattern=_blend_pattern(limits.single_voices),
            examples=["af_heart+bf_emma", "af_heart(2)+bf_emma(1)"],
            description=f"Up to {MAX_BLEND_VOICES} voices with weights that are positive; 1 where none is given.",
        ),
        "VoiceChoice": Schema(
            any_of=[
                reference("VoiceName"),
                reference("Blend"),
                Schema(
                    type=OpenAPIType.OBJECT,
                    required=["id"],
                    properties={"id": Schema(any_of=[reference("VoiceName"), reference("Blend")])},
                ),
            ],
            description="A name of OpenAI's, a voice of Kokoro's, or a blend.",
        ),
        "SpeechRequest": Schema(
            type=OpenAPIType.OBJECT,
            required=SPEECH_REQUIRED,
            properties=SPEECH_FIELDS,
            all_of=[_input_limits(limits), *_languages(), *_rates(), *_bitrates()],
            description="Keys that are not listed are ignored; `null` for an optional key means that it is not given.",
        ),
        "JobRequest": Schema(
            type=OpenAPIType.OBJECT,
            required=SPEECH_REQUIRED,
            properties={
                **SPEECH_FIELDS,
                **_JOB_FIELDS,
                "input": _input(limits.max_job_chars),
                "webhook_url": _webhook_url(limits),
            },
            all_of=[*_languages(), *_rates(), *_bitrates()],
            description="A request for speech with more to it. `stream_format` is without effect.",
        ),
        "PhonemizeRequest": Schema(
            type=OpenAPIType.OBJECT,
            required=["input"],
            properties={
                "model": optional(
                    OpenAPIType.STRING, enum=[*MODELS, *OTHER_NAMES, None], description="The best engine loaded by default."
                ),
                "input": _input(limits.max_input_chars),
                "voice": Schema(any_of=[reference("VoiceChoice"), Schema(type=OpenAPIType.NULL)]),
                **{name: SPEECH_FIELDS[name] for name in ("language", "lang_code", "normalize", "pronunciations")},
            },
            all_of=_languages(),
            any_of=[_given("voice", reference("VoiceChoice")), _given("language", _LANGUAGE_NAME), _LANG_CODE],
            description="Either a voice or a language must be there.",
        ),
        "Error": _ERROR_BODY,
        **_EVENTS,
    }


def _blend_pattern(voices: Iterable[str]) -> str:
    part = f"(?:{'|'.join(map(re.escape, voices))})(?:\\({_WEIGHT}\\))?"
    return f"^{part}(?:\\+{part}){{0,{MAX_BLEND_VOICES - 1}}}$"


def _input(max_chars: int) -> Schema:
    return Schema(type=OpenAPIType.STRING, min_length=1, max_length=max_chars, description="What is to be said.")


def _input_limits(limits: Limits) -> Schema:
    return _by_model(
        names_of("kokoro", "espeak"),
        *({"input": Schema(max_length=n)} for n in (limits.max_input_chars, OPENAI_MAX_INPUT_CHARS)),
    )


def _languages() -> list[Schema]:
    """The model `espeak` takes tags of all its languages, the others those of Kokoro's."""
    rules = [optional(OpenAPIType.STRING, pattern=pattern) for pattern in (_OF_ESPEAK, _OF_KOKORO)]
    language, lang_code = (
        _by_model(names_of("espeak"), *({name: rule} for rule in rules)) for name in ("language", "lang_code")
    )
    return [language, Schema(schema_if=_given("language", STRING), schema_else=lang_code)]


def _rates() -> list[Schema]:
    """The sample rates of the formats that have not all of them."""
    some = [entry for entry in FORMATS.values() if entry.sample_rates_hz != SAMPLE_RATES_HZ]
    return [_where("response_format", entry.name, sample_rate=Schema(enum=[*entry.sample_rates_hz, None])) for entry in some]


def _bitrates() -> list[Schema]:
    """The bitrates of each format at each sample rate; null for those that have none."""
    rules = []
    for entry in FORMATS.values():
        name = [DEFAULT_FORMAT, None] if entry.name == DEFAULT_FORMAT else entry.name
        by_rate = {rate_hz: allowed for rate_hz in entry.sample_rates_hz if (allowed := entry.bitrates_at(rate_hz))}
        if not by_rate:
            rules.append(_where("response_format", name, bitrate=Schema(type=OpenAPIType.NULL)))
        elif len(set(by_rate.values())) == 1:
            rules.append(_where("response_format", name, bitrate=_bitrate(*set(by_rate.values()))))
        else:
            each = [
                _where(
                    "sample_rate", [rate_hz, None] if rate_hz == entry.sample_rate_hz else rate_hz, bitrate=_bitrate(allowed)
                )
                for rate_hz, allowed in by_rate.items()
            ]
            rules.append(Schema(schema_if=_is("response_format", name), then=Schema(all_of=each)))
    return rules


def _bitrate(allowed: Bitrates) -> Schema:
    return Schema(enum=[*allowed.table, None]) if allowed.table else Schema(minimum=allowed.least, maximum=allowed.most)


def _where(name: str, value: Any, **rules: Schema) -> Schema:
    return Schema(schema_if=_is(name, value), then=Schema(properties={**rules}))


def _is(name: str, value: Any) -> Schema:
    """That the field has this value, or one of these; a list with None is of what is meant where the field is left out."""
    if isinstance(value, list):
        return Schema(properties={name: Schema(enum=value)})
    return Schema(required=[name], properties={name: Schema(enum=[value])})


def _by_model(models: list[str], these: dict[str, Schema], others: dict[str, Schema]) -> Schema:
    return Schema(
        schema_if=Schema(required=["model"], properties={"model": Schema(enum=models)}),
        then=Schema(properties={**these}),
        schema_else=Schema(properties={**others}),
    )


def _given(name: str, schema: Schema | Reference) -> Schema:
    return Schema(required=[name], properties={name: schema})


def _webhook_url(limits: Limits) -> Schema:
    if not limits.sends_webhooks:
        return Schema(type=OpenAPIType.NULL, description="This server sends no webhooks: refused with code `not_supported`.")
    return optional(
        OpenAPIType.STRING,
        max_length=2048,
        pattern="^https?://",
        description="Is told of the job's end, signed as the Standard Webhooks spec says.",
    )


_CODES: Final = sorted(CLASSES_BY_CODE.keys() - {Cancelled.code})
"""Those that somebody is shown."""

_ERROR_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["error"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["message", "type", "param", "code"],
            properties={
                "message": Schema(type=OpenAPIType.STRING, description="For people."),
                "type": Schema(type=OpenAPIType.STRING, enum=["invalid_request_error", "requests", "server_error"]),
                "param": optional(OpenAPIType.STRING, description="The field of the request at fault, if one is."),
                "code": optional(
                    OpenAPIType.STRING, enum=[*_CODES, None], description="For programs; null where the status says it all."
                ),
            },
        )
    },
)


def _event(kind: str, **fields: Schema | Reference) -> Schema:
    properties: Fields = {"type": Schema(type=OpenAPIType.STRING, const=kind), **fields}
    return Schema(type=OpenAPIType.OBJECT, required=[*properties], properties=properties)


_COUNT: Final = Schema(type=OpenAPIType.INTEGER, minimum=0)

_EVENTS: Final = {
    "SpeechEvent": Schema(
        one_of=[reference(name) for name in ("SpeechDelta", "SpeechWords", "SpeechDone", "SpeechError")],
        description="What one event says: a piece of audio, words, the end, or a failure midway.",
    ),
    "SpeechDelta": _event(
        "speech.audio.delta",
        audio=Schema(
            type=OpenAPIType.STRING,
            content_encoding="base64",
            description="A piece of the file; all of them joined are one valid file.",
        ),
    ),
    "SpeechWords": _event(
        "speech.audio.words",
        words=Schema(
            type=OpenAPIType.ARRAY,
            description="Words as they were written, before the audio in which they are heard.",
            items=Schema(
                type=OpenAPIType.OBJECT,
                required=["word", "start", "end"],
                properties={
                    "word": STRING,
                    "start": Schema(type=OpenAPIType.NUMBER, minimum=0, description="Seconds in the audio."),
                    "end": Schema(type=OpenAPIType.NUMBER, minimum=0, description="Seconds in the audio."),
                },
            ),
        ),
    ),
    "SpeechDone": _event(
        "speech.audio.done",
        usage=Schema(
            type=OpenAPIType.OBJECT,
            required=["input_tokens", "output_tokens", "total_tokens"],
            properties={
                "input_tokens": Schema(type=OpenAPIType.INTEGER, minimum=0, description="Phonemes given to the engine."),
                "output_tokens": Schema(type=OpenAPIType.INTEGER, minimum=0, description="Frames of 25 ms of audio."),
                "total_tokens": _COUNT,
            },
        ),
    ),
    "SpeechError": _event("error", error=_ERROR_BODY.properties["error"]),  # type: ignore[index]
}

_ERRORS: Final = {
    "400": "The request is at fault.",
    "404": "No such model.",
    "413": "The body is too large.",
    "429": "Too much at once: the key's rate limit, or the queue.",
    "503": "Nobody is there to speak, or the engine that was named is not loaded.",
    "504": "Nobody came to speak in time.",
}


def error_responses(errors: dict[str, str]) -> dict[str, OpenAPIResponse | Reference]:
    """Answers with the envelope of errors; `errors` is status → what it says."""
    return {status: OpenAPIResponse(description=text, content=json_of("Error")) for status, text in errors.items()}


def json_of(name: str) -> dict[str, OpenAPIMediaType]:
    """JSON of that schema."""
    return {"application/json": OpenAPIMediaType(schema=reference(name))}


def sound() -> dict[str, OpenAPIMediaType]:
    """Audio in any of the formats."""
    names = [name for entry in FORMATS.values() for name in (entry.media_type, entry.rate_media_type) if name]
    return {name: OpenAPIMediaType(schema=_SOUND) for name in names}


def events_of(name: str) -> dict[str, OpenAPIMediaType]:
    """Server-sent events, each with JSON of that schema. The schema is that of one event: OpenAPI 3.1 has no word for it."""
    data = Schema(type=OpenAPIType.STRING, content_media_type="application/json", content_schema=reference(name))
    event = Schema(type=OpenAPIType.OBJECT, required=["data"], properties={"data": data}, description="Each of the events.")
    return {"text/event-stream": OpenAPIMediaType(schema=event)}


_SOUND: Final = Schema(
    type=OpenAPIType.STRING,
    format=OpenAPIFormat.BINARY,
    description="One channel, 24 kHz if nothing else is asked for. `wav` and `pcm` are 16-bit little-endian, `ulaw` and `alaw` "
    "are G.711 of 8 kHz. Where the file does not tell another rate, its content type does (`audio/pcm;rate=16000`).",
)


@dataclass
class AnsweredOperation(Operation):
    """A route whose success Litestar knows, and that may find the queue away."""

    def __post_init__(self) -> None:
        self.responses = without_errors(self) | error_responses({"503": "The queue cannot be reached."})


@dataclass
class ModelOperation(Operation):
    """`GET /v1/models/{id}`."""

    def __post_init__(self) -> None:
        errors = {"404": "No such model.", "503": "The engine of that model is not loaded, or the queue cannot be reached."}
        self.responses = without_errors(self) | error_responses(errors)


@dataclass
class ReadinessOperation(Operation):
    """`GET /readyz`: the same body, whether or not."""

    def __post_init__(self) -> None:
        body = json_of("Readiness")
        self.responses = {
            "200": OpenAPIResponse(description="A worker with a warm engine is there.", content=body),
            "503": OpenAPIResponse(description="Nobody is there to speak, or the queue cannot be reached.", content=body),
        }


_EXAMPLES: Final[dict[str, Example | Reference]] = {
    "openai": Example(
        summary="As OpenAI's clients send it", value={"model": "tts-1", "input": "Hello there.", "voice": "coral"}
    ),
    "events": Example(
        summary="As server-sent events",
        value={"model": "gpt-4o-mini-tts", "input": "Hello there.", "voice": "coral", "stream_format": "sse"},
    ),
    "blend": Example(
        summary="With what Koe can do besides",
        value={"model": "tts-1", "input": "Dr. Ito spoke.", "voice": {"id": "af_heart(2)+bf_emma"}, "normalize": False},
    ),
}


@dataclass
class SpeechOperation(Operation):
    """`POST /v1/audio/speech` as the schema shows it."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            required=True,
            description="At most 1 MiB.",
            content={"application/json": OpenAPIMediaType(schema=reference("SpeechRequest"), examples=_EXAMPLES)},
        )
        spoken = OpenAPIResponse(
            description="The audio, streamed as it is spoken; server-sent events where they were asked for.",
            content={**sound(), **events_of("SpeechEvent")},
        )
        self.responses = {"200": spoken, **error_responses(_ERRORS)}


def without_errors(operation: Operation) -> dict[str, OpenAPIResponse | Reference]:
    """The operation's successes, as Litestar derived them."""
    return {status: answer for status, answer in (operation.responses or {}).items() if status.startswith("2")}
