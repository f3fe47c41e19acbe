"""The tables of the files of Mandarin and Japanese. The comments in the files explain each entry."""

import msgspec

Words = tuple[str, ...]
Table = dict[str, str]
"""Written form → spoken words."""


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to numbers that are said digit by digit."""

    before: Words = ()
    after: Words = ()
    short: Words = ()
    calls: Words = ()
    after_short: Words = ()
    airlines: Words = ()
    trains: Words = ()
    with_hash: Words = ()


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words before a hyphen and a number."""

    names: Words = ()
    by_digit: Words = ()
    negative_after: Words = ()


class Scores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to two numbers with a hyphen that show whether they are a score."""

    before: Words
    after: Words
    not_before: Words
    not_after: Words


class SlashWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a slash that show what it means."""

    seasons: Words
    between: str
    each: str
    rates: Table
    either: str = ""
    dated: Words = ()
    dated_after: Words = ()
    beat: bool = False


class ShortScales(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Letters that stand for thousands and more."""

    factors: Table
    never: Words = ()
    kept: dict[str, Words] = {}
    kept_before: Words = ()
    needed: dict[str, Words] = {}


class JapaneseRomans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to numerals in Roman letters."""

    link: str
    before: Words = ()
    after: Words = ()
    after_letter: Words = ()
    not_after: Words = ()
    subjects: Words = ()
    numbers: Words = ()


class JapaneseVerses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of books with chapters and verses, and the words for both."""

    chapter: str
    psalm: str
    verse: str
    books: Words
    psalms: Words
    short: Table


class JapaneseForms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Short forms that only Japanese has."""

    months: Words
    days: Words
    after_inches: Words
    eras: Table
    weekdays: Table
    directions: Table
    signs: Table
    latin: Table
    romans: JapaneseRomans
    verses: JapaneseVerses


class Verses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Books with chapters and verses, and the words after their numbers."""

    books: Words
    short: Words
    psalms: Words
    chapter: str
    psalm: str
    verse: str


class Romans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a Roman numeral."""

    before: Words
    before_single: Words
    after: Words
    not_before: Words
    open: Words


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names next to numbers and hyphens."""

    places: Words
    routes: Words
    events: Words
    spaced_models: Words
    laughs: Words
