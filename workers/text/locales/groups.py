"""Groups of entries that the files of several languages have. The comments in the files explain each entry."""

import re

import msgspec

from workers.text.locales.entries import Name, Table, Words, check_placeholders


class Headings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in the headings of chapters."""

    numbers: Words = ()
    before_number: Words = ()
    after_number: Words = ()
    counters: Words = ()
    alone: Words = ()


class Slashes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for slashes that make no fraction."""

    of_year: str
    per: str
    laws: Words
    bars: Words
    rate_nouns: Words
    rates: Table = {}


class Angles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the parts of a degree, of inches and feet, and of the directions (N, S, E, W)."""

    minute: Name
    second: Name
    inch: Name
    foot: Name
    directions: Table


class Initialisms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Initialisms that are said as words or spelled, and the names of the letters. Without letters they have no rule."""

    spells_unsayable: bool = False
    as_words: frozenset[str] = frozenset()
    spelled: frozenset[str] = frozenset()
    said: Table = {}
    letters: Table = {}
    contractions: Table = {}
    last_letters: Table = {}

    def __post_init__(self) -> None:
        if both := self.as_words & self.spelled:
            raise ValueError(f"{', '.join(sorted(both))} is both in `as_words` and in `spelled`")


class Respellings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that espeak-ng says wrongly, in a spelling that it says rightly."""

    words: Table = {}
    patterns: Table = {}
    elided: Table = {}
    keep: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"`patterns`: {pattern!r} is no pattern: {error}") from None


class Years(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a number that show whether it is a year."""

    before: Words
    hyphenated: Words
    after: Words
    dated: Words
    changed: Words
    measured: Words
    measures: frozenset[str]


class BesideDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that show whether a short form is a day or a month."""

    parts: Words
    before: frozenset[str]
    before_words: frozenset[str]
    sure_days: frozenset[str]
    words: frozenset[str]
    names: frozenset[str]


class DigitLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a number that is said digit by digit."""

    always: Words
    long: Words
    calling: Words
    called: frozenset[str]
    not_counted: frozenset[str]


class BesideSlashes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to numbers with a slash or a hyphen that is neither a fraction nor a range."""

    music: Words
    counted: Words
    rated: Words
    ratings: Words
    days: Words
    sights: Words
    screens: Words
    laws: Words
    standards: Words
    formations: Words
    records: Words
    standings: Words


class WrittenMarks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for what is not said as it is written: code, cells with a sign, notes, chat, hyphens at the end of a line."""

    code_block: str = ""
    cells: Table = {}
    notes: Words = ()
    note_labels: Words = ()
    before_bracket: Words = ()
    pronounced: Words = ()
    after_note: frozenset[str] = frozenset()
    powers: frozenset[str] = frozenset()
    hyphen_after: frozenset[str] = frozenset()
    hyphen_before: frozenset[str] = frozenset()
    chat: Table = {}
    emoticons: Table = {}
    spaced_emoticons: Table = {}


class Scaled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a number with k, m, M, b, B or T."""

    counted: frozenset[str]
    before: Words
    of_meters: frozenset[str]
    no_nouns: frozenset[str]
    gold: frozenset[str]
    of_k: frozenset[str]
    regiments: Words
    before_minutes: Words
    after_minutes: Words
    timed: Words


class SayAs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for SSML's `say-as`."""

    ordinal: str = ""
    ordinals: Words = ()
    digits: Words = ()
    letters: Table = {}
    signs: Table = {}

    def __post_init__(self) -> None:
        check_placeholders("ordinal", self.ordinal, [""])
        if len(self.digits) not in {0, 10}:
            raise ValueError(f"`digits` has {len(self.digits)} words instead of 10")
