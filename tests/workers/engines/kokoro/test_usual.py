"""The file of usual moments: written, found again, and not used for another voice or another model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from kokoro.istftnet import AdaIN1d

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.moments import Moment
from workers.engines.kokoro.model.statistics import Usual
from workers.engines.kokoro.usual import UsualTable, write_table

PACKS = {"af_one": torch.full((510, 1, 256), 0.5), "am_two": torch.full((510, 1, 256), -0.5)}


@pytest.fixture
def norms() -> list[AdaIN]:
    return [AdaIN(AdaIN1d(128, n_channels)) for n_channels in (4, 3)]


@pytest.fixture
def usual(norms: list[AdaIN]) -> dict[str, dict[Any, Usual]]:
    return {
        voice_id: {norm: a_usual(norm.n_channels, energy) for norm in norms}
        for voice_id, energy in zip(PACKS, (1.5, -2.0), strict=True)
    }


def a_usual(n_channels: int, energy: float) -> Usual:
    return Usual(Moment(7.0, torch.randn(n_channels), torch.rand(n_channels) + 0.1), torch.randn(n_channels), energy)


@pytest.fixture
def table(tmp_path: Path, norms: list[AdaIN], usual: dict[str, dict[Any, Usual]]) -> UsualTable:
    write_table(tmp_path / "usual.npz", PACKS, usual, norms)
    return UsualTable(tmp_path / "usual.npz")


def test_what_was_written_is_found(table: UsualTable, norms: list[AdaIN], usual: dict[str, dict[Any, Usual]]) -> None:
    for voice_id, pack in PACKS.items():
        found = table.find(voice_id, pack, norms)
        assert found is not None
        for norm in norms:
            expected = usual[voice_id][norm]
            torch.testing.assert_close(found[norm].moment.mean, expected.moment.mean, rtol=1e-3, atol=1e-3)
            torch.testing.assert_close(found[norm].moment.variance, expected.moment.variance, rtol=3e-3, atol=1e-3)
            torch.testing.assert_close(found[norm].slope, expected.slope, rtol=1e-3, atol=1e-3)
            assert found[norm].energy == expected.energy


def test_an_unknown_voice_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_nobody", PACKS["af_one"], norms) is None


def test_another_pack_of_that_name_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_one", PACKS["am_two"], norms) is None


def test_a_model_of_other_widths_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_one", PACKS["af_one"], norms[:1]) is None
