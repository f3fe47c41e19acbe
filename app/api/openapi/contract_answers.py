"""What the schema at `/schema` says of the answers, where a type tells too little: the rules of their fields, and headers."""

from typing import Any, Final

from app.api.middleware.headers import OPENAI_VERSION
from app.core.speech.formats import FORMATS
from app.core.speech.models import ENGINE_ORDER

Described = dict[str, Any]
"""A part of the description, as JSON has it."""

_ENGINE: Final = {"type": ["string", "null"], "enum": [*ENGINE_ORDER, None]}
_COUNT: Final = {"type": "integer", "minimum": 0}

RULES: Final[dict[str, dict[str, Described]]] = {
    "Health": {"status": {"const": "ok"}},
    "Readiness": {
        "status": {"enum": ["ready", "unavailable"]},
        "engine": {**_ENGINE, "description": "The engine that OpenAI's model names get; null with no worker."},
        "weights": {"description": "How exact the weights are that it speaks with, `mixed` where workers differ."},
        "notice": {"description": "Why a better engine is not loaded, or workers differ, and the command that mends it."},
        "workers": {"minimum": 0, "description": "How many workers are alive."},
        "queue": {
            "description": "How many utterances wait, by lane.",
            "required": ["interactive", "batch"],
            "properties": {"interactive": _COUNT, "batch": _COUNT},
        },
    },
    "ModelList": {"object": {"const": "list"}},
    "ModelObject": {
        "object": {"const": "model"},
        "created": {"description": "Seconds since 1970, UTC."},
        "shutdown_date": {"description": "No model is going to be taken away."},
        "engine": {**_ENGINE, "description": "The engine that would speak it now; null with no worker."},
    },
    "VoiceObject": {
        "id": {"description": "What is sent as `voice`."},
        "language": {"description": "BCP 47 tag."},
        "gender": {"enum": ["female", "male"]},
        "grade": {"description": "Quality that the voice's makers give it, `A` to `F`; empty where they give none."},
        "engine": {**_ENGINE, "description": "The engine that would speak it now; null with no worker."},
        "aliases": {"description": "The other names of exactly this voice."},
    },
    "JobList": {"object": {"const": "list"}},
    "JobObject": {
        "id": {"pattern": "^job_[0-9a-f]{24}$"},
        "object": {"const": "audio.speech.job"},
        "completed_at": {"description": "When it ended, in whichever way. All times are whole seconds since 1970, UTC."},
        "expires_at": {"description": "When it and its file are deleted; null until it has ended."},
        "response_format": {"enum": [*FORMATS]},
        "duration_seconds": {"description": "Of the finished file."},
        "error": {"description": "Why it failed."},
    },
    "Progress": {
        "segments_done": {"minimum": 0},
        "segments_total": {
            "minimum": 0,
            "description": "0 until the text has been divided; an estimate until the last of it is spoken.",
        },
        "audio_seconds": {"minimum": 0},
    },
    "Phonemized": {
        "language": {"description": "BCP 47 tag."},
        "normalized": {"description": "The text as it is read."},
        "segments": {"description": "Empty where there is nothing to say."},
    },
    "PhonemizedSegment": {"phonemes": {"description": "In the engine's own alphabet."}, "n_phonemes": {"minimum": 0}},
}
"""What the types of answers do not tell of their fields, by schema and field."""

_DESCRIBED: Final[dict[str, Described]] = {
    "x-request-id": {
        "description": "Names this request in the log. A caller's own is kept if it is sane.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "openai-processing-ms": {"description": "Milliseconds until the answer began.", "schema": _COUNT},
    "openai-version": {
        "description": "Version of OpenAI's API that is spoken here.",
        "schema": {"type": "string", "const": OPENAI_VERSION.decode()},
    },
    "x-koe-engine": {"description": "The engine that spoke.", "schema": {"type": "string", "enum": [*ENGINE_ORDER]}},
    "x-koe-cache": {
        "description": "`hit`: finished before; `join`: being spoken for somebody else; `miss`: spoken for this request.",
        "schema": {"type": "string", "enum": ["hit", "join", "miss"]},
    },
    "x-ratelimit-limit-requests": {"description": "Requests that the key may make in its time.", "schema": _COUNT},
    "x-ratelimit-remaining-requests": {"description": "Those that are left now.", "schema": _COUNT},
    "x-ratelimit-reset-requests": {
        "description": "Until all of them are there again, as `6m0s` or `12ms`.",
        "schema": {"type": "string", "pattern": "^(?:[0-9]+ms|(?:(?:[0-9]+h)?[0-9]+m)?[0-9]+s)$"},
    },
    "Retry-After": {
        "description": "Seconds after which the same request may work.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 60},
    },
    "x-should-retry": {
        "description": "Sent in place of Retry-After where asking again does not help; OpenAI's clients obey it.",
        "schema": {"type": "string", "const": "false"},
    },
    "WWW-Authenticate": {"description": "How a key is sent.", "schema": {"type": "string", "const": "Bearer"}},
    "Location": {"description": "Path of the job.", "schema": {"type": "string"}},
    "ETag": {"description": "Of this file and no other.", "schema": {"type": "string"}},
    "Accept-Ranges": {"description": "Ranges of bytes can be asked for.", "schema": {"type": "string", "const": "bytes"}},
    "Content-Range": {"description": "Which piece it is, and of how many bytes.", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "A file name made of the job's title.", "schema": {"type": "string"}},
}

ALWAYS: Final = ("x-request-id", "openai-processing-ms", "openai-version")
"""Headers of every answer."""

BY_STATUS: Final = {
    "401": ("WWW-Authenticate",),
    "416": ("Content-Range",),
    "429": ("Retry-After",),
}
"""Headers of every error with that status."""

SOMETIMES: Final = {"409": ("x-should-retry",), "500": ("x-should-retry",), "503": ("Retry-After", "x-should-retry")}
"""Headers of some errors with that status."""

_FILE: Final = ("ETag", "Accept-Ranges")

BY_ANSWER: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("createSpeech", "200"): ("x-koe-engine", "x-koe-cache"),
    ("phonemize", "200"): ("x-koe-engine",),
    ("createJob", "202"): ("Location",),
    ("getContent", "200"): (*_FILE, "Content-Disposition"),
    ("getContent", "206"): (*_FILE, "Content-Disposition", "Content-Range"),
    ("getContent", "304"): _FILE,
    ("headContent", "200"): (*_FILE, "Content-Disposition"),
    ("headContent", "304"): _FILE,
}
"""Headers of one operation's answer, beside those."""

OF_LIMITS: Final = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
"""Headers where the key has a rate limit."""

HEADERS: Final = {
    name: {**described, "required": name not in (*OF_LIMITS, "x-should-retry")} for name, described in _DESCRIBED.items()
}

_LIMITED_SUCCESSES: Final = {("createSpeech", "200"), ("phonemize", "200"), ("createJob", "202")}

LIMITED: Final = _LIMITED_SUCCESSES | {(operation_id, "429") for operation_id, _ in _LIMITED_SUCCESSES}
"""The answers that may have them."""
