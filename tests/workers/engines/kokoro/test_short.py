"""Few phonemes are set apart by silent marks, and the times of words do not notice."""

from workers.engines.kokoro.short import MAX_SHORT, set_apart


def test_a_word_gets_a_full_stop_and_quotation_marks() -> None:
    assert set_apart("ˈɛmə").phonemes == "“ˈɛmə.”"


def test_a_mark_that_is_there_stays() -> None:
    assert set_apart("nˈO!").phonemes == "“nˈO!”"
    assert set_apart("wˈɛl,").phonemes == "“wˈɛl,”"


def test_what_is_long_enough_or_quoted_is_left_alone() -> None:
    long = "a" * (MAX_SHORT + 1)
    assert set_apart(long).phonemes == long
    assert set_apart("“jˈɛs.”").phonemes == "“jˈɛs.”"


def test_the_frames_of_the_marks_are_counted_to_the_pads() -> None:
    setting = set_apart("ab")
    assert len(setting.phonemes) == 5

    assert setting.own_frames([10, 1, 2, 3, 4, 5, 20]) == [11, 2, 3, 29]


def test_without_marks_the_frames_stay() -> None:
    frames = list(range(MAX_SHORT + 3))

    assert set_apart("a" * (MAX_SHORT + 1)).own_frames(frames) == frames
