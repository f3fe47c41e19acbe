"""The primary of a Redis with sentinels is killed: no request is lost, and no audio changes."""

from pathlib import Path

from tests.end_to_end.failover import fail_over

N_STREAMS = 6


def test_no_request_is_lost_when_the_primary_is_killed_with_streams_open(tmp_path: Path) -> None:
    outcome = fail_over(tmp_path, N_STREAMS)

    assert outcome.failures == []
    assert len(outcome.audio) == 2 * N_STREAMS
    assert all(outcome.audio[text] == sound for text, sound in outcome.repeated.items())
    assert all(outcome.audio.values())
    assert outcome.jobs == ["completed", "completed"]
