"""Tells English words apart that are spelled alike: *lead*, *read*, *bow*. The rules stand in `words.toml`.

Why rules even with spaCy's model: its tags say noun or verb, and both *leads* are nouns; and Misaki's lexicon takes its tag of
the present for the past of *read*. Without the model, the rules give the tags that the words around a word allow.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from workers.text.g2p.english import data
from workers.text.g2p.english.data import HomographRule, Words

_NEAR: Final = 8
"""Number of words on each side in which a rule looks for words that go with a meaning."""
_ANY: Final = "*"
_STOPS: Final = frozenset(".!?…:;\"'()[]“”—–") | {"''", "``", "...", "--"}
_HYPHENS: Final = frozenset({"-", "‐", "‑"})
_NO_PLURALS: Final = ("ss", "us", "is", "'s")
_TWO_WAYS: Final = frozenset({"VERB", "NOUN", "ADJ"})


def tell_apart(tokens: list[Any], lexicon: Mapping[str, Any], *, british: bool, has_tags: bool) -> None:
    """Gives each token of `tokens`, which Misaki made, that is such a word the tag or the phonemes of its meaning.

    `lexicon` are the words of Misaki's lexicon. `has_tags` says whether the tokens have the tags of spaCy's model.
    """
    by_word, words = _rules(), [token.text.lower() for token in tokens]
    for i, word in enumerate(words):
        rules = by_word.get(word, ())
        entry = lexicon.get(word)
        if not has_tags and isinstance(entry, dict) and _TWO_WAYS & entry.keys():
            rules = (*rules, *by_word[_ANY])
        if not rules:
            continue
        context = _Context(words, i)
        rule = next((one for one in rules if _fits(one, tokens[i], context, has_tags=has_tags)), None)
        if rule is not None:
            _apply(rule, tokens[i], british=british)


def _apply(rule: HomographRule, token: Any, *, british: bool) -> None:
    if rule.say is None:
        token.tag = rule.tag
    else:
        token.phonemes = rule.say[british]
        token._.rating = 5


class _Context:
    """The words around a word."""

    def __init__(self, words: list[str], i: int) -> None:
        passed_over = data.load().lists["passed_over"]
        before = self._words(words, range(i - 1, max(-1, i - 2 * _NEAR), -1))
        meant = [word for word in before if word not in passed_over]
        self.before = _forms(meant[0] if meant else "START")
        self.before_2 = _forms(meant[1] if len(meant) > 1 else "START")
        after = self._words(words, range(i + 1, min(len(words), i + 2 * _NEAR)))
        self.after = _forms(after[0] if after else "END")
        self.near = frozenset([*before[:_NEAR], *after[:_NEAR]])

    def _words(self, words: list[str], places: range) -> list[str]:
        """The words at `places` up to the end of the sentence."""
        return list(_until_stop(words[place] for place in places))


def _until_stop(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word in _STOPS:
            return
        if word not in _HYPHENS and not word.isspace():
            yield word


def _forms(word: str) -> Words:
    """The word and what a rule may call it."""
    forms = {word}
    if word in {"START", "END"}:
        return frozenset(forms)
    if word == ",":
        forms.add("END")
    if word.isdigit() or word in data.load().lists["numbers"]:
        forms.add("NUMBER")
    if word.endswith("s") and len(word) > 3 and not word.endswith(_NO_PLURALS):
        forms.add("PLURAL")
    return frozenset(forms)


def _fits(rule: HomographRule, token: Any, context: _Context, *, has_tags: bool) -> bool:
    if has_tags and (not rule.tagger or (rule.tags and token.tag not in rule.tags)):
        return False
    if rule.capital is not None and rule.capital != token.text[:1].isupper():
        return False
    pairs = (
        (rule.before, rule.not_before, context.before),
        (rule.before_2, rule.not_before_2, context.before_2),
        (rule.after, rule.not_after, context.after),
        (rule.near, rule.not_near, context.near),
    )
    return all((not wanted or wanted & found) and not unwanted & found for wanted, unwanted, found in pairs)


@cache
def _rules() -> dict[str, tuple[HomographRule, ...]]:
    """The rules of each word, in order."""
    found = defaultdict(list)
    for rule in data.load().rules:
        for word in rule.words:
            found[word].append(rule)
    return {word: tuple(rules) for word, rules in found.items()}
