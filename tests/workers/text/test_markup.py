"""Inline markup: pauses, words with their phonemes, and text that only looks like either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.speech.pauses import MAX_PAUSE_SECONDS
from workers.text.markup import Markup, plain, read_markup


def read(text: str, **pronunciations: str) -> list[tuple[str, float | None]]:
    """Returns the sections, with each given word written as `word|phonemes|`."""
    sections, markup = read_markup(text, sorted(pronunciations.items()))
    return [(show(section.tracked.text, markup), section.pause_seconds) for section in sections]


def show(text: str, markup: Markup) -> str:
    return "".join(f"{given.word}|{given.phonemes}|" if given else part for _, part, given in markup.parts(text))


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("One. [pause:1.5s] Two.", [("One. ", 1.5), (" Two.", None)]),
        ("[pause:250ms]One.[PAUSE: 2 s]", [("", 0.25), ("One.", 2.0), ("", None)]),
        ("Long [pause:90s] wait", [("Long ", MAX_PAUSE_SECONDS), (" wait", None)]),
        ("No [pause] here, nor [pause:x], [pause:1], [pause:-1s].", None),
    ],
)
def test_a_pause_divides_the_text(text: str, sections: list[tuple[str, float | None]] | None) -> None:
    assert read(text) == (sections or [(text, None)])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Say [Koe](/kˈOA/), please.", "Say Koe|kˈOA|, please."),
        ("[two words](/tˈu wˈɜɹdz/)!", "two words|tˈu wˈɜɹdz|!"),
        ("A [link](https://example.com/a) stays.", "A [link](https://example.com/a) stays."),
        ("[good](/gˈʊd/) has a g that Misaki's alphabet has not", "[good](/gˈʊd/) has a g that Misaki's alphabet has not"),
        ("[](/a/) and [x](//)", "[](/a/) and [x](//)"),
    ],
)
def test_a_word_may_be_given_its_phonemes(text: str, shown: str) -> None:
    assert read(text) == [(shown, None)]


def test_words_are_found_that_have_phonemes_beside_the_text() -> None:
    assert read("Koe and koe's Koe-like KOE, not Koenig.", koe="kˈOA") == [
        ("Koe|kˈOA| and koe's Koe-like KOE|kˈOA|, not Koenig.", None)
    ]


def test_a_word_with_capitals_is_only_that_word() -> None:
    assert read("Read what they read.", Read="ɹˈid") == [("Read|ɹˈid| what they read.", None)]


def test_words_without_spaces_around_them_are_found_the_longest_first() -> None:
    sections, markup = read_markup("东京很大，东很小。", [("东", "a"), ("东京", "b")])

    assert show(sections[0].tracked.text, markup) == "东京|b|很大，东|a|很小。"


def test_what_is_given_in_the_text_goes_before_what_is_given_beside_it() -> None:
    assert read("[Koe](/a/) Koe", koe="b") == [("Koe|a| Koe|b|", None)]


def test_a_given_word_has_the_origin_of_its_markup() -> None:
    text = "Say [Koe](/kˈOA/) now"
    sections, _ = read_markup(text, [])
    tracked = sections[0].tracked

    start, end = tracked.origin(4, 5)
    assert text[start:end] == "[Koe](/kˈOA/)"
    assert plain(text[start:end]) == "Koe"


def test_a_users_own_private_characters_stand_for_nothing() -> None:
    sections, markup = read_markup("a\U000f0000b [c](/d/)", [])

    assert show(sections[0].tracked.text, markup) == "a b c|d|"


@given(
    st.text(alphabet="[]()/:ps auekO1.5\n\U000f0000东", max_size=60),
    st.sampled_from([{}, {"a": "ə"}, {"东": "ə", "use": "jˈuz"}]),
)
def test_nothing_is_lost_that_is_no_markup(text: str, table: dict[str, str]) -> None:
    sections, markup = read_markup(text, sorted(table.items()))

    whole = "".join(markup.restore(section.tracked.text) for section in sections)
    assert whole == plain(text.replace("\U000f0000", " ")) or "](/" in text
