"""The entries that the files of this folder may have. The comments in the files explain each entry."""

from typing import Annotated, Literal

import msgspec

from workers.text.locales.east_asian_groups import (
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
from workers.text.locales.entries import Money, Name, Table, Words, check_placeholders
from workers.text.locales.groups import (
    Angles,
    BesideDays,
    BesideSlashes,
    DigitLabels,
    Headings,
    Initialisms,
    Respellings,
    SayAs,
    Scaled,
    Slashes,
    WrittenMarks,
    Years,
)
from workers.text.locales.math_words import Math
from workers.text.locales.western_groups import Bible, BritishScores, HindiRomans, HindiVerses, Iberian, Paired


class Locale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The entries that every file may have. A language without a file has these defaults."""

    conjunctions: Words = ()
    flag: str = ""
    full_stop: str = "."
    comma: str = ","
    has_spaces: bool = True
    headings: Headings = Headings()
    respellings: Respellings = Respellings()
    marks: WrittenMarks = WrittenMarks()
    say_as: SayAs = SayAs()


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
