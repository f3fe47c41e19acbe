"""The total silence that a text asks for."""

import pytest

from app.core.speech.pauses import asked_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("One. [pause:1.5s] Two.[PAUSE: 250 ms]", 1.75),
        ("[pause:999s][pause:999s]", 120.0),
        ("[pause:\U000f0000 1s] [pause:\U000f00002s]", 2.0),
        ("pause:60s, [pause], [pause:s] and [pause:-1s]", 0.0),
    ],
)
def test_all_pauses_of_a_text_are_counted_as_they_are_heard(text: str, seconds: float) -> None:
    assert asked_seconds(text) == seconds
