"""Groups of entries that only one language, or two, have: English, Spanish, Portuguese, French, Italian, Hindi."""

import msgspec

from workers.text.locales.entries import Name, Table, Words


class Paired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words before numbers that are said in pairs of digits."""

    products: Words
    labels: Words


class BritishScores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for scores as Britain says them."""

    nil: str
    love: str
    words: Words
    not_after: Words
    not_before: Words
    departures: Words


class Bible(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Books of the Bible, and the words for a verse."""

    verse: str
    verses: str
    numbered_masculine: frozenset[str]
    numbered_feminine: frozenset[str]
    books: Table


class Iberian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for what only Spanish and Portuguese write so, or read with the words around."""

    either: str
    of: str
    pages: str
    pairs: frozenset[str]
    letters: dict[str, Name]
    physical: Words
    lettered: Words
    changes: Words
    temperatures: Words
    states: Words = ()
    scores: Words = ()


class HindiRomans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to Roman numerals in Hindi."""

    before: Words
    after: Words
    reigns: Words
    regnal: Words
    wars: tuple[str, str]


class HindiVerses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Books with the same names for their chapters and verses."""

    books: Words
    chapter: str
    verse: str
