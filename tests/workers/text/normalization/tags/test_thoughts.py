"""Thoughts of a model: left out or spoken, also without one of their tags."""

import pytest

from workers.text.normalization.tags.read import tags_before
from workers.text.normalization.tags.thoughts import drop_thoughts, find_thoughts
from workers.text.tracked_text import TrackedText


def spoken(text: str, *, is_said: bool = False) -> str:
    return " ".join(drop_thoughts(TrackedText.of(text), is_said=is_said).text.split())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>hidden</think>Answer.", "Answer."),
        ("<THINKING>\nhidden\n</THINKING>\n\nAnswer.", "Answer."),
        ('<reasoning effort="high">hidden</reasoning> Answer.', "Answer."),
        ("<seed:think>hidden</seed:think>Answer.", "Answer."),
        ("<inner_monologue>hidden</inner_monologue>Answer.", "Answer."),
        ("<chain-of-thought>hidden</chain-of-thought>Answer.", "Answer."),
        ("<think></think>Answer.", "Answer."),
        ("<think/>Answer.", "<think/>Answer."),
        ("One. <think>hidden</think> Two. <think>hidden</think> Three.", "One. Two. Three."),
        ("Yes<think>hidden</think>, please.", "Yes, please."),
        ("Yes <think>hidden</think>!", "Yes!"),
        ("One<think>hidden</think>two.", "One two."),
        ("<think>a <think>b</think> c</think>Answer.", "Answer."),
        ("<think>a <think>b</think>Answer.", "Answer."),
        ("<think>it closes otherwise</thinking>Answer.", "Answer."),
        ("<think>```py\nx = 1</think>Answer.", "Answer."),
        ("[THINK]hidden[/THINK]Answer.", "Answer."),
        ("◁think▷hidden◁/think▷Answer.", "Answer."),
        ("<|begin_of_thought|>hidden<|end_of_thought|>Answer.", "Answer."),
        ("<|channel|>analysis<|message|>hidden<|end|>Answer.", "Answer."),
        ('<details type="reasoning" done="true">hidden</details>Answer.', "Answer."),
    ],
)
def test_a_thought_is_not_spoken(text: str, answer: str) -> None:
    assert spoken(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hidden\n</think>\n\nAnswer.", "Answer."),
        ("hidden</think>Answer.", "Answer."),
        ("</think>Answer.", "Answer."),
        ("<think>hidden to the end", ""),
        ("Answer. <think>hidden to the end", "Answer."),
        ("Answer.\n<think> hidden to the end", "Answer."),
        ("hidden</think>Answer. <think>hidden", "Answer."),
    ],
)
def test_a_tag_of_a_thought_may_be_missing(text: str, answer: str) -> None:
    assert spoken(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "The <think> tag holds thoughts.",
        "It ends with the </think> tag in most models.",
        "Write `<think>` before and `</think>` after it.",
        "```xml\n<think>shown</think>\n```",
        "~~~\n<think>\n~~~\nText.",
        "I <em>think</em> so, and a <thinker> too.",
        "<details>no thought</details>",
        "a < b, [think], <3",
    ],
)
def test_a_tag_that_is_only_mentioned_or_shown_silences_nothing(text: str) -> None:
    assert spoken(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>Said.</think>Answer.", "Said. Answer."),
        ("Said.</think>Answer.", "Said. Answer."),
        ("Answer. <think>Said.", "Answer. Said."),
        ('<details type="reasoning">Said.</details>Answer.', "Said.</details>Answer."),
    ],
)
def test_thoughts_are_spoken_without_their_tags_where_the_operator_wants_that(text: str, answer: str) -> None:
    assert spoken(text, is_said=True) == answer


def test_the_answer_keeps_its_place_in_the_text() -> None:
    text = "<think>hidden</think>Answer."
    tracked = drop_thoughts(TrackedText.of(text))
    start, end = tracked.origin(0, 6)
    assert text[start:end] == "Answer"


def test_a_part_that_begins_within_a_thought_begins_with_its_tag() -> None:
    text = "<think>one two</think>three <think>four</think>five"

    assert tags_before(text, text.index("two")) == "<think>"
    assert spoken(tags_before(text, text.index("three")) + text[text.index("three") :]) == "three five"
    assert spoken(tags_before(text, text.index("our")) + text[text.index("our") :]) == "five"
    assert tags_before(text, 0) == ""


def test_many_tags_that_are_only_mentioned_cost_no_search_each() -> None:
    assert not list(find_thoughts("a <think> b " * 20_000))
