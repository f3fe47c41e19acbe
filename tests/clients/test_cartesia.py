"""Cartesia's own SDK over its WebSocket: each context has the speech and the words of its text, however the text arrives."""

from array import array

import pytest

from tests.clients.conftest import WilfulEngine
from tests.clients.driving import HERE, installed
from tests.clients.environments import python_with
from tests.clients.live import TEXT, Heard, Reader, drive, gave_up

WAYS = ("slow", "fast", "threes", "one", "other", "async")


@pytest.fixture(scope="module")
def reader(harnesses: dict[str, str]) -> Reader:
    return Reader(harnesses, {"model": "kokoro", "voice": "af_heart"})


@pytest.fixture(scope="module")
def cartesia(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("openai"))
    return drive("cartesia", [python, HERE / "speak_cartesia.py"], harnesses, tmp_path_factory.mktemp("cartesia"))


@pytest.mark.parametrize("way", WAYS)
def test_the_text_is_heard_whole_however_it_arrives(cartesia: Heard, reader: Reader, way: str) -> None:
    assert reader.parts(cartesia.audio(way), TEXT)
    assert cartesia.report[way]["last"] == "done"


@pytest.mark.parametrize("way", WAYS)
def test_the_words_are_those_of_the_text_in_the_order_of_their_times(cartesia: Heard, way: str) -> None:
    words = cartesia.report[way]["words"]
    seconds = len(cartesia.audio(way)) / 48_000

    assert [word["word"] for word in words] == TEXT.split()
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= seconds + 0.001


def test_a_cancelled_context_is_not_heard_on_and_the_connection_goes_on(
    cartesia: Heard, reader: Reader, engine: WilfulEngine
) -> None:
    assert gave_up(engine, cartesia)
    assert reader.is_broken_off(cartesia.audio("broken_off"))
    assert reader.parts(cartesia.audio("next"), cartesia.next)


def test_floats_are_the_same_samples(cartesia: Heard, reader: Reader) -> None:
    samples = array("h", (round(32_768 * sample) for sample in array("f", cartesia.audio("floats"))))

    assert reader.parts(samples.tobytes(), TEXT)
