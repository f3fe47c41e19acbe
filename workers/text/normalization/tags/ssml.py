"""Reads SSML: within `<speak>`, tags make pauses, replace words, and change voice, language and speed.

Why a broken document is read like any other: it comes from a language model or a template, and a listener would rather hear its
words without a pause than nothing. A tag that is not understood is removed, and its text is spoken.

Why the depth has a limit: a closing tag looks for its element among those that are open.
"""

import html
import re
from typing import Final

import msgspec

from app.core.speech.characters import CLAUSE_ENDS, CLOSERS, SENTENCE_ENDS, in_class
from app.core.speech.languages import find_language
from app.core.speech.pauses import MAX_PAUSE_SECONDS
from app.core.speech.speakers import show_speaker
from app.core.speech.tags import NamedVoices, attributes_of, break_seconds
from app.core.speech.voices import Blend
from workers.text.cancellation import check_cancelled
from workers.text.locales import loader
from workers.text.markup import NOT_TURN, TURNS, USUAL, CanSpeak, Given, Manner, Markup, Turn
from workers.text.normalization.tags.ipa import to_misaki
from workers.text.normalization.tags.rate import read_rate
from workers.text.normalization.tags.say_as import say_as
from workers.text.normalization.tags.ssml_places import MAX_DEPTH, TOKEN, find_speak, name_of
from workers.text.tracked_text import TrackedText

_SILENT: Final = frozenset({"desc", "metadata", "lexicon", "meta"})
_INNER: Final = re.compile(rf"<[^<>]{{0,4000}}+>|{TURNS}")
_ENDED: Final = frozenset(SENTENCE_ENDS + CLAUSE_ENDS + CLOSERS)
_PARAGRAPHS: Final = frozenset({"p", "paragraph"})
_SENTENCES: Final = frozenset({"s", "sentence"})

_MARKS: Final = re.compile(rf"[{in_class(SENTENCE_ENDS + CLAUSE_ENDS)}][{in_class(SENTENCE_ENDS + CLOSERS)}]{{0,5}}+(?![\w])")
"""Marks that may follow a tag."""
_LETTER_A: Final = re.compile(r"(?<!\S)A(?![^\s,])")
_ENGLISH_LETTERS: Final = frozenset({"en", "hi", "zh"})
"""Languages whose Latin letters are said by the G2P of English."""


class _Element(msgspec.Struct):
    """An element that is open."""

    name: str
    attributes: dict[str, str]
    start: int
    """Index of the first character after its opening tag."""
    n_changes: int
    """Number of the changes before those within it, its opening tag included."""
    before: Manner
    """The manner before it."""
    within: Manner
    last: str
    """The last character before it, without white space."""


def read_ssml(
    tracked: TrackedText, language: str, *, markup: Markup, voices: NamedVoices = (), can_speak: CanSpeak | None = None
) -> TrackedText:
    """Removes the tags of each `speak` element and does what they ask for. `language`: BCP 47 tag of the whole text.

    Pauses and changes of the manner become turns of `markup`. Without `can_speak`, they have no effect.
    """
    if "<speak" not in tracked.text.lower():
        return tracked
    reader = _Reader(tracked.text, language, markup, {name: (blend, tag) for name, blend, tag in voices}, can_speak)
    for start, end in find_speak(tracked.text):
        reader.read(start, end)
    return tracked.replace(reader.changes)


class _Reader:
    """Reads the `speak` elements of one text, from its beginning to its end."""

    def __init__(
        self, text: str, language: str, markup: Markup, voices: dict[str, tuple[Blend, str]], can_speak: CanSpeak | None
    ) -> None:
        self.changes: list[tuple[int, int, str]] = []
        self._text = text
        self._language = language
        self._markup = markup
        self._voices = voices
        self._can_speak = can_speak
        self._manner = USUAL
        self._speaker = USUAL
        """What the last tag such as `[af_heart]` asks for."""
        self._read_to = 0
        self._open: list[_Element] = []
        self._last = ""
        """The last character before the tag, without white space."""

    def read(self, start: int, end: int) -> None:
        """Reads a `speak` element."""
        done = start
        self._last, self._open = "", []
        for token in TOKEN.finditer(self._text, start, end):
            check_cancelled()
            self._follow_speaker(token.start())
            self._last = NOT_TURN.sub("", self._text[done : token.start()]).rstrip()[-1:] or self._last
            done = token.end()
            if token["tag"]:
                self._read_tag(token)
            elif token["cdata"]:
                self._change(token.start(), token.end(), html.escape(token["text"], quote=False))
            else:
                self._change(token.start(), token.end(), "")
        self._follow_speaker(end)
        self._open = []
        if self.changes[-1][1] == end:
            self._set_manner(USUAL, end, end)
        self._manner = USUAL

    def _follow_speaker(self, end: int) -> None:
        """Follows the changes of the speaker up to a place. They replace the voices and the languages of the open elements."""
        speakers = self._markup.speakers_in(self._text[self._read_to : end])
        if speakers:
            place, self._speaker = self._read_to + speakers[0][0], speakers[-1][1]
            for element in self._open:
                element.before, element.within = _without_voice(element.before), _without_voice(element.within)
            manner = _without_voice(self._manner)
            if manner != self._manner:
                self._change(place, place + 1, self._text[place] + self._turn(manner, None))
                self._manner = manner
        self._read_to = end

    def _read_tag(self, token: re.Match[str]) -> None:
        name = name_of(token)
        if token["end"]:
            self._close(name, token)
            return
        attributes = attributes_of(token)
        if name == "break":
            seconds = min(break_seconds(attributes), MAX_PAUSE_SECONDS)
            self._change(*token.span(), " ")
            self._add_turn(self._turn(self._manner, seconds) if seconds else "", token.end())
            return
        before = self._manner
        if name == "sub" and token["empty"]:
            self._change(*token.span(), f" {attributes.get('alias', '')} ")
        elif name in _PARAGRAPHS or name in _SENTENCES:
            self._change(*token.span(), self._edge(name))
            self._set_manner(self._manner_in(name, attributes), token.end(), token.end())
        else:
            self._set_manner(self._manner_in(name, attributes), *token.span())
        if token["empty"]:
            self._set_manner(before, token.end(), token.end())
        elif len(self._open) < MAX_DEPTH:
            self._open.append(_Element(name, attributes, token.end(), len(self.changes), before, self._manner, self._last))
        else:
            self._set_manner(before, token.end(), token.end())

    def _close(self, name: str, token: re.Match[str]) -> None:
        number = next((n for n in range(len(self._open) - 1, -1, -1) if self._open[n].name == name), None)
        if number is None:
            self._change(*token.span(), self._edge(name))
            return
        element = self._open[number]
        del self._open[number:]
        self._finish(element, token.start())
        self._change(*token.span(), self._edge(name))
        self._set_manner(element.before, token.end(), token.end())

    def _finish(self, element: _Element, end: int) -> None:
        """Replaces the text of an element if it is not spoken as it is written."""
        name, start = element.name, element.start
        spoken: str | None = None
        if name in _SILENT:
            spoken = ""
        elif name == "sub":
            spoken = element.attributes.get("alias") or None
        elif name in {"say-as", "phoneme"}:
            content = html.unescape(_INNER.sub("", self._text[start:end])).strip()
            spoken = self._spoken(name, element.attributes, content) if content else None
        if spoken is None:
            return
        if start < end:
            del self.changes[element.n_changes :]
            self._manner = element.within
            speakers = self._markup.speakers_in(self._text[start:end])
            turns = self._text[start + speakers[-1][0]] + self._turn(element.within, None) if speakers else ""
            self._change(start, end, spoken + turns)
        self._last = spoken.rstrip()[-1:] or element.last

    def _spoken(self, name: str, attributes: dict[str, str], content: str) -> str | None:
        language = self._language_now
        if name == "say-as":
            spoken = say_as(content, attributes, language)
            return self._name_letters(spoken, language) if spoken else None
        phonemes = to_misaki(attributes.get("ph", ""), attributes.get("alphabet", "ipa"), language)
        return self._markup.stand_for(Given(content, phonemes)) if phonemes and self._can_speak else None

    def _name_letters(self, spoken: str, language: str) -> str:
        """Gives the letter A its phonemes where the G2P would take it for the article."""
        if self._can_speak is None or language.partition("-")[0].lower() not in _ENGLISH_LETTERS:
            return spoken
        return _LETTER_A.sub(lambda _: self._markup.stand_for(Given("A", "ˈA")) or "A", spoken)

    def _manner_in(self, name: str, attributes: dict[str, str]) -> Manner:
        """Returns the manner within an element."""
        manner = self._manner
        if name == "prosody" and (rate := read_rate(attributes.get("rate", ""))) is not None:
            manner = msgspec.structs.replace(manner, rate=manner.rate * rate)
        if name == "voice" and (voice := self._voices.get(attributes.get("name", ""))) is not None:
            speaker = show_speaker(attributes["name"], voice[0])
            manner = self._possible(msgspec.structs.replace(manner, voice=voice[0], language=voice[1], speaker=speaker))
        tag = attributes.get("xml:lang") or (attributes.get("lang") if name == "lang" else None)
        return self._in_language(manner, tag, is_whole=name == "speak") if tag else manner

    def _in_language(self, manner: Manner, name: str, *, is_whole: bool) -> Manner:
        language = find_language(name)
        tag = name if language is None else language.tag
        current = manner.over(self._speaker).language or self._language
        if is_whole and tag.partition("-")[0].lower() == current.partition("-")[0].lower():
            # The voice decides between American and British English.
            return manner
        return manner if tag == current else self._possible(msgspec.structs.replace(manner, language=tag))

    def _possible(self, manner: Manner) -> Manner:
        """Returns `manner`, or the current one if the engine cannot speak so."""
        return manner if self._can_speak is None or self._can_speak(manner.over(self._speaker)) else self._manner

    def _edge(self, name: str) -> str:
        """Returns the text for the edge of a paragraph, a sentence or the whole: a blank line, or a space after a mark."""
        if name in _PARAGRAPHS or name == "speak":
            self._last = ""
            return "\n\n"
        if name not in _SENTENCES:
            return ""
        stop = loader.find(self._language_now).full_stop
        is_ended = not self._last or self._last in _ENDED
        self._last = self._last if is_ended else stop
        return " " if is_ended else f"{stop} "

    @property
    def _language_now(self) -> str:
        return self._manner.over(self._speaker).language or self._language

    def _set_manner(self, manner: Manner, start: int, end: int) -> None:
        """Changes the manner. From `start` to before `end` stands the tag that does it, if it is not removed yet."""
        turn = self._turn(manner, None) if manner != self._manner else ""
        self._manner = manner
        if start < end:
            self._change(start, end, "")
        self._add_turn(turn, end)

    def _add_turn(self, turn: str, place: int) -> None:
        """Adds a turn after the tag that ends at `place`. A mark there belongs to the text before the tag."""
        marks = _MARKS.match(self._text, place) if turn else None
        if marks is not None:
            self._change(*marks.span(), marks[0] + turn)
        else:
            start, end, before = self.changes[-1]
            self.changes[-1] = (start, end, before + turn)

    def _turn(self, manner: Manner, pause_seconds: float | None) -> str:
        return self._markup.add_turn(Turn(manner, pause_seconds)) if self._can_speak else ""

    def _change(self, start: int, end: int, new: str) -> None:
        self.changes.append((start, end, new))


def _without_voice(manner: Manner) -> Manner:
    return msgspec.structs.replace(manner, voice=None, language=None, speaker=None)
