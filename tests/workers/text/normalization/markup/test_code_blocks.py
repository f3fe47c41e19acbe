"""Blocks of code are taken out; where a listener would miss one, its name is said."""

import pytest

from workers.text.normalization.markup.code_blocks import MAX_UNCLOSED, skip_code
from workers.text.normalization.normalize import normalize
from workers.text.tracked_text import TrackedText


def _skip(text: str, language: str = "en-US") -> str:
    return " ".join(skip_code(TrackedText.of(text), language).text.split())


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("One.\n```python\nx = 1\n```\nTwo.", "One. Two."),
        ("One.\n~~~\na\n```\nb\n~~~\nTwo.", "One. Two."),
        ("One.\n````md\n```\nx\n```\n````\nTwo.", "One. Two."),
        ("One.\n> ```\n> x\n> ```\nTwo.", "One. Two."),
        ("One.\n<pre><code>x = 1</code></pre>\nTwo.", "One. Two."),
        ("One.\n\n    def f(x):\n        return x + 1\n\nTwo.", "One. Two."),
        ("One.\n\n\tnpm install koe\n\nTwo.", "One. Two."),
        ("---\ntitle: A page\ntags:\n- a\n---\nOne.", "One."),
        ("One.\n```\nnever closed", "One."),
    ],
)
def test_blocks_of_code_are_taken_out(text: str, rest: str) -> None:
    assert _skip(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "Use `x = 1` here.",
        "A verse:\n\n    Tyger Tyger, burning bright;\n    In the forests of the night\n\nEnd.",
        "```math\nx^2\n```",
        "One.\n---\nTwo: three.\n---\nFour.",
        "- item\n\n    Its second paragraph goes on.",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert skip_code(TrackedText.of(text), "en-US").text == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Run this:\n\n```\nls\n```\n\nDone.", "Run this: Code block. Done."),
        ("**Run this:**\n```\nls\n```", "**Run this:** Code block."),
        ("## Install\n```\nls\n```\n## Use", "## Install Code block. ## Use"),
        ("```\nls\n```", "Code block."),
    ],
)
def test_a_block_that_would_leave_a_hole_is_named(text: str, rest: str) -> None:
    assert _skip(text) == rest


def test_it_is_named_in_the_language_of_the_text() -> None:
    assert _skip("実行：\n```\nls\n```", "ja") == "実行： コードブロック。"
    assert _skip("Пример:\n```\nls\n```", "ru") == "Пример:"


def test_a_block_that_never_closes_is_text_if_the_end_is_far_away() -> None:
    assert _skip("One.\n```\n" + "word " * MAX_UNCLOSED).startswith("One. ``` word word")


def test_code_is_read_where_the_operator_wants_that() -> None:
    assert normalize("Run this:\n```\nls\n```", "en-US", says_code=True).text == "Run this:\n\nls"


@pytest.mark.parametrize(
    "unit", ["```\n", "```a\n", "~~~\n```\n", "<pre>", "</pre>", "\n\n    x=1\n", "---\na: b\n", "`" * 7 + "\n"]
)
def test_hostile_text_is_searched_in_linear_time(unit: str) -> None:
    """Code that scans the same text again and again would take hours; the suite's time limit for a test would end it."""
    skip_code(TrackedText.of("a\n" + unit * (200_000 // len(unit))), "en-US")
