"""Texts for several voices in segments: the voice and the language of each part, and the pauses between them."""

import re
from typing import Any

import pytest
from typing_extensions import override

from app.core.errors import InvalidValue
from app.core.speech.boundaries import Ending
from app.core.speech.speakers import find_speakers
from app.core.speech.spoken_text import SpokenText
from app.core.speech.tags import find_voices
from app.core.speech.voices import Blend, load_catalogue
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import prepare_segments, prepare_text
from workers.text.normalization.tags.read import tags_before
from workers.text.normalization.tags.speakers import hide_speakers

CATALOGUE = load_catalogue()
NARRATOR = "coral"


class LimitedEngine(ToneEngine):
    """An engine that lacks one voice, and speaks no Japanese."""

    takes_phonemes = True

    @override
    def check_voice(self, voice: Blend, language: str) -> None:
        if voice[0].voice_id == "am_adam":
            raise InvalidValue("no such voice", param="voice")

    @override
    def speaks(self, language: str) -> bool:
        return language != "ja"


def to_spoken(text: str, **more: Any) -> SpokenText:
    narrator = (NARRATOR, *CATALOGUE.parse(NARRATOR))
    speakers = [speaker for speaker in find_speakers(text, CATALOGUE) if speaker[0] != NARRATOR]
    return SpokenText(
        text=text,
        engine="tone",
        voice=narrator[1],
        language=narrator[2],
        voices=find_voices(text, CATALOGUE),
        speakers=tuple(sorted([*speakers, narrator])),
        narrator=NARRATOR,
        **more,
    )


def spoken_as(spoken: SpokenText) -> list[tuple[str, str, Ending]]:
    """Speaker, text and ending of each segment; the voice and the language of a segment are those of its speaker."""
    engine = LimitedEngine()
    prepared = prepare_text(spoken, engine)
    found = []
    for item in prepare_segments(prepared, spoken, engine):
        if item.segment is not None:
            assert item.speaker is not None
            assert (item.segment.voice, item.segment.language) == CATALOGUE.parse(item.speaker)
            found.append((item.speaker, prepared.markup.restore(item.segment.text), item.segment.ending))
    return found


def parts(text: str, **more: Any) -> list[tuple[str, str]]:
    return [(speaker, part) for speaker, part, _ in spoken_as(to_spoken(text, **more))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. [af_heart] Two. [bf_emma] Three.", [("coral", "One."), ("af_heart", "Two."), ("bf_emma", "Three.")]),
        ("af_heart: One.\nTwo.\n\nam_michael: Three.", [("af_heart", "One. Two."), ("am_michael", "Three.")]),
        ("[af_heart] Bonjour? [ff_siwis] Salut!", [("af_heart", "Bonjour?"), ("ff_siwis", "Salut!")]),
        ("[af_heart][am_michael] One. [bf_emma]", [("am_michael", "One.")]),
        ("[af_heart(2)+bf_emma(1)] One.", [("af_heart(2)+bf_emma(1)", "One.")]),
        ("[nova] One.\nash: Two.\n[coral] Three.", [("nova", "One."), ("ash", "Two."), ("coral", "Three.")]),
        ("One [af_heart]two", [("coral", "One"), ("af_heart", "two")]),
        ("[af_heart] See [bf_emma](https://a.b).", [("af_heart", "See bf emma.")]),
        ("[af_heart] [laughs] One.", [("af_heart", "[laughs] One.")]),
    ],
)
def test_each_part_has_its_voice(text: str, found: list[tuple[str, str]]) -> None:
    assert parts(text) == found


@pytest.mark.parametrize("normalize", [True, False])
def test_tags_work_without_normalization_too(normalize: bool) -> None:
    assert parts("[af_heart] One. [bf_emma] Two.", normalize=normalize) == [("af_heart", "One."), ("bf_emma", "Two.")]


def test_tags_in_code_and_formulas_are_none() -> None:
    text = "[bf_emma] One.\n\n    x = y[0]\n    x[af_heart] = y\n\nTwo $a + b_{[af_heart] c} = 3$ three."
    assert {speaker for speaker, _ in parts(text)} == {"bf_emma"}


def test_a_voice_that_the_engine_cannot_speak_with_changes_nothing() -> None:
    text = "[af_heart] One. [am_adam] Two. [jf_alpha] Three. [bf_emma] Four. [bf_emma][jf_alpha] Five."
    assert parts(text) == [("af_heart", "One. Two. Three."), ("bf_emma", "Four."), ("bf_emma", "Five.")]


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("One\n[bf_emma] two", Ending.SENTENCE),
        ("One\nbf_emma: two", Ending.SENTENCE),
        ("One\n\nbf_emma: two", Ending.PARAGRAPH),
        ("One.\n\n[bf_emma]\nTwo", Ending.PARAGRAPH),
        ("One, [bf_emma] two", Ending.CLAUSE),
        ("One [bf_emma] two", Ending.CUT),
        ("One. [bf_emma] two", Ending.SENTENCE),
    ],
)
def test_a_new_speaker_is_a_pause_at_the_start_of_a_line_and_follows_the_marks_within_it(text: str, ending: Ending) -> None:
    assert spoken_as(to_spoken(text))[0][2] is ending


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<speak>[af_heart] One. <s>Two.</s></speak> Three.", [("af_heart", "One. Two. Three.")]),
        ("<speak><p>[af_heart] One.</p><p>Two.</p></speak>", [("af_heart", "One."), ("af_heart", "Two.")]),
        (
            '<speak>[af_heart] One. <voice name="nova">Two.</voice> Three.</speak>',
            [("af_heart", "One."), ("nova", "Two."), ("af_heart", "Three.")],
        ),
        (
            '<speak><voice name="nova">One. [ff_siwis] Two.</voice> Three.</speak>',
            [("nova", "One."), ("ff_siwis", "Two. Three.")],
        ),
        ('<speak xml:lang="fr-FR">[af_heart] One. [ff_siwis] Deux.</speak>', [("af_heart", "One."), ("ff_siwis", "Deux.")]),
        (
            '[bf_emma] One. <speak>Two. <sub alias="x">[af_heart] 2</sub> Three.</speak>',
            [("bf_emma", "One. Two. x"), ("af_heart", "Three.")],
        ),
        ("<speak>One. <!-- [af_heart] --> Two. [bf_emma] Three.</speak>", [("coral", "One. Two."), ("bf_emma", "Three.")]),
    ],
)
def test_in_ssml_the_tag_or_the_element_that_comes_last_decides(text: str, found: list[tuple[str, str]]) -> None:
    joined: list[tuple[str, str]] = []
    for speaker, part in parts(text):
        if joined and joined[-1][0] == speaker and "<p>" not in text:
            joined[-1] = (speaker, f"{joined[-1][1]} {part}")
        else:
            joined.append((speaker, part))
    assert joined == found


def test_a_rate_goes_on_for_the_next_speaker() -> None:
    text = '<speak><prosody rate="slow">[af_heart] One. [bf_emma] Two.</prosody> Three.</speak>'
    spoken, engine = to_spoken(text), LimitedEngine()
    items = list(prepare_segments(prepare_text(spoken, engine), spoken, engine))
    assert [(item.speaker, item.segment.speed) for item in items if item.segment is not None] == [
        ("af_heart", 0.75),
        ("bf_emma", 0.75),
        ("bf_emma", 1.0),
    ]


def test_a_number_is_read_in_the_language_of_its_speaker_also_in_ssml() -> None:
    text = '<speak>[ff_siwis] <say-as interpret-as="cardinal">21</say-as>.</speak>'
    assert parts(text) == [("ff_siwis", "vingt et un.")]


def test_a_tag_in_a_thought_is_dropped_with_it() -> None:
    text = "[af_heart] One. <think>[bf_emma] hm</think> Two."
    assert {speaker for speaker, _ in parts(text)} == {"af_heart"}


LONG = (
    "Zero.\n[af_heart] One. <think>[am_adam] hm [bf_emma]</think> Two. [jf_alpha] Three.\n"
    'nova: Four. <speak>Five. <voice name="ash">Six. [bf_emma] Seven.</voice> Eight. <voice name="ash">Nine.</voice></speak>\n'
    "[nova] Ten.\nash: Eleven."
)


@pytest.mark.parametrize("word", sorted(set(re.findall(r"[A-Z][a-z]+", LONG))))
def test_a_part_of_a_text_begins_with_the_voice_in_force(word: str) -> None:
    """The part begins where the plan of a job would cut: after the tags before a word."""
    whole = {part.rstrip("."): speaker for speaker, text, _ in spoken_as(to_spoken(LONG)) for part in text.split()}
    spoken, place = to_spoken(LONG), LONG.index(word)
    before = tags_before(LONG, place, speakers=spoken.speakers, narrator=spoken.narrator)
    part = SpokenText(
        text=before + LONG[place:],
        engine="tone",
        voice=spoken.voice,
        language=spoken.language,
        voices=spoken.voices,
        speakers=spoken.speakers,
        narrator=spoken.narrator,
    )
    for speaker, text, _ in spoken_as(part):
        assert {whole[one.rstrip(".")] for one in text.split()} == {speaker}


def test_hidden_tags_leave_every_word_in_its_place() -> None:
    spoken = to_spoken(LONG)
    hidden = hide_speakers(LONG, spoken.speakers)
    assert len(hidden) == len(LONG)
    assert "[" not in hidden
    assert "nova:" not in hidden
    assert all(hidden.index(word) == LONG.index(word) for word in ("Zero", "Four", "Seven", "Eleven"))
