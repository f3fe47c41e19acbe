"""The pieces of a segment: where they meet, and that nothing is lost or said twice."""

from collections.abc import Callable

import msgspec
import pytest
import torch

from tests.workers.engines.kokoro.model.test_extent import SILENCE, SPEECH, a_score
from workers.engines.kokoro.kernels.moments import Norms
from workers.engines.kokoro.model.extent import find_extent
from workers.engines.kokoro.model.pieces import FRAME_SAMPLES, Pieces
from workers.engines.kokoro.model.prosody import Score

LOUDNESS = {SILENCE: 0.0, SPEECH: 0.5}


class EchoGenerator:
    """Returns the loudness of each half frame as its samples. It counts the frames that it computed."""

    def __init__(self, *, hum: float = 0.0) -> None:
        """`hum`: level of the silence."""
        self.n_frames = 0
        self._hum = hum

    def __call__(self, half_frames: Callable[[], torch.Tensor], source: torch.Tensor, norms: Norms) -> torch.Tensor:
        rows = half_frames()
        self.n_frames += len(rows) // 2
        assert source.shape[2] == 60 * len(rows) + 1
        samples = torch.where(rows[:, 0] > 0, rows[:, 0] / 10, self._hum)
        return samples.repeat_interleave(FRAME_SAMPLES // 2)


def speak(score: Score, *ends: int, hum: float = 0.0) -> tuple[list[torch.Tensor], int]:
    """Returns the pieces and the number of computed frames."""
    generator = EchoGenerator(hum=hum)
    n = score.encoded.shape[2]
    full = msgspec.structs.replace(score, source=torch.zeros(1, 1, 120 * n + 1))
    half_frames = full.energy.t()
    pieces = list(Pieces(generator, full, lambda: half_frames, find_extent(full), {}, None).speak(ends))
    return pieces, generator.n_frames


def expected(score: Score) -> torch.Tensor:
    return (score.energy[0].clamp(min=0) / 10).repeat_interleave(FRAME_SAMPLES // 2)


@pytest.mark.parametrize("ends", [(), (16,), (16, 44), (16, 44, 90), (500,)])
def test_the_pieces_together_are_the_segment(ends: tuple[int, ...]) -> None:
    score = a_score(20, 120, 25)
    pieces, _ = speak(score, *ends)
    torch.testing.assert_close(torch.cat(pieces), expected(score))


def test_silence_is_not_computed() -> None:
    _, n_frames = speak(a_score(40, 30, 40))
    assert n_frames == 30 + 2 + 16


def test_silence_that_is_audible_is_computed_after_all() -> None:
    score = a_score(40, 30, 40)
    (spoken,), _ = speak(score, 14, hum=0.01)
    assert len(spoken) == 110 * FRAME_SAMPLES
    assert (spoken[: 39 * FRAME_SAMPLES] == 0.01).all()
    assert (spoken[-39 * FRAME_SAMPLES :] == 0.01).all()


def test_pieces_meet_where_the_voice_is_softest() -> None:
    score = a_score(20, 120, 25)
    softest = 39
    score.energy[0, 2 * softest : 2 * softest + 2] = 1.0
    pieces, _ = speak(score, 16)
    assert len(pieces[0]) == softest * FRAME_SAMPLES


def test_a_short_segment_is_one_piece() -> None:
    assert len(speak(a_score(20, 22, 25), 16)[0]) == 1


def test_the_silence_fades_in_and_out_beside_the_speech() -> None:
    (piece,), _ = speak(a_score(40, 30, 40), hum=0.0005)
    first = 38 * FRAME_SAMPLES
    assert (piece[:first] == 0).all()
    assert 0 < piece[first + 300] < 0.0005 == pytest.approx(float(piece[39 * FRAME_SAMPLES]))


def test_other_speech_before_a_segment_leaves_it_in_one_piece() -> None:
    assert len(speak(a_score(0, 120, 25, n_lead=10), 16, 44)[0]) == 1
