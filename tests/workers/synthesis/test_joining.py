"""Joining: silence at edges is trimmed, no sound is lost, pauses follow the text, and nothing clicks."""

import numpy as np
import numpy.typing as npt
import pytest

from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.pauses import PAUSE_SECONDS
from app.core.speech.voices import BlendPart
from workers.engines.base import Segment, Waveform, Word
from workers.synthesis.audio import to_pcm
from workers.synthesis.joining import (
    Joiner,
    begin_sound,
    leading_silence,
    pause_after,
    seconds_of,
    silence,
    silences,
    to_sound,
    trim,
)

MARGIN = SAMPLE_RATE_HZ * 20 // 1000
MILLISECOND = SAMPLE_RATE_HZ // 1000

Samples = npt.NDArray[np.float32]


def a_tone(n_samples: int, amplitude: float = 0.5, hz: float = 440.0) -> Samples:
    """A cosine: its first sample is its loudest."""
    return (amplitude * np.cos(2 * np.pi * hz * np.arange(n_samples) / SAMPLE_RATE_HZ)).astype(np.float32)


def quiet(n_samples: int, amplitude: float = 0.0) -> Samples:
    noise = np.random.default_rng(1).uniform(-amplitude, amplitude, n_samples)
    return noise.astype(np.float32)


def numbers(pcm: bytes) -> npt.NDArray[np.int64]:
    return np.frombuffer(pcm, dtype="<i2").astype(np.int64)


def trimmed(*parts: Samples) -> npt.NDArray[np.int64]:
    return numbers(trim(to_pcm(np.concatenate(parts)))[0])


def joined(*segments: tuple[Samples, Ending], speed: float = 1.0) -> npt.NDArray[np.int64]:
    joiner = Joiner(speed)
    return numbers(b"".join(add(joiner, trim(to_pcm(samples))[0], ending) for samples, ending in segments))


def add(joiner: Joiner, pcm: bytes, ending: Ending) -> bytes:
    """Returns the segment with the silence before it."""
    return b"".join(silences(joiner.add(pcm, ending))) + pcm


def gaps(samples: npt.NDArray[np.int64]) -> list[int]:
    """Returns the lengths of all runs of zeros that are longer than a millisecond."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], samples == 0, [0]))))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start > MILLISECOND]


def test_the_silence_at_the_beginning_is_measured_at_the_level_at_which_edges_are_trimmed() -> None:
    soft, loud = (np.full(240, level, dtype="<i2").tobytes() for level in (100, 110))

    assert leading_silence(soft + loud) == pytest.approx(0.01)
    assert leading_silence(soft) == pytest.approx(0.01)
    assert leading_silence(loud) == 0


def test_samples_are_rounded() -> None:
    step = 1 / 32767
    assert numbers(to_pcm(np.array([0.4, 0.6, -0.4, -0.6, 100.4, 100.6], np.float32) * step)).tolist() == [
        0,
        1,
        0,
        -1,
        100,
        101,
    ]


def test_what_is_too_loud_is_clipped_and_never_wraps() -> None:
    loud = np.array([1.0, -1.0, 1.5, -1.5, np.inf, -np.inf], np.float32)
    assert numbers(to_pcm(loud)).tolist() == [32767, -32767] * 3


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1 / SAMPLE_RATE_HZ, 1.0])
def test_silence_is_zeros_and_as_long_as_it_says(seconds: float) -> None:
    assert seconds_of(silence(seconds)) == pytest.approx(seconds)
    assert not any(silence(seconds))


@pytest.mark.parametrize("extra", [0, 1, 11, 12, 13, 23])
def test_a_tone_from_edge_to_edge_loses_no_sample(extra: int) -> None:
    tone = a_tone(5 * SAMPLE_RATE_HZ // 10 + extra)
    assert trimmed(tone).tolist() == numbers(to_pcm(tone)).tolist()


@pytest.mark.parametrize("extra", [0, 1, 11, 12, 13, 23])
@pytest.mark.parametrize(("before", "after"), [(2400, 0), (0, 2400), (2400, 2400)])
def test_silence_is_cut_to_the_margin_and_the_tone_stays_whole(before: int, after: int, extra: int) -> None:
    tone = a_tone(12_000 + extra)

    left = trimmed(quiet(before), tone, quiet(after))

    loud = np.flatnonzero(left)
    kept = left[loud[0] : loud[-1] + 1]
    assert kept.tolist() == np.trim_zeros(numbers(to_pcm(tone))).tolist()
    assert loud[0] == pytest.approx(MARGIN if before else 0, abs=MILLISECOND)
    assert len(left) - 1 - loud[-1] == pytest.approx(MARGIN if after else 0, abs=2 * MILLISECOND)


def test_silence_shorter_than_the_margin_stays() -> None:
    samples = np.concatenate([quiet(MARGIN - 48), a_tone(4800), quiet(MARGIN - 48)])
    assert trimmed(samples).tolist() == numbers(to_pcm(samples)).tolist()


def test_noise_too_soft_to_hear_is_silence() -> None:
    left = trimmed(quiet(9600, 0.002), a_tone(4800), quiet(9600, 0.002))
    assert len(left) == pytest.approx(4800 + 2 * MARGIN, abs=3 * MILLISECOND)


def test_a_soft_beginning_is_no_silence() -> None:
    samples = np.concatenate([a_tone(9600, 0.01), a_tone(4800)])
    assert len(trimmed(samples)) == len(samples)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 24_000])
def test_all_silence_gives_nothing(n_samples: int) -> None:
    assert trim(to_pcm(quiet(n_samples))) == (b"", 0.0)
    assert joined((quiet(n_samples), Ending.SENTENCE)).tolist() == []


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("speed", [0.25, 1.0, 1.3, 4.0])
def test_the_pause_is_the_ending_s_at_that_speed(ending: Ending, speed: float) -> None:
    tone = a_tone(12_000)

    both = joined((tone, ending), (tone, Ending.SENTENCE), speed=speed)

    assert len(both) == 24_000 + round(PAUSE_SECONDS[ending] / speed * SAMPLE_RATE_HZ)


def test_pauses_grow_with_what_stands_in_the_text() -> None:
    lengths = [PAUSE_SECONDS[ending] for ending in (Ending.CUT, Ending.CLAUSE, Ending.SENTENCE, Ending.PARAGRAPH)]
    assert sorted(set(lengths)) == lengths


def test_there_is_no_pause_after_the_last() -> None:
    tone = a_tone(12_000)
    assert joined((tone, Ending.PARAGRAPH)).tolist() == numbers(to_pcm(tone)).tolist()


def test_silence_at_the_edges_does_not_add_up_with_the_pause() -> None:
    tone = np.concatenate([quiet(9600), a_tone(12_000), quiet(14_400)])

    both = joined((tone, Ending.SENTENCE), (tone, Ending.SENTENCE))

    (gap,) = [length for length in gaps(both) if length > 2 * MARGIN]
    assert gap == pytest.approx(PAUSE_SECONDS[Ending.SENTENCE] * SAMPLE_RATE_HZ + 2 * MARGIN, abs=4 * MILLISECOND)


@pytest.mark.parametrize(("first", "second"), [(Ending.PARAGRAPH, Ending.CLAUSE), (Ending.CLAUSE, Ending.PARAGRAPH)])
def test_a_segment_of_silence_keeps_the_longer_pause_alone(first: Ending, second: Ending) -> None:
    tone = a_tone(12_000)

    both = joined((tone, first), (quiet(24_000), second), (tone, Ending.SENTENCE))

    assert len(both) == 24_000 + PAUSE_SECONDS[Ending.PARAGRAPH] * SAMPLE_RATE_HZ


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.CLAUSE, Ending.SENTENCE])
@pytest.mark.parametrize("noise", [0.0, 0.003])
@pytest.mark.parametrize("extra", [0, 7, 12, 17])
def test_there_is_no_click_at_a_joint(ending: Ending, noise: float, extra: int) -> None:
    """The speech resembles an engine's: it fades in and out within soft noise. A cut in this noise must not click."""
    n_samples = 12_000 + extra
    swell = np.hanning(n_samples).astype(np.float32)
    speech = np.concatenate([quiet(4800, noise), a_tone(n_samples) * swell, quiet(7200, noise)])

    both = joined((speech, ending), (speech, ending), (speech, ending))

    steps = np.abs(np.diff(both))
    largest_within = np.abs(np.diff(numbers(to_pcm(speech)))).max()
    assert steps.max() <= largest_within
    for edge in _edges(both):
        assert np.abs(both[edge]) <= 0.001 * 32767


def _edges(samples: npt.NDArray[np.int64]) -> list[int]:
    """Returns the indices of the first and last sample, and of the samples next to each pause."""
    zeros = np.flatnonzero(np.diff(np.concatenate(([0], samples == 0, [0]))))
    runs = [(start, end) for start, end in zip(zeros[::2], zeros[1::2], strict=True) if end - start > 1000]
    return [
        0,
        len(samples) - 1,
        *(edge for start, end in runs if start > 0 and end < len(samples) for edge in (start - 1, end)),
    ]


def test_segments_come_out_as_they_go_in() -> None:
    joiner = Joiner(1.0)

    before_first = joiner.add(to_pcm(a_tone(2400)), Ending.CLAUSE)
    before_second = joiner.add(to_pcm(a_tone(2400)), Ending.CLAUSE)

    assert (before_first, before_second, joiner.rest()) == (0, round(0.15 * SAMPLE_RATE_HZ), 0)


def test_pauses_that_are_asked_for_are_a_number_until_they_are_heard() -> None:
    joiner = Joiner(1.0)
    for _ in range(900):
        joiner.pause(60.0)

    n = joiner.add(to_pcm(a_tone(2400)), Ending.SENTENCE)

    assert n == 900 * 60 * SAMPLE_RATE_HZ


def test_silence_comes_a_second_at_a_time_and_is_as_long_as_was_asked() -> None:
    lengths = [len(pcm) for pcm in silences(5 * SAMPLE_RATE_HZ // 2)]

    assert lengths == [2 * SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ]
    assert list(silences(0)) == []


def test_the_margin_is_shorter_in_fast_speech() -> None:
    pcm = to_pcm(np.concatenate([quiet(24_000), a_tone(2_400), quiet(24_000)]))

    lengths = [len(trim(pcm, speed)[0]) // 2 for speed in (0.5, 1.0, 4.0)]

    assert lengths == [2_400 + 2 * 960, 2_400 + 2 * 480, 2_400 + 2 * 120]


def a_segment(*, before: str = "", after: str = "") -> Segment:
    voice = (BlendPart("af_heart", 1.0),)
    return Segment(
        text="a", phonemes="a", voice=voice, language="en-US", speed=1.0, ending=Ending.CLAUSE, before=before, after=after
    )


def test_an_edge_within_a_sentence_keeps_its_silence() -> None:
    waveform = Waveform(np.concatenate([quiet(9_600), a_tone(2_400), quiet(9_600)]))

    alone, first, second = (
        len(to_sound(waveform, a_segment(before=before, after=after)).pcm) // 2
        for before, after in (("", ""), ("", "b"), ("b", ""))
    )

    assert (alone, first, second) == (2_400 + 2 * 480, 480 + 2_400 + 9_600, 9_600 + 2_400 + 480)


def test_no_pause_is_added_where_the_sentence_has_its_own() -> None:
    assert pause_after(a_segment()) is Ending.CLAUSE
    assert pause_after(a_segment(after="b")) is Ending.CUT


def test_the_beginning_of_a_sound_ends_with_a_loud_sample() -> None:
    loud = np.full(2400, 0.5, np.float32)
    quiet = np.zeros(1200, np.float32)
    words = (Word(0, 1, 0.05, 0.14), Word(2, 3, 0.14, 0.2))
    waveform = Waveform(np.concatenate([quiet, loud, quiet]), words)

    begun = begin_sound(waveform, a_segment())
    whole = to_sound(Waveform(np.concatenate([waveform.samples, loud, quiet]), words), a_segment())

    assert whole.pcm.startswith(begun.pcm)
    assert abs(int(np.frombuffer(begun.pcm, "<i2")[-1])) > 10_000
    assert begun.words == whole.words[:1]


def test_a_beginning_that_is_silent_is_empty() -> None:
    assert begin_sound(Waveform(np.zeros(2400, np.float32)), a_segment()).pcm == b""
