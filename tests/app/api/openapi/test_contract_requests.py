"""A request that the contract allows is taken, and one that it forbids is refused: field by field, at each limit."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from app.api.requests.jobs import (
    MAX_METADATA,
    MAX_METADATA_KEY_CHARS,
    MAX_METADATA_VALUE_CHARS,
    MAX_TITLE_CHARS,
    read_job,
)
from app.api.requests.lexicon import read_entry
from app.api.requests.phonemize import read_phonemize
from app.api.requests.speech import MAX_INSTRUCTIONS_CHARS, STREAM_FORMATS, TIMESTAMPS, read_speech
from app.api.requests.text import MAX_PRONUNCIATION_CHARS, MAX_PRONUNCIATIONS
from app.asgi import create_description
from app.core.errors import InvalidRequest
from app.core.settings import Secret, Settings
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS, JOB_FORMATS, SAMPLE_RATES_HZ
from app.core.speech.languages import LANGUAGES
from app.core.speech.lexicon import WORD
from app.core.speech.models import MODELS, OPENAI_MAX_INPUT_CHARS, OTHER_NAMES
from app.core.speech.phonemes import PATTERN, PHONEMES
from app.core.speech.utterance import MAX_SPEED, MIN_SPEED
from app.core.speech.voices import MAX_BLEND_VOICES, load_catalogue

Fields = dict[str, Any]

CATALOGUE = load_catalogue()
SETTINGS = Settings(max_input_chars=5000, max_job_chars=6000, webhook_secret=Secret("whsec_" + "a" * 32))
COMPONENTS = create_description(SETTINGS, CATALOGUE).whole["components"]
SCHEMAS = COMPONENTS["schemas"]
SPEECH = {"model": "kokoro", "input": "Hello.", "voice": "alloy"}
LEAST = {
    "SpeechRequest": SPEECH,
    "JobRequest": SPEECH,
    "PhonemizeRequest": {"input": "Hello.", "voice": "alloy"},
    "LexiconRequest": {"word": "Koe", "phonemes": "kˈOA"},
}

VALIDATORS = {
    name: jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": COMPONENTS})
    for name in ("SpeechRequest", "JobRequest", "PhonemizeRequest", "LexiconRequest")
}


def is_allowed(name: str, fields: Fields) -> bool:
    """Whether the contract allows the request."""
    return VALIDATORS[name].is_valid(fields)


def is_taken(name: str, fields: Fields) -> bool:
    """Whether the code accepts the request."""
    try:
        if name == "SpeechRequest":
            read_speech(fields, catalogue=CATALOGUE, max_input_chars=SETTINGS.max_input_chars)
        elif name == "LexiconRequest":
            read_entry(fields)
        elif name == "PhonemizeRequest":
            read_phonemize(fields, catalogue=CATALOGUE, max_input_chars=SETTINGS.max_input_chars)
        else:
            read_job(
                fields,
                catalogue=CATALOGUE,
                max_job_chars=SETTINGS.max_job_chars,
                signs_webhooks=True,
                private_webhooks=False,
            )
    except InvalidRequest:
        return False
    return True


def verdicts(name: str, fields: Fields) -> tuple[bool, bool]:
    return is_allowed(name, fields), is_taken(name, fields)


TAKEN, REFUSED = (True, True), (False, False)


# Which fields there are


def test_a_job_has_the_fields_of_speech_and_its_own() -> None:
    own = SCHEMAS["JobRequest"]["properties"].keys() - SCHEMAS["SpeechRequest"]["properties"].keys()

    assert own == {"document", "chapters", "title", "metadata", "webhook_url"}


@pytest.mark.parametrize("name", ["SpeechRequest", "JobRequest"])
@pytest.mark.parametrize("field", ["model", "input", "voice"])
def test_a_field_that_must_be_there_is_missed(name: str, field: str) -> None:
    assert verdicts(name, {key: value for key, value in SPEECH.items() if key != field}) == REFUSED


@pytest.mark.parametrize("name", VALIDATORS)
def test_each_field_is_read_by_the_code(name: str) -> None:
    for field in SCHEMAS[name]["properties"]:
        assert verdicts(name, LEAST[name] | {field: [5]}) == REFUSED, field


@pytest.mark.parametrize("name", VALIDATORS)
def test_null_is_the_same_as_nothing(name: str) -> None:
    for field in SCHEMAS[name]["properties"].keys() - LEAST[name].keys():
        assert verdicts(name, LEAST[name] | {field: None}) == TAKEN, field


def test_phonemes_need_a_voice_or_a_language() -> None:
    text = {"input": "Hello."}

    assert verdicts("PhonemizeRequest", text) == REFUSED
    assert verdicts("PhonemizeRequest", text | {"language": "auto"}) == REFUSED
    assert verdicts("PhonemizeRequest", text | {"language": "fr"}) == TAKEN
    assert verdicts("PhonemizeRequest", text | {"lang_code": "f"}) == TAKEN
    assert verdicts("PhonemizeRequest", text | {"voice": "alloy"}) == TAKEN


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, TAKEN),
        ({"language": "*"}, TAKEN),
        ({"language": "en-US"}, TAKEN),
        ({"language": "English"}, REFUSED),
        ({"language": ""}, REFUSED),
        ({"word": "two words"}, REFUSED),
        ({"word": ""}, REFUSED),
        ({"word": "a" * 101}, REFUSED),
        ({"phonemes": "g"}, REFUSED),
        ({"phonemes": ""}, REFUSED),
        ({"phonemes": None}, REFUSED),
        ({"word": None}, REFUSED),
    ],
    ids=ascii,
)
def test_a_word_of_a_lexicon_is_taken_as_the_contract_says(fields: Fields, verdict: tuple[bool, bool]) -> None:
    assert verdicts("LexiconRequest", LEAST["LexiconRequest"] | fields) == verdict


# Names


def test_the_models_are_those_of_the_code() -> None:
    assert SCHEMAS["SpeechRequest"]["properties"]["model"]["enum"] == [*MODELS, *OTHER_NAMES]
    assert SCHEMAS["JobRequest"]["properties"]["model"]["enum"] == [*MODELS, *OTHER_NAMES]
    assert SCHEMAS["PhonemizeRequest"]["properties"]["model"]["enum"] == [*MODELS, *OTHER_NAMES, None]


@pytest.mark.parametrize("name", [*CATALOGUE.aliases, *CATALOGUE.voices, "nobody"])
def test_a_voice_is_taken_by_its_name(name: str) -> None:
    expected = REFUSED if name == "nobody" else TAKEN

    assert verdicts("SpeechRequest", SPEECH | {"voice": name}) == expected
    assert verdicts("SpeechRequest", SPEECH | {"voice": {"id": name}}) == expected


@pytest.mark.parametrize("n_voices", [2, MAX_BLEND_VOICES, MAX_BLEND_VOICES + 1])
def test_a_blend_has_at_most_so_many_voices(n_voices: int) -> None:
    voices = [*CATALOGUE.voices][:n_voices]

    assert verdicts("SpeechRequest", SPEECH | {"voice": "+".join(voices)}) == (
        TAKEN if n_voices <= MAX_BLEND_VOICES else REFUSED
    )


@pytest.mark.parametrize("weight", ["1", "2.5", "0.1", "0.0001", "9999", "0", "-1", "x", ""])
def test_a_weight_is_positive(weight: str) -> None:
    expected = REFUSED if weight in ("0", "-1", "x", "") else TAKEN

    assert verdicts("SpeechRequest", SPEECH | {"voice": f"af_heart({weight})+bf_emma"}) == expected


@pytest.mark.parametrize("model", ["kokoro", "tts-1", "espeak"])
@pytest.mark.parametrize("field", ["language", "lang_code"])
@pytest.mark.parametrize(
    "name", [*(one.tag for one in LANGUAGES), *(one.letter for one in LANGUAGES), "auto", "", "es-MX", "de", "tlh", "?", "x"]
)
def test_a_language_is_taken_with_the_models_that_speak_it(model: str, field: str, name: str) -> None:
    assert len({*verdicts("SpeechRequest", SPEECH | {"model": model, field: name})}) == 1


@pytest.mark.parametrize("field", ["language", "lang_code"])
def test_another_language_needs_the_model_that_speaks_it(field: str) -> None:
    assert verdicts("SpeechRequest", SPEECH | {"model": "espeak", field: "de"}) == TAKEN
    assert verdicts("SpeechRequest", SPEECH | {"model": "kokoro", field: "de"}) == REFUSED


# Limits


@pytest.mark.parametrize("model", ["tts-1", "openai/tts-1-hd", "kokoro", "Kokoro-82M", "espeak"])
@pytest.mark.parametrize("n_chars", [0, OPENAI_MAX_INPUT_CHARS, OPENAI_MAX_INPUT_CHARS + 1, 5000, 5001])
def test_a_text_has_the_limit_of_its_model(model: str, n_chars: int) -> None:
    limit = OPENAI_MAX_INPUT_CHARS if "tts-1" in model else 5000
    expected = TAKEN if 1 <= n_chars <= limit else REFUSED

    assert verdicts("SpeechRequest", SPEECH | {"model": model, "input": "a" * n_chars}) == expected


@pytest.mark.parametrize("model", ["tts-1", "kokoro"])
def test_a_job_and_a_question_have_one_limit_for_every_model(model: str) -> None:
    assert verdicts("JobRequest", SPEECH | {"model": model, "input": "a" * 6000}) == TAKEN
    assert verdicts("JobRequest", SPEECH | {"model": model, "input": "a" * 6001}) == REFUSED
    assert verdicts("PhonemizeRequest", LEAST["PhonemizeRequest"] | {"model": model, "input": "a" * 5000}) == TAKEN
    assert verdicts("PhonemizeRequest", LEAST["PhonemizeRequest"] | {"model": model, "input": "a" * 5001}) == REFUSED


def words(n: int) -> Fields:
    return {f"w{i}": "a" for i in range(n)}


LIMITS: list[tuple[str, Any, Any]] = [
    ("speed", MIN_SPEED, MIN_SPEED - 0.01),
    ("speed", MAX_SPEED, MAX_SPEED + 0.01),
    ("instructions", "a" * MAX_INSTRUCTIONS_CHARS, "a" * (MAX_INSTRUCTIONS_CHARS + 1)),
    ("normalize", False, "false"),
    ("timestamps", ["word"], ["segment"]),
    ("timestamps", [], "word"),
    ("stream_format", STREAM_FORMATS[0], "raw"),
    ("stream_format", STREAM_FORMATS[1], 5),
    ("response_format", DEFAULT_FORMAT, "m4a"),
    ("pronunciations", words(MAX_PRONUNCIATIONS), words(MAX_PRONUNCIATIONS + 1)),
    ("pronunciations", {"a" * MAX_PRONUNCIATION_CHARS: "a"}, {"a" * (MAX_PRONUNCIATION_CHARS + 1): "a"}),
    ("pronunciations", {"a": "a" * MAX_PRONUNCIATION_CHARS}, {"a": "a" * (MAX_PRONUNCIATION_CHARS + 1)}),
    ("pronunciations", {"O'Neil-Smith": "a"}, {"two words": "a"}),
    ("pronunciations", {"a": "".join(sorted(PHONEMES))[:100]}, {"a": "g"}),
    ("pronunciations", {"a": "a"}, {"a": ""}),
]
LIMITS_OF_JOBS: list[tuple[str, Any, Any]] = [
    ("title", "a" * MAX_TITLE_CHARS, "a" * (MAX_TITLE_CHARS + 1)),
    ("title", "One line", "Two\nlines"),
    ("metadata", words(MAX_METADATA), words(MAX_METADATA + 1)),
    ("metadata", {"k" * MAX_METADATA_KEY_CHARS: "a"}, {"k" * (MAX_METADATA_KEY_CHARS + 1): "a"}),
    ("metadata", {"k": "a" * MAX_METADATA_VALUE_CHARS}, {"k": "a" * (MAX_METADATA_VALUE_CHARS + 1)}),
    ("metadata", {"k": "5"}, {"k": 5}),
    ("timestamps", ["word"], ["word", "character"]),
    ("webhook_url", "https://example.com/done", "ftp://example.com/done"),
    ("webhook_url", "https://example.com/".ljust(2048, "a"), "https://example.com/".ljust(2049, "a")),
]


@pytest.mark.parametrize(("field", "good", "bad"), LIMITS)
def test_a_field_is_taken_up_to_its_limit(field: str, good: Any, bad: Any) -> None:
    for name in ("SpeechRequest", "JobRequest"):
        assert verdicts(name, SPEECH | {field: good}) == TAKEN
        assert verdicts(name, SPEECH | {field: bad}) == REFUSED


def test_speech_has_times_of_words_and_characters() -> None:
    assert verdicts("SpeechRequest", SPEECH | {"timestamps": [*TIMESTAMPS]}) == TAKEN


@pytest.mark.parametrize(("field", "good", "bad"), LIMITS_OF_JOBS)
def test_a_field_of_a_job_is_taken_up_to_its_limit(field: str, good: Any, bad: Any) -> None:
    assert verdicts("JobRequest", SPEECH | {field: good}) == TAKEN
    assert verdicts("JobRequest", SPEECH | {field: bad}) == REFUSED


def test_words_and_phonemes_have_the_patterns_of_the_code() -> None:
    described = SCHEMAS["SpeechRequest"]["properties"]["pronunciations"]

    assert described["propertyNames"]["pattern"] == f"^{WORD.pattern}$"
    assert described["additionalProperties"]["pattern"] == PATTERN
    assert SCHEMAS["PhonemizeRequest"]["properties"]["pronunciations"] == described


# Documents


DOCUMENT = {"model": "kokoro", "voice": "alloy", "document": "doc_0123456789abcdef01234567"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (DOCUMENT, TAKEN),
        (DOCUMENT | {"input": None}, TAKEN),
        (DOCUMENT | {"chapters": [0, 998]}, TAKEN),
        (DOCUMENT | {"chapters": [2.0]}, TAKEN),
        (DOCUMENT | {"chapters": None}, TAKEN),
        (DOCUMENT | {"input": "Hello."}, REFUSED),
        (DOCUMENT | {"input": ""}, REFUSED),
        (DOCUMENT | {"document": None}, REFUSED),
        (DOCUMENT | {"chapters": []}, REFUSED),
        (DOCUMENT | {"chapters": [1, 1]}, REFUSED),
        (DOCUMENT | {"chapters": [-1]}, REFUSED),
        (DOCUMENT | {"chapters": [999]}, REFUSED),
        (DOCUMENT | {"chapters": [True]}, REFUSED),
        (DOCUMENT | {"chapters": ["1"]}, REFUSED),
        (DOCUMENT | {"chapters": {}}, REFUSED),
        (SPEECH | {"chapters": [1]}, REFUSED),
    ],
)
def test_a_job_has_a_text_or_a_document(fields: Fields, expected: tuple[bool, bool]) -> None:
    assert verdicts("JobRequest", fields) == expected


# Formats, with their sample rates and bitrates


@pytest.mark.parametrize("name", ["SpeechRequest", "JobRequest"])
def test_the_formats_are_those_of_the_code(name: str) -> None:
    fields, formats = SCHEMAS[name]["properties"], FORMATS if name == "SpeechRequest" else JOB_FORMATS

    assert (fields["response_format"]["enum"], fields["response_format"]["default"]) == ([*formats, None], DEFAULT_FORMAT)
    assert fields["sample_rate"]["enum"] == [*SAMPLE_RATES_HZ, None]


def bitrates(rate_hz: int) -> Iterator[int]:
    """All bitrates that any format accepts at any sample rate, and those just outside each limit."""
    for entry in FORMATS.values():
        for allowed in filter(None, map(entry.bitrates_at, (rate_hz, *SAMPLE_RATES_HZ))):
            yield from (*allowed.table, allowed.least - 1, allowed.least, allowed.most, allowed.most + 1)


@pytest.mark.parametrize("audio_format", [None, *FORMATS])
@pytest.mark.parametrize("rate_hz", [None, *SAMPLE_RATES_HZ, 11_025])
def test_a_format_is_taken_with_its_sample_rates_and_bitrates(audio_format: str | None, rate_hz: int | None) -> None:
    fields = SPEECH | {"response_format": audio_format, "sample_rate": rate_hz}
    entry = FORMATS[audio_format or DEFAULT_FORMAT]

    assert is_allowed("SpeechRequest", fields) == ((rate_hz or entry.sample_rate_hz) in entry.sample_rates_hz)
    for bitrate_bps in {None, *bitrates(rate_hz or entry.sample_rate_hz)}:
        allowed, taken = verdicts("SpeechRequest", fields | {"bitrate": bitrate_bps})
        assert allowed == taken, bitrate_bps


@pytest.mark.parametrize("rate_hz", [None, *SAMPLE_RATES_HZ, 11_025])
def test_a_job_is_taken_as_m4b_with_the_rates_of_aac(rate_hz: int | None) -> None:
    fields, entry = SPEECH | {"response_format": "m4b", "sample_rate": rate_hz}, JOB_FORMATS["m4b"]

    assert is_allowed("JobRequest", fields) == ((rate_hz or entry.sample_rate_hz) in entry.sample_rates_hz)
    assert verdicts("SpeechRequest", fields) == REFUSED
    for bitrate_bps in {None, *bitrates(rate_hz or entry.sample_rate_hz)}:
        allowed, taken = verdicts("JobRequest", fields | {"bitrate": bitrate_bps})
        assert allowed == taken, bitrate_bps


def test_a_job_has_the_rules_of_speech() -> None:
    of_speech, of_job = (SCHEMAS[name]["allOf"] for name in ("SpeechRequest", "JobRequest"))

    assert of_job[:-1] == of_speech[1:]
    assert SCHEMAS["PhonemizeRequest"]["allOf"] == of_speech[1:3]
