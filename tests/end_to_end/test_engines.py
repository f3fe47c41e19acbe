"""The engines for real speech, through the API."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.speech.voices import load_catalogue
from tests.audio import Samples, decode, sounding_seconds
from tests.checkpoints import make_checkpoint
from tests.end_to_end.listeners import asked, post
from tests.end_to_end.processes import serving
from tests.harness import Harness, open_harness
from workers.engines.registry import Loaded, load_engines
from workers.text import preprocess
from workers.text.espeak import library

FEW_SLOTS = {"KOE_SLOTS": "4", "KOE_BATCH_SLOTS": "1"}
ENGLISH = "The birch canoe slid on the smooth planks, and nobody saw it."
DEADLY = ["Well, " + "s'" * 79 + " there.", "Hear " + ".𝐀" * 60 + " now."]
FRENCH = "Le canot glissait sur les planches, et personne ne le voyait."


def voice_hz(samples: Samples) -> float:
    """Returns the pitch of a voice in Hz, from the delay between 1/400 s and 1/60 s at which the audio is most like itself."""
    spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    likeness = np.fft.irfft(spectrum)[: 24_000 // 60]
    least = 24_000 // 400
    return 24_000 / (least + int(np.argmax(likeness[least:])))


def harness_of(loaded: Loaded, short_folder: Path) -> Iterator[Harness]:
    data = Path(tempfile.mkdtemp(dir=short_folder))
    with open_harness(data, loaded.engines, missing=loaded.missing, **FEW_SLOTS) as harness:
        yield harness


@pytest.fixture(scope="module")
def espeak(short_folder: Path) -> Iterator[Harness]:
    yield from harness_of(load_engines("espeak", catalogue=load_catalogue()), short_folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def kokoro(short_folder: Path, checkpoint: Path) -> Iterator[Harness]:
    yield from harness_of(load_engines("kokoro", catalogue=load_catalogue(), model_dir=checkpoint), short_folder)


@pytest.mark.parametrize(("text", "voice"), [(ENGLISH, "af_heart"), (FRENCH, "ff_siwis")])
def test_espeak_speaks_at_a_plausible_length(espeak: Harness, text: str, voice: str) -> None:
    answer = post(espeak, asked(text, "mp3", voice))

    assert answer.headers["x-koe-engine"] == "espeak"
    assert 2 < sounding_seconds(decode(answer.content, "mp3")) < 8


def test_espeak_says_another_language_otherwise(espeak: Harness) -> None:
    french, english = (post(espeak, asked(FRENCH, language=language)).content for language in ("fr", "en-US"))

    assert french != english


def test_espeaks_women_and_men_differ(espeak: Harness) -> None:
    voices = {voice: post(espeak, asked(ENGLISH, voice=voice)).content for voice in ("af_heart", "am_michael", "bf_emma")}
    woman, man = (decode(voices[voice], "pcm") for voice in ("af_heart", "am_michael"))

    assert len(set(voices.values())) == 3
    assert voice_hz(woman) > voice_hz(man)


@pytest.mark.parametrize("speed", [0.25, 4])
def test_espeak_keeps_the_speed(espeak: Harness, speed: float) -> None:
    normal, other = (decode(post(espeak, asked(ENGLISH, speed=value)).content, "pcm") for value in (1, speed))

    assert len(other) == pytest.approx(len(normal) / speed, rel=0.35)


def test_espeak_takes_a_language_that_kokoro_does_not_know(espeak: Harness) -> None:
    german = post(espeak, asked("Guten Tag, meine Damen und Herren.", language="de") | {"model": "espeak"})
    klingon = post(espeak, asked("nuqneH", language="qqq") | {"model": "espeak"})

    assert german.status_code == 200
    assert klingon.status_code == 400
    assert klingon.json()["error"]["param"] == "language"


@pytest.mark.parametrize("text", ["123 456", "...", "Ünïcödé 東京 مرحبا", "<speak>&amp;</speak>", "a" * 3000, "a.b" * 300])
def test_espeak_says_strange_texts(espeak: Harness, text: str) -> None:
    assert post(espeak, asked(text, "mp3")).status_code == 200


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("language", ["en-US", "fr-FR"])
def test_espeak_speaks_text_that_kills_its_library(
    espeak: Harness, language: str, normalize: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test switches sanitizing off, so that the processes do die."""
    monkeypatch.setattr(preprocess, "sanitize", lambda tracked: tracked)
    monkeypatch.setattr(library, "divide_runs", lambda text: text)

    answers = [post(espeak, asked(text, language=language, normalize=normalize)) for text in DEADLY]

    assert [answer.status_code for answer in answers] == [200] * len(DEADLY)
    assert all(len(answer.content) > 24_000 for answer in answers)


@pytest.mark.parametrize("model", ["kokoro", "tts-1", "gpt-4o-mini-tts"])
def test_kokoro_speaks_every_model(kokoro: Harness, model: str) -> None:
    answer = post(kokoro, asked(ENGLISH, "mp3") | {"model": model})

    assert answer.status_code == 200, answer.text
    assert answer.headers["x-koe-engine"] == "kokoro"
    assert 2 < len(decode(answer.content, "mp3")) / 24_000 < 12


def test_espeak_can_be_asked_for_where_kokoro_is(kokoro: Harness) -> None:
    answer = post(kokoro, asked("Hello.") | {"model": "espeak"})

    assert answer.headers["x-koe-engine"] == "espeak"


def test_kokoros_voices_and_blends_differ(kokoro: Harness) -> None:
    voices = ["af_heart", "am_michael", "af_heart+am_michael", "af_heart(2)+am_michael(1)"]

    sounds = {post(kokoro, asked("Good morning to you.", voice=voice)).content for voice in voices}

    assert len(sounds) == len(voices)


def test_two_kokoros_give_the_same_bytes(kokoro: Harness, checkpoint: Path, short_folder: Path) -> None:
    body = asked("The same request is the same audio on any worker.", "flac")
    first = post(kokoro, body)

    for other in harness_of(load_engines("kokoro", catalogue=load_catalogue(), model_dir=checkpoint), short_folder):
        second = post(other, body)

    assert second.headers["x-koe-cache"] == "miss"
    assert first.content == second.content


def test_a_damaged_checkpoint_is_named_and_espeak_speaks(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(checkpoint, damaged)
    weights = damaged / "kokoro-v1_0.pth"
    weights.write_bytes(weights.read_bytes()[:100_000])

    with serving(data, KOE_ENGINE="auto", KOE_MODEL_DIR=str(damaged)) as served:
        ready = served.ready()
        models = {model.id for model in served.openai().models.list()}

    assert ready["engine"] == "espeak"
    assert "kokoro-v1_0.pth" in ready["notice"]
    assert "kokoro" not in models
