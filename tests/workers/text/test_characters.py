"""All modules that look for ends of sentences, for the marks around them, or for Han and kana use the same characters."""

import pytest

from app.core.speech.boundaries import find_sentence_ends, weigh
from app.core.speech.captions import to_cues
from app.core.speech.characters import CLAUSE_ENDS, CLOSERS, OPENERS, PAUSES_ANYWHERE, SENTENCE_ENDS
from app.core.speech.lexicon import is_unspaced
from app.core.speech.word_times import TimedWord
from workers.text.chapters import find_chapters
from workers.text.g2p.alignment import _ends_clause
from workers.text.g2p.espeak_g2p import _STOPS
from workers.text.normalization.normalize import normalize
from workers.text.passages import MAX_CHARS, divide
from workers.text.tracked_text import TrackedText
from workers.text.words import find_words

UNSPACED = ["漢", "か", "カ", "ｶ", "ㇰ", "𠀀", "々", "〇", "豈"]


def test_no_mark_is_in_a_set_twice_or_ends_both_a_sentence_and_a_clause() -> None:
    for marks in (SENTENCE_ENDS + CLAUSE_ENDS, CLOSERS, OPENERS):
        assert len(set(marks)) == len(marks)


@pytest.mark.parametrize("mark", SENTENCE_ENDS)
def test_a_sentence_ends_with_each_of_its_marks(mark: str) -> None:
    text = f"Come here{mark} Go there."
    assert next(find_sentence_ends(text, 0, "en-US")) == text.index("Go")


@pytest.mark.parametrize("mark", SENTENCE_ENDS + CLAUSE_ENDS)
def test_an_item_of_a_list_gets_no_full_stop_after_a_mark(mark: str) -> None:
    assert normalize(f"- come here{mark}\n- go there", "en-US").text == f"come here{mark} go there."


@pytest.mark.parametrize("mark", SENTENCE_ENDS + CLAUSE_ENDS)
def test_a_clause_of_words_and_of_phonemes_ends_with_each_mark(mark: str) -> None:
    assert _ends_clause(f"here{mark}")
    assert all(_ends_clause(f"here{mark}{closer}") for closer in CLOSERS)


@pytest.mark.parametrize("mark", SENTENCE_ENDS + CLAUSE_ENDS)
def test_no_space_stays_between_a_word_and_a_mark_where_an_emoji_was(mark: str) -> None:
    assert normalize(f"Come here 🎉{mark} Go.", "en-US").text == f"Come here{mark} Go."


@pytest.mark.parametrize("opener", OPENERS)
def test_a_sentence_may_go_on_after_an_abbreviation_and_each_opening_mark(opener: str) -> None:
    text = f"They came at nine a.m. {opener}they left at ten. Good."
    assert next(find_sentence_ends(text, 0, "en-US")) == text.index("Good")


@pytest.mark.parametrize("closer", CLOSERS)
def test_each_closing_mark_belongs_to_the_sentence_before_it(closer: str) -> None:
    text = f"Come here.{closer} Go there."
    assert next(find_sentence_ends(text, 0, "en-US")) == text.index("Go")


@pytest.mark.parametrize("opener", OPENERS)
def test_a_passage_may_begin_with_each_opening_mark(opener: str) -> None:
    text = f"{'word ' * (MAX_CHARS // 5)}ends here. {opener}Then another begins{' and goes on' * 30}."
    passages = list(divide(TrackedText.of(text), "en-US"))
    assert [passage.tracked.text[0] for passage in passages] == ["w", opener]


@pytest.mark.parametrize("mark", [mark for mark in PAUSES_ANYWHERE if mark != "："])
def test_no_title_ends_as_a_sentence_goes_on(mark: str) -> None:
    assert find_chapters(f"Chapter 1: One{mark}\n\nText.\n\nChapter 2: Two{mark}\n\nText.") == []


@pytest.mark.parametrize("character", UNSPACED)
def test_scripts_without_spaces_are_known_everywhere(character: str) -> None:
    assert find_words(character * 3) == [(0, 1), (1, 2), (2, 3)]
    assert weigh(character) == 2.5
    assert is_unspaced(character)
    assert to_cues([TimedWord(character, 0.0, 0.2), TimedWord(character, 0.2, 0.4)])[0].text == character * 2
    assert next(find_sentence_ends(f"Go.{character}", 0, "ja")) == 3


def test_what_makes_a_kana_long_or_voiced_belongs_to_it() -> None:
    assert find_words("ｶﾞｰ カー") == [(0, 3), (4, 6)]


def test_the_marks_that_espeak_ng_is_given_others_for_are_in_the_table() -> None:
    assert set(_STOPS) <= set(SENTENCE_ENDS + CLAUSE_ENDS)
