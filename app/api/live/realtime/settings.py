"""The session of a client: what it has set, and what that means for the audio.

Why the fields that mean nothing to a reader are kept: a client sees them again in `session.updated`, as it would at OpenAI's.
No tool is ever called, and no microphone is ever heard.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from app.api.live.realtime.errors import invalid_value, missing_parameter, unknown_parameter

SESSION_SECONDS: Final = 3600
"""Longest life of a session, as at OpenAI's."""
MODALITIES: Final = (["audio"], ["text"])
MIN_SPEED, MAX_SPEED = 0.25, 1.5
"""OpenAI's range in a session."""

_DEFAULT_MODEL, _DEFAULT_VOICE = "gpt-realtime", "marin"
_OPENAI_MODELS: Final = ("gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime")
"""OpenAI's names of Realtime models begin with one of these."""
_SPEAKS_FOR: Final = "gpt-4o-mini-tts"
"""The model that speaks for them."""
_FORMATS: Final = {"audio/pcm": ("pcm", 24_000), "audio/pcmu": ("ulaw", 8_000), "audio/pcma": ("alaw", 8_000)}
"""OpenAI's names → format and sample rate of Koe."""
_FIELDS: Final = frozenset(
    {
        *("type", "object", "id", "model", "expires_at", "output_modalities", "instructions", "audio", "max_output_tokens"),
        *("tools", "tool_choice", "parallel_tool_calls", "tracing", "truncation", "prompt", "include", "reasoning"),
    }
)
_FIXED: Final = frozenset({"object", "id", "expires_at"})
"""Fields that a client may send and not change."""
RESPONSE_FIELDS: Final = frozenset(
    {
        *("conversation", "input", "instructions", "metadata", "output_modalities", "audio", "max_output_tokens", "tools"),
        *("tool_choice", "parallel_tool_calls", "prompt", "reasoning"),
    }
)


def new_session(model: str | None = None, preset: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the session of a client that has set nothing yet, apart from the `preset` of its client secret. Raises
    RealtimeError.
    """
    pcm = {"type": "audio/pcm", "rate": 24_000}
    session = {
        "type": "realtime",
        "object": "realtime.session",
        "id": f"sess_{secrets.token_hex(12)}",
        "model": _DEFAULT_MODEL,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": int(time.time()) + SESSION_SECONDS,
        "audio": {
            "input": {"format": dict(pcm), "transcription": None, "noise_reduction": None, "turn_detection": None},
            "output": {"format": dict(pcm), "voice": _DEFAULT_VOICE, "speed": 1.0},
        },
        "include": None,
    }
    if preset:
        session = updated(session, {"type": "realtime", **preset})
    return session | {"model": model} if model else session


def updated(session: Mapping[str, Any], changes: Any) -> dict[str, Any]:
    """Returns the session with the changes of `session.update`: objects are merged. Raises RealtimeError."""
    if not isinstance(changes, dict):
        raise missing_parameter("session")
    if changes.get("type") != "realtime":
        if "type" not in changes:
            raise missing_parameter("session.type")
        raise invalid_value("Invalid value: a session here has the type 'realtime'.", "session.type")
    _check_known(changes, _FIELDS, "session")
    merged = _merge(session, {name: value for name, value in changes.items() if name not in _FIXED})
    check_modalities(merged["output_modalities"], "session.output_modalities")
    fields_of(merged)
    return merged


def check_modalities(modalities: Any, param: str) -> None:
    """Raises RealtimeError unless they are audio alone or text alone."""
    if modalities not in MODALITIES:
        raise invalid_value("Invalid modalities. Supported combinations are: ['text'] and ['audio'].", param)


def check_response(response: Mapping[str, Any]) -> None:
    """Raises RealtimeError for a field that `response.create` does not have."""
    _check_known(response, RESPONSE_FIELDS, "response")


def fields_of(session: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of a request for speech. Raises RealtimeError for a form of audio or a speed that cannot be."""
    output = session["audio"]["output"]
    form = output.get("format") or {"type": "audio/pcm"}
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in _FORMATS:
        names = "', '".join(_FORMATS)
        raise invalid_value(f"Invalid value: '{kind}'. Supported values are: '{names}'.", "session.audio.output.format.type")
    name, rate_hz = _FORMATS[kind]
    speed = output.get("speed") or 1.0
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not MIN_SPEED <= speed <= MAX_SPEED:
        raise invalid_value(f"Invalid speed: it is from {MIN_SPEED} to {MAX_SPEED}.", "session.audio.output.speed")
    return {
        "model": _model_of(session["model"]),
        "voice": output.get("voice"),
        "response_format": name,
        "sample_rate": rate_hz,
        "speed": speed,
        "pronunciations": output.get("pronunciations"),
    }


def _model_of(name: Any) -> Any:
    return _SPEAKS_FOR if isinstance(name, str) and name.startswith(_OPENAI_MODELS) else name


def with_response(session: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the session as a response with its own fields sees it."""
    own = {name: response[name] for name in ("output_modalities", "max_output_tokens", "audio") if response.get(name)}
    return _merge(session, own)


def _check_known(given: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise unknown_parameter(f"{place}.{unknown}")


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        is_nested = isinstance(value, dict) and isinstance(before, dict) and name in ("audio", "input", "output")
        merged[name] = _merge(before, value) if is_nested and isinstance(before, dict) else value
    return merged
