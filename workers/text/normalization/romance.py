"""Normalization of Spanish, French, Italian, Brazilian Portuguese and Hindi: what English has too, ordinals and centuries."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization import numerals, western
from workers.text.normalization.agreement import agreement, halves
from workers.text.normalization.locales import TONGUES
from workers.text.normalization.rules import Rule

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
    yield from _phones(language)
    yield from western.dates(tongue)
    if language in _HALVES_OF_DAY:
        yield from _halves_of_day(language)
    elif language == "hi":
        yield _HINDI_HALF
    yield from western.times(tongue)
    yield from _named(language)
    yield from western.ungroup(tongue)
    yield from western.money(tongue)
    if language != "hi":
        yield from halves(language)
    yield from western.fractions(tongue)
    yield from western.measures(tongue)
    if language in _ORDINALS:
        yield from _ordinals(language)
        yield from _romans(language)
    if language == "hi":
        yield from _HINDI_YEARS
    yield from western.ranges(tongue)
    yield from western.signs(tongue)
    if language != "hi":
        yield from agreement(language)
    yield from western.numerals_of(tongue)


_HALVES_OF_DAY: Final = {
    "es": ("de la mañana", "de la tarde", "de la noche"),
    "fr": ("du matin", "de l'après-midi", "du soir"),
    "it": ("di mattina", "del pomeriggio", "di sera"),
    "pt": ("da manhã", "da tarde", "da noite"),
}
"""Of a.m., and of p.m. until seven and from then on."""
_HALF_OF_DAY: Final = r" ?(?P<half>[AaPp])(?:\. ?[Mm]\.?|[Mm])(?!\w)"


def _halves_of_day(language: str) -> Iterator[Rule]:
    """9:00 a.m., 3 p. m."""
    tongue = TONGUES[language]

    def verbalize(match: re.Match[str]) -> str:
        number, minute = str(int(match["hour"])), int(match["minute"] or 0)
        morning, afternoon, evening = _HALVES_OF_DAY[language]
        half = morning if match["half"] in "aA" else evening if 7 <= int(number) < 12 else afternoon
        hour = tongue.hours.get(number, number)
        if minute:
            said = tongue.time.format(hour=hour, minute=minute)
        else:
            said = f"{hour} heure{'s' * (number != '1')}" if language == "fr" else hour
        stop = "." if match[0].endswith(".") and western.ends_sentence(match) else ""
        return f"{said} {half}{stop}"

    yield Rule(re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5][0-9]))?{_HALF_OF_DAY}"), verbalize)


_HINDI_TIMES: Final = ((4, "रात"), (12, "सुबह"), (16, "दोपहर"), (20, "शाम"), (24, "रात"))
"""Until which hour which part of the day lasts."""


def _hindi_half(match: re.Match[str]) -> str:
    hour = int(match["hour"]) % 12 + 12 * (match["half"] in "pP")
    part = next(name for end, name in _HINDI_TIMES if hour < end)
    return f"{part} {int(match['hour'])}:{match['minute'] or '00'}"


_HINDI_HALF: Final = Rule(
    re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5][0-9]))?{_HALF_OF_DAY}"), _hindi_half
)
_AND_OR: Final = {"es": "y/o", "fr": "et/ou", "it": "e/o", "pt": "e/ou"}


def _named(language: str) -> Iterator[Rule]:
    """C#, #koe, #5, ~30, 2x1, 16:9, 24/7, y/o."""
    words = TONGUES[language].signs
    yield Rule(re.compile(r"(?<!\w)([CF])#(?!\w)"), lambda match: f"{match[1]} sharp", needs_digit=False)
    hashtag = "हैशटैग" if language == "hi" else "hashtag"
    yield Rule(re.compile(r"(?<![\w#&])#(?=[^\W\d_])"), f"{hashtag} ", needs_digit=False)
    yield Rule(re.compile(r"(?<![\w#&])#(?=[0-9])"), TONGUES[language].before_number["№"] + " ")
    yield Rule(re.compile(r"(?<![\w~])~ ?(?=[$€£]?[0-9])"), f"{words['≈']} ")
    yield Rule(re.compile(r"(?<=[0-9]) ?[x×] ?(?=[0-9])"), f" {words['×']} ")
    yield Rule(re.compile(r"(?<![\w/])24/7(?![\w/])"), "24 7")
    if language == "fr":
        # 7 j/7, 24h/24
        yield Rule(re.compile(r"(?<![\w.,])7 ?j ?/ ?7(?!\w)"), "7 jours sur 7")
        yield Rule(re.compile(r"(?<![\w.,])24 ?h ?/ ?24(?!\w)"), "24 heures sur 24")
    if language == "hi":
        # ₹ 50/-
        yield Rule(re.compile(r"(?<=[0-9])/-(?!\w)"), "")
    else:
        yield Rule(
            re.compile(r"(?<![\w:.,/])([0-9]{1,3}):(?=[0-9]{1,3}(?![\w:]|[.,][0-9]))"),
            lambda match: f"{match[1]} {TONGUES[language].to} ",
        )
        both = _AND_OR[language]
        yield Rule(re.compile(rf"(?<![\w/]){both}(?![\w/])"), both.replace("/", " "), needs_digit=False)


_HINDI_MONTHS: Final = "|".join(f"(?<={month} )" for month in TONGUES["hi"].months)
_HINDI_YEARS: Final = (
    # 1905 में, सन 1905, 26 जनवरी 1950
    Rule(
        re.compile(
            rf"(?<![\w.,])1[1-9][0-9]{{2}}(?= (?:में|से|तक|के|का|की|ई))|(?:(?<=सन )|(?<=सन् )|{_HINDI_MONTHS})1[1-9][0-9]{{2}}(?!\w)"
        ),
        lambda match: western.hindi_year(match[0]),
    ),
)
_PHONES: Final = {
    "pt": r"(?<![\w(])(?:\([0-9]{2}\) ?)?(?:9[0-9]{4}|[2-5][0-9]{3})-[0-9]{4}(?![\w-])",
    "fr": r"(?<![\w.])0[1-9](?:([ .])[0-9]{2})(?:\1[0-9]{2}){3}(?![\w]|\1[0-9])",
    "hi": r"(?<![\w.,+-])(?:0)?[6-9][0-9]{4}[ -]?[0-9]{5}(?![\w-])",
}
"""As they are written at home: (11) 91234-5678, 01 23 45 67 89, 98765 43210."""


_REGISTERED: Final = re.compile(r"\b(?P<name>CEP|CPF|CNPJ|RG) (?P<n>[0-9]{2,5}(?:[./-][0-9]{2,4}){1,4})(?![\w-])")


def _phones(language: str) -> Iterator[Rule]:
    def verbalize(match: re.Match[str]) -> str | None:
        groups = re.findall("[0-9]+", match[0])
        if language == "fr":
            return ", ".join(groups)
        if language == "hi" and len(groups) == 1:
            groups = [groups[0][:-5], groups[0][-5:]]
        if language == "pt" and len(groups) == 2 and len(groups[0]) == 4 and int(groups[0]) < int(groups[1]) <= 2099:
            return None
        return ", ".join(map(numerals.part_digits, groups))

    if language in _PHONES:
        yield Rule(re.compile(_PHONES[language]), verbalize)
    if language == "pt":
        yield Rule(
            _REGISTERED,
            lambda match: f"{match['name']} " + ", ".join(map(numerals.part_digits, re.findall("[0-9]+", match["n"]))),
        )


def _ordinals(language: str) -> Iterator[Rule]:
    """1º, 2ª, 1er, 3e."""

    def verbalize(match: re.Match[str]) -> str | None:
        n = int(match[1])
        if not 1 <= n <= 999:
            return None
        suffix = match[2].lstrip(".")
        words = numerals.named_ordinal(n, language, is_feminine=suffix in _FEMININE)
        is_before_noun = re.match(r" (?!y |de |en |a |que |con )[a-z]", match.string[match.end() : match.end() + 6]) is not None
        if language == "es" and (suffix == "er" or (is_before_noun and re.search("(?:prim|terc)ero$", words))):
            return words.removesuffix("o")
        return {"nd": "second", "nde": "seconde"}.get(suffix, words) if language == "fr" else words

    yield Rule(re.compile(rf"(?<![\w.,])([0-9]{{1,3}})({_ORDINALS[language]})"), verbalize)


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
        # s. XX, séc. XX, siglos XIX y XX
        yield Rule(re.compile(rf"(?<![\w.])[Ss]écs\. ?(?={numerals.ROMAN}(?!\w))"), "séculos ", needs_digit=False)
        yield Rule(
            re.compile(rf"(?<![\w.])[Ss](?:éc)?\. ?(?={numerals.ROMAN}(?!\w))"),
            {"es": "siglo ", "pt": "século "}[language],
            needs_digit=False,
        )
        yield Rule(
            re.compile(rf"\b(?P<name>{_CENTURY[language]}s) (?P<first>{numerals.ROMAN}) (?P<link>a|e|y|al) {roman}(?!\w)"),
            lambda match: (
                f"{match['name']} {numerals.from_roman(match['first'])} {match['link']} {numerals.from_roman(match['roman'])}"
            ),
            needs_digit=False,
        )
        yield Rule(re.compile(rf"\b(?P<name>{_CENTURY[language]}) {roman}(?!\w)"), cardinal, needs_digit=False)
    elif language == "fr":
        yield Rule(re.compile(rf"\b{roman}(?:e|ème|er)(?= siècle)"), century, needs_digit=False)
    else:
        yield Rule(
            re.compile(rf"\b(?:sec\.|secolo) {roman}(?!\w)"), lambda match: f"secolo {century(match)}", needs_digit=False
        )
        yield Rule(re.compile(rf"\b{roman}(?= secolo)"), century, needs_digit=False)
    if language == "fr":
        yield Rule(
            re.compile(r"(?<=\w )I(?P<end>er|re)(?![\w'])"),
            lambda match: "premier" if match["end"] == "er" else "première",
            needs_digit=False,
        )
    yield Rule(re.compile(rf"\b(?P<name>{_PART[language]}) {roman}(?!\w)"), cardinal, needs_digit=False)
    yield Rule(re.compile(rf"\b(?P<name>{_NAMES}) {roman}(?!\w)"), reign, needs_digit=False)
