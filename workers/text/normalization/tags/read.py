"""Reads the tags of a whole text that say how it is spoken: thoughts, SSML and ruby, in this order."""

from collections.abc import Iterator

from app.core.speech.tags import NamedVoices
from workers.text.markup import CanSpeak, Markup
from workers.text.normalization.tags.html_ruby import say_ruby
from workers.text.normalization.tags.speakers import find_speakers
from workers.text.normalization.tags.ssml import read_ssml
from workers.text.normalization.tags.ssml_places import open_tags
from workers.text.normalization.tags.thoughts import drop_thoughts, find_thoughts
from workers.text.tracked_text import TrackedText


def read_tags(
    tracked: TrackedText,
    language: str,
    *,
    says_thoughts: bool = False,
    markup: Markup | None = None,
    voices: NamedVoices = (),
    can_speak: CanSpeak | None = None,
) -> TrackedText:
    """Returns a whole text without these tags. `language`: BCP 47 tag.

    SSML's pauses, voices, languages and speeds become turns of `markup`, and its phonemes given words. Without `can_speak` they
    have no effect.
    """
    tracked = drop_thoughts(tracked, is_said=says_thoughts)
    tracked = read_ssml(tracked, language, markup=markup or Markup(), voices=voices, can_speak=can_speak)
    return say_ruby(tracked)


def tags_before(
    text: str,
    place: int,
    *,
    speakers: NamedVoices = (),
    narrator: str = "",
    is_normalized: bool = True,
    says_thoughts: bool = False,
) -> str:
    """Returns the tags with which the part of a text that begins at `place` is read as within the whole text.

    `speakers`, `narrator`, `is_normalized`: as in its SpokenText.
    """
    has_tags = is_normalized and "<" in text
    if place == 0 or not (speakers or has_tags):
        return ""
    thoughts = list(find_thoughts(text)) if has_tags else []
    silent = [] if says_thoughts else thoughts
    tags = list(_speakers_before(text, place, speakers, narrator, silent))
    line = "\n" if speakers and text[:place].rstrip(" \t").endswith("\n") else ""
    if any(start < place < end for start, end in thoughts):
        return "".join(tag for _, tag in tags) + "<think>" + line
    # A closing tag of a thought that has begun earlier must not silence the beginning of the part.
    begin = "<think></think>" if thoughts else ""
    return begin + "".join(tag for _, tag in sorted(tags + (open_tags(text, place) if has_tags else []))) + line


def _speakers_before(
    text: str, place: int, speakers: NamedVoices, narrator: str, silent: list[tuple[int, int]]
) -> Iterator[tuple[int, str]]:
    """Yields the last tag of each speaker before `place`, in order, and where it stands. If the engine lacks the last voice,
    the one before it stays.
    """
    places = {narrator: -1} if speakers else {}
    spans = iter(silent)
    start = end = 0
    for tag in find_speakers(text, speakers):
        if tag.start >= place:
            break
        while end <= tag.start and (span := next(spans, None)) is not None:
            start, end = span
        if not start <= tag.start < end:
            places[tag.name] = tag.start
    yield from sorted((at, f"[{name}]") for name, at in places.items())
