"""Short titles and saints before names: Me Dupont, Mgr Lefebvre, Sig Rossi, S. Maria.

Why only before a name: "Me" is also a pronoun, and "S." also the initial of a person's name.
"""

import re
from collections.abc import Iterator

from workers.text.locales.structs import Romance
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import in_place


def eras(locale: Romance) -> Iterator[Rule]:
    """The rule for a range of years after the birth of Christ: 63 a.C.-14 d.C."""
    yield Rule(re.compile(r"(?<=C\.)[-–—](?=[0-9])"), f" {locale.to} ")


def names(locale: Romance) -> Iterator[Rule]:
    """Rules for what stands before a name."""
    if locale.provinces:
        # Milano (MI): the letters, and no Roman numeral
        letters = locale.initialisms.letters
        yield Rule(
            re.compile(rf"(?<=[a-zàèéìòù] \()(?P<code>{'|'.join(locale.provinces)})(?=\))"),
            lambda match: "-".join(letters[letter] for letter in match["code"]).capitalize(),
            needs_digit=False,
        )
    if locale.name_titles:
        yield Rule(
            re.compile(
                rf"(?<![\w.'/-])(?<![0-9] )(?P<title>{any_of(locale.name_titles)})\.?"
                r"(?= (?:[A-ZÀ-Ý][^\W\d_]|[A-Z](?:\.|(?![\w'’]))))"
            ),
            lambda match: in_place(locale, match, locale.name_titles[match["title"]]),
            needs_digit=False,
        )
    if locale.feminine_titles:
        yield Rule(
            re.compile(
                rf"(?<!\w)(?P<article>(?i:la|a|da|na|à|pela) )(?P<title>{any_of(locale.feminine_titles)})\.(?= [A-ZÀ-Ý])"
            ),
            lambda match: match["article"] + locale.feminine_titles[match["title"]],
            needs_digit=False,
        )
    for saint, saints in locale.saints.items():
        space = "" if saint.endswith("'") else " "
        yield Rule(
            re.compile(rf"(?<![\w.])S\. ?(?={any_of(saints)}(?!\w))"),
            saint + space,
            needs_digit=False,
        )
