"""The meaning of a request for speech, and the error that is reported for an invalid one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.requests.fields import read_object
from app.api.requests.jobs import read_job
from app.api.requests.speech import SpeechRequest, read_speech, to_utterance
from app.api.requests.text import Cast
from app.core.errors import (
    DecimalAboveMaximum,
    DecimalBelowMinimum,
    EmptyString,
    InvalidRequest,
    InvalidValue,
    MissingModel,
    MissingParameter,
    StringTooLong,
    UnknownModel,
    UnsupportedValue,
    WrongType,
)
from app.core.speech.formats import FORMATS
from app.core.speech.voices import BlendPart, load_catalogue

CATALOGUE = load_catalogue()
LEAST = {"model": "kokoro", "input": "Hello.", "voice": "alloy"}
JSON = "application/json"


def read(**fields: Any) -> SpeechRequest:
    return read_speech(LEAST | fields, catalogue=CATALOGUE, max_input_chars=100)


def fault_of(fields: dict[str, Any]) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read_speech(fields, catalogue=CATALOGUE, max_input_chars=100)
    return caught.value


# Valid requests


def test_the_least_that_can_be_asked_has_the_defaults_of_openai() -> None:
    request = read()
    assert (request.format.name, request.speed, request.stream_format, request.normalize) == ("mp3", 1.0, "audio", True)
    assert (request.voice, request.language) == ((BlendPart("af_alloy", 1.0),), "en-US")
    assert (request.instructions, request.pronunciations) == (None, ())


OPTIONAL = [
    "response_format",
    "speed",
    "stream_format",
    "instructions",
    "language",
    "lang_code",
    "normalize",
    "pronunciations",
    "timestamps",
    "sample_rate",
    "bitrate",
]


def test_null_for_an_optional_key_is_as_not_given() -> None:
    assert read(**dict.fromkeys(OPTIONAL)) == read()


def test_keys_that_nobody_knows_are_ignored() -> None:
    assert read(backend="x", stream=True, user=None, **{"": [1]}) == read()


@pytest.mark.parametrize("text", [" ", "\n", "🙂", ".", "\x00", "a" * 100])
def test_any_text_but_the_empty_one_is_taken(text: str) -> None:
    assert read(input=text).input == text


@pytest.mark.parametrize(("speed", "read_as"), [(1, 1.0), (4, 4.0), (0.25, 0.25), (1.5, 1.5)])
def test_a_speed_may_be_an_integer(speed: float, read_as: float) -> None:
    assert read(speed=speed).speed == read_as
    assert type(read(speed=speed).speed) is float


def test_a_voice_may_be_an_object_with_its_id() -> None:
    assert read(voice={"id": "af_heart", "name": "x"}).voice == (BlendPart("af_heart", 1.0),)


@pytest.mark.parametrize(("name", "tag"), [("b", "en-GB"), ("en-gb", "en-GB"), ("cmn", "zh"), ("ja-JP", "ja"), ("es-MX", "es")])
@pytest.mark.parametrize("param", ["language", "lang_code"])
def test_a_language_is_a_tag_or_a_letter_of_kokoros(param: str, name: str, tag: str) -> None:
    assert read(**{param: name}).language == tag


def test_language_goes_before_its_other_name() -> None:
    assert read(language="ja", lang_code="b").language == "ja"
    assert read(language=None, lang_code="b").language == "en-GB"


@pytest.mark.parametrize("name", ["auto", "", "AUTO", " auto "])
@pytest.mark.parametrize("param", ["language", "lang_code"])
@pytest.mark.parametrize("model", ["kokoro", "espeak"])
def test_auto_and_nothing_are_the_language_of_the_voice(model: str, param: str, name: str) -> None:
    assert read(model=model, voice="ff_siwis", **{param: name}).language == "fr-FR"
    assert read(model=model, voice="ff_siwis", language=name, lang_code="b").language == "fr-FR"


@pytest.mark.parametrize(
    ("name", "tag"),
    [("ko", "ko"), ("de-DE", "de-DE"), ("EN-us", "en-US"), ("en-GB-scotland", "en-GB-scotland"), ("j", "ja")],
)
def test_espeak_is_let_judge_languages_of_its_own(name: str, tag: str) -> None:
    assert read(model="espeak", language=name).language == tag


@pytest.mark.parametrize("name", ["x", "de/../..", "klingon-language", "d e", "日本語"])
def test_an_invalid_tag_is_no_language_for_espeak_either(name: str) -> None:
    assert isinstance(fault_of(LEAST | {"model": "espeak", "language": name}), InvalidValue)


def test_the_old_models_answer_events_with_plain_audio() -> None:
    for model in ("tts-1", "tts-1-hd", "tts-1-1106", "tts-1-hd-1106"):
        assert read(model=model, stream_format="sse").stream_format == "audio"


def test_the_newer_models_answer_events() -> None:
    for model in ("gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "gpt-4o-mini-tts-2025-03-20", "kokoro", "espeak"):
        assert read(model=model, stream_format="sse").stream_format == "sse"


def test_pronunciations_are_sorted() -> None:
    assert read(pronunciations={"b": "bˈi", "a": "ə"}).pronunciations == (("a", "ə"), ("b", "bˈi"))
    assert len(read(pronunciations={f"w{i}": "a" for i in range(200)}).pronunciations) == 200
    assert read(pronunciations={}).pronunciations == ()


def test_the_times_of_words_may_be_asked_for() -> None:
    assert [read(timestamps=wanted).timestamps for wanted in (None, [], ["word"])] == [False, False, True]
    assert [read(timestamps=wanted).characters for wanted in (None, ["word"], ["word", "character"])] == [False, False, True]
    assert read(timestamps=["character"]).timestamps


def test_the_limit_of_openai_is_openais_and_ours_is_ours() -> None:
    assert len(read(model="tts-1", input="é" * 4096).input) == 4096
    assert fault_of(LEAST | {"model": "tts-1", "input": "🙂" * 5000}).message == (
        "Invalid 'input': string too long. Expected a string with maximum length 4096, "
        "but got a string with length 5000 instead."
    )
    assert "maximum length 100," in fault_of(LEAST | {"input": "a" * 101}).message


# Invalid requests: field, value, class, param, and a part of the message

FAULTS: list[tuple[str, Any, type[InvalidRequest], str | None, str]] = [
    ("model", None, MissingModel, None, "you must provide a model parameter"),
    ("model", "", MissingModel, None, "you must provide a model parameter"),
    ("model", 5, WrongType, "model", "Invalid type for 'model': expected a string, but got an integer instead."),
    ("model", "tts-3", UnknownModel, None, "The model `tts-3` does not exist"),
    ("model", "x" * 10_000, UnknownModel, None, "x…`"),
    ("model", "tts-3", UnknownModel, None, "Models here are: 'tts-1', 'tts-1-hd', "),
    ("model", "x" * 10_000, UnknownModel, None, "'espeak'."),
    ("input", None, MissingParameter, "input", "Missing required parameter: 'input'."),
    ("input", 5, WrongType, "input", "Invalid type for 'input': expected a string, but got an integer instead."),
    ("input", 5.5, WrongType, "input", "got a decimal instead"),
    ("input", True, WrongType, "input", "got a boolean instead"),
    ("input", [], WrongType, "input", "got an array instead"),
    ("input", {}, WrongType, "input", "got an object instead"),
    ("input", "", EmptyString, "input", "Expected a string with minimum length 1, but got an empty string instead."),
    ("voice", None, MissingParameter, "voice", "Missing required parameter: 'voice'."),
    ("voice", 1, WrongType, "voice", "expected a string"),
    ("voice", [], WrongType, "voice", "expected a string, but got an array"),
    ("voice", {}, MissingParameter, "voice.id", "'voice.id'"),
    ("voice", {"id": None}, MissingParameter, "voice.id", "'voice.id'"),
    ("voice", {"id": 1}, WrongType, "voice.id", "'voice.id': expected a string, but got an integer"),
    ("voice", {"id": "zzz"}, InvalidValue, "voice", "'zzz'"),
    ("voice", "zzz", InvalidValue, "voice", "Invalid value: 'zzz'. Supported values are: 'alloy', "),
    ("voice", "", InvalidValue, "voice", "Invalid value: ''."),
    ("voice", "af_heart(0)", InvalidValue, "voice", "blends"),
    (
        "response_format",
        "MP3",
        UnsupportedValue,
        "response_format",
        "'mp3', 'opus', 'aac', 'flac', 'wav', 'pcm', 'ulaw', and 'alaw'",
    ),
    ("response_format", "", UnsupportedValue, "response_format", "Invalid value: ''."),
    ("response_format", 3, WrongType, "response_format", "expected a string"),
    ("speed", "1", WrongType, "speed", "Invalid type for 'speed': expected a decimal, but got a string instead."),
    ("speed", True, WrongType, "speed", "got a boolean"),
    ("speed", 5, DecimalAboveMaximum, "speed", "Expected a value <= 4, but got 5 instead."),
    ("speed", 4.0000001, DecimalAboveMaximum, "speed", "got 4.0000001 instead"),
    ("speed", 10**4000, DecimalAboveMaximum, "speed", "more than 15 digits"),
    ("speed", 0, DecimalBelowMinimum, "speed", "Expected a value >= 0.25, but got 0 instead."),
    ("speed", -(10**4000), DecimalBelowMinimum, "speed", "more than 15 digits"),
    ("speed", float("nan"), DecimalBelowMinimum, "speed", "got nan"),
    ("stream_format", "websocket", InvalidValue, "stream_format", "Supported values are: 'audio' and 'sse'."),
    ("stream_format", "", InvalidValue, "stream_format", "Invalid value: ''."),
    ("stream_format", 1, WrongType, "stream_format", "expected a string"),
    ("instructions", 1, WrongType, "instructions", "expected a string"),
    ("instructions", "a" * 4097, StringTooLong, "instructions", "maximum length 4096"),
    ("language", "de", InvalidValue, "language", "'en-US', 'en-GB', 'es', 'fr-FR', 'hi', 'it', 'ja', 'pt-BR', and 'zh'"),
    ("lang_code", "q", InvalidValue, "lang_code", "a b e f h i j p z"),
    ("language", 1, WrongType, "language", "expected a string"),
    ("normalize", "yes", WrongType, "normalize", "expected a boolean, but got a string"),
    ("normalize", 1, WrongType, "normalize", "expected a boolean, but got an integer"),
    ("pronunciations", [], WrongType, "pronunciations", "expected an object, but got an array"),
    ("pronunciations", {"a": 1}, WrongType, "pronunciations", "an integer"),
    ("pronunciations", {"a": None}, WrongType, "pronunciations", "null"),
    ("pronunciations", {"a": ""}, EmptyString, "pronunciations", "empty"),
    ("pronunciations", {"": "a"}, EmptyString, "pronunciations", "empty"),
    ("pronunciations", {"a" * 101: "a"}, StringTooLong, "pronunciations", "maximum length 100"),
    ("pronunciations", {"a": "a" * 101}, StringTooLong, "pronunciations", "maximum length 100"),
    ("pronunciations", {f"w{i}": "a" for i in range(201)}, InvalidValue, "pronunciations", "at most 200"),
    ("timestamps", "word", WrongType, "timestamps", "expected an array of strings, but got a string"),
    ("timestamps", [1], WrongType, "timestamps", "an integer"),
    ("timestamps", ["segment"], InvalidValue, "timestamps", "Supported values are: 'word' and 'character'."),
    ("sample_rate", "16000", WrongType, "sample_rate", "expected an integer, but got a string instead."),
    ("sample_rate", True, WrongType, "sample_rate", "got a boolean"),
    ("sample_rate", 16000.5, WrongType, "sample_rate", "got a decimal"),
    (
        "sample_rate",
        11_025,
        InvalidValue,
        "sample_rate",
        "no 11025 Hz. Supported values are: 8000, 12000, 16000, 22050, 24000,",
    ),
    ("sample_rate", 10**4000, InvalidValue, "sample_rate", "more than 15 digits"),
    ("bitrate", "64000", WrongType, "bitrate", "expected an integer"),
    ("bitrate", 64, InvalidValue, "bitrate", "mp3 at 24000 Hz does not take 64 bits per second. Supported values are: 8000, "),
    ("bitrate", 10**4000, InvalidValue, "bitrate", "more than 15 digits"),
]


@pytest.mark.parametrize(("field", "value", "kind", "param", "part"), FAULTS, ids=lambda value: ascii(value)[:30])
def test_a_fault_is_reported_with_its_field(
    field: str, value: Any, kind: type[InvalidRequest], param: str | None, part: str
) -> None:
    fault = fault_of(LEAST | {field: value})
    assert type(fault) is kind
    assert fault.param == param
    assert part in fault.message
    assert len(fault.message) < 600


@pytest.mark.parametrize("field", ["model", "input", "voice"])
def test_a_required_field_that_is_absent_is_as_null(field: str) -> None:
    absent = {name: value for name, value in LEAST.items() if name != field}
    assert fault_of(absent).message == fault_of(LEAST | {field: None}).message


def test_the_first_fault_in_the_order_of_the_contract_is_reported() -> None:
    wrong = {
        "model": 1,
        "input": 1,
        "voice": 1,
        "response_format": 1,
        "speed": "1",
        "stream_format": 1,
        "instructions": 1,
        "language": 1,
        "normalize": 1,
        "pronunciations": 1,
        "timestamps": 1,
        "sample_rate": "1",
        "bitrate": "1",
    }
    fields = dict(reversed(wrong.items()))
    for name in wrong:
        assert fault_of(fields).param == name
        fields[name] = LEAST.get(name)
    assert read(**{name: value for name, value in fields.items() if value is not None}) == read()


def test_an_unknown_model_is_reported_before_all_other_faults() -> None:
    assert isinstance(fault_of({"model": "nope"}), UnknownModel)


# Any JSON is valid or invalid, and nothing else

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KNOWN = {
    "model": st.sampled_from(["tts-1", "gpt-4o-mini-tts", "kokoro", "espeak"]),
    "input": st.text(max_size=120),
    "voice": st.sampled_from(["alloy", "af_heart+bf_emma", "af_heart(2)"]) | st.fixed_dictionaries({"id": VALUES}),
    "response_format": st.sampled_from(["mp3", "wav", "zip"]),
    "speed": st.floats() | st.integers(),
    "stream_format": st.sampled_from(["audio", "sse"]),
    "instructions": st.text(),
    "language": st.text(max_size=10) | st.sampled_from(["a", "en-GB", "ko"]),
    "lang_code": st.text(max_size=10),
    "normalize": st.booleans(),
    "pronunciations": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
    "sample_rate": st.integers() | st.sampled_from([8000, 16_000, 48_000]),
    "bitrate": st.integers() | st.sampled_from([32_000, 64_000]),
    "timestamps": st.lists(st.sampled_from(["word", "segment"]), max_size=2),
}
BODIES = st.fixed_dictionaries({}, optional={name: values | VALUES for name, values in KNOWN.items()})


@settings(max_examples=300)
@given(BODIES)
def test_any_json_is_a_request_or_an_invalid_request(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    try:
        request = read_speech(read_object(JSON, body), catalogue=CATALOGUE, max_input_chars=100)
    except InvalidRequest as error:
        assert error.message.encode()
    else:
        assert len(to_utterance(request, engine="kokoro", mp3_bitrate=128_000).id) == 40


# The utterance of a request


def test_a_request_becomes_the_utterance_that_it_asks_for() -> None:
    request = read(voice="coral", response_format="opus", speed=2, normalize=False, pronunciations={"Koe": "koˈe"})
    utterance = to_utterance(request, engine="espeak", mp3_bitrate=96_000)
    assert (utterance.text, utterance.engine, utterance.language) == ("Hello.", "espeak", "en-US")
    assert utterance.voice == (BlendPart("af_heart", 1.0),)
    assert (utterance.format, utterance.bitrate_bps, utterance.speed) == ("opus", 64_000, 2.0)
    assert (utterance.normalize, utterance.pronunciations) == (False, (("Koe", "koˈe"),))


def test_the_operator_chooses_how_emoji_are_read() -> None:
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000).emoji == "drop"
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000, emoji="say").emoji == "say"


def test_the_operator_chooses_whether_thoughts_are_spoken() -> None:
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000).think == "skip"
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000, think="say").think == "say"


def test_the_voices_that_a_text_names_are_resolved_if_it_is_normalized() -> None:
    fields = {"input": '<speak><voice name="alloy">a</voice></speak>'}
    assert to_utterance(read(**fields), engine="kokoro", mp3_bitrate=96_000).voices == (
        ("alloy", (BlendPart("af_alloy", 1.0),), "en-US"),
    )
    assert to_utterance(read(**fields, normalize=False), engine="kokoro", mp3_bitrate=96_000).voices == ()


def test_what_becomes_of_code_is_the_operator_s_choice() -> None:
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000).code == "skip"
    assert to_utterance(read(), engine="kokoro", mp3_bitrate=96_000, code="say").code == "say"


def test_the_bitrate_that_is_set_is_that_of_mp3_alone() -> None:
    bitrates = {
        name: to_utterance(read(response_format=name), engine="kokoro", mp3_bitrate=96_000).bitrate_bps
        for name in ("mp3", "opus", "aac", "flac", "wav", "pcm")
    }
    assert bitrates == {"mp3": 96_000, "opus": 64_000, "aac": 96_000, "flac": 0, "wav": 0, "pcm": 0}


@pytest.mark.parametrize(
    ("name", "fields", "rate_hz", "bitrate_bps"),
    [
        ("mp3", {}, 24_000, 192_000),
        ("mp3", {"sample_rate": 44_100}, 44_100, 192_000),
        ("mp3", {"sample_rate": 16_000.0}, 16_000, 160_000),
        ("mp3", {"sample_rate": 8000}, 8000, 64_000),
        ("mp3", {"bitrate": 32_000}, 24_000, 32_000),
        ("opus", {"bitrate": 24_000, "sample_rate": 48_000}, 48_000, 24_000),
        ("aac", {"sample_rate": 8000}, 8000, 48_000),
        ("aac", {}, 24_000, 96_000),
        ("pcm", {"sample_rate": 16_000}, 16_000, 0),
        ("ulaw", {}, 8000, 0),
        ("alaw", {"sample_rate": 16_000}, 16_000, 0),
    ],
)
def test_the_file_has_the_rate_and_the_bits_that_were_asked_for(
    name: str, fields: dict[str, Any], rate_hz: int, bitrate_bps: int
) -> None:
    utterance = to_utterance(read(response_format=name, **fields), engine="kokoro", mp3_bitrate=192_000)
    assert (utterance.sample_rate_hz, utterance.bitrate_bps) == (rate_hz, bitrate_bps)


@pytest.mark.parametrize(
    ("fields", "param", "part"),
    [
        (
            {"response_format": "opus", "sample_rate": 44_100},
            "sample_rate",
            "opus has no 44100 Hz. Supported values are: 8000,",
        ),
        ({"response_format": "ulaw", "sample_rate": 48_000}, "sample_rate", "8000, 16000, and 24000."),
        (
            {"response_format": "mp3", "sample_rate": 8000, "bitrate": 128_000},
            "bitrate",
            "8000, 16000, 24000, 32000, 40000, 48000,",
        ),
        ({"response_format": "mp3", "sample_rate": 48_000, "bitrate": 144_000}, "bitrate", "128000, 160000, 192000"),
        ({"response_format": "opus", "bitrate": 300_000}, "bitrate", "6000 to 256000."),
        ({"response_format": "aac", "sample_rate": 8000, "bitrate": 96_000}, "bitrate", "8000 to 48000."),
        ({"response_format": "flac", "bitrate": 96_000}, "bitrate", "flac has none to choose."),
        ({"response_format": "pcm", "bitrate": 64_000}, "bitrate", "mp3, opus or aac."),
    ],
)
def test_the_error_for_an_unsupported_rate_names_the_supported_ones(fields: dict[str, Any], param: str, part: str) -> None:
    fault = fault_of(LEAST | fields)
    assert (type(fault), fault.param) == (InvalidValue, param)
    assert part in fault.message


@pytest.mark.parametrize(
    "other",
    [
        {"voice": "af_alloy"},
        {"voice": {"id": "alloy"}},
        {"model": "tts-1"},
        {"speed": 1.0},
        {"instructions": "Whisper."},
        {"language": "a"},
        {"pronunciations": {}},
        {"sample_rate": 24_000},
        {"bitrate": 128_000},
    ],
    ids=ascii,
)
def test_requests_that_sound_the_same_are_one_utterance(other: dict[str, Any]) -> None:
    ids = {to_utterance(read(**fields), engine="kokoro", mp3_bitrate=128_000).id for fields in ({}, other)}
    assert len(ids) == 1


def test_a_text_may_ask_for_ten_minutes_of_silence_and_a_job_for_an_hour() -> None:
    def ask(n_pauses: int, *, is_job: bool = False, ssml: str = "", normalize: bool = True) -> Any:
        fields = LEAST | {"input": "Wait. " + "[pause:60s]" * n_pauses + ssml, "normalize": normalize}
        if not is_job:
            return read_speech(fields, catalogue=CATALOGUE, max_input_chars=10_000)
        return read_job(fields, catalogue=CATALOGUE, max_job_chars=10_000, signs_webhooks=False, private_webhooks=False)

    ask(10)
    ask(60, is_job=True)
    with pytest.raises(InvalidValue, match="at most 600 seconds"):
        ask(0, ssml='<speak><break time="60s"/>' + '<break time="60s"/>' * 10)
    ask(0, ssml='<speak><break time="60s"/>' + '<break time="60s"/>' * 10, normalize=False)
    with pytest.raises(InvalidValue, match=r"at most 600 seconds of them in all, but got 660 .* A job may have 3600") as caught:
        ask(11)
    assert caught.value.param == "input"
    with pytest.raises(InvalidValue, match="at most 3600 seconds of them in all, but got 3660"):
        ask(61, is_job=True)


def test_an_audiobook_is_refused_with_the_place_that_makes_it() -> None:
    fault = fault_of(LEAST | {"response_format": "m4b"})

    assert isinstance(fault, UnsupportedValue)
    assert "'m4b' is a format of jobs: POST /v1/audio/speech/jobs" in fault.message
    assert all(f"'{name}'" in fault.message for name in FORMATS)


# Several voices


def test_a_text_for_one_voice_names_no_others() -> None:
    assert read(input="Hello. echo: hello [laughs]").cast == Cast()


def test_a_text_for_several_voices_has_them_and_the_request_s() -> None:
    cast = read(input="[ff_siwis] Salut. [af_heart] Hi.").cast
    assert [(name, language) for name, _, language in cast.speakers] == [
        ("af_heart", "en-US"),
        ("alloy", "en-US"),
        ("ff_siwis", "fr-FR"),
    ]
    assert cast.narrator == "alloy"


@pytest.mark.parametrize("text", ["[ff_siwis] Salut.", '<speak><voice name="ff_siwis">Salut.</voice></speak>'])
def test_the_language_of_the_request_is_that_of_every_voice(text: str) -> None:
    cast = read(input=text, language="it").cast
    assert {language for _, _, language in (*cast.speakers, *cast.voices)} == {"it"}


def test_equal_requests_for_several_voices_are_one_utterance_and_others_are_not() -> None:
    def id_of(**fields: Any) -> str:
        return to_utterance(read(**fields), engine="tone", mp3_bitrate=128_000).id

    assert id_of(input="[af_heart] Hi.") == id_of(input="[af_heart] Hi.")
    assert id_of(input="One voice.", voice="alloy") == id_of(input="One voice.", voice="af_alloy")
    assert id_of(input="[af_heart] Hi.", voice="alloy") != id_of(input="[af_heart] Hi.", voice="af_alloy")
