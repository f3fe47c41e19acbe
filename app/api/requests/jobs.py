"""A request for a job: the fields of a request for speech, and the fields of the job itself."""

from typing import Any, Final

import msgspec

from app.api.requests.fields import kind_of, limited, optional_string
from app.api.requests.speech import SpeechRequest, read_speech_fields
from app.api.requests.text import read_model, read_voice
from app.core.errors import InvalidValue, NotSupported, WrongType
from app.core.jobs.webhook_url import check_url
from app.core.speech.titles import CONTROL, show_title
from app.core.speech.voices import Catalogue

MAX_TITLE_CHARS: Final = 200
MAX_METADATA: Final = 16
MAX_METADATA_KEY_CHARS: Final = 64
MAX_METADATA_VALUE_CHARS: Final = 512


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a job."""

    speech: SpeechRequest
    voice: str
    """The voice as the user wrote it."""
    title: str | None
    metadata: dict[str, str] | None
    webhook_url: str | None


def read_job(
    fields: dict[str, Any], *, catalogue: Catalogue, max_job_chars: int, signs_webhooks: bool, private_webhooks: bool
) -> JobRequest:
    """The request in `fields`; `stream_format` is checked and has no effect.

    Raises the InvalidRequest of the first invalid field, in the order of `read_speech`, then: title, metadata, webhook_url.
    """
    speech = read_speech_fields(fields, read_model(fields), catalogue, max_job_chars, is_job=True)
    return JobRequest(
        speech=speech,
        voice=read_voice(fields),
        title=_read_title(fields),
        metadata=_read_metadata(fields),
        webhook_url=_read_webhook_url(fields, is_signed=signs_webhooks, private=private_webhooks),
    )


def _read_title(fields: dict[str, Any]) -> str | None:
    title = limited("title", optional_string(fields, "title") or "", MAX_TITLE_CHARS)
    if CONTROL.search(title):
        raise InvalidValue("Invalid 'title': expected one line of text without control characters.", param="title")
    return show_title(title) or None


def _read_metadata(fields: dict[str, Any]) -> dict[str, str] | None:
    wanted = fields.get("metadata")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise WrongType("metadata", "an object", kind_of(wanted))
    if len(wanted) > MAX_METADATA:
        raise InvalidValue(
            f"Invalid 'metadata': too many entries. Expected at most {MAX_METADATA}, but got {len(wanted)} instead.",
            param="metadata",
        )
    for key, value in wanted.items():
        limited("metadata", key, MAX_METADATA_KEY_CHARS)
        if not isinstance(value, str):
            raise WrongType("metadata", "an object that maps strings to strings", f"{kind_of(value)} in it")
        limited("metadata", value, MAX_METADATA_VALUE_CHARS)
    return wanted


def _read_webhook_url(fields: dict[str, Any], *, is_signed: bool, private: bool) -> str | None:
    url = optional_string(fields, "webhook_url")
    if url is None:
        return None
    if not is_signed:
        raise NotSupported(
            "This server sends no webhooks: leave 'webhook_url' out, or ask its operator to set KOE_WEBHOOK_SECRET.",
            param="webhook_url",
        )
    check_url(url, private=private)
    return url
