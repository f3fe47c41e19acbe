"""Word times: characters divide the time of their word, and the JSON has what is set."""

import json

import pytest

from app.core.speech.word_times import TimedCharacter, TimedWord, read_words, with_characters, write_words


def test_characters_divide_the_time_of_their_word_evenly() -> None:
    word = with_characters(TimedWord("$12", 0.41, 1.2))

    assert word.characters == [
        TimedCharacter("$", 0.41, 0.673),
        TimedCharacter("1", 0.673, 0.937),
        TimedCharacter("2", 0.937, 1.2),
    ]


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("cafe\u0301", ["c", "a", "f", "e\u0301"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ["\u0928", "\u092e", "\u0938\u094d", "\u0924\u0947"]),
        ("\U0001f469\u200d\U0001f4bb", ["\U0001f469\u200d\U0001f4bb"]),
        ("\u0301a", ["\u0301", "a"]),
        ("\u5b57", ["\u5b57"]),
        ("", []),
    ],
)
def test_a_character_has_its_marks_and_what_is_joined_to_it(word: str, pieces: list[str]) -> None:
    found = with_characters(TimedWord(word, 0.0, 1.0)).characters

    assert [one.character for one in found] == pieces


def test_the_json_has_characters_only_if_they_are_set() -> None:
    word = TimedWord("Hi", 0.12345, 0.5)

    assert json.loads(write_words([word])) == [{"word": "Hi", "start": 0.123, "end": 0.5}]
    assert [one["character"] for one in json.loads(write_words([with_characters(word)]))[0]["characters"]] == ["H", "i"]
    assert read_words(write_words([with_characters(word)]))[0].word == "Hi"
