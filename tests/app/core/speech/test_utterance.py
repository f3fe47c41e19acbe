"""Utterance: equal audio has the same id, different audio has different ids."""

from typing import Any

import msgspec
import pytest

from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart, load_catalogue

CATALOGUE = load_catalogue()


def an_utterance(**changes: Any) -> Utterance:
    fields: dict[str, Any] = {
        "text": "Hello.",
        "engine": "kokoro",
        "voice": CATALOGUE.parse("af_heart")[0],
        "language": "en-US",
        "format": "mp3",
        "bitrate_bps": 128_000,
    }
    return Utterance(**(fields | changes))


def test_the_id_is_40_hex_digits_and_the_same_every_time() -> None:
    assert an_utterance().id == an_utterance().id
    assert len(an_utterance().id) == 40
    assert int(an_utterance().id, 16)


def test_the_id_stays_the_same_as_long_as_the_wire_version_does() -> None:
    assert an_utterance().id == "392f51f26e5599c5997a392db25366fae5c4716b"


def test_the_same_text_by_other_weights_is_another_utterance() -> None:
    ids = {an_utterance(identities=identities).id for identities in ((), ("a",), ("b",), ("a", "b"))}
    assert len(ids) == 4


@pytest.mark.parametrize("spec", ["bf_emma+af_heart", "af_heart(7)+bf_emma(7)", "coral+bf_emma"])
def test_one_blend_written_in_many_ways_is_one_utterance(spec: str) -> None:
    other = an_utterance(voice=CATALOGUE.parse(spec)[0])
    assert other.id == an_utterance(voice=CATALOGUE.parse("af_heart+bf_emma")[0]).id


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hello"},
        {"engine": "espeak"},
        {"voice": CATALOGUE.parse("bf_emma")[0]},
        {"language": "en-GB"},
        {"format": "opus"},
        {"bitrate_bps": 64_000},
        {"sample_rate_hz": 16_000},
        {"speed": 1.1},
        {"normalize": False},
        {"emoji": "say"},
        {"code": "say"},
        {"think": "say"},
        {"voices": (("nova", (BlendPart("af_nova", 1.0),), "en-US"),)},
        {"pronunciations": (("Koe", "koˈe"),)},
        {"apart": "1f"},
        {"version": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_field_that_changes_the_sound_changes_the_id(change: dict[str, Any]) -> None:
    assert an_utterance(**change).id != an_utterance().id


def test_it_is_read_back_as_it_was_written() -> None:
    utterance = an_utterance(text="早上好 🙂\x00", pronunciations=(("a", "b"), ("c", "d")), speed=0.25)
    assert Utterance.from_json(utterance.to_json()) == utterance
    assert Utterance.from_json(utterance.to_json()).id == utterance.id


def test_invalid_json_of_an_utterance_is_not_read() -> None:
    with pytest.raises(msgspec.ValidationError):
        Utterance.from_json(b'{"text": 1}')


def test_an_utterance_in_a_job_s_record_of_an_earlier_version_is_read() -> None:
    """A job outlives an upgrade."""
    record = (
        b'{"text":"","engine":"kokoro","identities":[],"voice":[["af_heart",1.0]],"language":"en-US","format":"mp3",'
        b'"bitrate_bps":128000,"sample_rate_hz":24000,"speed":1.0,"normalize":true,"emoji":"drop","pronunciations":[],'
        b'"owner":"","apart":"","version":6}'
    )
    assert Utterance.from_json(record) == an_utterance(text="", version=6)


def test_the_length_of_its_audio_is_estimated_by_its_text_and_speed() -> None:
    voice = load_catalogue().parse("af_heart")[0]

    def expected(text: str, speed: float = 1.0) -> float:
        return Utterance(text=text, engine="kokoro", voice=voice, language="en-US", format="mp3", speed=speed).expected_seconds

    assert expected("") == 0
    assert 5 < expected("a" * 100) < 8
    assert expected("a" * 100, speed=2.0) == expected("a" * 50)
    assert expected("声" * 10) == expected("a" * 30)
