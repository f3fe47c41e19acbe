import pytest

from workers.text import preprocess
from workers.text.preprocess import spell_out
from workers.text.tracked_text import TrackedText


def test_japanese_is_spelled_in_kana() -> None:
    pytest.importorskip("pyopenjtalk")
    assert spell_out(TrackedText.of("東京"), "ja-JP").text == "トーキョー"


@pytest.mark.parametrize("language", ["en-US", "zh", "de"])
def test_another_language_is_left_as_it_is(language: str) -> None:
    assert spell_out(TrackedText.of("東京 Tokyo"), language).text == "東京 Tokyo"


def test_without_the_extra_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "find_spec", lambda name: None)
    assert spell_out(TrackedText.of("東京"), "ja").text == "東京"
