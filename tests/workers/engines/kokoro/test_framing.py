"""The phonemes that the model reads in addition to a segment's own, and the frames that belong to the segment."""

from workers.engines.kokoro.framing import MAX_CONTEXT, MAX_SHORT, frame

LONG = "a" * (MAX_SHORT + 1)


def test_a_word_is_read_after_another_and_with_a_full_stop() -> None:
    assert frame("ˈola", "", "", "es").phonemes == "bwˈeno. ˈola."


def test_a_mark_that_is_there_stays() -> None:
    assert frame("nˈo!", "", "", "es").phonemes == "bwˈeno. nˈo!"
    assert frame("bjˈen,", "", "", "es").phonemes == "bwˈeno. bjˈen,"


def test_other_languages_are_read_as_they_are() -> None:
    assert frame("anˈulla", "", "", "it").phonemes == "anˈulla"


def test_what_is_long_enough_is_read_alone() -> None:
    assert frame(LONG, "", "", "es").phonemes == LONG


def test_the_word_before_is_not_heard_and_the_silence_between_is() -> None:
    framed = frame("ab", "", "", "es")

    assert framed.phonemes == "bwˈeno. ab."
    assert framed.phonemes[framed.first : framed.last] == "ab"
    assert framed.tokens == (8, 13)
    assert framed.own_frames([10, 1, 2, 3, 20]) == [10, 1, 2, 23]


def test_without_marks_the_frames_stay() -> None:
    frames = list(range(MAX_SHORT + 3))

    assert frame(LONG, "", "", "en-US").own_frames(frames) == frames


def test_a_clause_is_read_with_its_sentence_and_decoded_alone() -> None:
    framed = frame("ab,", "", "cd.", "en-US")

    assert framed.phonemes == "ab, cd."
    assert framed.tokens == (0, 5)
    assert framed.own_frames([9, 1, 2, 3, 7]) == [9, 1, 2, 3, 7]


def test_the_rest_of_a_sentence_begins_where_the_clause_ended() -> None:
    framed = frame("cd.", "ab,", "", "en-US")

    assert framed.phonemes == "ab, cd."
    assert framed.tokens == (5, 9)
    assert framed.own_frames([1, 2, 3, 9]) == [0, 1, 2, 3, 9]


def test_no_more_of_a_sentence_is_read_than_is_needed() -> None:
    framed = frame("b", "a" * 500, "c" * 500, "en-US")

    assert framed.phonemes == "a" * MAX_CONTEXT + " b " + "c" * MAX_CONTEXT
    assert framed.phonemes[framed.first : framed.last] == "b"
