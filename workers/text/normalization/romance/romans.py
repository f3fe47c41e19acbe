"""Roman numerals in Spanish, French, Italian and Portuguese: centuries, rulers, chapters, wars.

Why some are ordinals: a reader says "siglo 21" and "chapitre 4", but "ventunesimo secolo" and "deuxième guerre". An ordinal has
the gender of its noun.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.romance import bare_romans, iberian_romans
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import ends_sentence

_ROMAN: Final = numerals.ROMAN
_GROUP: Final = f"(?P<roman>{_ROMAN})"
_REGNAL_FEMININE: Final = re.compile(r"a$|^(?:Isabel|Beatriz|Elisabeth|Élisabeth|Elizabeth)$")
_PAGES: Final = ("page", "pages", "pagina", "pagine", "note", "nota", "préface", "strophe", "scene")
_MANY_LETTERS: Final = "(?=[IVXLC]{2})"


def rules(locale: Romance) -> Iterator[Rule]:
    """Rules for Roman numerals: Felipe VI, siglo XXI, XXIe siècle, Capitolo IV, II guerra mondiale."""
    yield from _centuries(locale)
    yield _days(locale)
    if locale.language == "fr":
        yield _suffixed()
        yield _small_centuries()
    if locale.language in {"fr", "it", "pt"}:
        yield _small(locale)
    if locale.language in {"es", "pt"}:
        yield iberian_romans.eras(locale)
        yield iberian_romans.before_noun(locale)
    else:
        if locale.language == "it":
            yield _school_classes()
        yield _ranked(locale)
    yield Rule(
        re.compile(
            rf"(?<![\w.])(?P<name>{any_of(_shorts(locale, 2))}|{any_of(_shorts(locale, 1))}(?=\. {_MANY_LETTERS}))"
            rf"\. ?{_GROUP}(?![\w'])"
        ),
        lambda match: f"{locale.before_number[match['name']]} {numerals.from_roman(match['roman'])}",
        needs_digit=False,
    )
    yield Rule(re.compile(rf"\b(?P<name>{any_of(locale.numbered)}) {_GROUP}(?![\w'])"), _cardinal, needs_digit=False)
    yield _reigns(locale.language)
    # A year: MCMXIV.
    yield Rule(
        re.compile(rf"(?<![\w.'-])(?P<roman>(?=M[IVXLCDM]{{3}}){_ROMAN})(?![\w'-])"),
        lambda match: str(numerals.from_roman(match["roman"])),
        needs_digit=False,
    )
    yield from bare_romans.rules(locale)
    if locale.language == "fr":
        # espeak-ng would say "deux romain".
        yield Rule(
            re.compile(rf"(?<![\w.'-])(?P<roman>(?=[IVX]{{2}}){_ROMAN})(?![\w'-])"),
            lambda match: str(numerals.from_roman(match["roman"])),
            needs_digit=False,
        )


def _small_centuries() -> Rule:
    """The rule for French centuries in small letters, as texts without small capitals have them: xixe siècle."""
    small = bare_romans.SMALL
    return Rule(
        re.compile(
            rf"(?<![\w.-])(?P<roman>{small})(?:e|ème)"
            rf"(?:(?P<century> s\.)|(?= siècles?(?!\w)|(?:[-–]| et | au |, )[ivx]{{1,5}}e (?:s\.|siècle)))"
        ),
        lambda match: (
            numerals.named_ordinal(numerals.from_roman(match["roman"].upper()), "fr")
            + (" siècle" + "." * ends_sentence(match) if match["century"] else "")
        ),
        needs_digit=False,
    )


def _days(locale: Romance) -> Rule:
    """The rule for a day of a month, mostly in the name of a street: via XX Settembre, piazza I Maggio."""
    of = "(?:de )?" if locale.language in {"es", "pt"} else ""
    return Rule(
        re.compile(rf"(?<![\w.-])(?P<roman>(?=[IVX]){_ROMAN})(?= {of}(?i:{any_of(locale.months)})(?!\w))"),
        lambda match: locale.first_day if match["roman"] == "I" else str(numerals.from_roman(match["roman"])),
        needs_digit=False,
    )


def _small(locale: Romance) -> Rule:
    """The rule for numerals in small letters: scène ii, page xii. Italian "vi" is rather a word."""
    words = [word for word in locale.numbered if word.islower()]
    vi = "(?!vi(?: |'))" if locale.language == "it" else ""
    return Rule(
        re.compile(
            rf"(?<!\w)(?P<name>{any_of([*words, *_PAGES])}) {vi}(?P<roman>(?=[ivxl]{{2}}){bare_romans.SMALL})"
            rf"(?:(?P<to> ?[-–] ?| [àae] )(?P<last>(?=[ivxl]{{2}}){bare_romans.SMALL}))?(?![\w'’])"
        ),
        lambda match: _cardinals(locale, match),
        needs_digit=False,
    )


def _cardinals(locale: Romance, match: re.Match[str]) -> str:
    first = f"{match['name']} {numerals.from_roman(match['roman'].upper())}"
    if match["last"] is None:
        return first
    link = match["to"] if match["to"].strip() not in {"-", "–"} else f" {locale.to} "
    return f"{first}{link}{numerals.from_roman(match['last'].upper())}"


def _school_classes() -> Rule:
    """The rule for Italian classes: la II B."""
    return Rule(
        re.compile(rf"\b(?P<before>(?:[Ll]a|(?:[Dd]e|[Aa]|[Nn]e)lla|classe) ){_GROUP}(?= [A-H](?![\w'.]))"),
        lambda match: match["before"] + numerals.named_ordinal(numerals.from_roman(match["roman"]), "it", is_feminine=True),
        needs_digit=False,
    )


def _shorts(locale: Romance, n_letters: int) -> list[str]:
    """The abbreviations before a number that have one letter, or for 2, several letters."""
    return [short for short in locale.before_number if short[-1].isalpha() and min(len(short), 2) == n_letters]


def _reigns(language: str) -> Rule:
    """The rule for names of rulers, popes and councils: Louis XIV, Paolo VI."""
    names = (name for one in loader.ROMANCE for name in loader.romance(one).reigns)

    def verbalize(match: re.Match[str]) -> str:
        n = numerals.from_roman(match["roman"])
        is_cardinal = n > 1 if language == "fr" else n > 10 and language != "it"
        if is_cardinal:
            return f"{match['name']} {n}" + (f"{match['link']}{numerals.from_roman(match['next'])}" if match["next"] else "")
        is_feminine = _REGNAL_FEMININE.search(match["name"]) is not None
        said = f"{match['name']} {numerals.named_ordinal(n, language, is_feminine=is_feminine)}"
        if language == "it" and match["next"]:
            return f"{said} e {_ordinal(match['next'])}"
        return said + (f"{match['link']}{match['next']}" if match["next"] else "")

    return Rule(
        re.compile(rf"\b(?P<name>{any_of(names)}) {_GROUP}(?:(?P<link> e )(?P<next>{_MANY_LETTERS}{_ROMAN}))?(?!\w)"),
        verbalize,
        needs_digit=False,
    )


def _ranked(locale: Romance) -> Rule:
    """The rule for a numeral before a noun of the table `ranked`: II guerra mondiale, XV e XVI secolo."""

    def verbalize(match: re.Match[str]) -> str | None:
        gender = locale.ranked.get(match["noun"].lower())
        if gender is None:
            return None
        said = [
            numerals.named_ordinal(numerals.from_roman(roman), locale.language, is_feminine=gender == "f")
            for roman in (match["first"], match["roman"])
            if roman
        ]
        return (match["link"] or "").join(said) + f" {match['noun']}"

    return Rule(
        re.compile(
            rf"(?<![\w.-])(?:(?P<first>{_ROMAN})(?P<link> (?:{'|'.join(locale.links)}) (?:il |le |el )?| ?[-–/] ?))?"
            rf"{_GROUP}[°ºª]? (?P<noun>[^\W\d_]{{2,24}}+)(?!')"
        ),
        verbalize,
        needs_digit=False,
    )


def _suffixed() -> Rule:
    """The rule for French numerals with the ending of an ordinal: XXIe siècle, XVIIIe s., IIe Guerre, Ire partie."""

    def verbalize(match: re.Match[str]) -> str | None:
        n, end = numerals.from_roman(match["roman"]), match["end"].replace("ère", "re")
        if (n == 1) != (end[0] in "ri" or end in {"er", "ers"}) and end[0] != "i":
            return None
        if match["roman"] == "MM" or (end in {"d", "de", "nd", "nde"} and n != 2):
            return None
        said = numerals.named_ordinal(n, "fr", is_feminine=end.startswith("r"))
        said = {"d": "second", "nd": "second", "de": "seconde", "nde": "seconde"}.get(end, said)
        stop = "." if match["century"] and ends_sentence(match) else ""
        return said + (" siècle" if match["century"] else "") + stop

    return Rule(
        re.compile(
            rf"(?<![\w.]){_GROUP}(?P<end>ers?|i?ères?|res?|nde?|de?|i?èmes?|i?emes?|es?)(?!\w)(?P<century> s\.(?!\w))?",
            re.ASCII,
        ),
        verbalize,
        needs_digit=False,
    )


def _centuries(locale: Romance) -> Iterator[Rule]:
    """Rules for Italian centuries: sec. XX, XX sec."""
    language = locale.language
    if language == "it":
        yield Rule(
            re.compile(
                rf"(?<![\w.])(?P<name>[Ss]ecc?\.|[Ss]ecol[oi]) (?:(?P<first>{_ROMAN})(?P<link>[-–]| e | al ))?{_GROUP}(?!\w)"
            ),
            _italian_century,
            needs_digit=False,
        )
        yield Rule(
            re.compile(rf"(?<![\w.-]){_GROUP} sec\.(?!\w)"),
            lambda match: f"{_ordinal(match['roman'])} secolo" + ("." if ends_sentence(match) else ""),
            needs_digit=False,
        )


def _italian_century(match: re.Match[str]) -> str:
    head = "S" if match["name"][0] == "S" else "s"
    name = f"{head}ecolo" if match["name"] in {"sec.", "Sec.", "secolo", "Secolo"} else f"{head}ecoli"
    first = _ordinal(match["first"]) + (" " if match["link"] in "-–" else match["link"]) if match["first"] else ""
    return f"{name} {first}{_ordinal(match['roman'])}"


def _ordinal(roman: str) -> str:
    return numerals.named_ordinal(numerals.from_roman(roman), "it")


def _cardinal(match: re.Match[str]) -> str:
    return f"{match['name']} {numerals.from_roman(match['roman'])}"
