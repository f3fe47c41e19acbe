import pytest

from workers.text.preprocess import preprocess
from workers.text.tracked_text import TrackedText


def test_japanese_is_spelled_in_kana() -> None:
    pytest.importorskip("pyopenjtalk")
    assert preprocess(TrackedText.of("東京"), "ja-JP").text == "トーキョー"


@pytest.mark.parametrize("language", ["en-US", "zh", "de"])
def test_another_language_is_left_as_it_is(language: str) -> None:
    assert preprocess(TrackedText.of("東京 Tokyo"), language).text == "東京 Tokyo"


def test_without_the_extra_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.text.preprocess.find_spec", lambda name: None)
    assert preprocess(TrackedText.of("東京"), "ja").text == "東京"
