"""The locale files are complete, and the message about a mistake names the file and the entry."""

import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from workers.text.locales.entries import Name
from workers.text.locales.loader import FOLDER, KINDS, UNITS, LocaleError, all_locales, everywhere, find, read, western
from workers.text.locales.structs import English, Locale, Romance

Change = Callable[[str], str]


def test_every_file_is_known_and_every_known_file_is_there() -> None:
    assert {file.stem for file in FOLDER.glob("*.toml")} == {*KINDS, UNITS.stem}


@pytest.mark.parametrize("name", KINDS)
def test_every_file_can_be_read(name: str) -> None:
    assert isinstance(read(FOLDER / f"{name}.toml", KINDS[name]), KINDS[name])


@pytest.mark.parametrize("name", KINDS)
def test_a_comment_stands_above_every_table(name: str) -> None:
    lines = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert [line for above, line in pairwise(lines) if line.startswith("[") and above[:1] != "#"] == []


def test_a_locale_is_read_once() -> None:
    assert western("es") is western("es")


@pytest.mark.parametrize(
    ("tag", "sign", "name"),
    [
        ("en", "MB/s", Name("megabyte per second", "megabytes per second")),
        ("en-GB", "kg", Name("kilogram", "kilograms")),
        ("es", "h", Name("hora", "horas", "f")),
        ("it", "mph", Name("miglio all'ora", "miglia all'ora")),
        ("it", "t", Name("tonnellata", "tonnellate", "f")),
        ("hi", "किमी", Name("किलोमीटर", "किलोमीटर")),
    ],
)
def test_units_have_the_words_of_cldr_unless_the_file_has_its_own(tag: str, sign: str, name: Name) -> None:
    assert western(tag).units[sign] == name


def test_a_unit_that_cldr_lacks_in_a_language_is_no_unit_there() -> None:
    assert "oz" in western("es").units
    assert "oz" not in western("hi").units


def test_months_have_the_names_of_cldr() -> None:
    assert western("pt").months[:3] == ("janeiro", "fevereiro", "março")


def test_british_english_is_the_american_file_but_for_what_it_changes() -> None:
    american, british = western("en"), western("en-GB")
    assert (american.units["km"].many, british.units["km"].many) == ("kilometers", "kilometres")
    assert (american.is_month_first, british.is_month_first) == (True, False)
    assert british.abbreviations == american.abbreviations
    assert british.language == "en"


@pytest.mark.parametrize(
    ("tag", "full_stop"), [("hi", "।"), ("ja-JP", "。"), ("ZH", "。"), ("sw", "."), ("any", "."), ("", ".")]
)
def test_a_language_without_a_file_has_the_defaults(tag: str, full_stop: str) -> None:
    assert find(tag).full_stop == full_stop


def test_what_holds_everywhere_is_no_language() -> None:
    assert everywhere() not in list(all_locales())


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (lambda text: text.replace('minus = "menos"', "minus = 5"), "`minus`: Expected `str`, got `int`"),
        (lambda text: text.replace('minus = "menos"', ""), "Object missing required field `minus`"),
        (lambda text: text.replace("minus =", "minsu ="), "`minsu` is not an entry of such a file"),
        (
            lambda text: text.replace("\n[units]", "\n" + '[units]\nlb = ["libra", "libras", "x"]'),
            "`units`, entry 'lb': Invalid enum",
        ),
        (lambda text: text.replace("\n[units]", "\n" + "[units]\nkm = 1"), "`units`, entry 'km': Expected `array`"),
        (
            lambda text: text.replace("\n[units]", "\n" + '[units]\nq = "mass-quintal"'),
            "`units`, entry 'q': CLDR has no unit 'mass-quintal'",
        ),
        (
            lambda text: text.replace("\n[units]", "\n" + '[units]\nm = "length-meter"\n"km, m" = "length-meter"'),
            "`units` has 'm' twice",
        ),
        (lambda text: text.replace("[scales]\n", '[scales]\nx = ["y"]\n'), "`scales`, entry 'x': Expected `str`"),
        (lambda text: text.replace("{day} de", "{tag} de"), "`date` has {tag}; only {day}, {month}, {year} is filled in"),
        (lambda text: text.replace("{day} de", "{day de"), "`date`: "),
        (lambda text: text.replace("may_end = [", 'may_end = ["Usted",'), "`may_end`: Usted is not among `abbreviations`"),
        (lambda text: text.replace('"menos"', '"menos'), "(at line "),
    ],
)
def test_a_mistake_is_told_by_file_and_entry(change: Change, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "es.toml"
    file.write_text(change((FOLDER / "es.toml").read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(LocaleError) as raised:
        read(file, Romance)
    assert str(raised.value).startswith("es.toml: ")
    assert mistake in str(raised.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocaleError, match=r"^eo\.toml: "):
        read(tmp_path / "eo.toml", Locale)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if issubclass(kind, English | Romance)])
def test_no_word_of_a_list_is_there_twice(name: str) -> None:
    entries = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    lists = {key: value for key, value in entries.items() if isinstance(value, list) and key not in {"degrees", "half"}}
    assert [key for key, words in lists.items() if len(set(words)) < len(words)] == []
