"""Packages that are imported without one that they need."""

import sys

import pytest

from workers.text.stand_ins import stand_in


def test_within_it_the_package_has_only_the_given_names() -> None:
    with stand_in("wave", Error=ValueError):
        import wave

        assert vars(wave)["Error"] is ValueError
        assert not hasattr(wave, "open")


def test_afterwards_the_package_is_itself_again() -> None:
    import wave

    with pytest.raises(RuntimeError), stand_in("wave"):
        raise RuntimeError
    assert sys.modules["wave"] is wave


def test_a_package_that_nobody_had_imported_can_be_imported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with stand_in("wave"):
        pass
    import wave

    assert hasattr(wave, "open")
