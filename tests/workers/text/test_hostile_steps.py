"""The cost of each step of preparing a text depends only on its length. A file of its own runs beside the patterns."""

import pytest

from tests.hostile import grows_faster, passes, shapes


@pytest.mark.parametrize("name", passes())
def test_no_step_of_preparing_a_text_goes_over_a_run_again_and_again(name: str) -> None:
    step = passes()[name]
    assert [shape for shape, unit in shapes().items() if grows_faster(step, unit, 1_000)] == []
