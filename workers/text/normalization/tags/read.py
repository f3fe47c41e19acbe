"""Reads the tags of a whole text that say how it is spoken: thoughts, SSML and ruby, in this order."""

from app.core.speech.tags import NamedVoices
from workers.text.markup import Markup
from workers.text.normalization.tags.html_ruby import say_ruby
from workers.text.normalization.tags.ssml import CanSpeak, read_ssml
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


def tags_before(text: str, place: int) -> str:
    """Returns the tags with which the part of a text that begins at `place` is read as within the whole text."""
    if place == 0 or "<" not in text:
        return ""
    thoughts = list(find_thoughts(text))
    if any(start < place < end for start, end in thoughts):
        return "<think>"
    # A closing tag of a thought that has begun earlier must not silence the beginning of the part.
    return ("<think></think>" if thoughts else "") + open_tags(text, place)
