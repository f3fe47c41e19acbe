"""Live speech: a text that arrives in pieces is spoken in order, and a cancelled one leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest

from app.core.errors import EngineFailed
from app.core.speech.boundaries import Ending
from app.core.speech.pauses import PAUSE_SECONDS
from app.core.speech.word_times import TimedWord
from app.delivery.listener import Listener
from app.delivery.live.speech import Audio, Event, LiveSpeech, Mark, Part, Sound, Words

pytestmark = pytest.mark.anyio

PCM = Sound("pcm", 24_000)
SENTENCE_PAUSE = PCM.silence(PAUSE_SECONDS[Ending.SENTENCE])


class FakeListener:
    """Gives the text itself as audio, in two chunks, and each word before the second."""

    def __init__(self, text: str, gate: asyncio.Event) -> None:
        self.text, self.gate = text, gate
        self.is_closed = False
        self._words = [TimedWord(word, 0.0, 1.0) for word in text.split()]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        data = self.text.encode()
        data += bytes(len(data) % 2)
        yield data[:2]
        await self.gate.wait()
        yield data[2:]

    def take_words(self) -> list[TimedWord]:
        words, self._words = self._words, []
        return words

    async def close(self) -> None:
        self.is_closed = True


class Bench:
    """Opens fake listeners, and remembers them."""

    def __init__(self) -> None:
        self.listeners: list[FakeListener] = []
        self.heard_seconds: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails_at = ""
        self._changed = asyncio.Condition()

    async def open(self, text: str, heard_seconds: float) -> Listener:
        self.heard_seconds.append(heard_seconds)
        if self.fails_at and self.fails_at in text:
            raise EngineFailed
        async with self._changed:
            self.listeners.append(FakeListener(text, self.gate))
            self._changed.notify_all()
        return cast("Listener", self.listeners[-1])

    def speech(self, quiet_seconds: float = 60.0) -> LiveSpeech:
        return LiveSpeech(self.open, PCM, language="en-US", quiet_seconds=quiet_seconds)

    async def has_opened(self, n: int) -> None:
        """Returns when `n` listeners were opened."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.listeners) >= n)

    @property
    def opened(self) -> list[str]:
        return [one.text for one in self.listeners]


async def all_of(speech: LiveSpeech) -> list[Event]:
    async with asyncio.timeout(20), aclosing(aiter(speech)) as events:
        return [event async for event in events]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Part)]


def audio(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Audio))


async def test_the_parts_are_spoken_in_order_with_pauses_between_them() -> None:
    bench = Bench()
    speech = bench.speech()
    for text in ("It is ", "so. And", " so it goes.", " Good."):
        speech.add(text)
    speech.end()

    events = await all_of(speech)

    assert "".join(texts(events)) == "It is so. And so it goes. Good."
    expected = [one.text.encode() + bytes(len(one.text) % 2) for one in bench.listeners]
    assert audio(events) == SENTENCE_PAUSE.join(expected)
    assert all(one.is_closed for one in bench.listeners)


async def test_words_have_times_from_the_beginning_of_the_whole() -> None:
    bench = Bench()
    speech = bench.speech()
    speech.add("Yes. ")
    speech.flush()
    speech.add("No.")
    speech.end()

    events = await all_of(speech)

    words = [word for event in events if isinstance(event, Words) for word in event.words]
    second = PCM.seconds(len(SENTENCE_PAUSE) + 6)
    assert [(word.word, word.start) for word in words] == [("Yes.", 0.0), ("No.", second)]


async def test_the_next_part_is_opened_while_one_is_read_and_no_more() -> None:
    bench = Bench()
    bench.gate.clear()
    speech = bench.speech()
    async with aclosing(aiter(speech)) as events:
        for text in ("One is said. ", "Two is said. ", "Three is said. ", "Four"):
            speech.add(text)
            speech.flush()
        assert isinstance(await anext(events), Part)
        assert isinstance(await anext(events), Words | Audio)
        await bench.has_opened(2)
        await asyncio.sleep(0.05)  # in which a third would be opened
        assert len(bench.listeners) == 2
    assert all(one.is_closed for one in bench.listeners)


async def test_text_that_came_meanwhile_is_spoken_as_one_part() -> None:
    bench = Bench()
    bench.gate.clear()
    speech = bench.speech()
    async with asyncio.timeout(20), aclosing(aiter(speech)) as events:
        speech.add("One is said. T")
        await anext(events)
        speech.add("wo is said. T")
        await bench.has_opened(2)
        for text in ("hree is said. ", "Four is said. ", "Five is"):
            speech.add(text)
        bench.gate.set()
        speech.end()
        rest = [event async for event in events]
    assert "".join(bench.opened) == "One is said. Two is said. Three is said. Four is said. Five is"
    assert len(bench.opened) <= 4
    assert rest


async def test_a_sentence_is_spoken_though_nothing_follows_it_for_a_while() -> None:
    bench = Bench()
    speech = bench.speech(quiet_seconds=0.01)
    async with asyncio.timeout(20), aclosing(aiter(speech)) as events:
        speech.add("It is four.")
        assert await anext(events) == Part("It is four.")
        speech.add(" An open")
        speech.end()
        rest = [event async for event in events]
    assert Part(" An open") in rest


async def test_a_mark_comes_after_all_that_was_added_before_it() -> None:
    bench = Bench()
    speech = bench.speech()
    speech.flush("nothing")
    speech.add("One. Two, three")
    speech.flush("first")
    speech.add("Four.")
    speech.flush("second")
    speech.end()

    events = await all_of(speech)

    seen = [event for event in events if isinstance(event, Part | Mark)]
    assert seen[0] == Mark("nothing")
    assert seen.index(Mark("first")) == seen.index(Part("Four.")) - 1
    assert seen[-1] == Mark("second")


async def test_released_text_is_spoken_at_once_but_an_abbreviation_waits_for_its_sentence() -> None:
    bench = Bench()
    speech = bench.speech()
    for text in ("It is so and ", "so. It costs a lot at Dr. ", "Who's shop. "):
        speech.add(text)
        speech.release()
    speech.end()
    await all_of(speech)
    assert bench.opened == ["It is so and ", "so. It costs a lot at Dr. Who's shop. "]


async def test_blank_text_is_not_spoken() -> None:
    bench = Bench()
    speech = bench.speech()
    speech.add(" \n\n ")
    speech.end()
    assert await all_of(speech) == []


async def test_an_error_ends_the_speech_and_closes_everything() -> None:
    bench = Bench()
    bench.fails_at = "Two"
    speech = bench.speech()
    for text in ("One.", "Two.", "Three."):
        speech.add(text)
        speech.flush()
    with pytest.raises(EngineFailed):
        await all_of(speech)
    assert all(one.is_closed for one in bench.listeners)


async def test_each_part_is_due_when_the_parts_before_it_have_been_heard() -> None:
    bench = Bench()
    bench.gate.clear()
    speech = bench.speech()
    speech.add("The first sentence is not short. The second one is. The third ")
    reading = asyncio.create_task(all_of(speech))
    await bench.has_opened(2)
    bench.gate.set()
    speech.end()
    await reading

    first, second, *_ = bench.heard_seconds
    assert first == 0
    assert 1 < second < 5


async def test_a_cancelled_reader_closes_what_is_being_opened() -> None:
    bench = Bench()
    waiting = asyncio.Event()
    ended = asyncio.Event()

    async def never(text: str, heard_seconds: float) -> Listener:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    speech = LiveSpeech(never, PCM, language="en-US")
    speech.add("One.")
    speech.flush()
    reading = asyncio.create_task(all_of(speech))
    await waiting.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended.is_set()
    assert not bench.listeners
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"feed", "open"}
