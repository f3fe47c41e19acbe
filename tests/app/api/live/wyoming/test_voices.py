"""What a Wyoming client is told about the voices, and the voice that it then means."""

from pathlib import Path

import pytest
from wyoming.info import Info

from app import __version__
from app.api.live.wyoming.voices import AskedVoice, choose_voice, describe
from app.core.errors import InvalidValue
from app.core.speech.voices import DEFAULT_VOICE, load_catalogue

CATALOGUE = load_catalogue()


def test_one_program_has_every_voice_with_its_language() -> None:
    (program,) = Info.from_event(describe(CATALOGUE).event()).tts
    languages = {voice.name: voice.languages for voice in program.voices}

    assert (program.name, program.version, program.installed) == ("koe", __version__, True)
    assert program.supports_synthesize_streaming
    assert program.attribution.url.startswith("https://")
    assert languages == {voice.id: [voice.language] for voice in CATALOGUE.voices.values()}
    assert all(voice.installed and voice.version and voice.attribution.name for voice in program.voices)
    assert {voice.name: voice.description for voice in program.voices}["bf_emma"] == "Emma (British English)"


def test_a_blend_with_a_name_is_a_voice_too(tmp_path: Path) -> None:
    file = tmp_path / "voices.toml"
    file.write_text('[aliases]\nour_own = "bf_emma+af_heart"\nnova = "bf_emma"\n')
    catalogue = load_catalogue(file)

    (program,) = describe(catalogue).tts
    own = program.voices[-1]

    assert (own.name, own.description, own.languages) == ("our_own", "Our Own", ["en-GB"])
    assert len(program.voices) == len(catalogue.voices) + 1


@pytest.mark.parametrize(
    ("asked", "voice"),
    [
        (AskedVoice(), DEFAULT_VOICE),
        (AskedVoice(name="am_adam", language="fr"), "am_adam"),
        (AskedVoice(name="bf_emma(2)+af_heart"), "bf_emma(2)+af_heart"),
        (AskedVoice(language="en-US"), "af_heart"),
        (AskedVoice(language="en"), "af_heart"),
        (AskedVoice(language="en_GB"), "bf_emma"),
        (AskedVoice(language="fr"), "ff_siwis"),
        (AskedVoice(language="ja"), "jf_alpha"),
        (AskedVoice(name="", language=""), DEFAULT_VOICE),
    ],
)
def test_a_voice_is_meant_by_its_name_or_by_its_language(asked: AskedVoice, voice: str) -> None:
    assert choose_voice(asked, CATALOGUE) == voice


def test_a_language_without_a_voice_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(InvalidValue, match=r"No voice speaks 'sv'. There are voices for en-US, .*, and zh\."):
        choose_voice(AskedVoice(language="sv"), CATALOGUE)
