import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from structlog.testing import capture_logs

from app.core.errors import Cancelled, EngineFailed, InvalidValue, NotSupported, OutOfMemory
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import BlendPart, Catalogue
from tests.checkpoints import FRAMES_PER_PHONEME, PHONEMES, make_checkpoint
from workers.engines.base import Segment, Turn, Waveform
from workers.engines.kokoro.checkpoint import MissingFile
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Score
from workers.synthesis.prepare import segments_of
from workers.text.markup import read_markup

FRAME = 600
"""Samples of one frame."""


def _prepare(
    kokoro: KokoroEngine, catalogue: Catalogue, text: str, voice: str = "af_heart", language: str = "en-US"
) -> list[Segment]:
    return list(segments_of(text, kokoro, voice=catalogue.parse(voice)[0], language=language, speed=1.0))


def test_phonemes_are_of_the_vocabulary(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    segments = _prepare(kokoro, catalogue, "¿Qué tal? ☎ ℃", language="es")
    assert segments
    assert all(set(segment.phonemes) <= PHONEMES.keys() for segment in segments)


def test_words_are_heard_where_the_predicted_durations_put_them(
    kokoro: KokoroEngine, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (segment,) = _prepare(kokoro, catalogue, "These cost $2 or so (or less).")
    predicted: list[torch.Tensor] = []
    prosody = kokoro._prosody

    def listen(*args: Any) -> Score:
        score = prosody(*args)
        predicted.append(score.n_frames)
        return score

    monkeypatch.setattr(kokoro, "_prosody", listen)
    (waveform,) = kokoro.synthesize([segment])
    n_frames = predicted[0].tolist()
    assert len(n_frames) == segment.n_phonemes + 2
    assert abs(sum(n_frames) * FRAME - len(waveform.samples)) <= FRAME
    assert [segment.text[word.first : word.last] for word in waveform.words] == segment.text.split()
    for word, spoken in zip(waveform.words, segment.words, strict=True):
        assert word.start * SAMPLE_RATE_HZ == pytest.approx(sum(n_frames[: spoken.begin + 1]) * FRAME, abs=1e-3)
        assert word.end * SAMPLE_RATE_HZ == pytest.approx(sum(n_frames[: spoken.end + 1]) * FRAME, abs=1e-3)
    assert waveform.words[-1].end * SAMPLE_RATE_HZ == pytest.approx(sum(n_frames[:-1]) * FRAME, abs=1e-3)


def test_words_are_counted_in_the_phonemes_that_reach_the_model(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    (segment,) = _prepare(kokoro, catalogue, "¿Qué dice الحب aquí?", language="es")
    spoken = [segment.phonemes[word.begin : word.end] for word in segment.words]
    assert spoken == ["kˈe", "ðˈiθe", "ʔalhˈubː", "akˈi?"]


def test_given_phonemes_are_spoken(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    (section,), markup = read_markup("Say [tomato](/təmˈɑːtO/).", ())
    voice = catalogue.parse("af_heart")[0]
    (segment,) = segments_of(section.tracked.text, kokoro, voice=voice, language="en-US", speed=1.0, markup=markup)
    assert segment.phonemes == "sˈA təmˈɑːtO."


def test_what_cannot_be_said_is_counted_in_the_log(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    with capture_logs() as logs:
        (segment,) = _prepare(kokoro, catalogue, "Hola สวัสดี", language="es")
    assert segment.phonemes == "ˈola sˈawmsaɜds"
    assert [one["n_phonemes"] for one in logs if one["event"] == "unknown_phonemes"] == [1]


def test_a_text_of_many_phonemes_is_split_until_it_fits(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    text = " ".join(["9999999999"] * 12)
    segments = _prepare(kokoro, catalogue, text)
    assert len(segments) > 1
    assert max(segment.n_phonemes for segment in segments) <= kokoro.max_phonemes
    assert " ".join(segment.text for segment in segments) == text


def test_it_paces_like_speech(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    (segment,) = _prepare(kokoro, catalogue, "Hello there.")
    (waveform,) = kokoro.synthesize([segment])
    expected_samples = FRAMES_PER_PHONEME * 600 * (segment.n_phonemes + 2)
    assert len(waveform.samples) == pytest.approx(expected_samples, rel=0.3)


def test_a_clause_lasts_as_long_as_it_does_in_its_sentence(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    text = "When it rained at last, we opened all the windows."
    (whole,) = segments_of(text, kokoro, voice=catalogue.parse("af_heart")[0], language="en-US", speed=1.0, is_opening=False)
    clause, rest = _prepare(kokoro, catalogue, text)
    assert f"{clause.phonemes} {rest.phonemes}" == whole.phonemes
    frames = [kokoro._score(one).n_frames.tolist() for one in (whole, clause, rest)]

    assert frames[1] + frames[2] == frames[0]


def test_words_of_a_clause_are_timed_within_its_sound(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    for one in _prepare(kokoro, catalogue, "When it rained at last, we opened all the windows."):
        (waveform,) = kokoro.synthesize([one])
        assert [one.text[word.first : word.last] for word in waveform.words] == one.text.split()
        assert waveform.words[-1].end <= len(waveform.samples) / 24_000


def test_a_sentence_is_read_without_the_next(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    first, second = _prepare(kokoro, catalogue, "It rained the whole long day. We stayed at home.")

    assert (first.before, first.after, second.before, second.after) == ("", "", "", "")


def test_the_longest_segment_is_spoken(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    (segment,) = _prepare(kokoro, catalogue, "Hello there.")
    longest = msgspec.structs.replace(segment, phonemes="a" * kokoro.max_phonemes, speed=4.0)
    (waveform,) = kokoro.synthesize([longest])
    assert len(waveform.samples) > kokoro.max_phonemes * 600 / 4


def test_other_text_with_the_same_phonemes_has_other_noise(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    (segment,) = _prepare(kokoro, catalogue, "Hello there.")
    other = msgspec.structs.replace(segment, text="Hello, there")
    one, two = kokoro.synthesize([segment, other])
    assert len(one.samples) == len(two.samples)
    assert not np.array_equal(one.samples, two.samples)


@pytest.mark.parametrize("n_threads_without", [1, 2])
def test_a_thread_that_can_generate_no_code_any_more_has_another_speak(
    kokoro: KokoroEngine, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, n_threads_without: int
) -> None:
    segments = _prepare(kokoro, catalogue, "It speaks.")
    (expected,) = kokoro.synthesize(segments)
    prosody, threads = kokoro._prosody, set[int]()

    def fail(*args: Any) -> Score:
        threads.add(threading.get_ident())
        if len(threads) <= n_threads_without:
            raise RuntimeError("could not create a primitive")
        return prosody(*args)

    monkeypatch.setattr(kokoro, "_prosody", fail)

    if n_threads_without == 1:
        assert np.array_equal(kokoro.synthesize(segments)[0].samples, expected.samples)
    else:
        with pytest.raises(OutOfMemory):
            kokoro.synthesize(segments)
    assert len(threads) == 2


def test_samples_that_are_not_finite_are_an_error(catalogue: Catalogue, checkpoint: Path) -> None:
    engine = KokoroEngine(catalogue=catalogue, model_dir=checkpoint)
    (segment,) = _prepare(engine, catalogue, "Hello there.")
    assert isinstance(engine._decoder, Decoder)
    with torch.no_grad():
        engine._decoder._generator._post._bias.fill_(float("nan"))
    with pytest.raises(EngineFailed, match="not finite"):
        engine.synthesize([segment])


@pytest.mark.parametrize(("voice_id", "error"), [("am_adam", MissingFile), ("af_nobody", InvalidValue)])
def test_a_voice_that_is_not_there_is_refused(kokoro: KokoroEngine, voice_id: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=voice_id):
        next(segments_of("Hello", kokoro, voice=(BlendPart(voice_id, 1.0),), language="en-US", speed=1.0))


def test_a_language_that_is_not_kokoros_is_refused(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    assert not kokoro.speaks("de")
    with pytest.raises(NotSupported, match="'de'"):
        _prepare(kokoro, catalogue, "Hallo", language="de")


def test_checkpoints_of_one_seed_are_the_same(checkpoint: Path, tmp_path: Path) -> None:
    again = make_checkpoint(tmp_path, voices=("af_heart",))
    one, two = (torch.load(folder / "kokoro-v1_0.pth", weights_only=True) for folder in (checkpoint, again))
    assert all(torch.equal(tensor, two[part][key]) for part, tensors in one.items() for key, tensor in tensors.items())


LONG = "When it rained at last, we opened all the windows and nobody said a word about the long and dusty summer."


def in_pieces(kokoro: KokoroEngine, catalogue: Catalogue) -> Segment:
    (segment,) = segments_of(LONG, kokoro, voice=catalogue.parse("af_heart")[0], language="en-US", speed=1.0, is_opening=False)
    return msgspec.structs.replace(segment, in_pieces=True)


def test_a_model_without_silence_speaks_at_once(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    beginnings: list[Waveform] = []
    kokoro.synthesize([in_pieces(kokoro, catalogue)], Turn(on_beginning=beginnings.append))
    assert beginnings == []


def test_a_segment_that_is_not_asked_for_in_pieces_has_no_beginning(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    beginnings: list[Waveform] = []
    whole = msgspec.structs.replace(in_pieces(kokoro, catalogue), in_pieces=False)
    kokoro.synthesize([whole], Turn(on_beginning=beginnings.append))
    assert beginnings == []


def test_a_segment_that_is_stretched_has_no_beginning(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    beginnings: list[Waveform] = []
    fast = msgspec.structs.replace(in_pieces(kokoro, catalogue), speed=2.0)
    kokoro.synthesize([fast], Turn(on_beginning=beginnings.append))
    assert beginnings == []


def test_in_pieces_too_the_samples_do_not_depend_on_the_threads(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    segment = in_pieces(kokoro, catalogue)
    one, three = (kokoro.synthesize([segment], Turn(n_threads=n_threads))[0].samples for n_threads in (1, 3))
    assert np.array_equal(one, three)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_another_segment_may_be_spoken_at_each_step(kokoro: KokoroEngine, catalogue: Catalogue, n_threads: int) -> None:
    segment = in_pieces(kokoro, catalogue)
    (newcomer,) = _prepare(kokoro, catalogue, "Hello there.")
    expected = [kokoro.synthesize([one])[0].samples for one in (segment, newcomer)]
    spoken: list[np.ndarray] = []
    n_steps = 0

    def give_way() -> None:
        nonlocal n_steps
        n_steps += 1
        if n_steps % 20 == 1:
            spoken.append(kokoro.synthesize([newcomer])[0].samples)

    (outer,) = kokoro.synthesize([segment], Turn(n_threads=n_threads, give_way=give_way))

    assert len(spoken) > 1
    assert np.array_equal(outer.samples, expected[0])
    assert all(np.array_equal(one, expected[1]) for one in spoken)


def test_a_segment_can_be_broken_off_at_a_step(kokoro: KokoroEngine, catalogue: Catalogue) -> None:
    segment = in_pieces(kokoro, catalogue)
    (expected,) = kokoro.synthesize([segment])

    def refuse() -> None:
        raise Cancelled("no more")

    with pytest.raises(Cancelled):
        kokoro.synthesize([segment], Turn(give_way=refuse))
    assert np.array_equal(kokoro.synthesize([segment])[0].samples, expected.samples)


MINE = f"voice_{1:024x}"


def _with_pack(checkpoint: Path, catalogue: Catalogue, pack: torch.Tensor) -> tuple[KokoroEngine, Segment]:
    """Returns an engine that knows one pack of a user, and a segment to be spoken with it."""
    engine = KokoroEngine(catalogue=catalogue, model_dir=checkpoint, read_custom_pack=lambda _: pack.numpy().tobytes())
    voice = (BlendPart(MINE, 1.0),)
    (segment,) = segments_of("It speaks with it.", engine, voice=voice, language="en-US", speed=1.0)
    return engine, segment


def test_a_pack_of_a_user_speaks_as_the_same_pack_of_the_checkpoint(checkpoint: Path, catalogue: Catalogue) -> None:
    heart = torch.load(checkpoint / "voices" / "af_heart.pt", weights_only=True)
    engine, segment = _with_pack(checkpoint, catalogue, heart)
    own = msgspec.structs.replace(segment, voice=(BlendPart("af_heart", 1.0),))

    mine, hearts = engine.synthesize([segment])[0], engine.synthesize([own])[0]
    (in_pieces,) = engine.synthesize([msgspec.structs.replace(segment, in_pieces=True)])

    # The samples differ, since the noise in a sound depends on the name of its voice.
    assert mine.words == hearts.words == in_pieces.words
    assert len(mine.samples) == len(hearts.samples) == len(in_pieces.samples)


def test_a_voice_of_a_user_that_is_far_too_slow_is_refused(
    checkpoint: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, segment = _with_pack(checkpoint, catalogue, torch.zeros(510, 1, 256))
    monkeypatch.setattr("workers.engines.kokoro.engine._max_frames", lambda n_tokens: n_tokens)
    with pytest.raises(InvalidValue, match="draw its sounds out") as caught:
        engine.synthesize([segment])
    assert caught.value.param == "voice"


def test_a_voice_of_a_user_without_a_sound_is_refused(
    checkpoint: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, segment = _with_pack(checkpoint, catalogue, torch.zeros(510, 1, 256))
    monkeypatch.setattr(Decoder, "in_pieces", lambda *_: iter([torch.full((600 * 200,), float("nan"))]))
    with pytest.raises(InvalidValue, match="gives no sound"):
        engine.synthesize([segment])
