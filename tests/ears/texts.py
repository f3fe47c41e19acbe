"""The texts of `texts/`, and the voices that speak them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from app.core.speech.voices import Voice, load_catalogue
from tests.ears.speaker import Request

FOLDER: Final = Path(__file__).parent / "texts"

PAIRS: Final[dict[str, tuple[str, ...]]] = {
    "en-US": ("af_heart", "am_michael"),
    "en-GB": ("bf_emma", "bm_george"),
    "es": ("ef_dora", "em_alex"),
    "fr-FR": ("ff_siwis",),
    "it": ("if_sara", "im_nicola"),
    "pt-BR": ("pf_dora", "pm_alex"),
    "hi": ("hf_alpha", "hm_omega"),
    "ja": ("jf_alpha", "jm_kumo"),
    "zh": ("zf_xiaoxiao", "zm_yunjian"),
}
"""A female and a male voice of each language; French has only one voice."""


class Reading(msgspec.Struct, frozen=True):
    """A sentence as it is written, and the words that a person would say."""

    kind: str
    """What is read there: notes, romans, money."""
    written: str
    spoken: str


@cache
def read_readings() -> dict[str, list[Reading]]:
    """Returns language → its sentences with numbers, marks, formulas and abbreviations."""
    found = tomllib.loads((FOLDER / "readings.toml").read_text(encoding="utf-8"))
    return msgspec.convert(found, dict[str, list[Reading]])


@cache
def read_texts(name: str) -> dict[str, list[str]]:
    """Returns language → its texts. `name` is `sentences`, `paragraphs` or `short`."""
    found = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return {language: texts if isinstance(texts, list) else [texts] for language, texts in found.items()}


def requests_for(name: str, *, n_texts: int | None = None, n_voices: int = 2) -> list[Request]:
    """Returns requests for the texts of that name, each by the first `n_voices` voices of its language."""
    return [
        Request(spoken_of(text), voice, language)
        for language, texts in read_texts(name).items()
        for text in texts[:n_texts]
        for voice in PAIRS[language][:n_voices]
    ]


def spoken_of(text: str) -> str:
    """Returns the requested text; the alternatives after it are other correct transcripts."""
    return text.partition("|")[0]


def all_voices() -> dict[str, Voice]:
    """Returns the voices of the catalogue as it is shipped."""
    return load_catalogue().voices


def aliases() -> dict[str, str]:
    """Returns OpenAI's names and their voices."""
    return load_catalogue().aliases
