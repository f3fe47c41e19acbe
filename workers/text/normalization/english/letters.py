"""Rules for single letters in English: A4, an A* grade, A/B test, W1A 1AA, dd/mm/yyyy."""

import re
from typing import Final

from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule

_PART: Final = "(?:[Dd]{2}|[Mm]{2}|[Yy]{4}|[Yy]{2}|[Hh]{2}|[Ss]{2})"
_OPENER: Final = re.compile(r"(?<![\w*])\*{1,3}(?=[\w\"'])")
"""The beginning of an emphasis."""
_SIGNS: Final = {"/": " slash ", "-": " dash ", ".": " dot ", ":": ", "}


def _spell_format(match: re.Match[str]) -> str:
    return re.sub("[A-Z]+|[/.:-]", lambda part: _SIGNS.get(part[0]) or " ".join(part[0]), match[0].upper())


def _postcode(match: re.Match[str]) -> str:
    groups = re.sub("[0-9]+", lambda number: f" {numerals.cardinal(number[0], british=True)} ", match["out"])
    groups = re.sub("[A-Z]{2}", lambda letters: " ".join(letters[0]), groups)
    return f"{groups.strip()}, {numerals.cardinal(match['n'], british=True)} {' '.join(match['in'])}"


def _stars(match: re.Match[str]) -> str | None:
    """A grade with a star, unless the star ends an emphasis."""
    before = match.string[max(0, match.start() - 200) : match.start()]
    opened = max((opener.end() for opener in _OPENER.finditer(before)), default=None)
    if opened is not None and "*" not in before[opened:]:
        return None
    return match[0].replace("*", " star ").strip() + " " * match[0].endswith(" ")


def _carbon(match: re.Match[str]) -> str:
    return f"{match['ton'] or ''}{'t ' if match['t'] else ''}C O two equivalent"


RULES: Final = (
    # an a4 page
    Rule(re.compile(r"(?<![\w.,'/@#-])a(?=[0-9]{1,3}(?![\w.,]\w|\w))"), "A"),
    # W1A 1AA
    Rule(
        re.compile(r"(?<![\w-])(?P<out>[A-Z]{1,2}[0-9]{1,2}[A-Z]?) (?P<n>[0-9])(?P<in>[ABD-HJLNP-UW-Z]{2})(?![\w-])"), _postcode
    ),
    # A*, A*A*A
    Rule(re.compile(r"(?<![\w*/^+-])(?:[A-E]\*){1,4}(?:[A-E]{1,3})?(?![\w*(/^+])(?! [*=+-])"), _stars, needs_digit=False),
    # an A- grade; not A- and B-roads
    Rule(
        re.compile(
            r"(?=[A-F][-−])"
            r"(?:(?<=\b[Aa] )|(?<=\b[Aa]n )|(?<=\b[Tt]o )|(?<=\bgot )|(?<=\bfrom )|(?<=\bgrade )|(?<=\bof )|(?<=[A-F]\+ ))"
            r"([A-F])[-−](?![^\s.,;:!?)]| (?:and|or|to) \w{1,2}-\w)"
        ),
        lambda match: f"{match[1]} minus",
        needs_digit=False,
    ),
    # A–Z, A-Z
    Rule(
        re.compile(r"(?<![\w.&'/-])(?:A-(?=Z(?![\w'/-]))|a-(?=z(?![\w'/-]))|[A-Z]–(?=[A-Z](?![\w'])))"),
        lambda match: f"{match[0][0].upper()} to ",
        needs_digit=False,
    ),
    # A/B test
    Rule(re.compile(r"(?<![\w/.])([A-Z])/(?=[A-Z](?![\w/]))"), lambda match: f"{match[1]} ", needs_digit=False),
    # dd/mm/yyyy
    Rule(re.compile(rf"(?<![\w/.:-]){_PART}(?:[/.:-]{_PART}){{1,2}}(?![\w/-])"), _spell_format, needs_digit=False),
    # A levels; blood group AB
    Rule(
        re.compile(
            r"(?<![\w-])(?<!\b[Ii]n )A "
            r"(?=[Ll]evels\b|Level (?:results?|students?|exams?|maths?|courses?|grades?|physics|English)\b)"
        ),
        "A-",
        needs_digit=False,
    ),
    Rule(
        re.compile(
            r"(?:(?<=\btype )|(?<=\bgroup )|(?<=\bblood ))AB(?!\w)"
            r"|(?<!\w)AB(?= (?:blood|positive|negative|plasma)\b)|(?<=[ABO], )AB(?=,? (?:and|or) )"
        ),
        "A B",
        needs_digit=False,
    ),
    # 3 t CO2e
    Rule(re.compile(r"(?<![A-Za-z])(?P<ton>k|M|G)?(?P<t>t ?)?CO[2₂](?:e|eq)(?!\w)"), _carbon, needs_digit=False),
    Rule(re.compile(r"(?<=[\U00100000-\U0010fffd])(?:-e|e|-eq|eq|-equiv)(?!\w)"), " equivalent", needs_digit=False),
    # IPv6
    Rule(re.compile(r"(?<!\w)IPv(?=[46](?!\w))"), "I P V "),
)
