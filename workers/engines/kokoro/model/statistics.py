"""Estimates what a segment's norms would measure in all of its frames, while only some of them are computed.

Why an estimate is needed: AdaIN divides each signal by its deviation over the whole segment. The silence before and after a
segment is not heard, but without it the speech would be up to four decibels softer and of another colour. So a few silent
frames are computed and stand for all of them. The frames far from the speech differ from those near it, in each voice by about
the same amount: a habit, which is measured once in a known sentence.

Why no table of habits is shipped: they follow from the weights, so every checkpoint has its own.

What is still to be spoken differs from what was spoken: a sentence ends more softly than it begins. Its energy is known from
the score, and the means follow the energy. Without that, the middle of a sentence in pieces was one decibel too soft.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import torch

from workers.engines.kokoro.kernels.moments import ByKind, Kind, Measured, Moment, Moments, MomentsByRun, Run, by_kind, merge
from workers.engines.kokoro.model.extent import Extent


class Habit(msgspec.Struct, frozen=True):
    """How a norm's silent frames that are not computed differ from those that are; both fields (n_channels,)."""

    shift: torch.Tensor
    """Difference of the means, in deviations."""
    ratio: torch.Tensor
    """Ratio of the variances."""

    def applied(self, computed: Moment, n: float) -> Moment:
        """Returns the estimated moments of `n` frames that are not computed."""
        return Moment(n, computed.mean + self.shift * computed.variance.sqrt(), computed.variance * self.ratio)


Habits = Mapping[object, Habit]
"""The habit of each norm."""


class Usual(msgspec.Struct, frozen=True):
    """What a norm usually measures in the spoken frames of a voice."""

    moment: Moment
    slope: torch.Tensor
    """Change of the mean with the energy, (n_channels,)."""
    energy: float
    """Mean of the predicted energy in the frames of `moment`."""

    def expected(self, n: float, energy: float) -> Moment:
        """Returns what is expected of `n` frames of this mean energy."""
        return Moment(n, self.moment.mean + (energy - self.energy) * self.slope, self.moment.variance)


UsualNorms = Mapping[object, Usual]
"""What each norm usually measures."""


class Statistics:
    """What is known of a segment's norms. The pieces of the segment are computed one after the other, from its beginning."""

    def __init__(self, habits: Habits, extent: Extent, energy: torch.Tensor, usual: UsualNorms | None = None) -> None:
        """`energy`: of each frame, (n_frames,). `usual` stands for the spoken frames that are still to come; without it, the
        computed ones stand for them.
        """
        self._habits, self._energy, self._usual = habits, energy, usual
        self.extent = extent
        self._known: dict[object, dict[Kind, Moment]] = {}

    def norms(self, runs: Sequence[Run]) -> "PieceNorms":
        """Returns the norms for a piece that consists of `runs`."""
        return PieceNorms(self, runs)

    def keep(self, piece: "PieceNorms") -> None:
        """Adds the measurements of a piece, for the pieces after it."""
        self._known |= piece.known

    def with_known(self, norm: object, seen: ByKind) -> dict[Kind, Moment]:
        """Returns the moments of the earlier pieces and of `seen` together."""
        known = self._known.get(norm, {})
        return {kind: merge([each[kind] for each in (known, seen) if kind in each]) for kind in {**known, **seen}}

    def estimate(self, norm: object, known: ByKind) -> Moment:
        """Returns the moments of the whole segment if `known` are those of the computed frames."""
        return merge([*self._spoken(norm, known), *self._silent(norm, known)])

    def _spoken(self, norm: object, known: ByKind) -> Iterable[Moment]:
        if (spoken := known.get(Kind.SPOKEN)) is None:
            return
        n_left = self.extent.n_spoken - spoken.n
        if self._usual is None or n_left <= 0:
            yield spoken.counted_as(max(spoken.n, self.extent.n_spoken))
        else:
            yield spoken
            yield self._usual[norm].expected(n_left, self._energy_left(round(spoken.n)))

    def _energy_left(self, n_known: int) -> float:
        """Returns the mean energy of the spoken frames after the first `n_known` of the extent."""
        extent = self.extent
        before = self._energy[: 0 if extent.is_silent_before else extent.first]
        after = self._energy[extent.first + n_known : extent.last if extent.is_silent_after else None]
        return float(torch.cat([before, after]).mean())

    def _silent(self, norm: object, known: ByKind) -> Iterable[Moment]:
        if (silent := known.get(Kind.SILENT)) is None:
            return
        yield silent
        if (n_left := self.extent.n_silent - silent.n) > 0:
            yield self._habits[norm].applied(silent, n_left)


class PieceNorms:
    """The norms of one piece."""

    def __init__(self, statistics: Statistics, runs: Sequence[Run]) -> None:
        self._statistics, self._runs = statistics, runs
        self.known: dict[object, dict[Kind, Moment]] = {}
        """What was measured in this piece and in the earlier ones."""

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns the moments for a signal of `n_samples`, whose first reader is `norm`."""
        return MomentsByRun(self._runs, n_samples, lambda measured: self._combine(norm, by_kind(measured)))

    def _combine(self, norm: object, seen: ByKind) -> Moment:
        known = self.known[norm] = self._statistics.with_known(norm, seen)
        return self._statistics.estimate(norm, known)


class Survey:
    """The norms of a whole segment. They keep what they measure."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """`runs` are all frames of the segment."""
        self._runs = runs
        self.measured: dict[object, Measured] = {}

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns the moments for a signal of `n_samples`, whose first reader is `norm`."""
        return MomentsByRun(self._runs, n_samples, lambda measured: self._combine(norm, measured), leaves_out=())

    def _combine(self, norm: object, measured: Measured) -> Moment:
        self.measured[norm] = measured
        return merge([moment for _, moment in measured])


def habits_of(survey: Survey) -> Habits:
    """Returns the habit of each norm, from a segment whose silent frames that are left out elsewhere are BESIDE; nothing if it
    has none.
    """
    kinds = {norm: by_kind(measured) for norm, measured in survey.measured.items()}
    return {
        norm: _habit(seen[Kind.SILENT], seen[Kind.BESIDE])
        for norm, seen in kinds.items()
        if {Kind.SILENT, Kind.BESIDE} <= seen.keys()
    }


def usual_of(surveys: Sequence[tuple[Survey, torch.Tensor]]) -> UsualNorms:
    """Returns what each norm usually measures, from segments of a voice, each with the energy of its frames. Each of their
    spoken frames must be a run of its own.
    """
    return {norm: _usual([(survey.measured[norm], energy) for survey, energy in surveys]) for norm in surveys[0][0].measured}


def _usual(segments: Sequence[tuple[Measured, torch.Tensor]]) -> Usual:
    spoken = [
        (moment, energy[run.first]) for measured, energy in segments for run, moment in measured if run.kind is Kind.SPOKEN
    ]
    whole = merge([moment for moment, _ in spoken])
    energies = torch.stack([energy for _, energy in spoken])
    apart = energies - energies.mean()
    means = torch.stack([moment.mean for moment, _ in spoken])
    slope = apart @ (means - whole.mean) / apart.square().sum().clamp(min=_LEAST)
    return Usual(whole, slope, float(energies.mean()))


def blend(parts: Sequence[tuple[float, UsualNorms]]) -> UsualNorms:
    """Returns what is usual for a blend of voices, from the weight and the norms of each. The weights sum to 1."""
    return {norm: _blend([(weight, usual[norm]) for weight, usual in parts]) for norm in parts[0][1]}


def _blend(parts: Sequence[tuple[float, Usual]]) -> Usual:
    mean = torch.stack([weight * usual.moment.mean for weight, usual in parts]).sum(0)
    logarithms = [weight * usual.moment.variance.clamp(min=_LEAST).log() for weight, usual in parts]
    slope = torch.stack([weight * usual.slope for weight, usual in parts]).sum(0)
    moment = Moment(1.0, mean, torch.stack(logarithms).sum(0).exp())
    return Usual(moment, slope, sum(weight * usual.energy for weight, usual in parts))


def _habit(computed: Moment, left_out: Moment) -> Habit:
    deviation = computed.variance.sqrt().clamp(min=_LEAST)
    shift = (left_out.mean - computed.mean) / deviation
    return Habit(shift, left_out.variance.clamp(min=_LEAST) / computed.variance.clamp(min=_LEAST))


_LEAST = 1e-12
"""Keeps a channel that is constant from dividing by zero."""
