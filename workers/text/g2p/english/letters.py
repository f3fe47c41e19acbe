"""Says a capital A as the letter or as the article, and words that are written with apostrophes or as a stammer.

Why the spelling and the neighbours decide about A, also with spaCy's model: its tag for the A of "plan A" and "Figure A1" is
often that of the article.
"""

from collections.abc import Callable
from typing import Any, Final

from workers.text.g2p.english import data

Say = Callable[[str], str | None]
"""Returns the phonemes of a word that Misaki's lexicon has; None for any other."""

_OPENERS: Final = frozenset('.!?…:;"“([{—–)') | {"''", "``", "...", "--", "'", "‘"}
_HYPHENS: Final = frozenset({"-", "‐", "‑", "–"})
_DASHES: Final = frozenset({"-", "–", "—", "...", "…"})
_APOSTROPHES: Final = frozenset({"'", "’", "‘"})
_VOWELS: Final = frozenset("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ")
_STRESSES: Final = "ˈˌ"
_MOST_OF_A_STAMMER: Final = 3
"""Most letters before the hyphen in a stammered word."""


def mark_letter_a(tokens: list[Any]) -> None:
    """Gives each A among `tokens`, which have tags, the tag of a noun where it is the letter, and a capital A that of an
    article where it is the article.
    """
    words = [token for token in tokens if not token.text.isspace()]
    for i, token in enumerate(words):
        if token.text == "a" and _is_in_formula(words, i):
            _give(token, "ˈA")
        elif token.text == "A" and (is_letter := _is_letter(words, i)) is not None:
            token.tag = "NN" if is_letter else "DT"


def _is_letter(words: list[Any], i: int) -> bool | None:
    """Whether the capital A at `i` is the letter; None where its tag may decide."""
    table = data.load().letter_a
    after = words[i + 1].text if i + 1 < len(words) else ""
    if not after[:1].isalnum() or not words[i].whitespace:
        return True
    before = words[i - 1].text if i else ""
    if not before or before in _OPENERS:
        return True if _begins_letters(words, i + 1) or after in table.after or _is_numbered(words, i + 1) else None
    if before.lower() in table.labels or (len(after) == 1 and after.isupper() and not _is_joined(words, i + 1)):
        return True
    if after[0].isupper():
        return (before.islower() or before in {"An", "The", "AN"}) and before.lower() in table.determiners
    return True


def _is_in_formula(words: list[Any], i: int) -> bool:
    """Whether the small a at `i` is a letter of a formula: "four a c", "a squared", "a plus b", but not "a plus"."""
    table = data.load().letter_a
    before = words[i - 1].text if i else ""
    after, after_2 = (words[place].text if place < len(words) else "" for place in (i + 1, i + 2))
    if after in table.powers or (_is_variable(after) and not _is_joined(words, i + 1)) or _is_variable(before):
        return True
    if after in table.operators:
        return (
            _is_variable(after_2)
            or after_2 == "a"
            or (after, after_2) == ("times", "the")
            or after_2 in data.load().lists["numbers"]
        )
    return before in table.powers | table.operators | data.load().lists["numbers"] and not after.isalpha()


def _is_variable(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word.islower() and word != "a"


def _begins_letters(words: list[Any], i: int) -> bool:
    """Whether letters at `i` continue an A: "A B test" and "A L two", but not "A U S company"."""
    text, after = words[i].text, words[i + 1].text if i + 1 < len(words) else ""
    is_symbol = len(text) == 1 and text.isupper() and after in data.load().lists["numbers"]
    return (text in {"A", "B", "C"} or is_symbol) and not _is_joined(words, i)


def _is_joined(words: list[Any], i: int) -> bool:
    """Whether a hyphen joins the word at `i` to the next: T-test."""
    return i + 1 < len(words) and not words[i].whitespace and words[i + 1].text in _HYPHENS


def _is_numbered(words: list[Any], i: int) -> bool:
    """Whether a number at `i` belongs to a letter before it: "A forty-four is closed", but not "A hundred people"."""
    numbers, end = data.load().lists["numbers"] | {"and", "oh"}, i
    while end < len(words) and end < i + 12 and (words[end].text in numbers or words[end].text in _HYPHENS):
        end += 1
    if end == i or words[i].text in {"hundred", "thousand", "million", "billion"} or words[end - 1].text in _HYPHENS:
        return False
    after = words[end].text if end < len(words) else ""
    return not after[:1].isalpha() or after in data.load().letter_a.after


def say_apostrophes(tokens: list[Any], say: Say, *, british: bool) -> None:
    """Gives words with letters left out their phonemes: 'tis, th', singin'. `tokens` keep their number; an apostrophe that is
    a part of a word has no phonemes of its own.
    """
    elided = data.load().elided
    for i, token in enumerate(tokens):
        word = token.text.lower().replace("’", "'").replace("‘", "'")
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if word in elided:
            _give(token, elided[word][british])
        elif after is not None and not token.whitespace and word in _APOSTROPHES and _joined(word, after) in elided:
            _give(token, "")
            _give(after, elided[_joined(word, after)][british])
        elif after is not None and not token.whitespace and after.text in _APOSTROPHES and not _continues(after, tokens, i + 2):
            phonemes = elided[f"{word}'"][british] if f"{word}'" in elided else _without_g(word, say)
            if phonemes is not None:
                _give(token, phonemes)
                _give(after, "")
        elif word.endswith("in'") and (phonemes := _without_g(word[:-1], say)) is not None:
            _give(token, phonemes)


def _joined(apostrophe: str, after: Any) -> str:
    return apostrophe.replace("’", "'") + str(after.text.lower())


def _continues(apostrophe: Any, tokens: list[Any], i: int) -> bool:
    """Whether a letter follows the apostrophe directly, so that it stands within a word."""
    return not apostrophe.whitespace and i < len(tokens) and bool(tokens[i].text[:1].isalpha())


def _without_g(word: str, say: Say) -> str | None:
    """The phonemes of a word such as singin, which is no word itself."""
    if len(word) < 5 or not word.endswith("in") or say(word) is not None:
        return None
    full = say(f"{word}g")
    return full[:-1] + "n" if full is not None and full.endswith("ŋ") else None


def say_stammers(tokens: list[Any], say: Say) -> None:
    """Gives the beginnings of stammered words the first sound of the word: N-no, Wh—what."""
    onset = ""
    for i in reversed(range(len(tokens) - 2)):
        first, dash, word = tokens[i : i + 3]
        if dash.text not in _DASHES or first.whitespace or not first.text.isalpha():
            continue
        begun, whole = first.text.lower(), word.text.lower()
        if begun == whole and onset and word.phonemes == onset:
            _give(first, onset)
        if not whole.startswith(begun) or len(begun) > _MOST_OF_A_STAMMER or not _is_stammer(begun, dash.text, whole):
            continue
        phonemes = say(whole)
        onset = _onset(phonemes) if phonemes is not None else ""
        if onset:
            _give(first, onset)


def _is_stammer(begun: str, dash: str, whole: str) -> bool:
    if begun == whole or whole in data.load().no_stammer.after:
        return False
    return dash == "-" or (len(begun) > 1 and not any(letter in "aeiouy" for letter in begun)) or len(begun) == 1


def _onset(phonemes: str) -> str:
    """The consonants at the beginning of a word with a short vowel, or the vowel at its beginning."""
    plain = "".join(phoneme for phoneme in phonemes if phoneme not in _STRESSES)
    n = next((i for i, phoneme in enumerate(plain) if phoneme in _VOWELS), 0)
    return plain[:n] + "ə" if n else plain[:1]


def say_prefixed(word: str, say: Say, fallback: Say, *, british: bool) -> str | None:
    """The phonemes of a word that begins with a word of science: alpharetrovirus; None for any other."""
    for prefix, said in data.load().prefixes.items():
        rest = word.lower().removeprefix(prefix)
        if len(rest) >= 5 and len(rest) < len(word):
            main = say(rest) or fallback(rest)
            return said[british] + main if main else None
    return None


def _give(token: Any, phonemes: str) -> None:
    token.phonemes = phonemes
    token._.rating = 5
