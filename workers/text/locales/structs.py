"""The entries that the files of this folder may have. The comments in the files explain each entry."""

import re
from collections.abc import Sequence
from string import Formatter
from typing import Annotated, Literal

import msgspec

from workers.text.locales.east_asian import (
    Codes,
    JapaneseForms,
    Models,
    Names,
    Romans,
    Scores,
    ShortScales,
    SlashWords,
    Verses,
)

Words = tuple[str, ...]
Table = dict[str, str]
"""Written form → spoken words."""


def check_placeholders(entry: str, text: str, names: Sequence[str]) -> None:
    """Raises ValueError when `text` has a placeholder in braces that is not in `names`."""
    try:
        found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"`{entry}`: {error}") from None
    if not found <= set(names):
        raise ValueError(
            f"`{entry}` has {{{min(found - set(names))}}}; only {', '.join(f'{{{n}}}' for n in names)} is filled in"
        )


class Name(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The name of something that is counted: singular, plural and gender."""

    one: str
    many: str
    gender: Literal["m", "f"] = "m"

    @property
    def is_feminine(self) -> bool:
        """Whether the noun, and with it the number before it, is feminine."""
        return self.gender == "f"


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A currency and its hundredth; None if people do not use the hundredth."""

    unit: Name
    hundredth: Name | None = None


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


class Locale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The entries that every file may have. A language without a file has these defaults."""

    sentence_abbreviations: frozenset[str] = frozenset()
    numbered_abbreviations: frozenset[str] = frozenset()
    sentence_openers: frozenset[str] = frozenset()
    conjunctions: Words = ()
    flag: str = ""
    full_stop: str = "."
    comma: str = ","
    has_spaces: bool = True
    headings: Headings = Headings()
    respellings: Respellings = Respellings()
    marks: WrittenMarks = WrittenMarks()
    say_as: SayAs = SayAs()


class Math(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of formulas. The comments in `en.toml` explain each entry."""

    minus: str
    negative: str
    times: str
    per: str
    squared: str
    cubed: str
    power: str
    index: str
    prime: str
    double_prime: str
    inverse: str
    transpose: str
    star: str
    of_function: str
    of: str
    fraction: str
    long_fraction: str
    square_root: str
    cube_root: str
    other_root: str
    log_base: str
    group: str
    interval: str
    absolute: str
    norm: str
    floor: str
    ceiling: str
    set_of: str
    such_that: str
    given: str
    factorial: str
    choose: str
    matrix: str
    and_so_on: str
    verb: str = ""
    after_let: Words = ()
    element_digits: Words = ()
    letters: Table = {}
    contractions: Table = {}
    greek: Annotated[Words, msgspec.Meta(min_length=24, max_length=24)]
    large: dict[str, tuple[str, str, str]]
    symbols: Table
    functions: Table
    accents: Table
    sets: Table
    units: Table

    def __post_init__(self) -> None:
        for name in (
            "squared",
            "cubed",
            "power",
            "index",
            "prime",
            "double_prime",
            "inverse",
            "transpose",
            "star",
            "factorial",
        ):
            template = getattr(self, name)
            if not template.startswith("{base}"):
                raise ValueError(f"`math.{name}` does not begin with {{base}}")
            check_placeholders(f"math.{name}", template, ["base", "power", "index"])
        for name in (
            "square_root",
            "cube_root",
            "other_root",
            "group",
            "absolute",
            "norm",
            "floor",
            "ceiling",
            "set_of",
            "matrix",
        ):
            check_placeholders(f"math.{name}", getattr(self, name), ["content", "index"])
        for name in ("fraction", "long_fraction", "choose"):
            check_placeholders(f"math.{name}", getattr(self, name), ["over", "under"])
        check_placeholders("math.of", self.of, ["function", "argument"])
        check_placeholders("math.log_base", self.log_base, ["base"])
        for sign, templates in self.large.items():
            for template in templates:
                check_placeholders(f"math.large.{sign}", template, ["low", "high"])
        check_placeholders("math.interval", self.interval, ["low", "high"])
        for command, template in self.accents.items():
            check_placeholders(f"math.accents.{command}", template, ["base"])


class Western(Locale, frozen=True, kw_only=True):
    """A language that is written like English."""

    language: str
    """The part of the BCP 47 tag before the first hyphen, taken from the name of the file."""
    group: str
    minus: str
    plus: str
    to: str
    over: str
    percent: str
    per_mille: str
    celsius: str
    degrees: Name
    of_scale: str
    cents: str
    months: Annotated[Words, msgspec.Meta(min_length=12, max_length=12)]
    date: str
    first_day: str
    is_month_first: bool = False
    time: str
    full_hour: str
    one_hour: tuple[str, str] | None = None
    may_end: frozenset[str]
    points: Table
    hours: Table
    units: dict[str, Name]
    money: dict[str, Money]
    scales: Table
    fractions: Table
    and_fractions: Table
    abbreviations: Table
    before_number: Table
    signs: Table
    math: Math
    address: Table
    initialisms: Initialisms = Initialisms()

    def __post_init__(self) -> None:
        check_placeholders("date", self.date, ["day", "month", "year"])
        check_placeholders("time", self.time, ["hour", "minute"])
        check_placeholders("full_hour", self.full_hour, ["hour"])
        if unknown := self.may_end - self.abbreviations.keys():
            raise ValueError(f"`may_end`: {', '.join(sorted(unknown))} is not among `abbreviations`")


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


class English(Western, frozen=True, kw_only=True):
    """English of one country."""

    reigns: Words
    titles: Words
    numbered: Words
    after_it: Words
    after_who: Words
    after_time: Words
    decades: Annotated[Words, msgspec.Meta(min_length=9, max_length=9)]
    pronouns: Table
    per: Table
    years: Years
    bible: Table
    numbered_bible: frozenset[str]
    short_numbered: Words
    after_first: Words
    counted_by_ordinals: Words
    short_months: Table
    short_days: Table
    beside_days: BesideDays
    digit_labels: DigitLabels
    beside_slashes: BesideSlashes
    paired: Paired
    scores: BritishScores
    scaled: Scaled
    streets: Table
    short_words: Table
    after_numbered: Words
    after_senior: Words
    states: Table
    state_codes: Table
    before_doctor: Words
    interjections: Words


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


class Romance(Western, frozen=True, kw_only=True):
    """Spanish, French, Italian or Portuguese."""

    halves_of_day: tuple[str, str, str]
    and_or: str
    reigns: Words
    numbered: Words
    ranked: dict[str, Literal["m", "f"]] = {}
    short_months: Table = {}
    short_days: Table = {}
    like_words: frozenset[str] = frozenset()
    before_months: Words = ()
    before_dates: Words = ()
    links: Words
    half: tuple[str, str, str]
    feminine: frozenset[str]
    masculine: frozenset[str]
    not_nouns: frozenset[str]
    articles: frozenset[str]
    labels: frozenset[str]
    short_scales: Table = {}
    scale_ones: Table = {}
    short_forms: Table = {}
    without_stop: Table = {}
    streets: Table = {}
    counted_forms: dict[str, tuple[str, str]] = {}
    name_titles: Table = {}
    hyphenated: Words = ()
    hour_range: str = ""
    before_hour: Words = ()
    bible: Bible | None = None
    saints: dict[str, Words] = {}
    phone_digits: Table = {}
    provinces: Words = ()
    called: Words = ()
    code_labels: Words = ()
    slashes: Slashes | None = None
    angles: Angles | None = None
    parts: dict[str, tuple[str, str]] = {}
    feminine_titles: Table = {}
    iberian: Iberian | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_placeholders("hour_range", self.hour_range, ["start", "end"])


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


class Hindi(Western, frozen=True, kw_only=True):
    """Hindi."""

    hashtag: str
    day_parts: tuple[tuple[int, str], ...]
    halves: Table
    and_half: str
    one_and_quarter: str
    and_quarter: str
    less_quarter: str
    hundred: str
    fahrenheit: str
    short_months: Table = {}
    short_days: Table = {}
    letter_names: frozenset[str] = frozenset()
    like_words: frozenset[str] = frozenset()
    numerals: Annotated[Words, msgspec.Meta(min_length=100, max_length=100)]
    ordinals: Table
    ordinal_endings: Table
    codes: Words
    phones: Words
    code_links: Words
    calls: Words
    results: Words
    score_nouns: Words
    pairs: Words
    hour_forms: Words
    minute_forms: Words
    second_forms: Words
    per: Words
    either: str
    before_names: Table
    out_of: Words
    cities: Words
    compared: Words
    counted: Words
    cricket: Words
    ranked: Words
    english_ordinals: Words
    english_months: Words
    directions: Table
    inch: str
    romans: HindiRomans
    verses: tuple[HindiVerses, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("and_half", "and_quarter", "less_quarter"):
            check_placeholders(name, getattr(self, name), ["whole"])


class EastAsian(Locale, frozen=True, kw_only=True):
    """Mandarin or Japanese."""

    language: str
    minus: str
    plus: str
    to: str
    against: str
    hour: str
    second: str
    zero_minutes: str
    zero_hours: str = ""
    numero: tuple[str, str]
    fraction: str
    and_fraction: str
    phone_digits: Annotated[Words, msgspec.Meta(min_length=10, max_length=10)]
    between_digits: str
    between_groups: str
    address_number: str
    rate: str
    digits: Words = ()
    less_than: str
    more_than: str
    at_most: str
    at_least: str
    counted: Words = ()
    measured: Words = ()
    postal_code: str = ""
    codes: Codes
    models: Models
    scores: Scores
    slashes: SlashWords
    short_scales: ShortScales
    japanese: JapaneseForms | None = None
    verses: Verses | None = None
    romans: Romans | None = None
    names: Names | None = None
    money: Table
    units: Table
    speeds: dict[str, tuple[str, str]]
    signs: Table
    math: Math
    address: Table

    def __post_init__(self) -> None:
        for name in ("less_than", "more_than", "at_most", "at_least"):
            check_placeholders(name, getattr(self, name), ["n"])
