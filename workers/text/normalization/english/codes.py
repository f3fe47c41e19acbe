"""Numbers that English says digit by digit: telephone numbers, cards, postal codes, emergency numbers, PINs.

Why a word before a number counts: "Text 741741" is no quantity, "Text 300 people" has one. Without such a word the grouping
shows it: four groups of four digits, or a group that begins with zero.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").digit_labels
_GROUPS: Final = re.compile("[0-9]+")
_NAME: Final = r"(?: (?:numbers?|no\.?|code|ID|id))?(?:[:.]| is:?| was| ?#)? ?"
"""What may stand between a word such as *account* and the digits."""
_END: Final = r"(?![\w%]|[.,:/-][0-9])"
_SEPARATED: Final = r"[0-9]{3,12}(?:(?:[ -]|, ?ext\.? ?)[0-9]{2,6}){0,5}"
_EMERGENCY: Final = "(?:911|999|112|000|111|988|101|105|110|119|[2-8]11)"
_KNOWN: Final = frozenset({"911", "999", "112"})
_CALLED: Final = re.compile(rf" {any_of(_WORDS.called)}\b|, what(?:'s| is) your emergency")
_NEXT: Final = re.compile(rf" (?!{any_of(_WORDS.not_counted)}\b)(?:[a-z]{{2,20}}s|people|children|men|women)\b")
_CALLING: Final = re.compile(rf"\b(?i:{any_of(_WORDS.calling)})\b[^.!?\n]{{0,24}}\Z")


def rules() -> Iterator[Rule]:
    """The rules for numbers that are said digit by digit."""
    yield from _grouped()
    yield from _labelled()
    # SO849548, AB1234567
    yield Rule(
        re.compile(r"(?P<before>(?<![\w.-])[A-Z]{1,4})(?P<digits>[0-9]{5,12})(?![\w%]|[.,-][0-9])"),
        lambda match: f"{match['before']} {numerals.spell_digits(match['digits'])}",
    )
    yield Rule(re.compile(rf"(?<![\w$€£.,:/-]){_EMERGENCY}(?![\w%/-]|[,.][0-9]| [0-9])"), _verbalize_emergency)


def _grouped() -> Iterator[Rule]:
    """Rules for numbers that their groups of digits show: of telephones, cards and places."""
    # (555) 123-4567, 1-800-555-0199, 555.123.4567
    yield Rule(
        re.compile(
            r"(?<![\w.,-])(?:\([0-9]{3}\) ?|(?:1[-–‑. ])?[0-9]{3}[-–‑. ])?[0-9]{3}[-–‑.][0-9]{4}"
            r"(?: ?x ?(?P<ext>[0-9]{2,5}))?(?![\w-]|[.,][0-9])"
        ),
        _verbalize_phone,
    )
    # 4111 1111 1111 1111
    yield Rule(
        re.compile(r"(?<![\w.,-])[0-9]{4}(?P<sign>[ -])[0-9]{4}(?P=sign)[0-9]{4}(?P=sign)[0-9]{4}(?![\w-])"), _verbalize_groups
    )
    yield Rule(re.compile(r"(?<![\w.,-])[0-9]{4} [0-9]{6} [0-9]{5}(?![\w-])"), _verbalize_groups)
    # 12345-6789, a postal code
    yield Rule(re.compile(r"(?<![\w.,/-])[0-9]{5}-[0-9]{4}(?![\w,-]|\.[0-9])"), _verbalize_groups)
    # 020 7946 0958, (020) 7946 0958, 0800 1111
    yield Rule(
        re.compile(r"(?<![\w.,/-])(?:\(0[0-9]{2,5}\)|0[0-9]{2,5})(?:[ -][0-9]{3,8}){1,3}(?![\w-]|[.,][0-9])"),
        _verbalize_groups,
    )
    yield Rule(re.compile(r"(?<![\w.,/-])0[0-9]{9,10}(?![\w-]|[.,][0-9])"), _verbalize_groups)


def _labelled() -> Iterator[Rule]:
    """Rules for numbers after a word that names them."""
    # PIN 1234, zip 90210, Fax 555 123 4567
    yield Rule(
        re.compile(rf"(?P<before>(?<!\w)(?:{any_of(_WORDS.always)})\b{_NAME})(?P<digits>{_SEPARATED}){_END}"),
        lambda match: (
            None if match[0][:3].lower() in {"pho", "cel", "mob"} and _is_counted(match) else _verbalize_labelled(match)
        ),
    )
    yield Rule(
        re.compile(rf"(?P<before>(?<!\w)(?:{any_of(_WORDS.long)})\b{_NAME})(?P<digits>[0-9]{{5,17}}|{_SEPARATED}){_END}"),
        lambda match: None if len(_digits(match)) < 5 or _is_counted(match) else _verbalize_labelled(match),
    )
    # IBAN GB29 NWBK 6016 1331 9268 19
    yield Rule(
        re.compile(r"(?P<before>\bIBAN[: ]{1,2}(?:is )?)(?P<digits>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{2,4}){2,8})(?!\w)"),
        lambda match: f"{match['before']}{', '.join(' '.join(group) for group in match['digits'].split())}",
    )
    yield Rule(re.compile(r"(?P<before>(?<=, [A-Z]{2} ))(?P<digits>[0-9]{5})(?![\w%]|[.,:-][0-9])"), _verbalize_labelled)
    # Text HOME to 741741
    yield Rule(
        re.compile(r"(?P<before>\b[Tt]ext [\"']?[A-Z0-9]{2,15}[\"']? to )(?P<digits>[0-9]{4,6})(?![\w%]|[.,:-][0-9])"),
        _verbalize_labelled,
    )


def _verbalize_phone(match: re.Match[str]) -> str:
    """A telephone number, and its extension: 555-0199 x45."""
    *groups, last = map(numerals.spell_digits, _GROUPS.findall(match[0]))
    return ", ".join([*groups, f"extension {last}" if match["ext"] else last])


def _verbalize_groups(match: re.Match[str]) -> str:
    return ", ".join(map(numerals.spell_digits, _GROUPS.findall(match[0])))


def _verbalize_labelled(match: re.Match[str]) -> str:
    parts = ", ".join(map(numerals.spell_digits, _GROUPS.findall(match["digits"])))
    return match["before"] + (" " * match["before"].endswith((":", "."))) + parts


def _digits(match: re.Match[str]) -> str:
    return "".join(_GROUPS.findall(match["digits"]))


def _is_counted(match: re.Match[str]) -> bool:
    """Whether the number counts what the next word names: call 300 people."""
    return _NEXT.match(match.string, match.end()) is not None and match["digits"].isdigit()


def _verbalize_emergency(match: re.Match[str]) -> str | None:
    """An emergency number, if the words next to it are about calling, or it stands alone."""
    before, after = match.string[max(0, match.start() - 40) : match.start()], match.string[match.end() : match.end() + 3]
    is_alone = match[0] in _KNOWN and not before.strip() and not after.strip(" .!\n")
    is_called = _CALLED.match(match.string, match.end()) is not None
    is_dialled = _CALLING.search(before) is not None and _NEXT.match(match.string, match.end()) is None
    return numerals.spell_digits(match[0]) if is_alone or is_called or is_dialled else None
