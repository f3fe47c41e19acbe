"""Dividing a text into segments: as late as possible, with the same result as if it were done at once."""

from collections.abc import Iterator
from typing import Literal

import msgspec
import pytest

from app.core.errors import InvalidValue
from app.core.speech.boundaries import Ending
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from tests.engines import PickyEngine, text_of
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import PreparedPassage, PreparedText, prepare_segments, prepare_text

VOICE = load_catalogue().parse("af_heart")[0]
BOOK = text_of(8)


def an_utterance(text: str) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm")


def test_the_first_segment_waits_for_no_later_page() -> None:
    book = "\n\n".join([BOOK] * 50)
    text = prepare_text(an_utterance(book), ToneEngine())
    passages = iter(text.passages)
    asked_for = []

    def watched() -> Iterator[PreparedPassage]:
        for passage in passages:
            asked_for.append(passage)
            yield passage

    next(prepare_segments(PreparedText(watched(), text.markup), an_utterance(book), ToneEngine()))

    assert len(asked_for) == 1
    assert len(list(passages)) > 10


def test_the_segments_of_a_long_text_are_those_of_its_paragraphs() -> None:
    book = "\n\n".join([f"When it rains for days, nobody goes out. {BOOK}"] * 20)
    item = list(prepare_segments(prepare_text(an_utterance(book), ToneEngine()), an_utterance(book), ToneEngine()))
    segments = [one.segment for one in item if one.segment]

    assert len(segments) == len(item)
    assert [segment.ending for segment in segments].count(Ending.PARAGRAPH) == 19
    assert [segment.text for segment in segments].count("When it rains for days,") == 1
    assert " ".join(segment.text for segment in segments) == book.replace("\n\n", " ")


def test_a_segment_does_not_wait_for_the_phonemes_of_the_next() -> None:
    book = "\n\n".join([BOOK] * 20)
    item = prepare_segments(prepare_text(an_utterance(book), ToneEngine()), an_utterance(book), PickyEngine())

    first = next(item)

    assert first.segment is not None
    with pytest.raises(InvalidValue, match="cannot be said"):
        next(item)


@pytest.mark.parametrize(("code", "spoken"), [("skip", "Code block."), ("say", "word word")])
def test_a_block_of_code_longer_than_a_passage_is_skipped_whole(code: Literal["skip", "say"], spoken: str) -> None:
    long = f"Run this:\n\n```\n{'word ' * 5_000}\n```\n\nDone."
    text = msgspec.structs.replace(an_utterance(long), code=code)
    passages = [passage.tracked.text for passage in prepare_text(text, ToneEngine()).passages]

    assert spoken in " ".join(passages)
    assert ("word" in " ".join(passages)) == (code == "say")
    assert passages[-1].endswith("Done.")


def test_code_is_left_alone_in_a_text_that_is_not_normalized() -> None:
    text = msgspec.structs.replace(an_utterance("```\nx\n```"), normalize=False)
    assert [passage.tracked.text for passage in prepare_text(text, ToneEngine()).passages] == ["```\nx\n```"]
