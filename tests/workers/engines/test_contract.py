"""The contract of `workers.engines.base`, tested with every engine."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.core.errors import SegmentTooLong
from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.models import ENGINE_ORDER
from app.core.speech.voices import Catalogue
from workers.engines.base import Engine, Segment
from workers.synthesis.prepare import segments_of
from workers.text.words import NO_PHONEMES, find_words, says_something

TEXT = "It rains today. We stay, all of us, at home and read."


def _prepare(
    engine: Engine, catalogue: Catalogue, text: str = TEXT, voice: str = "af_heart", speed: float = 4.0
) -> list[Segment]:
    blend, language = catalogue.parse(voice)
    return list(segments_of(text, engine, voice=blend, language=language, speed=speed))


def _squeeze(text: str) -> str:
    return "".join(text.split())


def test_it_has_a_known_name(engine: Engine) -> None:
    assert engine.name in ENGINE_ORDER
    assert engine.batch_size >= 1
    assert engine.speaks("en-US")


def test_nothing_of_the_text_is_left_out(engine: Engine, catalogue: Catalogue) -> None:
    text = f"{TEXT}\n\n" + "A sentence that goes on and on, and then some more of it; " * 20 + "the end."
    segments = _prepare(engine, catalogue, text)
    assert len(segments) > 3
    assert _squeeze("".join(segment.text for segment in segments)) == _squeeze(text)
    assert Ending.PARAGRAPH in {segment.ending for segment in segments}


def test_a_long_word_comes_out_in_segments_that_fit(engine: Engine, catalogue: Catalogue) -> None:
    segments = _prepare(engine, catalogue, "9" * 450)
    assert "".join(segment.text for segment in segments) == "9" * 450
    assert all(0 < segment.n_phonemes <= engine.max_phonemes for segment in segments)


def test_segments_are_made_when_they_are_asked_for(engine: Engine, catalogue: Catalogue) -> None:
    blend, language = catalogue.parse("af_heart")
    segments = segments_of(TEXT * 2000, engine, voice=blend, language=language, speed=1.0)
    assert next(segments).text == "It rains today. We stay,"


@pytest.mark.parametrize("text", ["", "  \n\n ", "…", "?!", "—"])
def test_text_with_nothing_to_say_gives_no_segment(engine: Engine, catalogue: Catalogue, text: str) -> None:
    assert _prepare(engine, catalogue, text) == []


@pytest.mark.parametrize("text", ["…", "?!", "—"])
def test_marks_alone_have_no_phonemes(engine: Engine, text: str) -> None:
    assert engine.phonemize(text, "en-US") is NO_PHONEMES


def test_phonemes_are_those_of_the_segment(engine: Engine, catalogue: Catalogue) -> None:
    for segment in _prepare(engine, catalogue):
        phonemized = engine.phonemize(segment.text, segment.language)
        assert (phonemized.phonemes, phonemized.words) == (segment.phonemes, segment.words)


def test_a_clause_has_the_context_that_the_engine_reads(engine: Engine, catalogue: Catalogue) -> None:
    clause, rest = _prepare(engine, catalogue, "When it rained at last, we opened all the windows.")
    if engine.max_context:
        assert (clause.before, rest.before) == ("", clause.phonemes[-engine.max_context :])
        assert (clause.after, rest.after) == (rest.phonemes[: engine.max_context], "")
    else:
        assert {clause.before, clause.after, rest.before, rest.after} == {""}


def test_a_voice_of_the_catalogue_is_one_that_it_speaks(engine: Engine, catalogue: Catalogue) -> None:
    for voice in ("af_heart", "am_michael", "af_heart+af_bella"):
        engine.check_voice(*catalogue.parse(voice))


def test_a_waveform_is_one_line_of_floats_within_one(engine: Engine, catalogue: Catalogue) -> None:
    for waveform in engine.synthesize(_prepare(engine, catalogue)):
        assert waveform.samples.ndim == 1
        assert waveform.samples.dtype == np.float32
        assert len(waveform.samples) > 0
        assert np.isfinite(waveform.samples).all()
        assert 0.01 < np.abs(waveform.samples).max() <= 1


def test_the_same_segment_gives_the_same_samples_in_any_order(engine: Engine, catalogue: Catalogue) -> None:
    segments = _prepare(engine, catalogue)
    assert len(segments) > 1
    forward = engine.synthesize(segments)
    backward = engine.synthesize(segments[::-1])[::-1]
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.words == other.words


def test_the_same_segment_gives_the_same_samples_in_any_thread(engine: Engine, catalogue: Catalogue) -> None:
    segments = _prepare(engine, catalogue)
    alone = engine.synthesize(segments)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda segment: engine.synthesize([segment])[0], segments * 2))
    for one, other in zip(alone * 2, together, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_voices_sound_different(engine: Engine, catalogue: Catalogue) -> None:
    spoken = [
        engine.synthesize(_prepare(engine, catalogue, "Hello.", voice))[0].samples
        for voice in ("af_heart", "af_bella", "am_michael", "af_heart+af_bella")
    ]
    assert len({samples.tobytes() for samples in spoken}) == 4


def test_twice_the_speed_is_about_half_the_length(engine: Engine, catalogue: Catalogue) -> None:
    lengths = [
        sum(len(waveform.samples) for waveform in engine.synthesize(_prepare(engine, catalogue, speed=speed)))
        for speed in (0.25, 1.0, 2.0)
    ]
    assert lengths[0] / lengths[1] == pytest.approx(4, rel=0.25)
    assert lengths[1] / lengths[2] == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", TEXT),
        ("en-US", 'Hm — "it" costs $12.50, i.e. 2,500 in all (or less)!'),
        ("es", "¿Qué dice de la casa 25?"),
        ("ja", "東京で、Kokoroと話す。"),
        ("zh", "我用Kokoro说话，很好。"),
        ("hi", "नमस्ते दुनिया।"),
    ],
)
def test_words_are_those_of_the_text_in_order_and_within_the_sound(
    engine: Engine, catalogue: Catalogue, language: str, text: str
) -> None:
    if not engine.speaks(language):
        pytest.skip("an extra is missing")
    blend, _ = catalogue.parse("af_heart")
    segments = list(segments_of(text, engine, voice=blend, language=language, speed=4.0))
    for segment, waveform in zip(segments, engine.synthesize(segments), strict=True):
        assert [(word.first, word.last) for word in waveform.words] == find_words(segment.text)
        edges = [edge for word in waveform.words for edge in (word.start, word.end)]
        assert edges == sorted(edges)
        assert edges[0] >= 0
        assert edges[-1] <= len(waveform.samples) / SAMPLE_RATE_HZ + 1e-6
        said = [word for word in waveform.words if says_something(segment.text[word.first : word.last])]
        assert said
        assert all(word.start < word.end for word in said)


def test_too_long_is_refused_and_not_cut(engine: Engine, catalogue: Catalogue) -> None:
    segment = _prepare(engine, catalogue)[0]
    too_long = msgspec.structs.replace(segment, text="a " * 600, phonemes="a" * 1200)
    assert engine.max_phonemes < 1200
    with pytest.raises(SegmentTooLong, match="1200 phonemes"):
        engine.synthesize([too_long])


WITHOUT_MEMORY = """
import resource, sys
from pathlib import Path

import msgspec

from app.core.errors import OutOfMemory
from app.core.speech.voices import load_catalogue
from workers.engines.registry import load_engines
from workers.synthesis.prepare import segments_of

name, model_dir, idle_unload = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
catalogue = load_catalogue()
loaded = load_engines(name, catalogue=catalogue, model_dir=model_dir, idle_unload=idle_unload)
engine = loaded.engines[name]
engine.warm_up()
blend, language = catalogue.parse("af_heart")
(short,) = segments_of("Hello.", engine, voice=blend, language=language, speed=0.25)
long = msgspec.structs.replace(short, text="A word that is said again. " * 2000, phonemes=short.phonemes[0] * 500, words=())
used = next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmSize")) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 64 * 1024**2, resource.RLIM_INFINITY))
try:
    engine.synthesize([long])
except OutOfMemory as error:
    failure = error
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert failure.__context__ is None
assert len(engine.synthesize([short])[0].samples)
print("it speaks again")
"""
"""Speaks a segment that needs more memory than the 64 MiB that the process may still allocate."""


@pytest.mark.parametrize(("name", "idle_unload"), [("tone", 0.0), ("espeak", 0.0), ("kokoro", 0.0), ("kokoro", 60.0)])
def test_an_engine_that_finds_no_memory_says_so_and_holds_none(name: str, idle_unload: float, checkpoint: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_MEMORY, name, str(checkpoint), str(idle_unload)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout.endswith("it speaks again\n"), done.stderr


def test_a_segment_sounds_the_same_whatever_it_ends_and_wherever_it_stands(engine: Engine, catalogue: Catalogue) -> None:
    """The cache then finds it for another text too."""
    segment = _prepare(engine, catalogue)[0]
    moved = msgspec.structs.replace(segment, ending=Ending.PARAGRAPH, start=40)
    assert segment.ending is not Ending.PARAGRAPH
    assert (moved.digest, moved.name) == (segment.digest, segment.name)
    one, two = engine.synthesize([segment, moved])
    assert np.array_equal(one.samples, two.samples)
    assert one.words == two.words


def test_a_segment_of_another_voice_speed_language_or_engine_has_another_name(engine: Engine, catalogue: Catalogue) -> None:
    segment = _prepare(engine, catalogue)[0]
    others = [
        msgspec.structs.replace(segment, **change)
        for change in (
            {"engine": "another"},
            {"voice": catalogue.parse("bf_emma")[0]},
            {"speed": 3.0},
            {"language": "en-GB"},
            {"phonemes": segment.phonemes + segment.phonemes[-1]},
            {"text": segment.text + " "},
        )
    ]
    assert len({one.name for one in (segment, *others)}) == len(others) + 1


def test_its_identity_is_its_own(engine: Engine) -> None:
    assert engine.identity.startswith(f"{engine.name} ")
