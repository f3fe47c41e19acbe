"""From the bytes of a request to what was asked: JSON read strictly, then one field after the other, first fault told.

Why not one msgspec struct for the whole body: the faults must be told one at a time, in the order of the contract and in the
words that OpenAI's clients know, and keys that nobody knows are let through.

Why msgspec reads the JSON: it alone of the usual readers refuses NaN, invalid UTF-8 and lone surrogates, so that no text gets
in that cannot be written out again. A key that comes twice has its last value.

Why a lone surrogate is read as U+FFFD and not refused: clients cut texts in the middle of an emoji, and the rest can be spoken.
"""

import re
from typing import Any, Final

import msgspec

from app.core.errors import (
    DecimalAboveMaximum,
    DecimalBelowMinimum,
    EmptyString,
    InvalidValue,
    MissingModel,
    MissingParameter,
    NotSupported,
    StringTooLong,
    UnknownModel,
    UnreadableBody,
    UnsupportedContentType,
    UnsupportedValue,
    WrongType,
)
from app.core.jobs.webhook import check_url
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS, Format
from app.core.speech.languages import LANGUAGES, find_language
from app.core.speech.lexicon import WORD, Lexicon, merged
from app.core.speech.models import MODELS, Model, find_model
from app.core.speech.pauses import MAX_JOB_PAUSES_SECONDS, MAX_PAUSES_SECONDS, asked_seconds
from app.core.speech.phonemes import unknown_phonemes
from app.core.speech.titles import CONTROL, show_title
from app.core.speech.utterance import Emoji, Utterance
from app.core.speech.voices import Blend, Catalogue, show_blend

MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 4.0
MAX_INSTRUCTIONS_CHARS: Final = 4096
MAX_PRONUNCIATIONS: Final = 200
MAX_PRONUNCIATION_CHARS: Final = 100
"""Code points of the word, and of its phonemes."""

MAX_TITLE_CHARS: Final = 200
MAX_METADATA: Final = 16
MAX_METADATA_KEY_CHARS: Final = 64
MAX_METADATA_VALUE_CHARS: Final = 512

NO_LEXICON: Final = Lexicon()

STREAM_FORMATS: Final = ("audio", "sse")
OWN_LANGUAGE: Final = ("", "auto")
"""What other servers' clients send for the voice's own language, in upper or lower case."""

TIMESTAMPS: Final = ("word",)

_ANY_MODEL: Final = "tts-1"
"""Stands for the best engine loaded."""

_MEDIA_TYPE: Final = "application/json"
_PHRASES: Final[dict[type, str]] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
"""Of the model `espeak`, which knows more languages than Kokoro: whether it knows this one, the worker judges."""

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.S
)
"""An escape in JSON: a character of two halves, half a character, or any other."""

_MAX_SHOWN_CHARS: Final = 100
_MAX_SHOWN_INTEGER: Final = 10**15


class TextRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about a text, with every name resolved and every default filled in; its engine is not decided yet."""

    model: Model
    input: str
    voice: Blend
    """The one asked for; of a PhonemizeRequest without one, some voice of the language."""
    language: str
    """BCP 47 tag: the one asked for, else the first voice's own."""
    normalize: bool
    pronunciations: tuple[tuple[str, str], ...]
    """Pairs of word and phonemes, sorted."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the log may know of it: never its text."""
        return {"model": self.model.id, "voice": show_blend(self.voice), "n_chars": len(self.input)}


class SpeechRequest(TextRequest, frozen=True, kw_only=True):
    """A text to be spoken."""

    format: Format
    speed: float
    stream_format: str
    """One of STREAM_FORMATS; `sse` never with a model that does not stream it."""
    instructions: str | None
    """Accepted and without effect."""
    timestamps: bool
    """Whether the times of words are wanted."""
    sample_rate_hz: int
    """Of the file; one that the format has."""
    bitrate_bps: int | None
    """The one asked for, which the encoder takes at that rate."""


class PhonemizeRequest(TextRequest, frozen=True, kw_only=True):
    """A text whose phonemes are to be shown."""


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was asked for."""

    speech: SpeechRequest
    voice: str
    """As it was written."""
    title: str | None
    metadata: dict[str, str] | None
    webhook_url: str | None


def read_object(content_type: str | None, body: bytes) -> dict[str, Any]:
    """The JSON object in `body`.

    Raises UnsupportedContentType unless `content_type` is JSON's (parameters such as a charset are fine, and the body is read
    as UTF-8 whatever they say), UnreadableBody for everything that is not one JSON object.
    """
    media_type = (content_type or "").partition(";")[0].strip()
    if media_type.lower() != _MEDIA_TYPE:
        raise UnsupportedContentType(_shorten(media_type))
    value = _read_json(body)
    if not isinstance(value, dict):
        raise UnreadableBody(f"Expected an object, but got {_phrase(value)} instead.")
    return value


def read_speech(fields: dict[str, Any], *, catalogue: Catalogue, max_input_chars: int) -> SpeechRequest:
    """What `fields` ask for. `max_input_chars` is the limit of Koe's own models; OpenAI's have OpenAI's.

    Raises the InvalidRequest of the first fault, in the order of the contract: model, input, voice, response_format, speed,
    stream_format, instructions, language, normalize, pronunciations, timestamps, sample_rate, bitrate.
    """
    model = _read_model(fields)
    return _read_request(fields, model, catalogue, model.max_input_chars(max_input_chars), is_job=False)


def read_job(
    fields: dict[str, Any], *, catalogue: Catalogue, max_job_chars: int, signs_webhooks: bool, private_webhooks: bool
) -> JobRequest:
    """What `fields` ask for as a job; `stream_format` is read and without effect.

    Raises the InvalidRequest of the first fault, in the order of `read_speech`, then: title, metadata, webhook_url.
    """
    speech = _read_request(fields, _read_model(fields), catalogue, max_job_chars, is_job=True)
    return JobRequest(
        speech=speech,
        voice=_read_voice(fields),
        title=_read_title(fields),
        metadata=_read_metadata(fields),
        webhook_url=_read_webhook_url(fields, is_signed=signs_webhooks, private=private_webhooks),
    )


def read_phonemize(fields: dict[str, Any], *, catalogue: Catalogue, max_input_chars: int) -> PhonemizeRequest:
    """What `fields` ask to be shown of a text; without a model, the best engine is meant.

    Raises the InvalidRequest of the first fault: model, input, voice, language, normalize, pronunciations.
    """
    model = find_model(_ANY_MODEL) if fields.get("model") is None else _read_model(fields)
    text = _read_input(fields, max_input_chars)
    named = _read_voice_or_language(fields, catalogue)
    language = _read_language(fields, model)
    voice, voice_language = named or _any_voice(language, catalogue)
    return PhonemizeRequest(
        model=model,
        input=text,
        voice=voice,
        language=language or voice_language,
        normalize=_read_normalize(fields),
        pronunciations=_read_pronunciations(fields),
    )


def _read_request(fields: dict[str, Any], model: Model, catalogue: Catalogue, max_chars: int, *, is_job: bool) -> SpeechRequest:
    text = _read_input(fields, max_chars)
    _check_pauses(text, is_job=is_job)
    blend, voice_language = catalogue.parse(_read_voice(fields))
    audio_format = _read_format(fields)
    speed = _read_speed(fields)
    stream_format = _read_stream_format(fields, streams=model.streams_sse and not is_job)
    instructions = _read_instructions(fields)
    language = _read_language(fields, model) or voice_language
    normalize = _read_normalize(fields)
    pronunciations = _read_pronunciations(fields)
    timestamps = _read_timestamps(fields)
    sample_rate_hz = _read_sample_rate(fields, audio_format)
    return SpeechRequest(
        model=model,
        input=text,
        voice=blend,
        language=language,
        format=audio_format,
        speed=speed,
        stream_format=stream_format,
        instructions=instructions,
        normalize=normalize,
        pronunciations=pronunciations,
        timestamps=timestamps,
        sample_rate_hz=sample_rate_hz,
        bitrate_bps=_read_bitrate(fields, audio_format, sample_rate_hz),
    )


def to_utterance(
    request: SpeechRequest,
    *,
    engine: str,
    identities: tuple[str, ...] = (),
    mp3_bitrate: int,
    lexicon: Lexicon = NO_LEXICON,
    emoji: Emoji = "drop",
    owner: str = "",
) -> Utterance:
    """The sound of `request`, spoken by `engine`, of which the fleet has these `identities`; `mp3_bitrate` is in bits a second.
    What the request says of a word goes before what the `lexicon` does. `owner`: the only one who may be given it again; empty
    for everybody.
    """
    return Utterance(
        text=request.input,
        engine=engine,
        identities=identities,
        voice=request.voice,
        language=request.language,
        format=request.format.name,
        bitrate_bps=_bitrate_of(request, mp3_bitrate),
        sample_rate_hz=request.sample_rate_hz,
        speed=request.speed,
        normalize=request.normalize,
        emoji=emoji,
        pronunciations=merged(request.pronunciations, lexicon.entries(request.input, request.language)),
        owner=owner,
    )


def _bitrate_of(request: SpeechRequest, mp3_bitrate: int) -> int:
    """Bits a second: those asked for, else the usual ones, or as many as there can be at a lower sample rate."""
    if request.bitrate_bps is not None:
        return request.bitrate_bps
    usual = mp3_bitrate if request.format.name == "mp3" else request.format.bitrate_bps
    allowed = request.format.bitrates_at(request.sample_rate_hz)
    if allowed is None or request.sample_rate_hz == request.format.sample_rate_hz:
        return usual
    return min(max(usual, allowed.least), allowed.most)


def _read_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise UnreadableBody("It is not UTF-8.") from None
    except RecursionError:
        raise UnreadableBody("It is nested too deeply.") from None
    except msgspec.DecodeError as error:
        if (mended := _ESCAPE.sub(_mend_escape, body)) != body:
            return _read_json(mended)
        raise UnreadableBody(f"{error}.") from None


def _mend_escape(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]


def _read_model(fields: dict[str, Any]) -> Model:
    name = fields.get("model")
    if name is None or name == "":
        raise MissingModel
    if not isinstance(name, str):
        raise WrongType("model", "a string", _phrase(name))
    if len(name) > _MAX_SHOWN_CHARS:
        raise UnknownModel(_shorten(name), tuple(MODELS))
    return find_model(name)


def _read_input(fields: dict[str, Any], max_chars: int) -> str:
    text = _required_string(fields, "input")
    if not text:
        raise EmptyString("input")
    return _limited("input", text, max_chars)


def _check_pauses(text: str, *, is_job: bool) -> None:
    limit = MAX_JOB_PAUSES_SECONDS if is_job else MAX_PAUSES_SECONDS
    asked = asked_seconds(text)
    if asked > limit:
        raise InvalidValue(
            f"Invalid 'input': its pauses are too long. Expected at most {limit:g} seconds of them in all, but got {asked:g} "
            "instead." + ("" if is_job else f" A job may have {MAX_JOB_PAUSES_SECONDS:g}."),
            param="input",
        )


def _read_voice(fields: dict[str, Any]) -> str:
    """The voice as the user wrote it; what is wrong inside the object form is told of `voice.id`."""
    voice = fields.get("voice")
    if not isinstance(voice, dict):
        return _required_string(fields, "voice")
    voice_id = voice.get("id")
    if voice_id is None:
        raise MissingParameter("voice.id")
    if not isinstance(voice_id, str):
        raise WrongType("voice.id", "a string", _phrase(voice_id))
    return voice_id


def _read_voice_or_language(fields: dict[str, Any], catalogue: Catalogue) -> tuple[Blend, str] | None:
    """The voice and its language; None where a language stands in its place."""
    names_language = _language_name(fields)[1] is not None
    return None if fields.get("voice") is None and names_language else catalogue.parse(_read_voice(fields))


def _any_voice(language: str | None, catalogue: Catalogue) -> tuple[Blend, str]:
    """The first voice of the language, or the first of all where none is of it."""
    ids = [voice.id for voice in catalogue.voices.values() if voice.language == language] or list(catalogue.voices)
    return catalogue.parse(ids[0])


def _read_format(fields: dict[str, Any]) -> Format:
    name = _optional_string(fields, "response_format")
    if name is None:
        return FORMATS[DEFAULT_FORMAT]
    if name not in FORMATS:
        raise UnsupportedValue(_unsupported(name, tuple(FORMATS)), param="response_format")
    return FORMATS[name]


def _read_speed(fields: dict[str, Any]) -> float:
    speed = fields.get("speed")
    if speed is None:
        return 1.0
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise WrongType("speed", "a decimal", _phrase(speed))
    if speed > MAX_SPEED:
        raise DecimalAboveMaximum("speed", MAX_SPEED, _show_number(speed))
    if not speed >= MIN_SPEED:
        raise DecimalBelowMinimum("speed", MIN_SPEED, _show_number(speed))
    return float(speed)


def _read_stream_format(fields: dict[str, Any], *, streams: bool) -> str:
    name = _optional_string(fields, "stream_format")
    if name is None:
        return "audio"
    if name not in STREAM_FORMATS:
        raise InvalidValue(_unsupported(name, STREAM_FORMATS), param="stream_format")
    return name if streams else "audio"


def _read_instructions(fields: dict[str, Any]) -> str | None:
    text = _optional_string(fields, "instructions")
    return None if text is None else _limited("instructions", text, MAX_INSTRUCTIONS_CHARS)


def _read_language(fields: dict[str, Any], model: Model) -> str | None:
    param, name = _language_name(fields)
    if name is None:
        return None
    language = find_language(name)
    if model.engine == "espeak" and _TAG.fullmatch(name):
        return language.tag if language is not None and language.tag.lower() == name.lower() else name
    if language is None:
        tags = tuple(language.tag for language in LANGUAGES)
        letters = " ".join(language.letter for language in LANGUAGES)
        raise InvalidValue(
            f"{_unsupported(name, tags)} Kokoro's letters work too: {letters}. The model 'espeak' speaks more languages.",
            param=param,
        )
    return language.tag


def _language_name(fields: dict[str, Any]) -> tuple[str, str | None]:
    """The parameter that names the language, and the name; None for the voice's own."""
    param = "lang_code" if fields.get("language") is None else "language"
    name = _optional_string(fields, param)
    return param, None if name is None or name.strip().lower() in OWN_LANGUAGE else name


def _read_sample_rate(fields: dict[str, Any], audio_format: Format) -> int:
    rate_hz = _optional_integer(fields, "sample_rate")
    if rate_hz is None:
        return audio_format.sample_rate_hz
    if rate_hz not in audio_format.sample_rates_hz:
        *most, last = map(str, audio_format.sample_rates_hz)
        raise InvalidValue(
            f"Invalid 'sample_rate': {audio_format.name} has no {_show_number(rate_hz)} Hz. Supported values are: "
            f"{', '.join(most)}, and {last}.",
            param="sample_rate",
        )
    return rate_hz


def _read_bitrate(fields: dict[str, Any], audio_format: Format, sample_rate_hz: int) -> int | None:
    bitrate_bps = _optional_integer(fields, "bitrate")
    if bitrate_bps is None:
        return None
    allowed = audio_format.bitrates_at(sample_rate_hz)
    if allowed is None:
        raise InvalidValue(
            f"Invalid 'bitrate': {audio_format.name} has none to choose. Leave it out, or ask for mp3, opus or aac.",
            param="bitrate",
        )
    if bitrate_bps not in allowed:
        raise InvalidValue(
            f"Invalid 'bitrate': {audio_format.name} at {sample_rate_hz} Hz does not take {_show_number(bitrate_bps)} bits per "
            f"second. Supported values are: {allowed}.",
            param="bitrate",
        )
    return bitrate_bps


def _read_normalize(fields: dict[str, Any]) -> bool:
    wanted = fields.get("normalize")
    if wanted is None:
        return True
    if not isinstance(wanted, bool):
        raise WrongType("normalize", "a boolean", _phrase(wanted))
    return wanted


def _read_pronunciations(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    wanted = fields.get("pronunciations")
    if wanted is None:
        return ()
    if not isinstance(wanted, dict):
        raise WrongType("pronunciations", "an object", _phrase(wanted))
    if len(wanted) > MAX_PRONUNCIATIONS:
        raise InvalidValue(
            f"Invalid 'pronunciations': too many entries. Expected at most {MAX_PRONUNCIATIONS}, "
            f"but got {len(wanted)} instead.",
            param="pronunciations",
        )
    return tuple(sorted((_word(word), _phonemes(phonemes)) for word, phonemes in wanted.items()))


def _word(word: str) -> str:
    if not WORD.fullmatch(_entry_text(word)):
        raise InvalidValue(f"Invalid 'pronunciations': {_shorten(word)!r} is not one word.", param="pronunciations")
    return word


def _phonemes(value: Any) -> str:
    if unknown := unknown_phonemes(_entry_text(value)):
        raise InvalidValue(
            f"Invalid 'pronunciations': {unknown[0]!r} is none of Misaki's phonemes. `POST /v1/audio/phonemize` shows words in "
            "them.",
            param="pronunciations",
        )
    return str(value)


def _entry_text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongType("pronunciations", "an object that maps words to strings of phonemes", f"{_phrase(value)} in it")
    if not value:
        raise EmptyString("pronunciations")
    return _limited("pronunciations", value, MAX_PRONUNCIATION_CHARS)


def _read_timestamps(fields: dict[str, Any]) -> bool:
    wanted = fields.get("timestamps")
    if wanted is None:
        return False
    if not isinstance(wanted, list):
        raise WrongType("timestamps", "an array of strings", _phrase(wanted))
    for kind in wanted:
        if not isinstance(kind, str):
            raise WrongType("timestamps", "an array of strings", f"{_phrase(kind)} in it")
        if kind not in TIMESTAMPS:
            raise InvalidValue(_unsupported(kind, TIMESTAMPS), param="timestamps")
    return bool(wanted)


def _read_title(fields: dict[str, Any]) -> str | None:
    title = _limited("title", _optional_string(fields, "title") or "", MAX_TITLE_CHARS)
    if CONTROL.search(title):
        raise InvalidValue("Invalid 'title': expected one line of text without control characters.", param="title")
    return show_title(title) or None


def _read_metadata(fields: dict[str, Any]) -> dict[str, str] | None:
    wanted = fields.get("metadata")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise WrongType("metadata", "an object", _phrase(wanted))
    if len(wanted) > MAX_METADATA:
        raise InvalidValue(
            f"Invalid 'metadata': too many entries. Expected at most {MAX_METADATA}, but got {len(wanted)} instead.",
            param="metadata",
        )
    for key, value in wanted.items():
        _limited("metadata", key, MAX_METADATA_KEY_CHARS)
        if not isinstance(value, str):
            raise WrongType("metadata", "an object that maps strings to strings", f"{_phrase(value)} in it")
        _limited("metadata", value, MAX_METADATA_VALUE_CHARS)
    return wanted


def _read_webhook_url(fields: dict[str, Any], *, is_signed: bool, private: bool) -> str | None:
    url = _optional_string(fields, "webhook_url")
    if url is None:
        return None
    if not is_signed:
        raise NotSupported(
            "This server sends no webhooks: leave 'webhook_url' out, or ask who runs it to set KOE_WEBHOOK_SECRET.",
            param="webhook_url",
        )
    check_url(url, private=private)
    return url


def _required_string(fields: dict[str, Any], param: str) -> str:
    value = _optional_string(fields, param)
    if value is None:
        raise MissingParameter(param)
    return value


def _optional_string(fields: dict[str, Any], param: str) -> str | None:
    value = fields.get(param)
    if value is not None and not isinstance(value, str):
        raise WrongType(param, "a string", _phrase(value))
    return value


def _optional_integer(fields: dict[str, Any], param: str) -> int | None:
    """A number without a fraction: JSON does not tell 16000.0 from 16000."""
    value = fields.get(param)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(param, "an integer", _phrase(value))
    return value


def _limited(param: str, text: str, max_chars: int) -> str:
    if len(text) > max_chars:
        raise StringTooLong(param, max_chars, len(text))
    return text


def _phrase(value: Any) -> str:
    return _PHRASES.get(type(value), "null")


def _show_number(value: float) -> str:
    """A short form: an integer of thousands of digits cannot even be written out."""
    if isinstance(value, int) and abs(value) >= _MAX_SHOWN_INTEGER:
        return "a number of more than 15 digits"
    return str(value)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}…"


def _unsupported(got: str, supported: tuple[str, ...]) -> str:
    *most, last = (f"'{name}'" for name in supported)
    joined = {0: last, 1: f"{''.join(most)} and {last}"}.get(len(most), f"{', '.join(most)}, and {last}")
    return f"Invalid value: '{_shorten(got)}'. Supported values are: {joined}."
