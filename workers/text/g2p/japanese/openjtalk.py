"""Reads Japanese with pyopenjtalk, with the words of `words.toml`, and readings that depend on the words around.

Why the dictionary is compiled by another process: MeCab's compiler writes its progress to the standard output of its process.

Why 何 has a rule here: pyopenjtalk-plus decides it with a model that needs onnxruntime, and says なに everywhere without it.
A counter or a copula after it decides as well, and equally on every machine.
"""

import contextlib
import io
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
    import pyopenjtalk

    # On its first call it prints what it lacks.
    pyopenjtalk.run_frontend("。")

FILE: Final = Path(__file__).with_name("words.toml")
Feature = dict[str, Any]
"""A word as pyopenjtalk describes it: `string`, `pos`, `pron`, `mora_size` and more."""

_COMPILE: Final = "import sys, pyopenjtalk; pyopenjtalk.mecab_dict_index(sys.argv[1], sys.argv[2])"
_COST: Final = -2000
"""Lower than the cost of any word of the dictionary, so that a word of ours wins."""
_WIDE: Final = {narrow: narrow + 0xFEE0 for narrow in range(0x21, 0x7F)}
"""pyopenjtalk looks words up in wide letters."""
_SMALL: Final = frozenset("ァィゥェォャュョヮ")
_WHAT: Final = "何"
_AFTER_NAN: Final = frozenset(
    {"だ", "です", "じゃ", "て", "つ", "で", "と", "の", "とか", "とも", "って", "たる", "ぞ", "でも"}
)

_log = structlog.get_logger()


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word with another reading next to some words."""

    word: str
    instead_of: str
    said: str
    near: tuple[str, ...] = ()
    never_near: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of the file. Its comments explain each."""

    after_nan: frozenset[str]
    words: dict[str, str]
    contexts: tuple[Context, ...]


WORDS: Final = msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Words)


def load() -> None:
    """Adds our words to the dictionary of pyopenjtalk. Without them it still reads: a failure is logged."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        source, compiled = Path(folder, "words.csv"), Path(folder, "words.dic")
        source.write_text("".join(_row(word, said) for word, said in WORDS.words.items()), encoding="utf-8")
        try:
            subprocess.run(
                [sys.executable, "-c", _COMPILE, str(source), str(compiled)], check=True, capture_output=True, timeout=60
            )
            pyopenjtalk.update_global_jtalk_with_user_dict(str(compiled))
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            _log.warning("japanese_words_missing", error=type(error).__name__)


def _row(word: str, said: str) -> str:
    """Returns the line of MeCab's source for a noun without an accent."""
    wide = word.translate(_WIDE)
    n_moras = sum(kana not in _SMALL for kana in said)
    return f"{wide},,,{_COST},名詞,固有名詞,一般,*,*,*,{wide},{said},{said},0/{n_moras},*\n"


def read(text: str) -> list[Feature]:
    """Returns the words of `text`. Call it with `workers.text.g2p.lock.LOCK` held."""
    features: list[Feature] = pyopenjtalk.run_frontend(text, predict_nani=False)
    for i, feature in enumerate(features):
        if feature["string"] == _WHAT:
            _say(feature, feature["pron"], "ナン" if _is_nan(features[i + 1 :]) else "ナニ")
        for context in _contexts(feature["orig"]):
            if _fits(context, features, i, text):
                _say(feature, context.instead_of, context.said)
    return features


def _is_nan(following: Sequence[Feature]) -> bool:
    if not following:
        return False
    after = following[0]
    is_counter = after["pos_group1"] == "数" or after["pos_group2"] == "助数詞" or after["pos_group1"] == "接尾"
    return is_counter or after["orig"] in _AFTER_NAN or after["string"] in WORDS.after_nan


def _contexts(word: str) -> tuple[Context, ...]:
    return tuple(context for context in WORDS.contexts if context.word == word)


def _fits(context: Context, features: Sequence[Feature], i: int, text: str) -> bool:
    before = features[i - 1]["string"] if i else ""
    after = features[i + 1]["string"] if i + 1 < len(features) else ""
    is_near = not context.near or any(word in text for word in context.near)
    return (
        is_near
        and not any(word in text for word in context.never_near)
        and (not context.after or before in context.after)
        and (not context.before or after in context.before)
    )


def _say(feature: Feature, old: str, new: str) -> None:
    """Replaces the beginning of the reading of a word."""
    if not feature["pron"].startswith(old):
        return
    feature["pron"] = new + feature["pron"][len(old) :]
    feature["mora_size"] = sum(kana not in _SMALL and kana != "’" for kana in feature["pron"])


load()
