import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.speech.boundaries import Ending, rest_of_sentence, weigh
from workers.text.segment import FIRST_WEIGHT, MAX_WEIGHT, Piece, fit, halve, segment

SIGNS = ".!?…,;:—-–\"'()「」。！？，、；।\n abcXY0 9 ü你カनि\u0301\u200d"
LONG = " ".join(f"This is sentence number {number} of a long text." for number in range(40))


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _texts(text: str, language: str = "en-US") -> list[str]:
    return [piece.text for piece in segment(text, language)]


@given(st.text(SIGNS, max_size=1500) | st.text(max_size=300), st.sampled_from(["en-US", "zh", "fr-FR", "hi"]))
@example("a" * 3000, "en-US")
@example("你" * 1000, "zh")
@example(". " * 300, "en-US")
@settings(deadline=None, max_examples=150)
def test_pieces_put_together_are_the_text(text: str, language: str) -> None:
    pieces = list(segment(text, language))
    assert _squeeze("".join(piece.text for piece in pieces)) == _squeeze(text)
    assert all(piece.text and piece.text == piece.text.strip() for piece in pieces)
    assert all(weigh(piece.text) <= 2 * MAX_WEIGHT for piece in pieces)


@given(st.text(SIGNS, min_size=2, max_size=300).map(str.strip).filter(lambda text: len(text) > 1))
@settings(deadline=None)
def test_halves_put_together_are_the_piece(text: str) -> None:
    first, second = halve(Piece(text, Ending.PARAGRAPH))
    assert _squeeze(first.text + second.text) == _squeeze(text)
    assert first.text
    assert second.text
    assert second.ending is Ending.PARAGRAPH


@given(st.text(SIGNS, max_size=400), st.integers(3, 60))
@settings(deadline=None)
def test_what_fits_is_within_the_limit_and_whole(text: str, limit: int) -> None:
    parts = list(fit(Piece(text, Ending.SENTENCE), str.upper, limit))
    assert all(len(phonemes) <= limit for _, phonemes in parts)
    assert _squeeze("".join(piece.text for piece, _ in parts)) == _squeeze(text)


def test_one_character_is_not_halved() -> None:
    with pytest.raises(ValueError, match="one character"):
        halve(Piece("a", Ending.CUT))


def test_half_a_piece_ends_with_what_stands_there() -> None:
    assert halve(Piece("It rains. We stay.", Ending.SENTENCE))[0] == Piece("It rains.", Ending.SENTENCE)
    assert halve(Piece("when it rains, we all stay", Ending.CUT))[0] == Piece("when it rains,", Ending.CLAUSE)
    assert halve(Piece("rain and more rain", Ending.CUT))[0] == Piece("rain and", Ending.CUT)
    assert halve(Piece("aaaa", Ending.CUT))[0] == Piece("aa", Ending.CUT)


def test_the_first_piece_is_a_clause() -> None:
    first = next(segment("When the rain had finally stopped, " + LONG, "en-US"))
    assert first == Piece("When the rain had finally stopped,", Ending.CLAUSE)
    assert weigh(first.text) >= FIRST_WEIGHT


def test_a_very_short_beginning_takes_more_in() -> None:
    assert _texts("Hi! How are you doing today? " + LONG)[0] == "Hi! How are you doing today?"


def test_short_sentences_are_joined() -> None:
    weights = [weigh(text) for text in _texts(LONG)[1:-1]]
    assert weights
    assert all(100 <= weight <= MAX_WEIGHT for weight in weights)


def test_a_blank_line_ends_a_paragraph() -> None:
    pieces = list(segment("Chapter One\n\nIt rained.\n \nIt stopped.", "en-US"))
    assert [piece.ending for piece in pieces] == [Ending.PARAGRAPH, Ending.PARAGRAPH, Ending.SENTENCE]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Dr. Smith paid $3.50, and Mrs. Jones met J. R. R. Tolkien", "en-US"),
        ("See No. 5 on p. 12, e.g. Fig. 3", "en-US"),
        ("M. Dupont et Mme. Durand", "fr-FR"),
        ("La Sra. García y D. Juan", "es"),
        ("Visit www.example.com/a.b?c=d at 3.15 p.m. today", "en-US"),
    ],
)
def test_a_full_stop_within_a_sentence_does_not_end_it(text: str, language: str) -> None:
    ends = [piece.text for piece in segment(f"{'x' * FIRST_WEIGHT}. {text}", language)][1:]
    assert ends == [text]
    pieces = list(segment(text, language))
    assert all(piece.ending is Ending.CLAUSE for piece in pieces[:-1])


def test_a_quotation_is_no_sentence_when_its_speaker_follows() -> None:
    text = '"Stop this noise at once!" he said. ' + LONG
    assert next(segment(text, "en-US")) == Piece('"Stop this noise at once!"', Ending.CLAUSE)


@pytest.mark.parametrize(
    ("text", "language", "ending"),
    [
        ("今天的天气非常好。我们去公园散步。", "zh", Ending.SENTENCE),
        ("今天的天气非常好，我们去公园散步。", "zh", Ending.CLAUSE),
        ("「今日はとても良い天気ですね！」と彼女は言った。", "ja", Ending.SENTENCE),
        ("यह एक बहुत लंबा वाक्य है। यह दूसरा है।", "hi", Ending.SENTENCE),
        ("He walked all the way home… Then he slept.", "en-US", Ending.SENTENCE),
        ("We walked home in the rain — and slept.", "en-US", Ending.CLAUSE),
    ],
)
def test_every_script_has_its_boundaries(text: str, language: str, ending: Ending) -> None:
    pieces = list(segment(text, language))
    assert len(pieces) == 2
    assert pieces[0].ending is ending


def test_text_without_a_boundary_is_cut_at_spaces() -> None:
    pieces = list(segment("word " * 300, "en-US"))
    assert len(pieces) > 5
    assert all(set(piece.text.split()) == {"word"} for piece in pieces)
    assert all(piece.ending is Ending.CUT for piece in pieces[:-1])


def test_a_letter_keeps_its_marks_when_a_word_is_cut() -> None:
    pieces = list(segment("e\u0301" * 600, "fr-FR"))
    assert len(pieces) > 2
    assert all(piece.text.startswith("e") for piece in pieces)


def test_blank_text_has_no_pieces() -> None:
    assert list(segment(" \n\n \t", "en-US")) == []


def test_pieces_are_made_when_they_are_asked_for() -> None:
    pieces = segment(LONG * 1000, "en-US")
    assert len(list(itertools.islice(pieces, 3))) == 3


@pytest.mark.parametrize(
    "text",
    [
        f"  One.\n\n \n{LONG}\n\n\t{'wordless' * 60} end.  ",
        "今天的天气非常好，" * 40 + "\n\n我们去公园散步。",
        " a ",
        "x" * 900,
    ],
)
def test_every_piece_says_where_it_stands(text: str) -> None:
    pieces = list(segment(text, "en-US"))
    halves = [half for piece in pieces if len(piece.text) > 1 for half in halve(piece)]

    assert pieces
    assert all(text[piece.start : piece.start + len(piece.text)] == piece.text for piece in pieces + halves)


def test_the_rest_of_a_sentence_ends_with_it() -> None:
    text = "When it rained, we left. They stayed."

    assert rest_of_sentence(text, 15, "en-US", max_chars=60) == "we left."


def test_the_rest_of_a_long_sentence_ends_with_a_word() -> None:
    text = "First, " + "word " * 40

    assert rest_of_sentence(text, 7, "en-US", max_chars=12) == "word word"


def test_the_rest_of_a_sentence_never_passes_a_paragraph() -> None:
    assert rest_of_sentence("A title,\n\nA text.", 8, "en-US", max_chars=60) == ""
