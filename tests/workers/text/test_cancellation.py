"""The preparation of a text stops when nobody wants the text any more."""

from typing import Any

import pytest

from app.core.errors import Cancelled
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from tests.hostile import hostile
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import PreparedPassage, prepare_segments, prepare_text
from workers.text.cancellation import cancellation_check, check_cancelled
from workers.text.passages import MAX_CHARS, divide
from workers.text.tracked_text import TrackedText

VOICE = load_catalogue().parse("af_heart")[0]
TEXTS = {
    "prose": "It costs $12.50, or 5 km of 3/4 in. wire. " * 1_000,
    "marks alone": "!? … " * 10_000,
    "one word": "a" * 50_000,
    "one run of spaces": hostile(" ", 50_000),
    "pauses": "[pause:1ms]" * 4_000,
}


class Listener:
    """A listener that leaves after it has been checked `stays` times."""

    def __init__(self, stays: int) -> None:
        self.n_checks = 0
        self._stays = stays

    def check(self) -> None:
        self.n_checks += 1
        if self.n_checks > self._stays:
            raise Cancelled("Nobody listens.")


def an_utterance(text: str, **changes: Any) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm", **changes)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("stays", [0, 1, 10, 60])
def test_a_text_is_read_no_further_once_nobody_listens(stays: int, name: str) -> None:
    listener, n_read = Listener(stays), 0

    with cancellation_check(listener.check), pytest.raises(Cancelled):
        for _ in prepare_text(an_utterance(TEXTS[name]), ToneEngine()).passages:
            n_read += 1

    assert listener.n_checks == stays + 1
    assert n_read <= stays


def test_a_passage_is_looked_at_at_each_step_of_preparing_it() -> None:
    listener = Listener(10**9)
    with cancellation_check(listener.check):
        passages: list[PreparedPassage] = list(prepare_text(an_utterance(TEXTS["prose"]), ToneEngine()).passages)
    assert listener.n_checks > 100 * len(passages)


def test_pieces_without_anything_to_say_are_looked_at_too() -> None:
    utterance, engine = an_utterance("!? … " * 2_000, normalize=False), ToneEngine()
    text = prepare_text(utterance, engine)
    listener = Listener(20)
    with cancellation_check(listener.check), pytest.raises(Cancelled):
        list(prepare_segments(text, utterance, engine))


@pytest.mark.parametrize("unit", ["a", "漢", "!", "(", "<", "<!--", "[", " ", "\u0301", "❤️", "1,", "\n", "a\u200b"])
def test_a_passage_has_an_end_whatever_stands_in_it(unit: str) -> None:
    text = hostile(unit, 100_000)
    lengths = [len(passage.tracked) for passage in divide(TrackedText.of(text), "en-US")]
    assert sum(lengths) == len(text)
    assert max(lengths) <= 4 * MAX_CHARS


def test_nothing_is_looked_at_where_nobody_asked_for_it() -> None:
    check_cancelled()
    with cancellation_check(Listener(0).check), cancellation_check(None):
        check_cancelled()
