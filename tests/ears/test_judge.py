"""The judge finds the faults of a response, and none in a good one. The responses are made of buzzes instead of words."""

from importlib.util import find_spec
from random import Random
from typing import Any, cast

import numpy as np
import pytest

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.word_times import TimedWord
from tests.ears import judge
from tests.ears.faults import KINDS, Original, make_fault, make_faults
from tests.ears.judge import Manner, find_faults, manner_of
from tests.ears.listener import Heard, Samples
from tests.ears.session import Hearing
from tests.ears.speaker import Answer, Request
from tests.ears.test_sound import buzz, hush

needs_ears = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("jiwer", "rapidfuzz", "pyloudnorm")), reason="the extra `ears` is not installed"
)

TEXT = "Seven wooden boats waited quietly outside yesterday"
MANNER = Manner(loudness_lufs=-20.0, pitch_hz=120.0, timbre=(0.0,), character_seconds=0.07, tail_seconds=0.02, floor_db=-40.0)


def spoken(seed: int = 0, text: str = TEXT) -> Answer:
    """Each word is a buzz with a little hiss, and a short gap after it."""
    random = np.random.default_rng(seed)
    pieces: list[Samples] = []
    words, at = [], 0.0
    for word in text.split():
        seconds = 0.06 * len(word) * random.uniform(0.95, 1.05)
        sound = buzz(120 * random.uniform(0.97, 1.03), seconds) * np.hanning(round(seconds * SAMPLE_RATE_HZ)) ** 0.3
        pieces += [sound.astype(np.float32), hush(0.04)]
        words.append(TimedWord(word, at, at + seconds))
        at += seconds + 0.04
    samples = np.concatenate(pieces)[: round((at - 0.02) * SAMPLE_RATE_HZ)]
    return Answer(samples + random.normal(0, 2e-4, len(samples)).astype(np.float32), tuple(words))


def hearing_of(answer: Answer, heard: str = TEXT, speed: float = 1.0, heard_again: str | None = None) -> Hearing:
    hearing = Hearing(cast(Any, None), Request(TEXT, "am_adam", "en-US", speed), answer)
    hearing.__dict__["heard"] = Heard(heard)
    hearing.__dict__["heard_again"] = Heard(heard if heard_again is None else heard_again)
    return hearing


def ask(request: Request) -> Answer:
    """Returns a response: another voice is higher, and half the speed takes twice as long."""
    if request.voice != "am_adam":
        other = spoken()
        return Answer(np.concatenate([buzz(230, word.end - word.start, n_partials=40) for word in other.words]))
    return Answer(np.concatenate([buzz(120, (word.end - word.start) / request.speed) for word in spoken().words]))


def original() -> Original:
    return Original(Request(TEXT, "am_adam", "en-US"), spoken(), ask)


@needs_ears
def test_good_answers_pass() -> None:
    others = [hearing_of(spoken(seed)) for seed in range(1, 8)]

    assert find_faults(hearing_of(spoken()), manner_of(others)) == {}


@needs_ears
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "halves swapped"])
def test_each_kind_of_fault_is_found_without_a_listener(kind: str) -> None:
    others = [hearing_of(spoken(seed)) for seed in range(1, 8)]
    fault = make_fault(kind, original(), Random(1))

    assert find_faults(hearing_of(fault.answer), manner_of(others)) != {}


@needs_ears
@pytest.mark.parametrize(
    "heard",
    [
        "seven wooden boats waited yesterday",
        "waited quietly outside yesterday seven wooden boats",
        f"{TEXT} {TEXT}",
        "nothing of the sort was said here today at all",
        "",
    ],
)
def test_missing_swapped_doubled_and_other_words_are_heard(heard: str) -> None:
    assert judge.wrong_words(hearing_of(spoken(), heard), MANNER)


@needs_ears
@pytest.mark.parametrize(
    "heard", [TEXT, "7 wooden boats waited quietly out side yesterday", "Seven wooden bolts waited quietly outside"]
)
def test_a_word_that_a_listener_may_mishear_is_no_fault(heard: str) -> None:
    found = judge.wrong_words(hearing_of(spoken(), heard), MANNER)

    assert found == ("nothing for yesterday" if "yesterday" not in heard else "")


@needs_ears
def test_words_that_are_heard_the_second_time_are_no_fault() -> None:
    assert judge.wrong_words(hearing_of(spoken(), "can you close the game?", heard_again=TEXT), MANNER) == ""


def test_audio_that_does_not_end_with_its_words_is_found() -> None:
    good = spoken()
    short = Answer(good.samples[:-4800], good.words)

    assert not judge.wrong_length(hearing_of(good), MANNER)
    assert judge.wrong_length(hearing_of(short), MANNER) == "-0.20 s against the word times"


def test_a_pause_may_be_longer_in_slow_speech() -> None:
    answer = Answer(np.concatenate([buzz(120), hush(0.9), buzz(120)]))

    assert judge.long_silence(hearing_of(answer), MANNER)
    assert not judge.long_silence(hearing_of(answer, speed=0.5), MANNER)


def test_zeros_within_speech_are_dropped_sound_and_zeros_between_words_are_not() -> None:
    samples = buzz(120, 2.0)
    samples[20_000:22_000] = 0

    assert judge.dropout(hearing_of(Answer(samples)), MANNER)
    assert not judge.dropout(hearing_of(spoken()), MANNER)


def test_a_hard_cut_clicks() -> None:
    samples = buzz(120, 1.0)

    assert not judge.click(hearing_of(Answer(samples)), MANNER)
    assert judge.click(hearing_of(Answer(np.concatenate([samples[:10_000], -samples[10_050:]]))), MANNER)


def test_the_same_seed_makes_the_same_faults() -> None:
    first, second = (make_faults([original()] * 3, 2, seed=5) for _ in range(2))

    assert [fault.kind for fault in first] == [kind for kind in KINDS for _ in range(2)]
    assert all(np.array_equal(a.answer.samples, b.answer.samples) for a, b in zip(first, second, strict=True))


def test_a_fault_leaves_the_request_and_the_word_times() -> None:
    good = original()
    for kind in KINDS:
        fault = make_fault(kind, good, Random(3))
        assert (fault.request, fault.answer.words) == (good.request, good.answer.words)
        assert not np.array_equal(fault.answer.samples, good.samples)
