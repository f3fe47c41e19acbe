"""A long text in passages: nothing is left out, no unit of markup is divided, and the normalized text stays the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.speech.boundaries import Ending
from workers.text.normalization.normalize import clean, normalize
from workers.text.passages import MAX_CHARS, MIN_CHARS, Borders, divide
from workers.text.tracked_text import TrackedText

SENTENCES = {
    "en-US": "Dr. Smith paid $12.50 in 1905, i.e. too much. “No. 5 is **bold**,” she said. "
    "See [the page. Here](https://a.com/b.c)! ",
    "en-GB": "On 3/4/2024 at 3:45 p.m. the St. John St. shop sold 2,500 l. It rained.\n- One item\n- Another. Item\n",
    "es": "El Sr. Pérez pagó 12,50 € en el siglo XXI. ¿Dónde? En la pág. 5. ",
    "fr-FR": "M. Dupont a payé 2 500 € à 15h30. Louis XIV régnait… Puis rien. ",
    "hi": "डॉ. शर्मा ने ₹12.50 दिए। 1905 में वर्षा हुई। ",
    "it": "Il Dott. Rossi pagò 12,50 €. Poi piovve per 3,5 ore. ",
    "ja": "3:45に東京で会いましょう。¥1,250です！「はい。」と言った。",
    "pt-BR": "O Sr. Silva pagou R$ 12,50. Depois choveu 2 horas. ",
    "zh": "今天下午3:45在北京见面。一共¥12.50！“好的。”他说。",
}
PARTS = [
    *"ab. !?\n",
    "\n\n",
    "。",
    "<b>",
    "<!-- x. Y -->",
    "[a. B](/x/)",
    "[pause:1.5s]",
    "Xy. Zz ",
    "word " * 300,
    "長い。" * 300,
]


def _squeeze(text: str) -> str:
    return "".join(text.split())


@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
@settings(deadline=None, max_examples=60)
def test_passages_put_together_are_the_text(text: str) -> None:
    passages = list(divide(TrackedText.of(text), "en-US"))
    assert "".join(passage.tracked.text for passage in passages) == text
    assert [passage.ending is None for passage in passages] == [*[False] * (len(passages) - 1), True]
    places = [passage.tracked.origin(0, 1)[0] for passage in passages if passage.tracked]
    assert [text[place] for place in places] == [passage.tracked.text[0] for passage in passages if passage.tracked]


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("break_after", [7, 10_000])
def test_what_is_read_of_the_passages_is_what_is_read_of_the_text(language: str, break_after: int) -> None:
    text = "".join(SENTENCES[language] + "\n\n" * (number % break_after == break_after - 1) for number in range(400))
    passages = list(divide(clean(TrackedText.of(text)), language))
    whole = normalize(text, language)

    assert len(passages) > 2
    assert _squeeze("".join(normalize(passage.tracked.text, language).text for passage in passages)) == _squeeze(whole.text)


def test_a_passage_ends_at_a_blank_line_and_tells_so() -> None:
    paragraph = "It rained all day, and nobody went out. " * 30
    first, *_, last = divide(TrackedText.of(f"{paragraph}\n\n" * 5), "en-US")

    assert first.ending is Ending.PARAGRAPH
    assert MIN_CHARS <= len(first.tracked) < len(paragraph) + 3
    assert last.ending is None


def test_without_blank_lines_it_ends_with_a_sentence() -> None:
    first, second, *_ = divide(TrackedText.of("It rained on Dr. Smith all day, and 5 others. " * 500), "en-US")

    assert first.ending is Ending.SENTENCE
    assert first.tracked.text.endswith("others. ")
    assert second.tracked.text.startswith("It rained")
    assert MAX_CHARS <= len(first.tracked) < MAX_CHARS + 100


def test_without_sentences_it_ends_at_a_space() -> None:
    first, *_ = divide(TrackedText.of("word " * 10_000), "en-US")
    assert first.ending is Ending.CUT
    assert 2 * MAX_CHARS <= len(first.tracked) < 2 * MAX_CHARS + 10


@pytest.mark.parametrize(
    "whole",
    [
        "<!-- a\n\nb. C -->",
        "<script>\n\nx = 1. Y\n\n</script>",
        '<img alt="One. Two.\n\nThree" src="a.png">',
        "[One. Two](https://a.com/b)",
        "[One, two. Three](/wˈʌn/)",
        "[pause: 1.5s]",
        "<pre>\n\nx = 1. Y\n\n</pre>",
    ],
)
def test_nothing_that_is_one_thing_is_divided(whole: str) -> None:
    text = f"before {whole} behind {whole}"
    borders = Borders(text)
    allowed = [place for place in range(len(text)) if borders.may_divide(place)]
    starts = [text.index(whole), text.rindex(whole)]
    assert set(range(len(text))) - set(allowed) == {place for at in starts for place in range(at + 1, at + len(whole))}


def test_a_block_of_code_is_not_divided() -> None:
    text = "Run.\n\n```sh\n\nls. Rm\n\n```\n\nDone."
    borders = Borders(text)
    assert [place for place in range(len(text)) if not borders.may_divide(place)] == list(range(7, text.index("\n\nDone")))


def test_a_row_of_a_table_is_not_divided() -> None:
    text = "One.\n| Two. Three | Four. Five |\nSix."
    borders = Borders(text)
    assert [place for place in range(len(text)) if not borders.may_divide(place)] == list(range(6, text.index("\nSix")))


@pytest.mark.parametrize("unit", ["<", "<a ", "[", "[a](", "<!--", "<script>", "</script", "a. ", "\n\n", ". A", "(", "a"])
def test_hostile_text_is_divided_in_linear_time(unit: str) -> None:
    """Code that scans the same text again and again would take hours; the suite's time limit for a test would end it."""
    text = (unit * 200_000)[:200_000]
    assert sum(len(passage.tracked) for passage in divide(TrackedText.of(text), "en-US")) == len(text)
