"""Reads JSON strictly: a body becomes an object, and a field of a simple type becomes a string, a number or a boolean.

Why not one msgspec struct for the whole body: errors must be reported one at a time, in the order of the contract and in the
words that OpenAI's clients know, and unknown keys must be ignored.

Why msgspec reads the JSON: of the usual parsers only msgspec refuses NaN, invalid UTF-8 and lone surrogates, so every accepted
text can be written again. If a key occurs twice, its last value counts.

Why a lone surrogate is read as U+FFFD and not refused: clients cut texts in the middle of an emoji, and the rest can be spoken.
"""

import re
from typing import Any, Final

import msgspec

from app.core.errors import MissingParameter, StringTooLong, UnreadableBody, UnsupportedContentType, WrongType

MAX_SHOWN_CHARS: Final = 100
"""The longest part of a value that an error message repeats."""

MEDIA_TYPE: Final = "application/json"
_KINDS: Final[dict[type, str]] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.S
)
"""An escape in JSON: a surrogate pair, a lone surrogate (the group `half`), or any other escape."""

_MAX_SHOWN_INTEGER: Final = 10**15


def read_object(content_type: str | None, body: bytes) -> dict[str, Any]:
    """The JSON object in `body`.

    Raises UnsupportedContentType unless `content_type` is JSON's (parameters such as a charset are fine, and the body is read
    as UTF-8 whatever they say), UnreadableBody for everything that is not one JSON object.
    """
    media_type = (content_type or "").partition(";")[0].strip()
    if media_type.lower() != MEDIA_TYPE:
        raise UnsupportedContentType(shorten(media_type))
    value = _read_json(body)
    if not isinstance(value, dict):
        raise UnreadableBody(f"Expected an object, but got {kind_of(value)} instead.")
    return value


def required_string(fields: dict[str, Any], param: str) -> str:
    """The value of `param`. Raises MissingParameter where it is missing or null, WrongType for anything but a string."""
    value = optional_string(fields, param)
    if value is None:
        raise MissingParameter(param)
    return value


def optional_string(fields: dict[str, Any], param: str) -> str | None:
    """The value of `param`; None where it is missing or null. Raises WrongType."""
    value = fields.get(param)
    if value is not None and not isinstance(value, str):
        raise WrongType(param, "a string", kind_of(value))
    return value


def optional_integer(fields: dict[str, Any], param: str) -> int | None:
    """The value of `param`; None where it is missing or null. 16000.0 is an integer too: JSON has one type of number.

    Raises WrongType.
    """
    value = fields.get(param)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(param, "an integer", kind_of(value))
    return value


def optional_boolean(fields: dict[str, Any], param: str) -> bool | None:
    """The value of `param`; None where it is missing or null. Raises WrongType."""
    value = fields.get(param)
    if value is not None and not isinstance(value, bool):
        raise WrongType(param, "a boolean", kind_of(value))
    return value


def limited(param: str, text: str, max_chars: int) -> str:
    """Returns `text`. Raises StringTooLong when it has more than `max_chars` code points."""
    if len(text) > max_chars:
        raise StringTooLong(param, max_chars, len(text))
    return text


def kind_of(value: Any) -> str:
    """The type of a JSON value, with its article: "a string"."""
    return _KINDS.get(type(value), "null")


def show_number(value: float) -> str:
    """The number as an error message repeats it: short, since Python refuses to print integers of thousands of digits."""
    if isinstance(value, int) and abs(value) >= _MAX_SHOWN_INTEGER:
        return "a number of more than 15 digits"
    return str(value)


def shorten(text: str) -> str:
    """`text` as an error message repeats it: at most MAX_SHOWN_CHARS of it."""
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"


def unsupported(got: str, supported: tuple[str, ...]) -> str:
    """The message about a value that is not supported."""
    *most, last = (f"'{name}'" for name in supported)
    joined = {0: last, 1: f"{''.join(most)} and {last}"}.get(len(most), f"{', '.join(most)}, and {last}")
    return f"Invalid value: '{shorten(got)}'. Supported values are: {joined}."


def _read_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise UnreadableBody("It is not UTF-8.") from None
    except RecursionError:
        raise UnreadableBody("It is nested too deeply.") from None
    except msgspec.DecodeError as error:
        if (repaired := _ESCAPE.sub(_replace_lone_surrogate, body)) != body:
            return _read_json(repaired)
        raise UnreadableBody(f"{error}.") from None


def _replace_lone_surrogate(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]
