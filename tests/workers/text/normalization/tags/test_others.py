"""Tags that are no HTML: elements are removed, lone names are spoken."""

import pytest

from workers.text.normalization.tags.others import drop_others
from workers.text.tracked_text import TrackedText


def spoken(text: str) -> str:
    return drop_others(TrackedText.of(text)).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<answer>42</answer>", "42"),
        ("<answer>42</answer>.", "42."),
        ("<a1>one</a1><a1>two</a1>", "one two"),
        ('<result id="1">yes', "yes"),
        ("<result id=1>yes", "yes"),
        ("No <closing/> tag", "No  tag"),
        ("a stray </closing> tag", "a stray  tag"),
        ('<prosody rate="slow">Slow</prosody>', "Slow"),
        ("<ns:name>text</ns:name>", "text"),
        ("<Ответ>сорок</Ответ>", "сорок"),
        ("<答え>四十二</答え>です", "四十二です"),
        ("<|im_start|>Hello<|im_end|>", "Hello"),
        ("<｜end▁of▁sentence｜>", ""),
        ('<?xml version="1.0"?><!DOCTYPE speak>Text', "Text"),
    ],
)
def test_an_element_is_removed_and_its_text_spoken(text: str, words: str) -> None:
    assert spoken(text).strip() == words.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cd <folder> now", "cd folder now"),
        ("cd <папка>", "cd папка"),
        ("List<String>", "List String"),
        ("vector<int>x", "vector int x"),
        ("Map<String, User>", "Map String, User"),
        ("Dear <your name>,", "Dear your name,"),
        ("<tu nombre>", "tu nombre"),
        ("see <https://example.com/a>.", "see https://example.com/a."),
    ],
)
def test_a_lone_name_is_spoken_without_its_brackets(text: str, words: str) -> None:
    assert spoken(text).strip() == words.strip()


@pytest.mark.parametrize(
    "text",
    [
        "a < b > c",
        "a<b and c>d",
        "I <3 you",
        "x <= 5, y >= 6, a -> b, 5 <6> 7",
        "<b>bold</b> and <td class='x'>cell</td>",
        "`<name>` and ```\n<name>x</name>\n```",
        "Ann <ann@example.com>",
        "->_<- >.<",
        "no brackets",
    ],
)
def test_html_code_and_signs_stay(text: str) -> None:
    assert spoken(text) == text


def test_the_text_of_an_element_keeps_its_place() -> None:
    text = "<answer>42</answer> <name>"
    tracked = drop_others(TrackedText.of(text))
    assert tracked.text == "42 name"
    assert tracked.origin(0, 2) == (8, 10)
    assert tracked.origin(3, 7) == (21, 25)
