"""The file of usual moments: written, found again, and not used for another voice or another model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from kokoro.istftnet import AdaIN1d

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.moments import Moment
from workers.engines.kokoro.usual import UsualTable, write_table

PACKS = {"af_one": torch.full((510, 1, 256), 0.5), "am_two": torch.full((510, 1, 256), -0.5)}


@pytest.fixture
def norms() -> list[AdaIN]:
    return [AdaIN(AdaIN1d(128, n_channels)) for n_channels in (4, 3)]


@pytest.fixture
def usual(norms: list[AdaIN]) -> dict[str, dict[Any, Moment]]:
    return {
        voice_id: {norm: Moment(7.0, torch.randn(norm.n_channels), torch.rand(norm.n_channels) + 0.1) for norm in norms}
        for voice_id in PACKS
    }


@pytest.fixture
def table(tmp_path: Path, norms: list[AdaIN], usual: dict[str, dict[Any, Moment]]) -> UsualTable:
    write_table(tmp_path / "usual.npz", PACKS, usual, norms)
    return UsualTable(tmp_path / "usual.npz")


def test_what_was_written_is_found(table: UsualTable, norms: list[AdaIN], usual: dict[str, dict[Any, Moment]]) -> None:
    for voice_id, pack in PACKS.items():
        found = table.find(voice_id, pack, norms)
        assert found is not None
        for norm in norms:
            expected = usual[voice_id][norm]
            torch.testing.assert_close(found[norm].mean, expected.mean, rtol=1e-3, atol=1e-3)
            torch.testing.assert_close(found[norm].variance, expected.variance, rtol=3e-3, atol=1e-3)


def test_an_unknown_voice_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_nobody", PACKS["af_one"], norms) is None


def test_another_pack_of_that_name_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_one", PACKS["am_two"], norms) is None


def test_a_model_of_other_widths_has_none(table: UsualTable, norms: list[AdaIN]) -> None:
    assert table.find("af_one", PACKS["af_one"], norms[:1]) is None
