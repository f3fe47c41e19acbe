"""Reading of Spanish, French, Italian, Brazilian Portuguese and Hindi: what English has too, ordinals and centuries."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.reading import numerals, western
from workers.text.reading.rules import Rule
from workers.text.reading.tongues import TONGUES

_ORDINALS: Final = {
    "es": r"\.?(?:[ºo]\b|º|ª|er\b)",
    "it": r"\.?[º°ª]",
    "pt": r"\.?(?:º|ª)",
    "fr": r"(?:ers?|ère|re|nde?|èmes?|ième|es?)(?!\w)",
}
_FEMININE: Final = ("ª", "ère", "re", "nde")
_CENTURY: Final = {"es": "[Ss]iglo", "pt": "[Ss]éculo"}
_REGNAL_FEMININE: Final = re.compile(r"a$|^(?:Isabel|Beatriz|Elisabeth|Élisabeth|Elizabeth)$")
_NAMES: Final = (
    "Luis|Felipe|Carlos|Juan|Alfonso|Fernando|Enrique|Isabel|Pío|Pablo|Benedicto|Francisco|Pedro|Jaime|Sancho|León|Gregorio|"
    "Louis|Henri|François|Charles|Philippe|Jean|Paul|Pie|Benoît|Napoléon|Élisabeth|Elisabeth|Guillaume|Léon|Grégoire|Catherine|"
    "Luigi|Enrico|Carlo|Filippo|Giovanni|Paolo|Pio|Benedetto|Vittorio|Emanuele|Umberto|Federico|Elisabetta|Leone|Gregorio|"
    "Luís|Filipe|João|Manuel|Afonso|Sebastião|José|Maria|Henrique|Bento|Paulo|Elizabeth|Leão|Gregório|Sancho"
)
_PART: Final = {
    "es": "Capítulo|Parte|Tomo|Libro|Acto|Guerra Mundial|Volumen|Artículo|capítulo|tomo|acto",
    "fr": "Chapitre|Partie|Tome|Livre|Acte|Volume|Article|chapitre|tome|acte",
    "it": "Capitolo|Parte|Tomo|Libro|Atto|Volume|Articolo|capitolo|tomo|atto",
    "pt": "Capítulo|Parte|Tomo|Livro|Ato|Guerra Mundial|Volume|Artigo|capítulo|tomo|ato",
}


def rules(language: str) -> Iterator[Rule]:
    """All of a language, in order: `es`, `fr`, `hi`, `it` or `pt`."""
    tongue = TONGUES[language]
    yield from western.addresses(tongue)
    yield from western.abbreviations(tongue)
    yield from western.phones(numerals.part_digits, tongue.plus)
    yield from western.dates(tongue)
    yield from western.times(tongue)
    yield from western.ungroup(tongue)
    yield from western.money(tongue)
    yield from western.measures(tongue)
    yield from western.fractions(tongue)
    if language in _ORDINALS:
        yield from _ordinals(language)
        yield from _romans(language)
    if language == "hi":
        yield from _HINDI_YEARS
    yield from western.ranges(tongue)
    yield from western.signs(tongue)
    yield from western.numerals_of(tongue)


_HINDI_YEARS: Final = (
    # 1905 में is said "nineteen hundred five".
    Rule(re.compile(r"(?<![\w.,])1([1-9])00(?= (?:में|से|तक|के|का|की|ई))"), lambda match: f"1{match[1]} सौ"),
    Rule(
        re.compile(r"(?<![\w.,])1([1-9])([0-9]{2})(?= (?:में|से|तक|के|का|की|ई))"), lambda match: f"1{match[1]} सौ {int(match[2])}"
    ),
    Rule(re.compile(r"(?<=सन )1([1-9])([0-9]{2})(?!\w)"), lambda match: f"1{match[1]} सौ {int(match[2]) or ''}".rstrip()),
)


def _ordinals(language: str) -> Iterator[Rule]:
    """1º, 2ª, 1er, 3e."""

    def say(match: re.Match[str]) -> str | None:
        n = int(match[1])
        if not 1 <= n <= 999:
            return None
        suffix = match[2].lstrip(".")
        words = numerals.named_ordinal(n, language, is_feminine=suffix in _FEMININE)
        if suffix == "er" and language == "es":
            return words.removesuffix("o")
        return {"nd": "second", "nde": "seconde"}.get(suffix, words) if language == "fr" else words

    yield Rule(re.compile(rf"(?<![\w.,])([0-9]{{1,3}})({_ORDINALS[language]})"), say)


def _romans(language: str) -> Iterator[Rule]:
    """Felipe VI, siglo XXI, XXIe siècle, Capitolo IV."""
    roman = f"(?P<roman>{numerals.ROMAN})"

    def cardinal(match: re.Match[str]) -> str:
        return f"{match['name']} {numerals.from_roman(match['roman'])}"

    def reign(match: re.Match[str]) -> str:
        n = numerals.from_roman(match["roman"])
        is_cardinal = n > 1 if language == "fr" else n > 10 and language != "it"
        if is_cardinal:
            return f"{match['name']} {n}"
        is_feminine = _REGNAL_FEMININE.search(match["name"]) is not None
        return f"{match['name']} {numerals.named_ordinal(n, language, is_feminine=is_feminine)}"

    def century(match: re.Match[str]) -> str:
        return numerals.named_ordinal(numerals.from_roman(match["roman"]), language)

    if language in _CENTURY:
        yield Rule(re.compile(rf"\b(?P<name>{_CENTURY[language]}) {roman}(?!\w)"), cardinal, needs_digit=False)
    elif language == "fr":
        yield Rule(re.compile(rf"\b{roman}(?:e|ème|er)(?= siècle)"), century, needs_digit=False)
    else:
        yield Rule(re.compile(rf"\b{roman}(?= secolo)"), century, needs_digit=False)
    if language == "fr":
        yield Rule(
            re.compile(r"(?<=\w )I(?P<end>er|re)(?![\w'])"),
            lambda match: "premier" if match["end"] == "er" else "première",
            needs_digit=False,
        )
    yield Rule(re.compile(rf"\b(?P<name>{_PART[language]}) {roman}(?!\w)"), cardinal, needs_digit=False)
    yield Rule(re.compile(rf"\b(?P<name>{_NAMES}) {roman}(?!\w)"), reign, needs_digit=False)
