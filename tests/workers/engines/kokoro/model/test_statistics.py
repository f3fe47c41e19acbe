"""What the norms of a segment are taken to measure while only a part of it is computed."""

import pytest
import torch

from workers.engines.kokoro.kernels.moments import ByKind, Kind, Moment, Run, merge
from workers.engines.kokoro.model.extent import Extent
from workers.engines.kokoro.model.statistics import Habit, Statistics, Survey, Usual, blend, habits_of, usual_of

NORM = object()


def a_moment(n: float, mean: float, variance: float) -> Moment:
    return Moment(n, torch.tensor([mean]), torch.tensor([variance]))


def values(moment: Moment) -> tuple[float, float, float]:
    return moment.n, float(moment.mean), float(moment.variance)


SILENT, SPOKEN = a_moment(8, 1.0, 4.0), a_moment(10, 5.0, 9.0)
HABITS = {NORM: Habit(torch.tensor([0.5]), torch.tensor([2.0]))}


def a_segment(*, n_spoken: int, n_silent: int, energy: float = 0.0) -> tuple[Extent, torch.Tensor]:
    """Returns a segment that ends with silence, and the energy of its frames."""
    n = n_spoken + n_silent
    return Extent(n, 0, n_spoken, is_silent_before=False, is_silent_after=n_silent > 0), torch.full((n,), energy)


def a_usual(mean: float, variance: float, *, slope: float = 0.0, energy: float = 0.0) -> Usual:
    return Usual(a_moment(1, mean, variance), torch.tensor([slope]), energy)


def estimate(statistics: Statistics, seen: ByKind) -> Moment:
    return statistics.estimate(NORM, statistics.with_known(NORM, seen))


def test_silence_that_is_left_out_differs_by_habit() -> None:
    statistics = Statistics(HABITS, *a_segment(n_spoken=10, n_silent=20))
    expected = merge([SPOKEN, SILENT, a_moment(12, 1 + 0.5 * 2, 8.0)])
    assert values(estimate(statistics, {Kind.SPOKEN: SPOKEN, Kind.SILENT: SILENT})) == pytest.approx(values(expected))


def test_a_segment_whose_frames_are_all_computed_needs_no_habit() -> None:
    statistics = Statistics({}, *a_segment(n_spoken=10, n_silent=8))
    found = estimate(statistics, {Kind.SPOKEN: SPOKEN, Kind.SILENT: SILENT})
    assert values(found) == pytest.approx(values(merge([SPOKEN, SILENT])))


def test_the_usual_moments_stand_for_frames_that_are_still_to_come() -> None:
    usual = {NORM: a_usual(6.0, 1.0)}
    statistics = Statistics(HABITS, *a_segment(n_spoken=40, n_silent=0), usual=usual)
    assert values(estimate(statistics, {Kind.SPOKEN: SPOKEN})) == pytest.approx(values(merge([SPOKEN, a_moment(30, 6.0, 1.0)])))


def test_the_usual_mean_follows_the_energy_of_the_frames_that_are_still_to_come() -> None:
    extent, energy = a_segment(n_spoken=40, n_silent=5)
    energy[10:40] = 3.0
    statistics = Statistics(HABITS, extent, energy, {NORM: a_usual(6.0, 1.0, slope=0.5, energy=1.0)})
    expected = merge([SPOKEN, a_moment(30, 7.0, 1.0)])
    assert values(estimate(statistics, {Kind.SPOKEN: SPOKEN})) == pytest.approx(values(expected))


def test_without_usual_moments_the_computed_frames_stand_for_the_rest() -> None:
    statistics = Statistics(HABITS, *a_segment(n_spoken=40, n_silent=8))
    expected = merge([SPOKEN.counted_as(40), SILENT])
    assert values(estimate(statistics, {Kind.SPOKEN: SPOKEN, Kind.SILENT: SILENT})) == pytest.approx(values(expected))


def test_a_later_piece_knows_what_the_earlier_ones_measured() -> None:
    statistics = Statistics(HABITS, *a_segment(n_spoken=20, n_silent=0))
    runs = [Run(0, 10, Kind.SPOKEN)]
    for _ in range(2):
        norms = statistics.norms(runs)
        moments = norms.moments(NORM, 10)
        moments.see(torch.arange(10.0).unsqueeze(1))
        moments.result()
        statistics.keep(norms)
    known = statistics.with_known(NORM, {})
    assert values(known[Kind.SPOKEN]) == pytest.approx((20, 4.5, 8.25))


def test_a_piece_that_is_not_kept_is_forgotten() -> None:
    statistics = Statistics(HABITS, *a_segment(n_spoken=20, n_silent=0))
    moments = statistics.norms([Run(0, 10, Kind.SPOKEN)]).moments(NORM, 10)
    moments.see(torch.ones(10, 1))
    moments.result()
    assert not statistics.with_known(NORM, {})


def test_a_survey_finds_the_habit_that_makes_the_estimate_exact() -> None:
    runs = [Run(0, 4, Kind.SILENT), Run(4, 20, Kind.BESIDE), Run(20, 50, Kind.SPOKEN)]
    signal = torch.randn(50, 2, generator=torch.Generator().manual_seed(2))
    survey = Survey(runs)
    moments = survey.moments(NORM, 50)
    moments.see(signal)
    mean, variance = moments.result()

    computed = {Kind.SILENT: _of(signal[:4]), Kind.SPOKEN: _of(signal[20:])}
    found = Statistics(habits_of(survey), *a_segment(n_spoken=30, n_silent=20)).estimate(NORM, computed)

    torch.testing.assert_close((found.mean, found.variance), (mean, variance))


def test_what_is_usual_is_measured_in_the_spoken_frames() -> None:
    energy = torch.tensor([9.0, 1.0, 3.0, 9.0])
    signal = torch.tensor([[7.0], [2.0], [6.0], [7.0]])
    survey = Survey([Run(0, 1, Kind.BESIDE), Run(1, 2, Kind.SPOKEN), Run(2, 3, Kind.SPOKEN), Run(3, 4, Kind.BESIDE)])
    moments = survey.moments(NORM, 4)
    moments.see(signal)
    moments.result()

    usual = usual_of([(survey, energy)])[NORM]

    assert values(usual.moment) == pytest.approx((2, 4.0, 4.0))
    assert (float(usual.slope), usual.energy) == pytest.approx((2.0, 2.0))
    assert values(usual.expected(5, 4.0)) == pytest.approx((5, 8.0, 4.0))


def test_a_survey_without_silence_finds_no_habits() -> None:
    survey = Survey([Run(0, 10, Kind.SPOKEN)])
    moments = survey.moments(NORM, 10)
    moments.see(torch.ones(10, 1))
    moments.result()
    assert habits_of(survey) == {}


def test_a_blend_lies_between_its_voices() -> None:
    one, other = a_usual(1.0, 1.0, slope=4.0), a_usual(5.0, 16.0, slope=8.0, energy=4.0)
    blended = blend([(0.25, {NORM: one}), (0.75, {NORM: other})])[NORM]
    assert values(blended.moment) == pytest.approx((1, 4.0, 8.0))
    assert (float(blended.slope), blended.energy) == pytest.approx((7.0, 3.0))


def _of(samples: torch.Tensor) -> Moment:
    return Moment(len(samples), samples.mean(0), samples.var(0, unbiased=False))
