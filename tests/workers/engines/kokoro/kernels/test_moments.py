"""Moments of signals, of all samples and by kinds of frames."""

import pytest
import torch

from workers.engines.kokoro.kernels.moments import Kind, Measured, Moment, Moments, MomentsByRun, Run, by_kind, merge

N_OF_FRAME = 20
RUNS = [Run(0, 2, Kind.SILENT), Run(5, 9, Kind.SPOKEN), Run(9, 10, Kind.BESIDE), Run(12, 14, Kind.SILENT)]


def a_signal() -> torch.Tensor:
    """Returns the samples of the frames in RUNS, and one more."""
    n_frames = sum(run.n_frames for run in RUNS)
    return torch.randn(n_frames * N_OF_FRAME + 1, 3, generator=torch.Generator().manual_seed(1)) * 2 + 1


def moment_of(samples: torch.Tensor) -> Moment:
    return Moment(len(samples) / N_OF_FRAME, samples.mean(0), samples.var(0, unbiased=False))


def assert_equal(one: Moment, other: Moment) -> None:
    assert one.n == pytest.approx(other.n)
    torch.testing.assert_close(one.mean, other.mean)
    torch.testing.assert_close(one.variance, other.variance)


@pytest.mark.parametrize("n_piece", [1, 7, 33, 1000])
@pytest.mark.parametrize("measures_beside", [False, True])
def test_each_kind_is_measured_apart_whatever_the_pieces(n_piece: int, measures_beside: bool) -> None:
    signal, found = a_signal(), list[Measured]()

    def combine(measured: Measured) -> Moment:
        found.append(measured)
        return merge([moment for _, moment in measured])

    moments = MomentsByRun(RUNS, len(signal), combine, leaves_out=() if measures_beside else (Kind.BESIDE,))
    for piece in torch.split(signal, n_piece):
        moments.see(piece)
    results = [moments.result() for _ in range(2)]

    (measured,) = found
    assert [run for run, _ in measured] == [run for run in RUNS if measures_beside or run.kind is not Kind.BESIDE]
    seen = by_kind(measured)
    silent = torch.cat([signal[:40], signal[140:180]])
    assert_equal(seen[Kind.SILENT], moment_of(silent))
    assert_equal(seen[Kind.SPOKEN], moment_of(signal[40:120]))
    assert (Kind.BESIDE in seen) == measures_beside
    assert torch.equal(results[0][0], results[1][0])


def test_merged_moments_are_those_of_all_samples() -> None:
    signal = a_signal()
    assert_equal(merge([moment_of(part) for part in torch.split(signal, 50)]), moment_of(signal))


@pytest.mark.parametrize("n_rows", [1, 37, 5000])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_moments_are_those_of_all_samples(n_rows: int, offset: float) -> None:
    signal = torch.randn(3001, 5, generator=torch.Generator().manual_seed(0)) * 3 + offset * torch.arange(5)
    moments = Moments()
    for piece in signal.split(n_rows):
        moments.see(piece)
    mean, variance = moments.result()
    torch.testing.assert_close(mean, signal.double().mean(0).float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, signal.double().var(0, correction=0).float(), rtol=1e-4, atol=1e-5)
