"""Estimates what a segment's norms would measure in all of its frames, while only some of them are computed.

Why an estimate is needed: AdaIN divides each signal by its deviation over the whole segment. The silence before and after a
segment is not heard, but without it the speech would be up to four decibels softer and of another colour. So a few silent
frames are computed and stand for all of them. The frames far from the speech differ from those near it, in each voice by about
the same amount: a habit, which is measured once in a known sentence.

Why no table of habits is shipped: they follow from the weights, so every checkpoint has its own.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import torch

from workers.engines.kokoro.kernels.moments import ByKind, Kind, Moment, Moments, MomentsByKind, Run, merge


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
Usual = Mapping[object, Moment]
"""The moments that a voice's spoken frames usually have at each norm."""


class Statistics:
    """What is known of a segment's norms. The pieces of the segment are computed one after the other."""

    def __init__(self, habits: Habits, *, n_spoken: int, n_silent: int, usual: Usual | None = None) -> None:
        """`n_spoken` and `n_silent`: frames of the whole segment. `usual` stands for the spoken frames that are still to come;
        without it, the computed ones stand for them.
        """
        self._habits, self._usual = habits, usual
        self.n_spoken, self.n_silent = n_spoken, n_silent
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
        n_left = self.n_spoken - spoken.n
        if self._usual is None or n_left <= 0:
            yield spoken.counted_as(max(spoken.n, self.n_spoken))
        else:
            yield spoken
            yield self._usual[norm].counted_as(n_left)

    def _silent(self, norm: object, known: ByKind) -> Iterable[Moment]:
        if (silent := known.get(Kind.SILENT)) is None:
            return
        yield silent
        if (n_left := self.n_silent - silent.n) > 0:
            yield self._habits[norm].applied(silent, n_left)


class PieceNorms:
    """The norms of one piece."""

    def __init__(self, statistics: Statistics, runs: Sequence[Run]) -> None:
        self._statistics, self._runs = statistics, runs
        self.known: dict[object, dict[Kind, Moment]] = {}
        """What was measured in this piece and in the earlier ones."""

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns the moments for a signal of `n_samples`, whose first reader is `norm`."""
        return MomentsByKind(self._runs, n_samples, lambda seen: self._combine(norm, seen))

    def _combine(self, norm: object, seen: ByKind) -> Moment:
        known = self.known[norm] = self._statistics.with_known(norm, seen)
        return self._statistics.estimate(norm, known)


class Survey:
    """The norms of a whole known segment. They measure what `Statistics` must know of other segments."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """`runs` are all frames of the segment. The silent ones that are not computed in other segments are BESIDE."""
        self._runs = runs
        self._seen: dict[object, dict[Kind, Moment]] = {}

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns the moments for a signal of `n_samples`, whose first reader is `norm`."""
        return MomentsByKind(self._runs, n_samples, lambda seen: self._combine(norm, seen), measures_beside=True)

    def _combine(self, norm: object, seen: ByKind) -> Moment:
        self._seen[norm] = dict(seen)
        return merge(list(seen.values()))

    def habits(self) -> Habits:
        """Returns the habit of each norm; nothing if the segment has no silence that is left out."""
        if not {Kind.SILENT, Kind.BESIDE} <= {run.kind for run in self._runs}:
            return {}
        return {norm: _habit(seen[Kind.SILENT], seen[Kind.BESIDE]) for norm, seen in self._seen.items()}

    def usual(self) -> Usual:
        """Returns the moments of the spoken frames at each norm."""
        return {norm: seen[Kind.SPOKEN] for norm, seen in self._seen.items()}


def blend(parts: Sequence[tuple[float, Usual]]) -> Usual:
    """Returns the moments of a blend of voices, from the weight and the moments of each. The weights sum to 1."""
    return {norm: _blend([(weight, usual[norm]) for weight, usual in parts]) for norm in parts[0][1]}


def _blend(parts: Sequence[tuple[float, Moment]]) -> Moment:
    mean = torch.stack([weight * moment.mean for weight, moment in parts]).sum(0)
    variance = torch.stack([weight * moment.variance.clamp(min=_LEAST).log() for weight, moment in parts]).sum(0).exp()
    return Moment(1.0, mean, variance)


def _habit(computed: Moment, left_out: Moment) -> Habit:
    deviation = computed.variance.sqrt().clamp(min=_LEAST)
    shift = (left_out.mean - computed.mean) / deviation
    return Habit(shift, left_out.variance.clamp(min=_LEAST) / computed.variance.clamp(min=_LEAST))


_LEAST = 1e-12
"""Keeps a channel that is constant from dividing by zero."""
