"""The table of examples: a written text, the words that are spoken for it, and the phonemes that Kokoro gets.

Each language has a file in this folder. `python -m tests.workers.text.normalization.examples` rewrites them from their inputs;
`--markdown` prints a page.

Why the table is stored: a review then shows every change of the spoken words and their phonemes.
"""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from workers.text.g2p.english import tagger
from workers.text.g2p.phonemize import Phonemizer
from workers.text.normalization.normalize import normalize

FOLDER: Final = Path(__file__).parent
LANGUAGES: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
"""BCP 47 tags, which are the names of the files."""
_HEAD: Final = """\
# `python -m tests.workers.text.normalization.examples` rewrites `spoken` and `phonemes`.
# `wrong` says what a careful reader would say instead, if this is not corrected yet.
"""
_UNCHECKED: Final = "# No native speaker has checked this file.\n"


class Example(msgspec.Struct, kw_only=True):
    """One text and the result for it."""

    input: str
    emoji: str = "drop"
    spoken: str = ""
    phonemes: str = ""
    """Phonemes in Misaki's alphabet."""
    wrong: str = ""
    """Words that should be spoken instead, and why; empty if `spoken` is right."""


Table = dict[str, list[Example]]
"""Kind → examples."""


def load(language: str) -> Table:
    """Returns the examples of a language."""
    return msgspec.convert(tomllib.loads(_file(language).read_text(encoding="utf-8")), Table)


def store(language: str, table: Table) -> None:
    """Writes the file of a language."""
    _file(language).write_text(_to_toml(language, table), encoding="utf-8")


def speak(example: Example, language: str, phonemizer: Phonemizer) -> Example:
    """Returns `example` as it is spoken now. The phonemes stay as they are where they cannot be compared."""
    spoken = normalize(example.input, language, says_emoji=example.emoji == "say").text
    phonemes = phonemizer.phonemize(spoken, language).phonemes if has_phonemes(language, phonemizer) else example.phonemes
    return msgspec.structs.replace(example, spoken=spoken, phonemes=phonemes)


def has_phonemes(language: str, phonemizer: Phonemizer) -> bool:
    """Whether phonemes can be compared here: the English ones in the table come from a G2P without spaCy's model."""
    return phonemizer.speaks(language) and not (language.startswith("en") and tagger.is_installed())


def to_markdown(language: str, table: Table) -> str:
    """Returns a page with one table for each kind."""
    lines = [f"# {language}", ""]
    for kind, examples in table.items():
        lines += [f"## {kind.capitalize()}", "", "| written | spoken | phonemes | wrong |", "|---|---|---|---|"]
        lines += [_row([one.input, one.spoken, one.phonemes, one.wrong]) for one in examples]
        lines.append("")
    return "\n".join(lines)


def _file(language: str) -> Path:
    return FOLDER / f"{language}.toml"


def _to_toml(language: str, table: Table) -> str:
    lines = [_HEAD + _UNCHECKED * (language in {"hi", "ja", "zh"})]
    for kind, examples in table.items():
        for example in examples:
            lines.append(f"[[{kind}]]" if kind.isascii() and kind.isalnum() else f"[[{json.dumps(kind, ensure_ascii=False)}]]")
            for name, value in msgspec.structs.asdict(example).items():
                if value and not (name == "emoji" and value == "drop"):
                    lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
            lines.append("")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("\n", " ⏎ ").replace("|", "\\|") for cell in cells) + " |"
