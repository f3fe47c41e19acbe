"""A request to put a word into a lexicon."""

import re
from typing import Any, Final

from app.api.requests.fields import optional_string, required_string, shorten
from app.api.requests.text import read_phonemes, read_word
from app.core.errors import InvalidValue
from app.core.speech.lexicon import ANY_LANGUAGE, LexiconEntry, canonical_tag

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


def read_entry(fields: dict[str, Any]) -> LexiconEntry:
    """The entry in `fields`. Raises the InvalidRequest of the first invalid field: word, phonemes, language."""
    return LexiconEntry(
        word=read_word(required_string(fields, "word"), "word"),
        phonemes=read_phonemes(required_string(fields, "phonemes"), "phonemes"),
        language=_read_language(fields),
    )


def _read_language(fields: dict[str, Any]) -> str:
    name = optional_string(fields, "language")
    if name is None or name == ANY_LANGUAGE:
        return ANY_LANGUAGE
    if not _LANGUAGE.fullmatch(name):
        raise InvalidValue(
            f"Invalid 'language': '{shorten(name)}' is no language. Expected '{ANY_LANGUAGE}' for all languages, or a BCP 47 "
            "tag such as 'en' or 'en-US'.",
            param="language",
        )
    return canonical_tag(name)
