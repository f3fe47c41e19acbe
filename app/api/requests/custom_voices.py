"""Requests to make a voice, and to record a consent to one.

Why a prompt may be a blend: OpenAI's clients send a prompt to have a voice made from a description, which nothing here can do.
But it is a field that every client has, and a blend describes a voice too.
"""

import io
import re
from typing import Any, Final

import msgspec

from app.api.requests.fields import limited, optional_string, required_string, shorten, unsupported
from app.api.requests.uploads import Form, SentFile, file_in, texts_in
from app.core.custom_voices.custom_voice import VoiceType
from app.core.errors import EmptyString, InvalidValue, MissingParameter, NotSupported, UnsupportedValue
from app.core.request_limits import RECORDING_BYTES
from app.core.speech.languages import LANGUAGES, find_language
from app.core.speech.lexicon import canonical_tag
from app.core.speech.titles import CONTROL
from app.core.speech.voice_pack import is_recording, read_pack
from app.core.speech.voices import Catalogue

MAX_NAME_CHARS: Final = 200
MAX_BLEND_CHARS: Final = 1000
DEFAULT_LANGUAGE: Final = "en-US"
TYPES: Final[tuple[VoiceType, ...]] = ("audio_sample", "prompt")

_SAMPLE: Final = "audio_sample"
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


class VoiceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to make a voice of a pack or of a blend."""

    name: str
    type: VoiceType
    consent: str | None
    """The id of a consent; None without one."""
    language: str | None
    """BCP 47 tag; None for the default. A blend has that of its first voice."""
    sample: SentFile | None
    """The file with the pack; None for a blend."""
    prompt: str | None
    """The blend as the user wrote it; None for a pack."""


class ConsentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to record a consent."""

    name: str
    language: str
    """BCP 47 tag."""


def read_voice_request(fields: dict[str, Any], form: Form, catalogue: Catalogue) -> VoiceRequest:
    """The request in `fields`; a file is in `form`.

    Raises the InvalidRequest of the first invalid field: type, name, audio_sample or prompt or blend, consent, language.
    """
    kind = _read_type(fields)
    name = read_name(fields)
    sample = _read_sample_file(fields, form)
    prompt = _read_blend(fields, kind, catalogue, has_sample=sample is not None)
    if prompt is None and sample is None:
        raise MissingParameter(_SAMPLE)
    language = _read_language(fields)
    if prompt is not None:
        language = catalogue.parse(prompt)[1]
    return VoiceRequest(
        name=name,
        type="audio_sample" if prompt is None else "prompt",
        consent=optional_string(fields, "consent") or None,
        language=language,
        sample=sample,
        prompt=prompt,
    )


def read_sample(sample: SentFile) -> bytes:
    """The numbers of the voice pack in the file. Raises NotSupported for a recording, and InvalidValue for no pack."""
    return read_pack(sample.file.read(RECORDING_BYTES + 1), param=_SAMPLE)


def read_consent_request(form: Form) -> ConsentRequest:
    """The request in `form`. Raises the InvalidRequest of the first invalid field: name, language, recording."""
    fields = texts_in(form)
    name, language = read_name(fields), required_string(fields, "language")
    if not _TAG.fullmatch(language):
        raise InvalidValue(
            f"Invalid 'language': '{shorten(language)}' is no language. Expected a BCP 47 tag such as 'en-US'.",
            param="language",
        )
    recording = file_in(form, "recording")
    if recording is None:
        raise MissingParameter("recording")
    _check_recording(recording.file.read(RECORDING_BYTES + 1))
    return ConsentRequest(name=name, language=canonical_tag(language))


def read_name(fields: dict[str, Any]) -> str:
    """The name of a voice or a consent. Raises MissingParameter, WrongType, EmptyString, StringTooLong or InvalidValue."""
    name = limited("name", required_string(fields, "name"), MAX_NAME_CHARS)
    if not name.strip():
        raise EmptyString("name")
    if CONTROL.search(name):
        raise InvalidValue("Invalid 'name': expected one line of text without control characters.", param="name")
    return name


def _read_sample_file(fields: dict[str, Any], form: Form) -> SentFile | None:
    """The file with the pack. An empty one counts as none beside a blend: OpenAI's clients cannot leave it out."""
    sample = file_in(form, _SAMPLE)
    if sample is None or (fields.get("blend") and not sample.file.seek(0, io.SEEK_END)):
        return None
    sample.file.seek(0)
    return sample


def _read_type(fields: dict[str, Any]) -> str | None:
    kind = optional_string(fields, "type")
    if kind is not None and kind not in TYPES:
        raise UnsupportedValue(unsupported(kind, TYPES), param="type")
    return kind


def _read_blend(fields: dict[str, Any], kind: str | None, catalogue: Catalogue, *, has_sample: bool) -> str | None:
    """The blend as the user wrote it, in `blend` or in the `prompt` of a voice of that type; None for a voice of a file."""
    blend, prompt = optional_string(fields, "blend"), optional_string(fields, "prompt")
    param, found = ("prompt", prompt) if kind == "prompt" and blend is None else ("blend", blend)
    if found is None:
        if param == "prompt":
            raise MissingParameter(param)
        return None
    if has_sample:
        raise InvalidValue(f"Invalid '{param}': a voice is made of a blend or of a file. Send one of them.", param=param)
    if len(found) <= MAX_BLEND_CHARS and catalogue.find(found) is not None:
        return found
    if param == "prompt":
        raise NotSupported(
            "Kokoro cannot make a voice from a description. A 'prompt' that is a blend of its voices, such as "
            "'af_heart(2)+bf_emma', works, and so does a Kokoro voice pack as 'audio_sample'.",
            param=param,
        )
    raise InvalidValue(
        f"Invalid 'blend': '{shorten(found)}' is no blend of this server's voices, such as 'af_heart(2)+bf_emma'. "
        "GET /v1/audio/voices lists the voices.",
        param=param,
    )


def _read_language(fields: dict[str, Any]) -> str | None:
    name = optional_string(fields, "language")
    if not name:
        return None
    language = find_language(name)
    if language is None:
        raise InvalidValue(unsupported(name, tuple(language.tag for language in LANGUAGES)), param="language")
    return language.tag


def _check_recording(data: bytes) -> None:
    """Raises InvalidValue for a recording that is too long or is none."""
    if len(data) > RECORDING_BYTES:
        raise InvalidValue(f"Invalid 'recording': it has more than {RECORDING_BYTES} bytes.", param="recording")
    if not is_recording(data):
        raise InvalidValue(
            "Invalid 'recording': it is no audio file. Supported types are: mpeg, wav, ogg, aac, flac, webm and mp4.",
            param="recording",
        )
