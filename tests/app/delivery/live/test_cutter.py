"""The cutter: a text that arrives in pieces is cut into parts that can be spoken, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.live.cutter import MAX_WEIGHT, Cutter


def parts_of(text: str, n_chars: int, language: str = "en-US") -> list[str]:
    """Returns the parts when `n_chars` characters arrive at a time and each part is taken at once."""
    cutter, parts = Cutter(language), list[str]()
    for at in range(0, len(text), n_chars):
        cutter.add(text[at : at + n_chars])
        parts.append(cutter.take(is_first=not any(parts)))
    return [part for part in [*parts, cutter.take_all()] if part]


@pytest.mark.parametrize("n_chars", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en-US", ["It costs $3.50 at Dr. Who's. ", "We paid 4.25 in all."]),
        ("en-US", ["He met e.g. Mr. Smith at 5 p.m. sharp. ", "Then he left."]),
        ("en-US", ["They live in the U.S. and work. ", "It pays."]),
        ("en-US", ["She left the U.S. ", "They stayed there."]),
        ("en-US", ['"Come in!" she said. ', '"Why?" ', "He came."]),
        ("en-US", ["See Fig. 3 and No. 5 first. ", "Good."]),
        ("en-US", ["Look at https://example.com/a.b?c=1. ", "It is there."]),
        ("en-US", ["**One. Two** and more. ", "Three."]),
        ("en-US", ["**It is done.** ", "Next."]),
        ("en-US", ["Read [the page. Now](http://a.b/c). ", "Then go."]),
        ("en-US", ["Is it so? ", "Yes… ", "Well."]),
        ("en-US", ['<prosody rate="1.5">It is so. Really.</prosody> ', "Next."]),
        ("en-US", ["<think>Hm. Let me see. No.</think>It is four. ", "Right."]),
        ("en-US", ["A list:\n", "- one thing\n", "- another thing\n", "- the last"]),
        ("en-US", ["A title without a stop\n\n", "A paragraph."]),
        ("es-ES", ["La Sra. López llegó. ", "¿Quién es? ", "Nadie."]),
        ("de-DE", ["Das ist z.B. gut. ", "Und das nicht."]),
        ("ja-JP", ["元気ですか。", "はい、元気です。", "「そうですか。」"]),
        ("zh-CN", ["你好！", "今天好吗？", "很好。"]),
        ("hi-IN", ["यह अच्छा है। ", "वह नहीं।"]),
    ],
)
def test_whole_sentences_are_taken_however_the_text_arrives(language: str, parts: list[str], n_chars: int) -> None:
    found = parts_of("".join(parts), n_chars, language)
    if n_chars > len(parts[0]):
        assert "".join(found) == "".join(parts)
        assert found[0] == parts[0]
    else:
        assert found == parts


def test_only_the_first_part_may_end_at_a_clause() -> None:
    text = "When the rain had stopped, they went out, all of them. Then it rained again, and they went in. "
    assert parts_of(text + "So", 3) == [
        "When the rain had stopped, ",
        "they went out, all of them. ",
        "Then it rained again, and they went in. ",
        "So",
    ]


def test_a_short_clause_is_no_first_part() -> None:
    assert parts_of("Well, yes, it is so. Good", 1)[0] == "Well, yes, it is so. "


def test_code_is_never_cut_and_its_end_is_waited_for() -> None:
    code = "```python\nprint('One. Two. Three.')\n" + "# More. And more.\n" * 100 + "```\n"
    assert parts_of(f"Here it is. {code}That was it. Good", 5) == ["Here it is. ", f"{code}That was it. ", "Good"]


def test_a_bracket_that_is_never_closed_stops_nothing_for_long() -> None:
    text = "It was [so they say. " + "And so it went on. " * 40
    assert len(parts_of(text, 3)) > 5


def test_a_text_without_any_mark_is_cut_between_words() -> None:
    parts = parts_of("word after word " * 100, 4)
    assert len(parts) > 3
    assert all(part.endswith(("word ", "after ")) for part in parts[:-1])
    assert all(len(part) <= MAX_WEIGHT for part in parts)


@pytest.mark.parametrize("text", ["It is so.", "It is so. And", "It is so, ", "Is it?", "She came at 5."])
def test_text_that_its_client_has_cut_is_taken_at_once(text: str) -> None:
    cutter = Cutter("en-US")
    cutter.add(text)
    assert cutter.take_now() == text


@pytest.mark.parametrize("text", ["It is at Dr.", "It is so. It is at Dr. ", "He met J. "])
def test_text_that_its_client_has_cut_after_an_abbreviation_waits_for_the_rest(text: str) -> None:
    cutter = Cutter("en-US")
    cutter.add(text)
    assert not cutter.take_now()
    cutter.add("Who's shop. ")
    assert cutter.take_now() == f"{text}Who's shop. "


def test_a_sentence_that_has_ended_can_be_taken_though_nothing_follows() -> None:
    cutter = Cutter("en-US")
    taken = []
    for text in ("It costs $3.", "He met Dr.", " Who. An open wor", "d"):
        cutter.add(text)
        taken.append(cutter.take_ended())
    assert taken == ["It costs $3.", "", "He met Dr. Who. ", ""]
    assert cutter.take_all() == "An open word"
    assert not cutter


@given(text=st.text(alphabet=st.sampled_from("aB .,!?\n[](`*<>-1$。、「」"), max_size=300), n_chars=st.integers(1, 9))
def test_the_parts_together_are_the_text(text: str, n_chars: int) -> None:
    assert "".join(parts_of(text, n_chars)) == text
