"""Short forms of English statutes and law reports: subs. (2), lit. b, Pub. L. No. 107–204, Fed. R. Civ. P. 12(b), 495 n.11.

Why not in the table of abbreviations: each is short for this only next to a number, a letter in brackets or another short form.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization.rules import Rule

_RULES: Final = {"Civ": "Civil Procedure", "Crim": "Criminal Procedure", "App": "Appellate Procedure", "Evid": "Evidence"}
_SHORT: Final = {
    r"(?<![\w.])(?:subs|subsec|sub-s)\. ?(?=\()": "subsection ",
    r"(?<![\w.])(?:subss|subsecs)\. ?(?=\()": "subsections ",
    r"(?<![\w.])lit\. ?(?=[(]?[a-z]\b)": "letter ",
    r"(?<=[0-9] )n\. ?(?=[0-9]{1,3}\b)": "note ",
    r"(?<![\w.])nn\. ?(?=[0-9]{1,3}\b)": "notes ",
    r"(?:(?<=Geo\. [0-9] )|(?<=Vict\. )|(?<=Eliz\. [0-9] )|(?<=Will\. [0-9] )|(?<=Edw\. [0-9] ))c\. ?(?=[0-9])": "chapter ",
    r"(?<![\w.])Pub\. ?L\. ?(?=No\.|[0-9])": "Public Law ",
    r"(?<![\w.])Bd\. (?=of )": "Board ",
    r"(?<=Board of )Educ\.": "Education",
    r"(?<=U\.S\. )Const\.": "Constitution",
    r"(?<=, )Sess\. ?(?=[0-9])": "Session ",
    r"(?<![\w.])p\.a\.(?= [a-z(]|[,;)])": "per annum",
    r"(?<![\w.])p\.a\.(?= [A-Z]|\n|\Z)": "per annum.",
    r"(?<![\w.])Cf\. ": "Compare ",
    r"(?<=[0-9]) pp\.(?=[),;]| [a-z])": " pages",
    r"§ ?(?=[A-Z][a-z])": "section ",
}


def rules() -> Iterator[Rule]:
    """The rules for the short forms of statutes, for before the rules of abbreviations."""
    yield Rule(
        re.compile(rf"(?<![\w.])Fed\. R\. (?P<kind>{'|'.join(_RULES)})\.(?: ?P\.)?"),
        lambda match: f"Federal Rules of {_RULES[match['kind']]}",
        needs_digit=False,
    )
    yield Rule(
        re.compile(r"(?<![\w.])Pub\. ?L\. ?(?:No\. ?)?(?P<one>[0-9]{2,3})[-–](?P<two>[0-9]{1,3})(?![\w-])"),
        lambda match: f"Public Law {match['one']}, {match['two']}",
    )
    for pattern, words in _SHORT.items():
        yield Rule(re.compile(pattern), words, needs_digit=False)
    # s. 3(i)–(iii)
    yield Rule(re.compile(r"(?<=[0-9a-z]\)) ?[-–] ?(?=\([0-9a-z]{1,4}\))"), " to ", needs_digit=False)
    # ss. 9–11A, Fig. 3A–C
    yield Rule(
        re.compile(r"(?<![\w.,/$-])(?P<one>[0-9]{1,4}[A-Z]?)[–-](?P<two>[0-9]{1,4}[A-Z]|(?<=[A-Z][–-])[A-Z])(?![\w-])"),
        lambda match: f"{match['one']} to {match['two']}",
    )
    # App. B, Fig. S2, Eq. (2)
    yield Rule(
        re.compile(r"(?<![\w.])(?P<short>Figs?|App|Suppl|Eqs?|Ex)\. ?(?=[A-Z][0-9]{0,2}\b(?!\.)|\([0-9]|Table|Fig)"),
        lambda match: f"{_PARTS[match['short']]} ",
        needs_digit=False,
    )


_PARTS: Final = {
    "Fig": "Figure",
    "Figs": "Figures",
    "App": "Appendix",
    "Suppl": "Supplementary",
    "Eq": "Equation",
    "Eqs": "Equations",
    "Ex": "Example",
}
