"""Converts a text to segments: markup, passages, normalization, phonemes. All engines share one loop.

Why everything is lazy: a listener's first audio must not wait for the last page. A passage is normalized, and a segment gets
its phonemes, only when it is requested.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Final

import msgspec

from app.core.errors import KoeError
from app.core.speech.boundaries import Ending, rest_of_sentence
from app.core.speech.spoken_text import SpokenText
from app.core.speech.utterance import MAX_SPEED, MIN_SPEED
from app.core.speech.voices import Blend
from workers.engines.base import Engine, Segment
from workers.text.markup import NO_MARKUP, USUAL, Manner, Markup, Section, clear, read_markup
from workers.text.normalization.markup.code_blocks import skip_code
from workers.text.normalization.normalize import clean, normalize
from workers.text.normalization.tags.others import drop_others
from workers.text.normalization.tags.read import read_tags
from workers.text.normalization.tags.speakers import read_speakers
from workers.text.passages import divide
from workers.text.preprocess import preprocess
from workers.text.segment import Piece, fit, segment
from workers.text.tracked_text import TrackedText
from workers.text.words import says_something

N_IN_PIECES: Final = 2
"""Segments at the beginning of a text that are spoken in pieces if somebody listens. The second takes longer than the audio of
the first; at the third, there is enough audio.
"""


class PreparedPassage(msgspec.Struct, frozen=True):
    """A passage of the text in the form that an engine takes, its manner, and its end."""

    tracked: TrackedText
    ending: Ending | None
    """None at the end of the text, and before a pause that the user asks for."""
    pause_seconds: float | None
    """Length of that pause; None without one."""
    manner: Manner = USUAL


class PreparedText(msgspec.Struct, frozen=True):
    """A text in the form that an engine takes."""

    passages: Iterable[PreparedPassage]
    markup: Markup


class PreparedItem(msgspec.Struct, frozen=True):
    """A segment with its passage, or a pause that the user asks for."""

    tracked: TrackedText
    segment: Segment | None = None
    pause_seconds: float = 0.0
    speaker: str | None = None
    """The voice as the user wrote it; None in a text with one voice."""


def prepare_text(text: SpokenText, engine: Engine) -> PreparedText:
    """Returns `text` in the form that `engine` takes. Its passages can be iterated over only once."""
    markup = Markup()
    can_speak = lru_cache(partial(_can_speak, engine, text))
    tracked = read_speakers(clear(text.text), text.speakers, markup, can_speak)
    if text.normalize:
        tracked = read_tags(
            tracked,
            text.language,
            says_thoughts=text.think == "say",
            markup=markup,
            voices=text.voices,
            can_speak=can_speak,
        )
    sections, _ = read_markup(tracked, text.pronunciations, markup)
    return PreparedText(_prepare_passages(sections, markup, text, engine), markup)


def prepare_segments(
    prepared: PreparedText, text: SpokenText, engine: Engine, *, speed: float = 1.0, plays: bool = False
) -> Iterator[PreparedItem]:
    """Yields the segments of the `prepared` text and the pauses that the user asks for, in order. `speed`: 0.25 to 4.

    `plays`: whether somebody listens meanwhile, so that the first segments are spoken in pieces.
    """
    n_segments = 0
    for passage in prepared.passages:
        segments = segments_of(
            passage.tracked.text,
            engine,
            voice=passage.manner.voice or text.voice,
            language=passage.manner.language or text.language,
            speed=min(max(speed * passage.manner.rate, MIN_SPEED), MAX_SPEED),
            markup=prepared.markup,
            is_opening=not n_segments,
        )
        for one in segments:
            spoken = msgspec.structs.replace(one, in_pieces=plays and n_segments < N_IN_PIECES)
            n_segments += 1
            # Not by looking for a next segment: this one would then wait for the phonemes of the next.
            rest = passage.tracked.text[one.start + len(one.text) :]
            is_last = not says_something(prepared.markup.restore(rest))
            ending = passage.ending if is_last and passage.ending else one.ending
            speaker = passage.manner.speaker or text.narrator or None
            yield PreparedItem(passage.tracked, msgspec.structs.replace(spoken, ending=ending), speaker=speaker)
        if passage.pause_seconds is not None:
            yield PreparedItem(passage.tracked, pause_seconds=passage.pause_seconds)


def segments_of(
    text: str,
    engine: Engine,
    *,
    voice: Blend,
    language: str,
    speed: float,
    markup: Markup = NO_MARKUP,
    is_opening: bool = True,
) -> Iterator[Segment]:
    """Divides a normalized text into segments that `engine` can take, and yields each one when it is requested.

    `is_opening`: a listener waits for the beginning of the text, so the first segment is short. No text is left out; a text
    with nothing to say gives no segment. Raises InvalidRequest for a voice or a language that the engine cannot speak.
    """
    engine.check_voice(voice, language)
    before = ""
    for piece in segment(text, language, is_opening=is_opening):
        for part, phonemized in fit(piece, lambda part: engine.phonemize(part, language, markup), engine.max_phonemes):
            if phonemized.phonemes:
                yield Segment(
                    text=part.text,
                    phonemes=phonemized.phonemes,
                    voice=voice,
                    language=language,
                    speed=speed,
                    ending=part.ending,
                    start=part.start,
                    words=phonemized.words,
                    before=before,
                    after=_context_after(part, text, language, engine, markup),
                    engine=engine.identity,
                )
                before = phonemized.phonemes[-engine.max_context :] if _has_context(part, engine) else ""


def _prepare_passages(
    sections: Iterable[Section], markup: Markup, text: SpokenText, engine: Engine
) -> Iterator[PreparedPassage]:
    # Blocks of code and tags are removed from the whole text: an element may be longer than a passage.
    skips_code = text.normalize and text.code == "skip"
    says_emoji = text.emoji == "say"
    for section in sections:
        whole, language = clean(section.tracked), section.manner.language or text.language
        if skips_code:
            whole = skip_code(whole, language)
        for passage in divide(drop_others(whole) if text.normalize else whole, language):
            tracked = passage.tracked
            if text.normalize:
                tracked = tracked.then(
                    partial(normalize, language=language, says_emoji=says_emoji, says_code=True, has_tags=False)
                )
            if not engine.takes_phonemes:
                tracked = preprocess(markup.restore_tracked(tracked), language)
            is_last = passage.ending is None
            ending = section.ending if is_last else passage.ending
            yield PreparedPassage(tracked, ending, section.pause_seconds if is_last else None, section.manner)


def _can_speak(engine: Engine, text: SpokenText, manner: Manner) -> bool:
    """Whether the engine has the voice and the language of a manner."""
    language = manner.language or text.language
    try:
        engine.check_voice(manner.voice or text.voice, language)
    except KoeError:
        return False
    return engine.speaks(language)


def _context_after(part: Piece, text: str, language: str, engine: Engine, markup: Markup) -> str:
    """Returns the phonemes after `part` in its sentence; empty if the engine does not use them as context."""
    if not _has_context(part, engine):
        return ""
    following = rest_of_sentence(text, part.start + len(part.text), language, max_chars=engine.max_context)
    phonemes = engine.phonemize(following, language, markup).phonemes[: engine.max_context].strip()
    return phonemes if says_something(phonemes) else ""


def _has_context(part: Piece, engine: Engine) -> bool:
    """Whether the engine reads `part` together with the text after it."""
    return engine.max_context > 0 and part.ending is Ending.CLAUSE
