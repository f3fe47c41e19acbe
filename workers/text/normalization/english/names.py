"""Short forms next to English names: streets, saints, court cases, No 10; and words that are written short without a stop."""

import re
from collections.abc import Iterator
from typing import Final

from app.core.speech.sentence_words import sentence_words
from workers.text.locales import loader
from workers.text.normalization import numerals, western
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en")
_STREETS: Final = _WORDS.streets
_AMBIGUOUS: Final = frozenset({"St", "Dr", "Ct", "Pl", "Sq"})
"""Words of streets that are something else after a name without a house number."""
_HOUSE: Final = r"[0-9]{1,5}[A-Za-z]? (?:[NSEW]\.? |North |South |East |West )?"
_NAME: Final = r"(?:[A-Z][a-z]{1,20}|[0-9]{1,3}(?:st|nd|rd|th))"
_STOP: Final = r"(?P<stop>\.(?!\w))?+"
_WAYS: Final = {"N": "North", "S": "South", "E": "East", "W": "West"}
_QUARTERS: Final = {"NE": "Northeast", "NW": "Northwest", "SE": "Southeast", "SW": "Southwest"}
_QUARTER: Final = re.compile(r",? [NS]\.?[EW]\b")
"""The part of a city after a street: Pennsylvania Ave. NW."""
_SURE_STATES: Final = ("Ala", "Ariz", "Calif", "Colo", "Conn", "Fla", "Ky", "Mich", "Minn", "Okla", "Tenn", "Wis", "Wyo")
"""Abbreviations of states that are nothing else."""
_AGES: Final = {"Sr": "Senior", "Jr": "Junior"}
_SERIES: Final = {"2d": "second", "3d": "third", "4th": "fourth"}
_POURED: Final = (
    "all-purpose|broth|brown|butter|buttermilk|cheese|chicken|chopped|cold|cooked|cream|diced|flour|granulated|grated|heavy|honey|"
    "hot|melted|milk|nuts|oats|oil|packed|pecans|plain|powdered|raisins|rice|shredded|sifted|sliced|sour|stock|sugar|warm|water|"
    "white|whole|yogurt"
)
_UP_TO_ONE: Final = frozenset({"1", "½", "⅓", "⅔", "¼", "¾", "1/2", "1/3", "2/3", "1/4", "3/4", "1/8"})
_NO_VOWEL: Final = "B-DF-HJ-NP-TV-XZ"


def rules() -> Iterator[Rule]:
    """The rules for short forms next to names, for before the rules of abbreviations."""
    yield from _addresses()
    yield from _states()
    yield from _cases()
    yield from _numbers()
    yield from _before_others()


def words() -> Rule:
    """The rule for words that are written short without a full stop, for after the rules of measures."""
    return Rule(
        re.compile(rf"(?<![\w'.&/-])(?P<word>{any_of(_WORDS.short_words)})(?![\w'])"),
        lambda match: _WORDS.short_words[match["word"]],
        needs_digit=False,
    )


def stops() -> Rule:
    """The rule for full stops after short words without a vowel, which are abbreviations if the sentence goes on.

    For after the rules of abbreviations.
    """
    return Rule(
        re.compile(
            rf"(?<![\w.'])(?!(?i:{any_of(_WORDS.interjections)})\.)(?P<word>[{_NO_VOWEL}{_NO_VOWEL.lower()}][{_NO_VOWEL.lower()}]{{1,4}})"
            r"\.(?= [a-z(]|[,;:)])"
        ),
        lambda match: match["word"],
        needs_digit=False,
    )


def _addresses() -> Iterator[Rule]:
    yield from _streets()
    yield Rule(re.compile(r"(?<![\w.])St\.? (?=[A-Z][a-z])"), "Saint ", needs_digit=False)
    # Pennsylvania Ave. NW, 12 NW 23rd Ave
    yield Rule(
        re.compile(
            rf"(?:(?P<street>(?<!\w)(?:{any_of([*_STREETS, *_STREETS.values()])})\.?,? )"
            r"|(?<=[0-9] )(?=\S{2,4} [0-9]{1,3}(?:st|nd|rd|th)\b))"
            r"(?P<way>[NS]\.?[EW])(?P<stop>\.(?!\w))?(?!\w)"
        ),
        _write_out_quarter,
        needs_digit=False,
    )


def _streets() -> Iterator[Rule]:
    """Rules for streets whose kind is written short, and the direction before their name."""
    # N. Main St., 350 W. 42nd St.
    yield Rule(
        re.compile(
            rf"(?<![\w.])(?P<way>[NSEW])\.? (?={_NAME}(?: [A-Z][a-z]{{1,20}})? (?:{any_of([*_STREETS, *_STREETS.values()])})\b)"
        ),
        lambda match: f"{_WAYS[match['way']]} ",
        needs_digit=False,
    )
    # 12 Sunset Blvd, 5 Oak Dr.
    yield Rule(
        re.compile(rf"(?<![\w.,])(?P<name>{_HOUSE}{_NAME}(?: [A-Z][a-z]{{1,20}})?) (?P<short>{any_of(_STREETS)}){_STOP}(?!\w)"),
        _write_out_street,
    )
    yield Rule(
        re.compile(
            rf"(?P<name>\b(?:on|at|along|off|down|up|near|of|from|to|onto|toward|past|between|and|across) {_NAME}) "
            rf"(?P<short>{any_of(_STREETS)}){_STOP}(?!\w)(?! [A-Z])"
        ),
        _write_out_street,
        needs_digit=False,
    )
    yield Rule(
        re.compile(
            rf"(?<!\w)(?P<name>{_NAME}) (?P<short>{any_of(_STREETS.keys() - {'St', 'Dr', 'Ct', 'Pl', 'Sq'})}){_STOP}(?!\w)"
        ),
        _write_out_street,
        needs_digit=False,
    )
    # Cross Oak Dr. and stop
    yield Rule(
        re.compile(
            rf"(?<!\w)(?!(?:{any_of(_WORDS.before_doctor)}) )(?P<name>[A-Z][a-z]{{2,20}}) (?P<short>Dr){_STOP}"
            rf"(?= (?:{any_of(sentence_words('en').openers)})\b|[,;)]|\n|\Z"
            r"| (?:and|or|to|in|at|is|was|near|from|between|after|then|until)\b)"
        ),
        _write_out_street,
        needs_digit=False,
    )
    # Main St.; St. John
    yield Rule(
        re.compile(rf"(?<!\w)(?P<name>{_NAME}) (?P<short>St)(?P<stop>\.)(?!\w)"),
        _write_out_street,
        needs_digit=False,
    )


def _write_out_street(match: re.Match[str]) -> str:
    stop = "" if _QUARTER.match(match.string, match.end()) else western.full_stop(match)
    return f"{match['name']} {_STREETS[match['short']]}{stop}"


def _write_out_quarter(match: re.Match[str]) -> str:
    street = (match["street"] or "").rstrip("., ")
    way = _QUARTERS[match["way"].replace(".", "")]
    return f"{_STREETS.get(street, street)} {way}".lstrip() + western.full_stop(match)


def _states() -> Iterator[Rule]:
    # St. Louis, Mo.; Boise, ID 83701
    yield Rule(
        re.compile(rf"(?<=[a-z], )(?P<state>{any_of(_WORDS.states)})(?P<stop>\.)(?!\w)"),
        lambda match: _WORDS.states[match["state"]] + western.full_stop(match),
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<![\w.])(?P<state>{any_of(_SURE_STATES)})(?P<stop>\.)(?!\w)"),
        lambda match: _WORDS.states[match["state"]] + western.full_stop(match),
        needs_digit=False,
    )
    yield Rule(
        re.compile(
            rf"(?<=[a-z], )(?P<state>{any_of(_WORDS.state_codes)}) (?P<zip>[0-9]{{5}})(?:-(?P<four>[0-9]{{4}}))?(?![\w-])"
        ),
        lambda match: (
            f"{_WORDS.state_codes[match['state']]} {numerals.spell_digits(match['zip'])}"
            + (f", {numerals.spell_digits(match['four'])}" if match["four"] else "")
        ),
    )


def _cases() -> Iterator[Rule]:
    # Roe v. Wade, Smith v Jones
    yield Rule(re.compile(r"(?<=[\w.)',\"] )v\. ?(?=(?:the )?[A-Z(\"])"), "versus ", needs_digit=False)
    yield Rule(
        re.compile(r"(?<!\w)(?P<one>[A-Z][\w.']{1,30}) v (?=[A-Z][a-z])"),
        lambda match: f"{match['one']} versus ",
        needs_digit=False,
    )
    # Sr. Mgr. Lee; Sr. Maria, a nun
    yield Rule(
        re.compile(r"(?P<before>\A|[.!?,;:(] |\n|(?<!\w)[a-z]{1,20}[,;:]? )Sr\. (?=(?P<next>[A-Z][A-Za-z]{0,20}))"),
        lambda match: f"{match['before']}{'Senior' if _is_senior(match['next']) else 'Sister'} ",
        needs_digit=False,
    )
    # (Fr. bonjour)
    yield Rule(re.compile(r"(?<![\w.])Fr\. (?=[\"'*_]?[a-zà-ÿ])"), "French ", needs_digit=False)
    # the Sec. of State
    yield Rule(re.compile(r"(?<![\w.])Sec\. (?=of [A-Z]|[A-Z][a-z])"), "Secretary ", needs_digit=False)
    # 12 F.3d 45 (9th Cir. 1994)
    yield Rule(
        re.compile(r"(?<=[0-9] )F\. ?(?P<supp>Supp\. ?)?(?P<n>2d|3d|4th)(?= [0-9])"),
        lambda match: f"F {'Supplement ' if match['supp'] else ''}{_SERIES[match['n']]}",
    )
    yield Rule(re.compile(r"(?<=[0-9](?:st|nd|rd|th) )Cir\.(?!\w)|(?<=[0-9]d )Cir\.(?!\w)"), "Circuit")
    # Sr. Mgr., and not "King Sr."
    yield Rule(
        re.compile(
            r"(?=[SJ]r\. [A-Z])(?:\A|(?<=[.!?,;:(] )|(?<=\n)|(?<=\bthe )|(?<=\band )|(?<=\bour )|(?<=\ba )|(?<=\bas ))"
            r"(?P<age>[SJ]r)\. "
        ),
        lambda match: f"{_AGES[match['age']]} ",
        needs_digit=False,
    )


def _is_senior(word: str) -> bool:
    return word in _WORDS.after_senior or word.isupper()


def _numbers() -> Iterator[Rule]:
    # min. 2, Min. order; not 5 min. 2
    yield Rule(
        re.compile(
            r"(?<![\w.])(?<![0-9] )(?P<m>[Mm])in\. (?=[0-9]|(?:of|age|wage|order|price|temp|height|width|stay|bid|spend)\b)"
        ),
        lambda match: f"{match['m']}inimum ",
        needs_digit=False,
    )
    # No 10 Downing Street
    yield Rule(
        re.compile(
            r"(?<![\w.'-])(?P<no>No|Nos) (?P<n>[0-9]{1,4})(?=(?:[.,;:!?)]|'s)(?!\w)|\n|\Z| [A-Z]"
            rf"| (?:{any_of(_WORDS.after_numbered)})\b)"
        ),
        lambda match: f"{_number_word(match)} {match['n']}",
    )
    # s. 12 of the Act
    yield Rule(re.compile(r"(?<![\w.])(?<![0-9] )s\. ?(?=[0-9]{1,4}[A-Z]?\b(?!\.[0-9]))"), "section ")
    # pp. 5ff., p. 5 f.
    yield Rule(re.compile(r"(?<=[0-9]) ?ff?\.(?= [a-z(]|[,;)]|\Z|\n)"), " and following")


def _before_others() -> Iterator[Rule]:
    """Short forms whose meaning the next word shows: pop. 200, (est.), est. 1715, Max. fine, Vit. C, Yr. obt. servt."""
    forms = {
        r"pop\. (?=(?:(?:about|over|approx\.|c\.|ca\.) )?~?[0-9])": "population ",
        r"(?<=\()est\.(?=[);])": "estimated",
        r"est\. (?=[$€£~]|[0-9]{1,3}\b|[0-9]{1,3},[0-9])": "estimated ",
        r"Max\. (?=[a-z])": "Maximum ",
        r"Min\. (?=[a-z])": "Minimum ",
        r"Vit\. (?=[A-EK][0-9]{0,2}\b)": "Vitamin ",
        r"vit\. (?=[A-EK][0-9]{0,2}\b)": "vitamin ",
        r"Att\.(?=:? [0-9])": "Attendance",
        r"Yr\.? (?=(?:most )?(?:obt|obdt|humble|aff|loving|devoted)\b)": "Your ",
        r"Yrs\.? (?=(?:very |most )?(?:truly|sincerely|faithfully|ever|obt|aff)\b)": "Yours ",
        r"(?:Sec'y|Secy\.?)(?= )": "Secretary",
    }
    for pattern, words in forms.items():
        yield Rule(re.compile(rf"(?<![\w.])(?:{pattern})"), words, needs_digit=False)
    # 1 c milk
    yield Rule(
        re.compile(
            r"(?<![\w.,/])(?P<n>[0-9]{0,2} ?(?:[½⅓⅔¼¾]|[1-9]/[2-8])|[0-9]{1,2}(?:\.[0-9]{1,2})?) c"
            rf"(?= (?:{_POURED})\b)"
        ),
        lambda match: f"{match['n']} {'cup' if match['n'].strip() in _UP_TO_ONE else 'cups'}",
    )
    # a follow-up of 28 d
    yield Rule(
        re.compile(
            r"(?<![\w.,$€£/-])(?P<n>[2-9]|[1-9][0-9]{1,2}) d(?=[,;)]| \(| (?:vs|after|before|of|and|later|or|in|to|for|post)\b)"
        ),
        lambda match: f"{match['n']} days",
    )
    # 968 mb
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<n>8[5-9][0-9]|9[0-9]{2}|10[0-5][0-9]) ?mb(?!\w)"), lambda match: f"{match['n']} millibars"
    )


def _number_word(match: re.Match[str]) -> str:
    word = "number" if match["no"] == "No" else "numbers"
    before = match.string[max(0, match.start() - 2) : match.start()]
    return word.capitalize() if not before.strip() or before[0] in ".!?\n" else word
