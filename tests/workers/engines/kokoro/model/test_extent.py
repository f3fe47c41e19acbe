"""Which frames of a segment are computed."""

import pytest
import torch

from workers.engines.kokoro.kernels.moments import Kind, Run
from workers.engines.kokoro.model.extent import CONTEXT, EDGE, find_extent, whole
from workers.engines.kokoro.model.prosody import Score

SILENCE, SPEECH = -9.0, 5.0


def a_score(
    n_before: int, n_speech: int, n_after: int, *, silence: float = SILENCE, n_lead: int = 0, n_trail: int = 0
) -> Score:
    energy = torch.tensor([silence] * n_before + [SPEECH] * n_speech + [silence] * n_after).repeat_interleave(2).unsqueeze(0)
    n = n_before + n_speech + n_after
    nothing = torch.zeros(1)
    return Score(
        encoded=torch.zeros(1, 1, n),
        pitch_hz=energy,
        energy=energy,
        source=nothing,
        style=nothing,
        n_frames=nothing,
        n_natural_frames=n,
        n_lead=n_lead,
        n_trail=n_trail,
    )


def test_silence_is_computed_at_the_ends_and_beside_the_speech() -> None:
    extent = find_extent(a_score(20, 30, 25))
    assert extent.piece(extent.first, extent.last) == [
        Run(0, EDGE, Kind.SILENT),
        Run(19 - CONTEXT, 19, Kind.SILENT),
        Run(19, 51, Kind.SPOKEN),
        Run(51, 51 + CONTEXT, Kind.SILENT),
        Run(75 - EDGE, 75, Kind.SILENT),
    ]
    assert (extent.n_silent, extent.n_spoken) == (43, 32)


def test_a_voice_with_loud_silence_is_known_by_its_speech() -> None:
    assert find_extent(a_score(20, 30, 25, silence=-4.0)).first == 19


@pytest.mark.parametrize("sides", [(4, 30, 4), (0, 30, 0), (11, 30, 11)])
def test_all_frames_are_computed_where_little_is_saved(sides: tuple[int, int, int]) -> None:
    extent = find_extent(a_score(*sides))
    assert sum(run.n_frames for run in extent.piece(extent.first, extent.last)) == sum(sides)


def test_silence_counts_as_silence_where_all_of_it_is_computed() -> None:
    extent = find_extent(a_score(4, 30, 4))
    assert extent.piece(extent.first, 20) == [
        Run(0, 3, Kind.SILENT),
        Run(3, 20, Kind.SPOKEN),
        Run(20, 20 + CONTEXT, Kind.BESIDE),
    ]


def test_a_segment_without_speech_is_computed_whole() -> None:
    score = a_score(30, 0, 30)
    assert find_extent(score) == whole(score)


def test_beside_other_speech_only_the_context_is_computed() -> None:
    extent = find_extent(a_score(0, 60, 20, n_lead=10))
    assert extent.piece(extent.first, extent.last)[:2] == [Run(10 - CONTEXT, 10, Kind.BESIDE), Run(10, 61, Kind.SPOKEN)]


def test_pieces_within_the_speech_have_context_on_both_sides() -> None:
    extent = find_extent(a_score(20, 60, 25))
    assert extent.piece(30, 50) == [
        Run(30 - CONTEXT, 30, Kind.BESIDE),
        Run(30, 50, Kind.SPOKEN),
        Run(50, 50 + CONTEXT, Kind.BESIDE),
    ]


@pytest.mark.parametrize("sides", [(20, 30, 25), (4, 30, 4), (9, 30, 20)])
def test_a_survey_has_each_frame_once(sides: tuple[int, int, int]) -> None:
    runs = find_extent(a_score(*sides)).survey()
    frames = [frame for run in runs for frame in range(run.first, run.last)]
    assert frames == list(range(sum(sides)))
