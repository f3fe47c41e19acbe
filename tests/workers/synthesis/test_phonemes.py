"""The phonemes of a text: the answer, and each case in which there is none."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from redis import Redis

from app.core.errors import EngineUnavailable, InternalError, InvalidValue, NotSupported, WorkersDied
from app.core.queue.answers import Wanted, _Outcome
from app.core.queue.registry import MAX_DEATHS
from app.core.speech.phonemized import Phonemized, PhonemizedSegment
from app.core.speech.spoken_text import SpokenText
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from tests.engines import text_of
from workers.engines.base import ALONE, Engine, Turn
from workers.engines.espeak import EspeakEngine
from workers.engines.tone import ToneEngine
from workers.synthesis.phonemes import Phonemes
from workers.text.markup import NO_MARKUP, Markup
from workers.text.words import PhonemizedText

CATALOGUE = load_catalogue()
SECRET = "A secret that nobody else may read."


class WatchedEngine(ToneEngine):
    """A tone engine that counts the texts that it phonemizes, and calls `before` ahead of each one."""

    def __init__(self) -> None:
        self.n_phonemized = 0
        self.before: Any = lambda: None

    def phonemize(self, text: str, language: str, markup: Markup = NO_MARKUP) -> PhonemizedText:
        self.before()
        self.n_phonemized += 1
        return super().phonemize(text, language, markup)

    def synthesize(self, segments: Any, turn: Turn = ALONE) -> Any:
        raise AssertionError("nothing is to be spoken")


@pytest.fixture
def engine() -> WatchedEngine:
    return WatchedEngine()


def answering(redis: Redis, engine: Engine) -> Phonemes:
    return Phonemes(redis=redis, engines={"tone": engine}, patience_seconds=30)


def a_text(text: str = "Hello.", **changes: Any) -> SpokenText:
    fields: dict[str, Any] = {"text": text, "engine": "tone", "voice": CATALOGUE.parse("af_heart")[0], "language": "en-US"}
    return SpokenText(**(fields | changes))


def wanted(redis: Redis, text: SpokenText) -> SpokenText:
    redis.set(keys.answer_wanted(text.id), 1)
    return text


def outcome(redis: Redis, text: SpokenText) -> _Outcome | None:
    found: Any = redis.get(keys.answer(text.id))
    return msgspec.json.decode(found, type=_Outcome) if found else None


def answer(redis: Redis, engine: Engine, text: SpokenText) -> Phonemized:
    answering(redis, engine).answer(wanted(redis, text))
    found = outcome(redis, text)
    assert found is not None
    return found.reveal(Phonemized)


def test_the_answer_is_what_the_engine_is_given_when_the_text_is_spoken(redis: Redis, engine: WatchedEngine) -> None:
    found = answer(redis, engine, a_text("“Hello”  there.\n\nSecond."))

    assert found.language == "en-US"
    assert found.normalized == '"Hello" there.\n\nSecond.'
    assert found.segments == (
        PhonemizedSegment('"Hello" there.', '"Hello" there.', 14),
        PhonemizedSegment("Second.", "Second.", 7),
    )


def test_without_normalization_the_text_stays_as_it_is(redis: Redis, engine: WatchedEngine) -> None:
    assert answer(redis, engine, a_text("“Hello”  there.\x00", normalize=False)).normalized == "“Hello”  there."


def test_emoji_are_said_where_the_question_wants_that(redis: Redis, engine: WatchedEngine) -> None:
    assert answer(redis, engine, a_text("Hello 😀.", emoji="say")).normalized == "Hello, grinning face."
    assert answer(redis, engine, a_text("Hello 😀.")).normalized == "Hello."


@pytest.mark.parametrize("text", [" ", "🙂", "."])
def test_text_with_nothing_to_say_has_no_segment(redis: Redis, engine: WatchedEngine, text: str) -> None:
    assert answer(redis, engine, a_text(text)).segments == ()


def test_all_who_wait_are_told(redis: Redis, engine: WatchedEngine) -> None:
    with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(keys.NOTIFICATIONS)
        pubsub.get_message(timeout=30)
        answer(redis, engine, a_text())
        assert pubsub.get_message(timeout=30)["data"].decode() == a_text().id


def test_what_nobody_waits_for_is_not_prepared(redis: Redis, engine: WatchedEngine) -> None:
    answering(redis, engine).answer(a_text())

    assert engine.n_phonemized == 0
    assert outcome(redis, a_text()) is None


def test_a_long_text_is_dropped_when_the_last_who_waited_has_left(
    redis: Redis, engine: WatchedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wanted, "CHECK_SECONDS", 0.0)
    text = wanted(redis, a_text(text_of(20)))
    engine.before = lambda: engine.n_phonemized == 2 and redis.delete(keys.answer_wanted(text.id))

    answering(redis, engine).answer(text)

    assert engine.n_phonemized == 3
    assert outcome(redis, text) is None


def test_a_fault_of_the_request_is_told_and_ends_there(redis: Redis) -> None:
    text = a_text(engine="espeak", language="tlh", text=SECRET)
    answering_with = Phonemes(redis=redis, engines={"espeak": EspeakEngine(CATALOGUE)}, patience_seconds=30)

    answering_with.answer(wanted(redis, text))

    found = outcome(redis, text)
    assert found is not None
    with pytest.raises(NotSupported, match="'tlh'") as caught:
        found.reveal(Phonemized)
    assert caught.value.param == "language"


@pytest.fixture
def log_output(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Returns everything that was logged so far, wherever the log goes."""
    caplog.set_level(logging.INFO)
    return lambda: "".join(capfd.readouterr()) + caplog.text


def test_a_fault_of_ours_is_told_without_its_words_and_raised(
    redis: Redis, engine: WatchedEngine, log_output: Callable[[], str]
) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    engine.before = fail
    text = a_text(SECRET)

    with pytest.raises(ValueError):
        answer(redis, engine, text)

    found = outcome(redis, text)
    assert found is not None
    with pytest.raises(InternalError) as caught:
        found.reveal(Phonemized)
    assert SECRET not in caught.value.message
    log = log_output()
    assert "unforeseen_error" in log
    assert "question_failed" in log
    assert "secret" not in log


def test_the_log_of_an_answer_tells_counts_and_no_text(
    redis: Redis, engine: WatchedEngine, log_output: Callable[[], str]
) -> None:
    answer(redis, engine, a_text(SECRET))

    log = log_output()
    assert "question_answered" in log
    assert "n_segments" in log
    assert "secret" not in log


def test_a_text_that_workers_died_of_is_not_tried_again(redis: Redis, engine: WatchedEngine) -> None:
    text = wanted(redis, a_text())

    with pytest.raises(WorkersDied):
        answering(redis, engine).answer(text, n_deaths=MAX_DEATHS)

    assert engine.n_phonemized == 0
    found = outcome(redis, text)
    assert found is not None
    with pytest.raises(InternalError, match="died"):
        found.reveal(Phonemized)


def test_an_engine_that_is_not_here_is_told(redis: Redis, engine: WatchedEngine) -> None:
    with pytest.raises(EngineUnavailable, match="kokoro"):
        answer(redis, engine, a_text(engine="kokoro"))


def test_a_voice_that_is_not_here_is_told(redis: Redis) -> None:
    espeak = EspeakEngine(msgspec.structs.replace(CATALOGUE, voices={"af_heart": CATALOGUE.voices["af_heart"]}))
    text = a_text(engine="espeak", voice=CATALOGUE.parse("am_michael")[0])

    Phonemes(redis=redis, engines={"espeak": espeak}, patience_seconds=30).answer(wanted(redis, text))

    found = outcome(redis, text)
    assert found is not None
    with pytest.raises(InvalidValue, match="am_michael"):
        found.reveal(Phonemized)


def test_a_long_text_is_told_with_its_paragraphs(redis: Redis, engine: WatchedEngine) -> None:
    text = "\n\n".join([text_of(8)] * 5)
    assert answer(redis, engine, a_text(text)).normalized == text
