"""A request for speech, and the utterance that it asks for."""

from collections.abc import Sequence
from typing import Any, Final

from app.api.requests.fields import (
    kind_of,
    limited,
    optional_integer,
    optional_string,
    show_number,
    unsupported,
)
from app.api.requests.text import (
    TextRequest,
    read_cast,
    read_input,
    read_language,
    read_model,
    read_normalize,
    read_pronunciations,
    read_voice,
)
from app.core.errors import DecimalAboveMaximum, DecimalBelowMinimum, InvalidValue, UnsupportedValue, WrongType
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS, JOB_FORMATS, Format
from app.core.speech.lexicon import Lexicon, pronounced
from app.core.speech.models import Model
from app.core.speech.pauses import MAX_JOB_PAUSES_SECONDS, MAX_PAUSES_SECONDS, asked_seconds
from app.core.speech.spoken_text import Code, Emoji, Think
from app.core.speech.utterance import MAX_SPEED, MIN_SPEED, Utterance
from app.core.speech.voices import Catalogue

MAX_INSTRUCTIONS_CHARS: Final = 4096
STREAM_FORMATS: Final = ("audio", "sse")
TIMESTAMPS: Final = ("word", "character")
_JOB_TIMESTAMPS: Final = TIMESTAMPS[:1]


class SpeechRequest(TextRequest, frozen=True, kw_only=True):
    """A request for speech."""

    format: Format
    speed: float
    stream_format: str
    """One of STREAM_FORMATS. A model that streams no events has `audio`, whatever was requested."""
    instructions: str | None
    """Accepted, without effect."""
    timestamps: bool
    """Whether word times are requested."""
    characters: bool
    """Whether the words have the times of their characters."""
    sample_rate_hz: int
    """The sample rate of the file, one that its format supports."""
    bitrate_bps: int | None
    """The requested bit rate, one that the format supports at this sample rate; None for the default."""


def read_speech(fields: dict[str, Any], *, catalogue: Catalogue, max_input_chars: int) -> SpeechRequest:
    """The request in `fields`. `max_input_chars` is the limit for Koe's own models; OpenAI's models have OpenAI's limit.

    Raises the InvalidRequest of the first invalid field, in the order of the contract: model, input, voice, response_format,
    speed, stream_format, instructions, language, normalize, pronunciations, timestamps, sample_rate, bitrate.
    """
    model = read_model(fields)
    text = read_input(fields, model.max_input_chars(max_input_chars))
    return read_speech_fields(fields, model, catalogue, text, is_job=False)


def read_speech_fields(
    fields: dict[str, Any], model: Model, catalogue: Catalogue, text: str, *, is_job: bool, param: str = "input"
) -> SpeechRequest:
    """The request in `fields`, for a model and a text that are known. A job streams no events and may have longer pauses.

    `param`: the field that the text is from.
    """
    voice = read_voice(fields)
    blend, voice_language = catalogue.parse(voice)
    audio_format = _read_format(fields, is_job=is_job)
    speed = _read_speed(fields)
    stream_format = _read_stream_format(fields, streams=model.streams_sse and not is_job)
    instructions = _read_instructions(fields)
    language = read_language(fields, model)
    normalize = read_normalize(fields)
    _check_pauses(text, is_job=is_job, reads_tags=normalize, param=param)
    cast = read_cast(text, catalogue, voice, blend, own_language=voice_language, language=language, normalize=normalize)
    pronunciations = read_pronunciations(fields)
    timestamps = _read_timestamps(fields, is_job=is_job)
    sample_rate_hz = _read_sample_rate(fields, audio_format)
    return SpeechRequest(
        model=model,
        input=text,
        voice=blend,
        language=language or voice_language,
        format=audio_format,
        speed=speed,
        stream_format=stream_format,
        instructions=instructions,
        normalize=normalize,
        cast=cast,
        pronunciations=pronunciations,
        timestamps=bool(timestamps),
        characters="character" in timestamps,
        sample_rate_hz=sample_rate_hz,
        bitrate_bps=_read_bitrate(fields, audio_format, sample_rate_hz),
    )


def to_utterance(
    request: SpeechRequest,
    *,
    engine: str,
    identities: tuple[str, ...] = (),
    mp3_bitrate: int,
    lexicons: Sequence[Lexicon] = (),
    emoji: Emoji = "drop",
    code: Code = "skip",
    think: Think = "skip",
    owner: str = "",
) -> Utterance:
    """The utterance of `request`.

    `identities`: the fleet's identities of `engine`. `mp3_bitrate`: the default, in bits per second. The request's
    pronunciations override the `lexicons`, and each of these overrides the next. `owner`: the only key that may get the cached
    audio; empty for all.
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
        code=code,
        think=think,
        voices=request.cast.voices,
        speakers=request.cast.speakers,
        narrator=request.cast.narrator,
        pronunciations=pronounced(request.pronunciations, lexicons, request.input, request.language),
        owner=owner,
    )


def _bitrate_of(request: SpeechRequest, mp3_bitrate: int) -> int:
    """Bits per second: the requested rate, else the default, limited to what the format supports at this sample rate."""
    if request.bitrate_bps is not None:
        return request.bitrate_bps
    usual = mp3_bitrate if request.format.name == "mp3" else request.format.bitrate_bps
    allowed = request.format.bitrates_at(request.sample_rate_hz)
    if allowed is None or request.sample_rate_hz == request.format.sample_rate_hz:
        return usual
    return min(max(usual, allowed.least), allowed.most)


def _check_pauses(text: str, *, is_job: bool, reads_tags: bool, param: str) -> None:
    """Raises InvalidValue when the pauses that the text asks for are too long. `param`: the field that the text is from."""
    limit = MAX_JOB_PAUSES_SECONDS if is_job else MAX_PAUSES_SECONDS
    asked = asked_seconds(text, reads_tags=reads_tags)
    if asked > limit:
        raise InvalidValue(
            f"Invalid '{param}': its pauses are too long. Expected at most {limit:g} seconds of them in all, but got {asked:g} "
            "instead." + ("" if is_job else f" A job may have {MAX_JOB_PAUSES_SECONDS:g}."),
            param=param,
        )


def _read_format(fields: dict[str, Any], *, is_job: bool) -> Format:
    name = optional_string(fields, "response_format")
    formats = JOB_FORMATS if is_job else FORMATS
    if name is None:
        return formats[DEFAULT_FORMAT]
    if name not in formats:
        of_jobs = f" '{name}' is a format of jobs: POST /v1/audio/speech/jobs makes such files." if name in JOB_FORMATS else ""
        raise UnsupportedValue(unsupported(name, tuple(formats)) + of_jobs, param="response_format")
    return formats[name]


def _read_speed(fields: dict[str, Any]) -> float:
    speed = fields.get("speed")
    if speed is None:
        return 1.0
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise WrongType("speed", "a decimal", kind_of(speed))
    if speed > MAX_SPEED:
        raise DecimalAboveMaximum("speed", MAX_SPEED, show_number(speed))
    if not speed >= MIN_SPEED:
        raise DecimalBelowMinimum("speed", MIN_SPEED, show_number(speed))
    return float(speed)


def _read_stream_format(fields: dict[str, Any], *, streams: bool) -> str:
    name = optional_string(fields, "stream_format")
    if name is None:
        return "audio"
    if name not in STREAM_FORMATS:
        raise InvalidValue(unsupported(name, STREAM_FORMATS), param="stream_format")
    return name if streams else "audio"


def _read_instructions(fields: dict[str, Any]) -> str | None:
    text = optional_string(fields, "instructions")
    return None if text is None else limited("instructions", text, MAX_INSTRUCTIONS_CHARS)


def _read_timestamps(fields: dict[str, Any], *, is_job: bool) -> list[str]:
    wanted = fields.get("timestamps")
    if wanted is None:
        return []
    if not isinstance(wanted, list):
        raise WrongType("timestamps", "an array of strings", kind_of(wanted))
    supported = _JOB_TIMESTAMPS if is_job else TIMESTAMPS
    for kind in wanted:
        if not isinstance(kind, str):
            raise WrongType("timestamps", "an array of strings", f"{kind_of(kind)} in it")
        if kind not in supported:
            raise InvalidValue(unsupported(kind, supported), param="timestamps")
    return wanted


def _read_sample_rate(fields: dict[str, Any], audio_format: Format) -> int:
    rate_hz = optional_integer(fields, "sample_rate")
    if rate_hz is None:
        return audio_format.sample_rate_hz
    if rate_hz not in audio_format.sample_rates_hz:
        *most, last = map(str, audio_format.sample_rates_hz)
        raise InvalidValue(
            f"Invalid 'sample_rate': {audio_format.name} has no {show_number(rate_hz)} Hz. Supported values are: "
            f"{', '.join(most)}, and {last}.",
            param="sample_rate",
        )
    return rate_hz


def _read_bitrate(fields: dict[str, Any], audio_format: Format, sample_rate_hz: int) -> int | None:
    bitrate_bps = optional_integer(fields, "bitrate")
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
            f"Invalid 'bitrate': {audio_format.name} at {sample_rate_hz} Hz does not take {show_number(bitrate_bps)} bits per "
            f"second. Supported values are: {allowed}.",
            param="bitrate",
        )
    return bitrate_bps
