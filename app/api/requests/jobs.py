"""A request for a job: the fields of a request for speech, and the fields of the job itself."""

from typing import Any, Final

import msgspec

from app.api.requests.fields import kind_of, limited, optional_string
from app.api.requests.speech import SpeechRequest, read_speech_fields
from app.api.requests.text import read_input, read_model, read_voice
from app.core.errors import InvalidValue, NotSupported, WrongType
from app.core.jobs.webhook_url import check_url
from app.core.speech.titles import CONTROL, show_title
from app.core.speech.voices import Catalogue

MAX_TITLE_CHARS: Final = 200
MAX_CHAPTERS: Final = 999
"""More chapters than any document has."""
MAX_METADATA: Final = 16
MAX_METADATA_KEY_CHARS: Final = 64
MAX_METADATA_VALUE_CHARS: Final = 512


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a job."""

    speech: SpeechRequest
    voice: str
    """The voice as the user wrote it."""
    document: str | None
    """The document whose text is spoken; None for a request with a text."""
    chapters: tuple[int, ...] | None
    """The chapters of the document that are spoken; None for all that are neither front nor back matter."""
    title: str | None
    metadata: dict[str, str] | None
    webhook_url: str | None


def read_job(
    fields: dict[str, Any],
    *,
    catalogue: Catalogue,
    max_job_chars: int,
    signs_webhooks: bool,
    private_webhooks: bool,
    document_text: str = "",
) -> JobRequest:
    """The request in `fields`; `stream_format` is checked and has no effect.

    Raises the InvalidRequest of the first invalid field, in the order of `read_speech` with document and chapters before input,
    then: title, metadata, webhook_url.
    """
    model, document = read_model(fields), _read_document(fields)
    chapters = _read_chapters(fields, has_document=document is not None)
    text, param = (read_input(fields, max_job_chars), "input") if document is None else (document_text, "document")
    speech = read_speech_fields(fields, model, catalogue, text, is_job=True, param=param)
    return JobRequest(
        speech=speech,
        voice=read_voice(fields),
        document=document,
        chapters=chapters,
        title=_read_title(fields),
        metadata=_read_metadata(fields),
        webhook_url=_read_webhook_url(fields, is_signed=signs_webhooks, private=private_webhooks),
    )


def _read_document(fields: dict[str, Any]) -> str | None:
    document = optional_string(fields, "document")
    if document is not None and fields.get("input") is not None:
        raise InvalidValue("Invalid 'document': a job speaks either a text or a document. Leave 'input' out.", param="document")
    return document


def _read_chapters(fields: dict[str, Any], *, has_document: bool) -> tuple[int, ...] | None:
    wanted = fields.get("chapters")
    if wanted is None:
        return None
    if not isinstance(wanted, list):
        raise WrongType("chapters", "an array of integers", kind_of(wanted))
    if not has_document:
        raise InvalidValue("Invalid 'chapters': only a job of a 'document' has chapters to choose.", param="chapters")
    chapters = tuple(_read_chapter(index) for index in wanted)
    if not chapters or len(set(chapters)) < len(chapters):
        raise InvalidValue("Invalid 'chapters': expected at least one index, and each once.", param="chapters")
    return chapters


def _read_chapter(value: Any) -> int:
    index = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(index, bool) or not isinstance(index, int):
        raise WrongType("chapters", "an array of integers", f"{kind_of(value)} in it")
    if not 0 <= index < MAX_CHAPTERS:
        raise InvalidValue(f"Invalid 'chapters': expected indices from 0 to {MAX_CHAPTERS - 1}.", param="chapters")
    return index


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
