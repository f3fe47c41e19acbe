"""SSML in segments: pauses, and the voice, language and speed of each part."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from app.core.errors import InvalidValue
from app.core.speech.boundaries import Ending
from app.core.speech.spoken_text import SpokenText, Think
from app.core.speech.tags import find_voices
from app.core.speech.voices import Blend, load_catalogue, show_blend
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import prepare_segments, prepare_text

CATALOGUE = load_catalogue()


class LimitedEngine(ToneEngine):
    """An engine that lacks one voice, and speaks two languages."""

    takes_phonemes = True

    @override
    def check_voice(self, voice: Blend, language: str) -> None:
        if voice[0].voice_id == "am_adam":
            raise InvalidValue("no such voice", param="voice")

    @override
    def speaks(self, language: str) -> bool:
        return language in {"en-US", "fr-FR"}


def parts(text: str, *, speed: float = 1.0, normalize: bool = True, think: Think = "skip") -> list[tuple[str, str, str, float]]:
    """Returns text, voice, language and speed of each segment; a pause is its seconds as text."""
    return [part for part, _ in _prepared(text, speed=speed, normalize=normalize, think=think)]


def endings(text: str) -> list[Ending | None]:
    return [ending for _, ending in _prepared(text)]


def _prepared(
    text: str, *, speed: float = 1.0, normalize: bool = True, think: Think = "skip"
) -> Sequence[tuple[tuple[str, str, str, float], Ending | None]]:
    spoken = SpokenText(
        text=text,
        engine="tone",
        voice=CATALOGUE.parse("af_heart")[0],
        language="en-US",
        normalize=normalize,
        think=think,
        voices=find_voices(text, CATALOGUE),
    )
    engine = LimitedEngine()
    prepared = prepare_text(spoken, engine)
    found: list[tuple[tuple[str, str, str, float], Ending | None]] = []
    for item in prepare_segments(prepared, spoken, engine, speed=speed):
        one = item.segment
        if one is None:
            found.append(((f"{item.pause_seconds:g} s", "", "", 0.0), None))
        else:
            shown = prepared.markup.restore(one.text)
            found.append(((shown, show_blend(one.voice), one.language, round(one.speed, 3)), one.ending))
    return found


def usual(text: str, speed: float = 1.0) -> tuple[str, str, str, float]:
    return (text, "af_heart", "en-US", speed)


def pause(seconds: str) -> tuple[str, str, str, float]:
    return (f"{seconds} s", "", "", 0.0)


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ('<break time="500ms"/>', "0.5"),
        ('<break time="1.5s"></break>', "1.5"),
        ("<break/>", "0.35"),
        ('<break strength="strong"/>', "0.7"),
        ('<break strength="?" />', "0.35"),
        ('<break time="100s"/>', "60"),
    ],
)
def test_a_break_is_a_pause(tag: str, seconds: str) -> None:
    assert parts(f"<speak>One {tag} two.</speak>") == [usual("One"), pause(seconds), usual("two.")]


@pytest.mark.parametrize("tag", ['<break strength="none"/>', '<break time="0s"/>'])
def test_a_break_of_no_length_is_none(tag: str) -> None:
    assert parts(f"<speak>One {tag} two.</speak>") == [usual("One two.")]


def test_the_rate_changes_the_speed_of_a_part() -> None:
    assert parts('<speak>One <prosody rate="slow">two <prosody rate="50%">three</prosody> four</prosody> five.</speak>') == [
        usual("One"),
        usual("two", 0.75),
        usual("three", 0.375),
        usual("four", 0.75),
        usual("five."),
    ]


def test_the_rate_multiplies_the_speed_of_the_request_within_its_limits() -> None:
    text = '<speak><prosody rate="200%">One.</prosody></speak>'
    assert parts(text, speed=1.5) == [usual("One.", 3.0)]
    assert parts(text, speed=3.0) == [usual("One.", 4.0)]


def test_a_voice_brings_its_language() -> None:
    assert parts('<speak>One <voice name="ff_siwis">deux</voice>. <voice name="alloy">Three.</voice></speak>') == [
        usual("One"),
        ("deux.", "ff_siwis", "fr-FR", 1.0),
        ("Three.", "af_alloy", "en-US", 1.0),
    ]


def test_a_voice_may_be_a_blend_or_a_list_of_names() -> None:
    assert [part[1] for part in parts('<speak><voice name="af_heart(3)+af_nova">One.</voice></speak>')] == [
        "af_heart(0.75)+af_nova(0.25)"
    ]
    assert [part[1] for part in parts('<speak><voice name="Nobody, af_nova">One.</voice></speak>')] == ["af_nova"]


@pytest.mark.parametrize("name", ["nobody", "am_adam", "", "../af_heart"])
def test_a_voice_that_is_not_there_changes_nothing(name: str) -> None:
    assert parts(f'<speak>One <voice name="{name}">two</voice>.</speak>') == [usual("One two.")]


def test_a_language_changes_without_the_voice() -> None:
    assert parts('<speak>One <lang xml:lang="fr">deux</lang> <s xml:lang="fr-CA">trois</s> four.</speak>') == [
        usual("One"),
        ("deux", "af_heart", "fr-FR", 1.0),
        ("trois.", "af_heart", "fr-FR", 1.0),
        usual("four."),
    ]


@pytest.mark.parametrize("tag", ["xx", "ja", "?"])
def test_a_language_that_the_engine_lacks_changes_nothing(tag: str) -> None:
    assert parts(f'<speak>One <lang xml:lang="{tag}">two</lang>.</speak>') == [usual("One two.")]


def test_the_language_of_the_document_matters_if_it_is_another_one() -> None:
    assert parts('<speak xml:lang="en-GB">One.</speak>') == [usual("One.")]
    assert parts('<speak xml:lang="fr-FR">Un.</speak> Two.') == [("Un.", "af_heart", "fr-FR", 1.0), usual("Two.")]


def test_each_part_ends_as_its_text_does() -> None:
    text = '<speak>One <prosody rate="slow">two.</prosody> Three,\n<prosody rate="slow">four</prosody>\n\n<s>Five</s></speak>'
    assert endings(text) == [Ending.CUT, Ending.SENTENCE, Ending.CLAUSE, Ending.PARAGRAPH, Ending.SENTENCE]


def test_a_mark_after_a_tag_belongs_to_the_text_before_it() -> None:
    assert parts('<speak><voice name="af_nova">One</voice>. <prosody rate="slow">Two</prosody>, three.</speak>') == [
        ("One.", "af_nova", "en-US", 1.0),
        usual("Two,", 0.75),
        usual("three."),
    ]


def test_given_phonemes_are_spoken() -> None:
    text = '<speak>A <phoneme alphabet="ipa" ph="təˈmɑːtoʊ">tomato</phoneme>.</speak>'
    spoken = SpokenText(text=text, engine="tone", voice=CATALOGUE.parse("af_heart")[0], language="en-US")
    engine = LimitedEngine()
    (item,) = prepare_segments(prepare_text(spoken, engine), spoken, engine)
    assert item.segment is not None
    assert item.segment.phonemes == "A təmˈɑtO."


def test_without_normalization_nothing_is_read() -> None:
    text = '<speak>One <break time="1s"/> two</speak>'
    assert "".join(part[0] for part in parts(text, normalize=False)).replace(" ", "") == text.replace(" ", "")
    assert pause("1") not in parts(text, normalize=False)


def test_tags_of_ssml_outside_speak_have_no_effect() -> None:
    assert parts('One <break time="1s"/> <prosody rate="slow">two</prosody>.') == [usual("One two.")]


def test_thoughts_are_silent_or_said() -> None:
    text = "<think>One. [pause:2s]</think>Two."
    assert parts(text) == [usual("Two.")]
    assert parts(text, think="say") == [usual("One."), pause("2"), usual("Two.")]


def test_a_long_thought_is_silent_to_its_end() -> None:
    thought = "Hm, what then?\n\n" * 2000
    assert parts(f"<think>{thought}</think>Two.") == [usual("Two.")]


def test_thousands_of_turns_take_their_order() -> None:
    text = "<speak>" + "".join(f'<prosody rate="{50 + n % 100}%">a.</prosody>' for n in range(3000))
    assert [part[3] for part in parts(text)] == [round((50 + n % 100) / 100, 3) for n in range(3000)]
