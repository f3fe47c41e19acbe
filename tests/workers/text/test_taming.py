"""What espeak-ng does not survive, in a process of its own each time that it is tried."""

import subprocess
import sys

import pytest

from workers.text.script import Script
from workers.text.taming import tame

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
]
SAY = "import sys; from workers.text import espeak; print(espeak.phonemes(sys.argv[2], espeak.find_voice(sys.argv[1])))"


@pytest.mark.parametrize(("language", "text"), DEADLY)
def test_espeak_survives_what_was_deadly(language: str, text: str) -> None:
    command = [sys.executable, "-c", SAY, language, tame(Script.of(text)).text]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


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
    assert tame(Script.of(text)).text.replace(" ", "") == text.replace(" ", "")


def test_words_of_two_scripts_are_parted() -> None:
    assert tame(Script.of("日本語Englishмир")).text == "日本語 English мир"


def test_a_hyphen_that_joins_nothing_is_left_out() -> None:
    assert tame(Script.of("-a b- ?-c -5 d-e")).text == " a b  ? c -5 d-e"
