"""How far a task is: seconds spoken, and an estimate of the whole from the part of the text that is spoken."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.core.queue.broker import QueueName
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from tests.engines import text_of
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import PreparedItem, prepare_segments, prepare_text
from workers.synthesis.progress import Progress, TasksNow

VOICE = load_catalogue().parse("af_heart")[0]


def a_task(text: str, speed: float = 1.0) -> Any:
    utterance = Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="mp3", speed=speed)
    return SimpleNamespace(utterance=utterance, name="abc:take:1", owner="0123", queue_name=QueueName.INTERACTIVE)


def items_of(task: Any) -> list[PreparedItem]:
    engine = ToneEngine()
    return list(prepare_segments(prepare_text(task.utterance, engine), task.utterance, engine))


def test_before_the_first_segment_the_length_follows_from_the_text_and_the_speed() -> None:
    slow, fast = Progress(a_task("x" * 1000, 0.5)).view(), Progress(a_task("x" * 1000, 2.0)).view()

    assert slow.seconds == fast.seconds == 0
    assert slow.whole_seconds == pytest.approx(4 * fast.whole_seconds, abs=0.1)


def test_the_length_follows_from_what_is_spoken_and_is_exact_at_the_end() -> None:
    task = a_task(text_of(4))
    progress, items = Progress(task), items_of(task)
    wholes = []
    for number, item in enumerate(items, start=1):
        progress.advance(item, 7.0 * number)
        wholes.append(progress.view().whole_seconds)

    assert all(whole == pytest.approx(28.0, rel=0.1) for whole in wholes)
    assert wholes[-1] == progress.view().seconds == 28.0


def test_the_place_is_that_in_the_users_text_and_not_in_the_words_that_are_read() -> None:
    task = a_task("It cost $1,234,567,890.12 then.\n\n" + "And this is the second paragraph of the text, with as many signs.")
    progress, items = Progress(task), items_of(task)

    progress.advance(items[-1], 9.0)

    assert progress.view().whole_seconds == pytest.approx(9.0, rel=0.02)


def test_it_says_who_and_how_but_not_what() -> None:
    view = Progress(a_task("A secret.")).view()

    assert (view.id, view.owner, view.queue, view.voice, view.format) == ("abc", "0123", "interactive", "af_heart", "mp3")
    assert "secret" not in repr(view)


def test_a_task_is_listed_while_it_runs() -> None:
    tasks = TasksNow()
    with pytest.raises(RuntimeError, match="ends"), tasks.watch(a_task("One.")):
        assert [one.id for one in tasks.view()] == ["abc"]
        raise RuntimeError("it ends")

    assert tasks.view() == ()
