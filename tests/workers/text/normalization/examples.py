"""The table of examples: a written text, the words that are spoken for it, and the phonemes that Kokoro gets.

`python -m tests.workers.text.normalization.examples` rewrites `examples.toml` from its inputs; `--markdown` prints a page.

Why the table is stored: a review then shows every change of the spoken words and their phonemes.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from workers.text.g2p import tagger
from workers.text.g2p.phonemize import Phonemizer
from workers.text.normalization.normalize import normalize

FILE = Path(__file__).with_name("examples.toml")
HEAD = """\
# Examples, kind by kind: `python -m tests.workers.text.normalization.examples` rewrites `spoken` and `phonemes`.
# `wrong` says what a careful reader would say instead, if this is not corrected yet.
# No native speaker has checked hi, ja and zh.
"""


class Example(msgspec.Struct, kw_only=True):
    """One text and the result for it."""

    language: str
    input: str
    emoji: str = "drop"
    spoken: str = ""
    phonemes: str = ""
    """Phonemes in Misaki's alphabet."""
    wrong: str = ""
    """Words that should be spoken instead, and why; empty if `spoken` is right."""


def load() -> dict[str, list[Example]]:
    """Returns the table: kind → examples."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), dict[str, list[Example]])


def speak(example: Example, phonemizer: Phonemizer) -> Example:
    """Returns `example` as it is spoken now. The phonemes stay as they are where they cannot be compared."""
    spoken = normalize(example.input, example.language, says_emoji=example.emoji == "say").text
    phonemes = (
        phonemizer.phonemize(spoken, example.language).phonemes if has_phonemes(example, phonemizer) else example.phonemes
    )
    return msgspec.structs.replace(example, spoken=spoken, phonemes=phonemes)


def has_phonemes(example: Example, phonemizer: Phonemizer) -> bool:
    """Whether its phonemes can be compared here: the English ones in the table come from a G2P without spaCy's model."""
    return phonemizer.speaks(example.language) and not (example.language.startswith("en") and tagger.is_installed())


def to_toml(table: dict[str, list[Example]]) -> str:
    """Returns the text of `examples.toml`."""
    lines = [HEAD]
    for kind, examples in table.items():
        for example in examples:
            lines.append(f"[[{json.dumps(kind)}]]" if " " in kind else f"[[{kind}]]")
            for name, value in msgspec.structs.asdict(example).items():
                if value and not (name == "emoji" and value == "drop"):
                    lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
            lines.append("")
    return "\n".join(lines)


def to_markdown(table: dict[str, list[Example]]) -> str:
    """Returns a page with one table for each kind."""
    lines = ["# Examples", ""]
    for kind, examples in table.items():
        lines += [f"## {kind.capitalize()}", "", "| language | written | spoken | phonemes | wrong |", "|---|---|---|---|---|"]
        for one in examples:
            lines.append(_row([one.language, one.input, one.spoken, one.phonemes, one.wrong]))
        lines.append("")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("\n", " ⏎ ").replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Rewrites the table of examples.")
    parser.add_argument("--markdown", action="store_true", help="print the table as a page, and write nothing")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    table, phonemizer = load(), Phonemizer()
    spoken = {kind: [speak(example, phonemizer) for example in examples] for kind, examples in table.items()}
    if arguments.markdown:
        sys.stdout.write(to_markdown(spoken))
    else:
        FILE.write_text(to_toml(spoken), encoding="utf-8")


if __name__ == "__main__":
    main()
