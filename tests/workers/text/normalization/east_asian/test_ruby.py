"""Japanese words with a reading: the reading is said once, and word times cover the word and its reading."""

import pytest

from workers.text.normalization.normalize import normalize


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("憂鬱（ゆううつ）な", "ユーウツな"),
        ("声《こえ》を", "コエを"),
        ("｜漢字《かんじ》", "カンジ"),
        ("その|雪之丞《ゆきのじょう》が", "そのユキノジョーが"),
        ("母《はは》は", "ハハは"),
        ("啜《すす》る", "すする"),
        ("紫陽花(あじさい)と百日紅（さるすべり）", "アジサイとサルスベリ"),
        ("食べ物（たべもの）", "タベモノ"),
        ("使い方（かた）", "使いカタ"),
        ("東京都（とうきょうと、英: Tokyo）は", "トーキョート（英: Tokyo）は"),
        ("［＃２字下げ］本文", "本文"),
    ],
)
def test_a_word_with_its_reading_is_said_once(text: str, spoken: str) -> None:
    assert normalize(text, "ja").text == spoken


@pytest.mark.parametrize("text", ["東京（日本）", "走った（うそ）", "ひらがな（ひらがな）", "《春》を読む", "漢字（ルビ）"])
def test_brackets_without_a_reading_stay(text: str) -> None:
    assert normalize(text, "ja").text == text


def test_the_reading_stands_for_the_word_and_its_brackets() -> None:
    text = "その声《こえ》を"
    tracked = normalize(text, "ja")
    place = tracked.text.index("コエ")
    start, end = tracked.origin(place, place + 2)
    assert text[start:end] == "声《こえ》"


@pytest.mark.parametrize("language", ["zh", "en-US"])
def test_other_languages_have_no_readings(language: str) -> None:
    assert "春" in normalize("《春（はる）》", language).text
