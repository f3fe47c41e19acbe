"""The engine with Kokoro's own weights. Random weights hum on one pitch at one pace, and fail these tests."""

from collections.abc import Iterator
from itertools import combinations

import msgspec
import numpy as np
import pytest

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.languages import LANGUAGES
from app.core.speech.voices import BlendPart, Catalogue
from tests.checkpoints import PHONEMES
from tests.ears.usual import scores_of
from tests.original import Both
from workers.engines.base import Segment, Turn, Waveform
from workers.engines.kokoro.checkpoint import CheckpointFiles
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.packs import VoicePacks
from workers.engines.kokoro.usual import UsualTable
from workers.synthesis.prepare import segments_of

pytestmark = pytest.mark.real

SENTENCES = {
    "en-US": "The old man moved his lamp a little, and the gulls fell asleep.",
    "en-GB": "The post office closed at noon, which everybody knew.",
    "es": "El viejo movió un poco la lámpara, y las gaviotas se durmieron.",
    "fr-FR": "Le vieil homme déplaça sa lampe, et les mouettes s'endormirent.",
    "hi": "बूढ़े ने दीया थोड़ा खिसका दिया, और चिड़ियाँ सो गईं।",
    "it": "Il vecchio spostò un poco la lampada, e i gabbiani si addormentarono.",
    "ja": "老人はランプを少し動かし、カモメは眠りについた。",
    "pt-BR": "O velho mudou o lampião de lugar, e as gaivotas adormeceram.",
    "zh": "老人把灯挪了一下，海鸥都睡着了。",
}


@pytest.fixture(scope="module")
def real(real_checkpoint: CheckpointFiles, catalogue: Catalogue) -> Iterator[KokoroEngine]:
    engine = KokoroEngine(catalogue=catalogue, model_dir=real_checkpoint.weights.parent)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def both(real_checkpoint: CheckpointFiles) -> Both:
    return Both(real_checkpoint)


def a_segment(engine: KokoroEngine, files: CheckpointFiles, language: str, voice_id: str | None = None) -> Segment:
    """Returns a sentence of the language in the voice, by default the first voice of the language."""
    letter = next(known.letter for known in LANGUAGES if known.tag == language)
    own = [known for known in files.voices if known.startswith(voice_id or letter)]
    if not own:
        pytest.skip(f"{voice_id or f'a voice of {language}'} is not in {files.place}")
    voice = (BlendPart(own[0], 1.0),)
    (segment,) = segments_of(SENTENCES[language], engine, voice=voice, language=language, speed=1.0, is_opening=False)
    return segment


def levels_db(waveform: Waveform) -> np.ndarray:
    """Returns the level of each 25 ms: (n_frames,)."""
    frames = waveform.samples[: len(waveform.samples) // 600 * 600].reshape(-1, 600)
    levels: np.ndarray = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    return levels


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
def test_a_sentence_sounds_like_speech(real: KokoroEngine, real_checkpoint: CheckpointFiles, language: str) -> None:
    segment = a_segment(real, real_checkpoint, language)
    (waveform,) = real.synthesize([segment], Turn(n_threads=2))
    seconds = len(waveform.samples) / SAMPLE_RATE_HZ
    assert np.isfinite(waveform.samples).all()
    assert 0.05 < np.abs(waveform.samples).max() < 1
    assert 2 < seconds < 6
    assert 9 < segment.n_phonemes / seconds < 22
    assert np.ptp(np.percentile(levels_db(waveform), [10, 90])) > 30


def test_phonemes_last_differently(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    score = real._score(a_segment(real, real_checkpoint, "en-US"))
    assert len(set(score.n_frames.tolist())) > 4
    assert score.n_frames.max() < 40


def test_a_man_speaks_lower_than_a_woman(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    scores = [real._score(a_segment(real, real_checkpoint, "en-US", voice_id)) for voice_id in ("am_michael", "af_heart")]
    man_hz, woman_hz = (float(score.pitch_hz[score.pitch_hz > 50].median()) for score in scores)
    assert 80 < man_hz < 150 < woman_hz < 300


@pytest.mark.parametrize("language", ["en-US", "ja", "zh"])
def test_it_equals_the_package(both: Both, real: KokoroEngine, real_checkpoint: CheckpointFiles, language: str) -> None:
    comparison = both.compare(a_segment(real, real_checkpoint, language))
    assert comparison.is_equal, comparison
    assert comparison.audio_seconds > 2


def test_the_same_text_gives_the_same_bytes(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    segment = a_segment(real, real_checkpoint, "en-US")
    (one,), (two,) = (real.synthesize([segment], Turn(n_threads=n_threads)) for n_threads in (1, 2))
    assert one.samples.tobytes() == two.samples.tobytes()
    assert one.words == two.words


def test_every_voice_has_a_pack_of_its_own(real_checkpoint: CheckpointFiles, catalogue: Catalogue) -> None:
    if missing := catalogue.voices.keys() - real_checkpoint.voices.keys():
        pytest.skip(f"{len(missing)} voices are not in {real_checkpoint.place}")
    packs = VoicePacks(real_checkpoint, catalogue)
    styles = {voice_id: packs.blend((BlendPart(voice_id, 1.0),)) for voice_id in catalogue.voices}
    assert len(styles) == 54
    assert all(style.shape == (510, 1, 256) for style in styles.values())
    apart = {pair: float((styles[pair[0]] - styles[pair[1]]).norm(dim=-1).mean()) for pair in combinations(styles, 2)}
    assert min(apart.values()) > 0.1, min(apart, key=apart.__getitem__)


def test_the_vocabulary_is_the_one_that_random_checkpoints_have(real: KokoroEngine) -> None:
    assert real._vocabulary == PHONEMES


def test_what_the_file_says_of_a_voice_is_what_is_measured(real: KokoroEngine, catalogue: Catalogue) -> None:
    decoder = real._decoder
    assert isinstance(decoder, Decoder)
    found = UsualTable().find("af_heart", real._packs.pack("af_heart"), decoder.norms)
    measured = decoder.usual(scores_of(real, catalogue.voices["af_heart"]), n_threads=2)
    assert found is not None
    for norm, usual in found.items():
        # Original and 8-bit weights differ a little.
        expected = measured[norm]
        deviation = expected.moment.variance.sqrt()
        assert ((usual.moment.mean - expected.moment.mean).abs() / deviation).mean() < 0.05
        assert (usual.moment.variance.sqrt() / deviation - 1).abs().mean() < 0.05
        assert ((usual.slope - expected.slope).abs() / deviation).mean() < 0.05


def test_without_its_silence_a_sentence_is_as_loud_and_as_long(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    voices = real._voices
    assert voices is not None
    score = real._score(a_segment(real, real_checkpoint, "en-US"))
    learned, voices.decoder._habits = voices.decoder._habits, None
    (whole,) = voices.decoder([score])
    voices.decoder._habits = learned
    voices.learn(n_threads=1)
    (spoken,) = voices.decoder([score])

    assert len(spoken) == len(whole)
    assert float((spoken.square().mean() / whole.square().mean()).log10()) * 10 == pytest.approx(0, abs=0.3)
    loud = whole.abs() > 10 ** (-50 / 20)
    assert (spoken[loud].abs() > 0).float().mean() > 0.999


def test_beginnings_grow_and_are_those_of_the_whole(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    segment = msgspec.structs.replace(a_segment(real, real_checkpoint, "en-US"), in_pieces=True)
    beginnings: list[Waveform] = []
    (whole,) = real.synthesize([segment], Turn(n_threads=2, on_beginning=beginnings.append))
    (again,) = real.synthesize([segment])

    lengths = [len(beginning.samples) for beginning in beginnings]
    assert len(lengths) > 2
    assert lengths == sorted(lengths)
    assert lengths[0] < 0.4 * len(whole.samples)
    for beginning in beginnings:
        assert np.allclose(beginning.samples, whole.samples[: len(beginning.samples)], atol=1e-6)
        assert beginning.words == whole.words[: len(beginning.words)]
    assert np.array_equal(whole.samples, again.samples)


def test_in_pieces_speech_is_nowhere_much_softer(real: KokoroEngine, real_checkpoint: CheckpointFiles) -> None:
    for language in ("en-US", "zh"):
        segment = a_segment(real, real_checkpoint, language)
        (whole,) = real.synthesize([segment])
        (spoken,) = real.synthesize([msgspec.structs.replace(segment, in_pieces=True)])
        levels = [levels_db(one) for one in (whole, spoken)]
        loud = levels[0] > -30
        assert np.mean(levels[0][loud] - levels[1][loud]) == pytest.approx(0, abs=2)
