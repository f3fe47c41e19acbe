"""What the model reads beside a segment's own phonemes, and which frames are the segment's."""

from workers.engines.kokoro.framing import MAX_CONTEXT, MAX_SHORT, frame

LONG = "a" * (MAX_SHORT + 1)


def test_a_word_gets_a_full_stop_and_quotation_marks() -> None:
    assert frame("ˈɛmə", "", "", "en-US").phonemes == "“ˈɛmə.”"


def test_a_mark_that_is_there_stays() -> None:
    assert frame("nˈO!", "", "", "en-US").phonemes == "“nˈO!”"
    assert frame("wˈɛl,", "", "", "en-US").phonemes == "“wˈɛl,”"


def test_other_languages_are_read_as_they_are() -> None:
    assert frame("anˈulla", "", "", "it").phonemes == "anˈulla"


def test_what_is_long_enough_or_quoted_is_left_alone() -> None:
    assert frame(LONG, "", "", "en-US").phonemes == LONG
    assert frame("“jˈɛs.”", "", "", "en-US").phonemes == "“jˈɛs.”"


def test_the_frames_of_silent_marks_are_counted_to_the_pads() -> None:
    framed = frame("ab", "", "", "en-US")

    assert framed.phonemes == "“ab.”"
    assert framed.tokens == (0, 7)
    assert framed.own_frames([10, 1, 2, 3, 4, 5, 20]) == [11, 2, 3, 29]


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
