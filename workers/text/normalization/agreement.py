"""Numbers that agree with what they count, in Spanish, French, Italian and Portuguese: "veintiún años", "duas horas", "un'ora".

Why only where the words differ from those that espeak-ng reads for the numeral: every other numeral stays one.

Why a list of nouns beside the endings: a word after a number is not always what it counts ("capítulo 1 trata de"), and endings
do not tell every gender, in French hardly any.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from num2words import num2words

from workers.text.normalization.locales import TONGUES
from workers.text.normalization.rules import Rule

_MOST_DIGITS: Final = 9


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_FEMININE: Final = {
    "es": (
        "hora horas semana semanas vez veces persona personas página páginas noche noches mujer mujeres niña niñas casa "
        "casas tonelada toneladas libra libras milla millas pulgada pulgadas taza tazas cucharada cucharadas cosa cosas "
        "palabra palabras ciudad ciudades mañana mañanas tarde tardes parte partes clase clases calle calles imagen imágenes "
        "llave llaves"
    ),
    "fr": (
        "heure heures minute minutes seconde secondes semaine semaines année années journée journées fois personne personnes "
        "page pages femme femmes fille filles maison maisons ville villes place places pièce pièces tonne tonnes livre "
        "livres voiture voitures chambre chambres chose choses photo photos question questions lettre lettres ligne lignes "
        "étoile étoiles tasse tasses nuit nuits bouteille bouteilles minute minutes"
    ),
    "it": (
        "ora settimana volta persona pagina notte donna bambina casa tonnellata libbra città cosa parola tazza giornata stanza"
    ),
    "pt": (
        "hora horas semana semanas vez vezes pessoa pessoas página páginas noite noites mulher mulheres menina meninas casa "
        "casas tonelada toneladas libra libras milha milhas polegada polegadas xícara xícaras colher colheres coisa coisas "
        "palavra palavras parte partes aula aulas cidade cidades manhã manhãs"
    ),
}
"""Nouns that are common beside numbers; the tongues' units and currencies come on top."""
_MASCULINE: Final = {
    "es": (
        "año años mes meses día días minuto minutos segundo segundos libro libros kilo kilos hombre hombres niño niños punto "
        "puntos problema problemas programa programas coche coches lugar lugares país países"
    ),
    "it": "anno mese giorno minuto secondo libro chilo punto problema uomo bambino",
    "pt": "dia dias problema problemas programa programas",
}
_NOT_FEMININE: Final = "".join(f"(?<!{end})" for end in ["dí", "di", "em", "am", "map", "planet", "im", "om", "ist"])
"""Días, problemas, programas, mapas, planetas, climas, idiomas, artistas."""
_NEVER: Final = r"\b\B"
_ENDS: Final = (
    {
        "es": (rf"{_NOT_FEMININE}a\Z", r"o\Z"),
        "it": (rf"{_NOT_FEMININE}a\Z", r"o\Z"),
        "pt": (rf"{_NOT_FEMININE}a\Z", _NEVER),
        "fr": (r"tion\Z", _NEVER),
    },
    {
        "es": (rf"(?:{_NOT_FEMININE}as|ciones|siones|dades)\Z", r"(?:os|ores)\Z"),
        "fr": (r"tions\Z", _NEVER),
        "pt": (rf"(?:{_NOT_FEMININE}as|ções|sões|dades|gens)\Z", _NEVER),
    },
)
"""Of feminine and of masculine nouns, behind 1 and behind more."""
_HALVES: Final = {
    "es": ("y", "medio", "media"),
    "it": ("e", "mezzo", "mezza"),
    "pt": ("e", "meio", "meia"),
    "fr": ("et", "demi", "demie"),
}
"""The word between a number and the half, and the half of something masculine and feminine."""
_ARTICLES: Final = _words("el la los las al del il lo l' le o a os as do da le du de")
_NO_NOUNS: Final = _words(
    "mas tras las nuestras vuestras algunas todas cuantas muchas pocas otras estas esas aquellas ellas los nuestros "
    "vuestros algunos todos cuantos muchos pocos otros estos esos aquellos ellos nos vos suas minhas tuas nossas umas "
    "aquelas elas algumas outras apenas às nas das delas como cuando pero solo todo mucho poco luego tanto cuanto lo yo "
    "la para una esa esta nada cada hasta contra ya ahora otra otro nunca era fuera mentre quando dopo sotto contro tutto "
    "molto tra fa da della nella alla sulla ancora sopra prima agora outra essa ainda ou uma numa pela fora"
)
_LABELS: Final = _words(
    "capítulo capitolo chapitre página pagina page número numero numéro artículo artículo article articolo artigo tomo tome "
    "año anno ano année siglo século grupo groupe gruppo equipo équipe equipe canal clase parte nivel nível fase línea linha "
    "ligne ligne línea linea habitación quarto chambre camera sala salle puerta porta porte vuelo vol volo voo"
)
"""Words whose number comes after them, so that no noun after it is counted."""
_LINKS: Final = {"es": "a|o|y", "fr": "à|ou|et", "it": "a|o|e", "pt": "a|ou|e"}
_YEAR: Final = re.compile("(?:1[0-9]|20)[0-9]{2}")
_BEFORE: Final = re.compile(r"(\w+) \Z")
_IMPURE: Final = re.compile("z|gn|ps|x|y|s[^aeiou]")
"""Italian words that take "uno"."""
_MILLIONS: Final = re.compile(r".*(?:mill|milh)\w+")
"""Masculine, whatever is counted."""
_IN_WORDS: Final = {"pt": "pt_BR"}


def counted(n: str, noun: str, language: str, *, is_feminine: bool) -> str:
    """The digits `n` and what they count: "duas horas". Other numbers, and those of other languages, stay as they are."""
    if language not in _LINKS or not n.isdecimal() or len(n) > _MOST_DIGITS or n[0] == "0":
        return f"{n} {noun}"
    if n == "1" and language == "it":
        if is_feminine:
            return f"un'{noun}" if noun[0] in "aeiou" else f"una {noun}"
        return f"uno {noun}" if _IMPURE.match(noun) else f"un {noun}"
    if len(n) > 6 and n.endswith("000000"):
        return f"{n} " + ("d'" if language == "fr" and noun[0] in "aeiouhéê" else "di " if language == "it" else "de ") + noun
    return f"{_agreeing(n, language, is_feminine=is_feminine)} {noun}"


def agreement(language: str) -> Iterator[Rule]:
    """2 horas, 21 años, 1 ou 2 vezes."""

    def verbalize(match: re.Match[str]) -> str | None:
        before = _BEFORE.search(match.string[max(0, match.start() - 20) : match.start()])
        is_labelled = before is not None and before[1].lower() in _LABELS
        is_one = match["n"] == "1"
        is_sure = (
            is_labelled or _YEAR.fullmatch(match["n"]) is not None or (is_one and before is not None and before[1] in _ARTICLES)
        )
        gender = _gender(match["noun"], language, ends=None if is_sure else _ENDS[not is_one].get(language))
        if gender is None or (is_labelled and match["first"] is None):
            return None
        first = ""
        if match["first"]:
            first = f"{_agreeing(match['first'], language, is_feminine=gender)} {match['link']} "
        return first + counted(match["n"], match["noun"], language, is_feminine=gender)

    yield Rule(
        re.compile(
            rf"(?<![\w.,:/$€£])(?:(?P<first>[1-9][0-9]{{0,8}}) (?P<link>{_LINKS[language]}) )?(?P<n>[1-9][0-9]{{0,8}}) "
            r"(?P<noun>[^\W\d_]{2,30})(?![\w']| [0-9])"
        ),
        verbalize,
    )


def halves(language: str) -> Iterator[Rule]:
    """½ taza, 1½ horas."""
    and_, *half = _HALVES[language]

    def verbalize(match: re.Match[str]) -> str | None:
        noun = match["noun"]
        if unit := TONGUES[language].units.get(noun):
            noun = unit.one if match["whole"] in {None, "1"} else unit.many
        gender = _gender(noun, language, ends=None)
        if gender is None:
            return None
        if match["whole"] is None:
            return (
                f"une demi-{noun}"
                if language == "fr" and gender
                else f"un demi {noun}"
                if language == "fr"
                else f"{half[gender]} {noun}"
            )
        if match["whole"] == "1" and noun.removesuffix("s") in _nouns(language)[not gender]:
            noun = noun.removesuffix("s")
        return f"{counted(match['whole'], noun, language, is_feminine=gender)} {and_} {half[gender]}"

    yield Rule(
        re.compile(r"(?<![\w.,/])(?:(?P<whole>[1-9][0-9]{0,5}) ?½|½|1/2) ?(?P<noun>[^\W\d_]{1,30})(?![\w'])"),
        verbalize,
    )


def _gender(noun: str, language: str, *, ends: tuple[str, str] | None) -> bool | None:
    """Whether it is feminine; None where that is not known. `ends` are patterns of feminine and of masculine endings, which
    tell it of a noun that is in no list.
    """
    feminine, masculine = _nouns(language)
    if noun in feminine:
        return True
    if noun in masculine:
        return False
    if ends is None or noun in _NO_NOUNS or not noun.islower():
        return None
    if re.search(ends[0], noun):
        return True
    return False if re.search(ends[1], noun) else None


@cache
def _nouns(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Feminine and masculine."""
    tongue = TONGUES[language]
    names = [*tongue.units.values(), *(money.unit for money in tongue.money.values())]
    found = {True: set(_FEMININE[language].split()), False: set(_MASCULINE.get(language, "").split())}
    for name in names:
        found[name.is_feminine] |= {name.one, name.many}
    return frozenset(found[True]), frozenset(found[False] - found[True])


def _agreeing(n: str, language: str, *, is_feminine: bool) -> str:
    """The digits `n`; as words where their gender, or that a noun follows, changes these."""
    plain = num2words(int(n), lang=_IN_WORDS.get(language, language)).replace(",", "")
    millions = _MILLIONS.match(plain)
    head = millions[0] if millions else ""
    said = head + _agree(plain[len(head) :], language, is_feminine=is_feminine)
    return n if said == plain else said


def _agree(words: str, language: str, *, is_feminine: bool) -> str:
    if language == "es" and not is_feminine:
        return re.sub(r"\buno\b", "un", re.sub(r"veintiuno\b", "veintiún", words))
    if not is_feminine:
        return words
    if language == "es":
        return re.sub(r"ientos\b", "ientas", re.sub(r"uno\b", "una", words))
    if language == "pt":
        return re.sub(r"entos\b", "entas", re.sub(r"\bdois\b", "duas", re.sub(r"\bum\b", "uma", words)))
    return re.sub(r"\bun\Z", "une", words) if language == "fr" else words
