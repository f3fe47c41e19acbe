import pytest

from workers.text import spelling
from workers.text.script import Script
from workers.text.spelling import spell_out


def test_japanese_is_spelled_in_kana() -> None:
    pytest.importorskip("pyopenjtalk")
    assert spell_out(Script.of("東京"), "ja-JP").text == "トーキョー"


@pytest.mark.parametrize("language", ["en-US", "zh", "de"])
def test_another_language_is_left_as_it_is(language: str) -> None:
    assert spell_out(Script.of("東京 Tokyo"), language).text == "東京 Tokyo"


def test_without_the_extra_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "find_spec", lambda name: None)
    assert spell_out(Script.of("東京"), "ja").text == "東京"
