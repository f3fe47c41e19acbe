"""Signs of comparison and of ranges next to English words: adults aged ≥18, P<0.001, 1 h–1 h 10 min, p. 3–5.

Why the word before the sign decides: "n is at least 30" is a statement about n, and "aged at least 18" has no verb.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization.rules import Rule

_SIGNS: Final = {"<": "less than", ">": "more than", "≤": "at most", "≥": "at least", "<=": "at most", ">=": "at least"}
_SIGN: Final = "(?P<sign>[<>]=|[<>≤≥])"
_AMOUNT: Final = r"(?=[$€£]?(?:[0-9]|\.[0-9]))"
_PLAIN: Final = (
    "of|for|to|with|from|by|at|in|on|aged|ages|is|are|was|were|be|been|than|and|or|only|has|have|had|over|needs?|requires?|"
    "takes?|costs?|keep|kept|that|least|about|any|all|under|score|versions?"
)
_VERB_ENDING: Final = re.compile(rf"(?:{_PLAIN}|[a-z]{{3,20}}(?:ed|ing|[^\Wsui]s))\Z")
_QUANTITY: Final = (
    r"[0-9½⅓⅔¼¾] ?(?:h|hrs?|hours?|min|mins|minutes?|s|sec|days?|weeks?|wks?|months?|mos|years?|yrs?|kg|mg|ml|cm|mm|km|oz|"
    r"lbs?|cups?|tbsp|Tbsp|tsp|°[CF]|%)"
)


def rules() -> Iterator[Rule]:
    """The rules for signs of comparison between words and numbers, and for ranges of quantities; before the rules of signs."""
    yield Rule(re.compile(rf"(?<![\w.`_])(?P<word>[A-Za-z]{{2,20}}) ?(?<![<>]){_SIGN} ?{_AMOUNT}"), _compare)
    yield Rule(
        re.compile(rf"(?:(?<=[(\[:;,/–—|] )|(?<=[(\[/–—])|^){_SIGN} ?{_AMOUNT}"), lambda match: f"{_SIGNS[match['sign']]} "
    )
    # p < .001
    yield Rule(
        re.compile(r"(?<=[A-Za-z*] )(?P<sign>[<>]) (?=\.[0-9])"),
        lambda match: f"is {'less' if match['sign'] == '<' else 'greater'} than ",
    )
    # P<0.001
    yield Rule(
        re.compile(r"(?<![\w<>.-])(?P<letter>[A-Za-z])(?P<sign>[<>])(?=0?\.[0-9])"),
        lambda match: f"{match['letter']} is {'less' if match['sign'] == '<' else 'greater'} than ",
    )
    yield Rule(re.compile(rf"(?P<one>{_QUANTITY}\.?)[–—](?=[0-9½⅓⅔¼¾])"), lambda match: f"{match['one']} to ")
    yield Rule(
        re.compile(r"(?<![\w.])(?P<p>[Pp])\. ?(?=[0-9]{1,4} ?[-–] ?[0-9]{1,4}(?![\w]))"), lambda match: f"{match['p']}p. "
    )


def _compare(match: re.Match[str]) -> str | None:
    word, sign = match["word"], match["sign"]
    is_tight = match[0][len(word) : len(word) + 1] != " "
    if len(word) < 3 and not re.fullmatch(_PLAIN, word):
        return None
    if sign[0] in "<>" and len(sign) == 1 and (is_tight or not _VERB_ENDING.search(word)):
        return None
    return f"{word} {_SIGNS[sign]} "
