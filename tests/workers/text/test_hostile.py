"""The cost of a text depends only on its length: the work for each character stays the same, whatever a text repeats.

Why growth and not time: a busy machine makes everything slow, but not sixteen times as slow for four times the text.
"""

from typing import Any

import pytest

from tests.hostile import grows_faster, patterns, shapes

BOUNDED = {
    "workers.text.chapters._heading()": "a line of 90 characters at most",
    "workers.text.passages._WHOLE": "a bounded number of steps at each place, more than these texts have characters",
    "workers.text.normalization.markup.markup_removal._TAGS[1]": "300 steps at each place, more than these texts have scripts",
    "workers.text.normalization.agreement._BEFORE": "20 characters before a number",
    "workers.text.normalization.agreement._MILLIONS": "a number in words",
    "workers.text.normalization.english.dates._BEGINS": "30 characters before a number",
    "app.core.speech.boundaries._PARAGRAPH_END": "the last few hundred characters of a part",
    "workers.jobs.plan._BEGINS_WITH_PAUSE": "tried at one place",
    "workers.text.normalization.markup.code_blocks._CODE_LINE": "tried at one place, in 400 characters of a line",
}
"""Patterns that are never given a long text, with the text that they are given."""

PATTERNS: dict[str, Any] = {}
for _name, _pattern in patterns().items():
    if _name not in BOUNDED and _pattern not in PATTERNS.values():
        PATTERNS[_name] = _pattern

N_GROUPS = 16
"""Number of tests; one test for each pattern would be most of the suite."""


@pytest.mark.parametrize("group", range(N_GROUPS))
def test_no_pattern_goes_over_a_run_again_and_again(group: int) -> None:
    found = [
        (name, shape)
        for name in list(PATTERNS)[group::N_GROUPS]
        for shape, unit in shapes().items()
        if grows_faster(PATTERNS[name].findall, unit, 1_000)
    ]
    assert found == []


def test_the_list_of_bounded_patterns_names_patterns() -> None:
    assert set(BOUNDED) <= set(patterns())
