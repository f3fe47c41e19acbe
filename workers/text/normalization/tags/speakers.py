"""Reads the tags of a text that change its voice: `[af_heart]`, and `af_heart:` at the start of a line.

Why before all other tags: the API finds them in the user's own text, and both must find the same.
"""

from collections.abc import Iterator
from itertools import chain

from app.core.speech.speakers import SpeakerTag, find_tags
from app.core.speech.tags import NamedVoices
from workers.text.cancellation import check_cancelled
from workers.text.markup import CanSpeak, Manner, Markup, Turn
from workers.text.normalization.formulas.latex import find_formulas
from workers.text.normalization.markup.code_blocks import find_blocks
from workers.text.tracked_text import TrackedText


def read_speakers(tracked: TrackedText, speakers: NamedVoices, markup: Markup, can_speak: CanSpeak) -> TrackedText:
    """Replaces each tag that names one of the `speakers` by a turn of `markup`. Where the engine cannot speak with a voice, the
    one before stays.
    """
    manners = {name: Manner(voice=blend, language=language, speaker=name) for name, blend, language in speakers}

    def changes() -> Iterator[tuple[int, int, str]]:
        for tags in _runs(tracked.text, speakers):
            check_cancelled()
            possible = [tag for tag in tags if can_speak(manners[tag.name])]
            for tag in tags:
                turn = Turn(speaker=manners[tag.name], ends_line=any(one.is_at_line_start for one in tags))
                yield tag.start, tag.end, markup.add_turn(turn) if possible and tag is possible[-1] else ""

    return tracked.replace(changes()) if speakers else tracked


def hide_speakers(text: str, speakers: NamedVoices) -> str:
    """Returns a text of the same length with spaces in place of these tags."""
    parts, done = [], 0
    for tag in find_speakers(text, speakers):
        parts += [text[done : tag.start], " " * (tag.end - tag.start)]
        done = tag.end
    return "".join(parts) + text[done:]


def find_speakers(text: str, speakers: NamedVoices) -> Iterator[SpeakerTag]:
    """Yields the tags that name one of the `speakers`, but not those in blocks of code and in formulas."""
    names = {name for name, _, _ in speakers}
    tags = list(find_tags(text, names.__contains__)) if names else []
    if not tags:
        return
    wholes = iter(sorted(chain(find_blocks(text), ((start, end) for start, end, _ in find_formulas(text)))))
    start = end = 0
    for tag in tags:
        while end <= tag.start and (whole := next(wholes, None)) is not None:
            start, end = whole
        if not start <= tag.start < end:
            yield tag


def _runs(text: str, speakers: NamedVoices) -> Iterator[list[SpeakerTag]]:
    """Yields the tags in groups, those together between which nothing is said."""
    run: list[SpeakerTag] = []
    for tag in find_speakers(text, speakers):
        if run and not text[run[-1].end : tag.start].isspace() and run[-1].end < tag.start:
            yield run
            run = []
        run.append(tag)
    if run:
        yield run
