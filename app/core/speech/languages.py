"""The nine languages of Kokoro v1.0: tag, Kokoro's letter and name, in one table."""

from typing import Final

import msgspec


class Language(msgspec.Struct, frozen=True):
    """One language that Kokoro has voices for."""

    tag: str
    """BCP 47 tag, as the voice catalogue and the API show it."""
    letter: str
    """Kokoro's own code, the first letter of its voice ids."""
    name: str


LANGUAGES: Final[tuple[Language, ...]] = (
    Language("en-US", "a", "American English"),
    Language("en-GB", "b", "British English"),
    Language("es", "e", "Spanish"),
    Language("fr-FR", "f", "French"),
    Language("hi", "h", "Hindi"),
    Language("it", "i", "Italian"),
    Language("ja", "j", "Japanese"),
    Language("pt-BR", "p", "Brazilian Portuguese"),
    Language("zh", "z", "Mandarin Chinese"),
)

_BY_LETTER: Final = {language.letter: language for language in LANGUAGES}
_BY_TAG: Final = {language.tag.lower(): language for language in LANGUAGES}
_BY_SUBTAG: Final = {language.tag.split("-")[0].lower(): language for language in reversed(LANGUAGES)}


def find_language(name: str) -> Language | None:
    """The language of a letter (`a`), a tag (`en-us`, `es-MX`) or a bare subtag (`en`, `cmn`); None for any other text."""
    wanted = name.strip().replace("_", "-").lower()
    if wanted in ("cmn", "cmn-cn"):
        wanted = "zh"
    return _BY_LETTER.get(wanted) or _BY_TAG.get(wanted) or _BY_SUBTAG.get(wanted.split("-")[0])
