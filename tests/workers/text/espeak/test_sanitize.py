"""Texts that espeak-ng survives only when they are sanitized."""

import itertools
import random
import unicodedata

import pytest

from workers.text.espeak import child_process, library
from workers.text.espeak.processes import CrashingText, Question
from workers.text.espeak.sanitize import divide_runs, sanitize
from workers.text.tracked_text import TrackedText

DEADLY = [
    ("hi", "ꨋŨᙨ"),
    ("hi", "ꪴa穉"),
    ("hi", "?-淇"),
    ("hi", "ab\uff9e"),
    ("hi", "ꮲŨⷥ"),
    ("vi", "?-c"),
    ("vi", ",-a"),
    ("da", ",-ꏑ𐖑Ũ1"),
    ("mr", "ꡈb𐌌c𐧽7"),
    ("ti", "⢿㐅埭惱"),
    ("kok", "c룂㳾-答9"),
    ("en-US", "s'" * 79),
    ("fr-FR", "s’" * 79),
    ("en-GB", "a" + "'s" * 79),
    ("de", ".𝐀" * 60),
    ("ja", "क." * 90),
    ("zh", "ﷺ." * 90),
    ("el", ".́ 𝐋" * 60),
]
VOICES = ("gmw/en-US", "gmw/en", "roa/fr", "roa/es", "roa/it", "roa/pt-BR", "inc/hi", "jpx/ja", "sit/cmn", "sem/ar", "gmw/de")
APOSTROPHES = "'’‘‛ʼʹ´′`＇"


def survives(text: str, voice: str) -> bool:
    question = Question(child_process.PHONEMES, voice, text.encode("utf-8"))
    try:
        library.PHONEMIZING.ask(question)
    except CrashingText:
        return False
    return True


def letters_of_several_bytes() -> list[str]:
    """Returns the first letter, mark or sign of each general category in each 1,024 code points."""
    kinds: dict[tuple[int, str], str] = {}
    for code in range(0x80, 0x20000):
        category = unicodedata.category(chr(code))
        if category[0] in "LMS" or category == "Nl":
            kinds.setdefault((code // 1024, category), chr(code))
    return list(kinds.values())


@pytest.mark.parametrize(("language", "text"), DEADLY)
def test_espeak_survives_what_was_deadly(language: str, text: str) -> None:
    assert survives(sanitize(TrackedText.of(text)).text, library.find_voice(language) or "")


@pytest.mark.parametrize(("language", "text"), [("en-US", "s'" * 79), ("de", ".𝐀" * 60)])
def test_a_deadly_text_that_is_not_sanitized_is_still_deadly(language: str, text: str) -> None:
    """If a later espeak-ng survives such a text, the rule for it can be removed."""
    assert not survives(text, library.find_voice(language) or "")


def test_dotted_letters_of_all_kinds_are_survived_in_all_voices() -> None:
    letters = letters_of_several_bytes()
    assert len(letters) > 200
    for number, letter in enumerate(letters):
        for form in (".{}", "{}.", "{} .", "{}..", "{}. ", "{} . "):
            for voice in (VOICES[number % len(VOICES)], VOICES[(number + 5) % len(VOICES)]):
                assert survives(divide_runs(form.format(letter) * 90), voice), (f"U+{ord(letter):04X}", form, voice)


def test_endings_after_all_apostrophes_are_survived_in_all_voices() -> None:
    for apostrophe, word, voice in itertools.product(APOSTROPHES, ("s{}", "{}s", "s{0}{0}", "S{}"), VOICES):
        assert survives(divide_runs("a" + word.format(apostrophe) * 79), voice), (apostrophe, word, voice)


def test_mixed_runs_are_survived() -> None:
    chance = random.Random(16)
    parts = ["'s", "s'", "’s", "'d", "'ll", "ing", "ly", "es", "ed", "a.", "𝐀.", "é.", ".", " ", "Ⓐ", "s"]
    for _ in range(400):
        text = "".join(chance.choices(chance.sample(parts, 3), k=120))
        assert survives(divide_runs(text), chance.choice(VOICES)), text


@pytest.mark.parametrize(
    "text",
    [
        "It's a well-known fact: -5 °C, e-mail, co-op…",
        "Ça va? Où-est-il?",
        "भाषा में Wi-Fi है।",
        "日本語とEnglish",
        "Привет, мир!",
        "1-2",
    ],
)
def test_what_people_write_stays_what_it_is(text: str) -> None:
    assert sanitize(TrackedText.of(text)).text.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "U.S.A., e.g. z.B. and J.R.R. Tolkien's I.B.M.",
        "the Jones's' dog's, 's-Hertogenbosch, rock 'n' roll's",
        "version 1.2.3.4.5.6.7.8.9.10.11.12",
        "A.B.C.D.E.F.G.H.I.J.",
        "A. B. C. D. E. F. G. H. I. J.",
        "wait...... what......",
    ],
)
def test_abbreviations_and_endings_stay_whole(text: str) -> None:
    assert divide_runs(text) == text


def test_words_of_two_scripts_are_parted() -> None:
    assert sanitize(TrackedText.of("日本語Englishмир")).text == "日本語 English мир"


def test_a_hyphen_that_joins_nothing_is_left_out() -> None:
    assert sanitize(TrackedText.of("-a b- ?-c -5 d-e")).text == " a b  ? c -5 d-e"
