"""SSML as text: words are replaced, other tags removed, and no mistake loses words or raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.text.markup import read_markup
from workers.text.normalization.tags.rate import read_rate
from workers.text.normalization.tags.read import read_tags
from workers.text.normalization.tags.say_as import say_as
from workers.text.normalization.tags.ssml_places import hide_tags, open_tags
from workers.text.tracked_text import TrackedText


def tags_open_at(text: str, beginning: str) -> str:
    return "".join(tag for _, tag in open_tags(text, text.index(beginning)))


def spoken(text: str, language: str = "en-US") -> str:
    return " ".join(read_tags(TrackedText.of(text), language).text.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<speak>Hello</speak>", "Hello"),
        ("<SPEAK>Hello</SPEAK> there", "Hello there"),
        ('<speak><sub alias="World Wide Web">WWW</sub> is old</speak>', "World Wide Web is old"),
        ('<speak><sub alias="a &amp; b">x</sub></speak>', "a & b"),
        ("<speak>one<!-- two -->three</speak>", "onethree"),
        ("<speak>One</speak><speak>Two</speak>", "One Two"),
        ("<speak><![CDATA[a < b]]></speak>", "a &lt; b"),
        ("<speak><desc>no</desc><metadata><x>no</x></metadata>yes</speak>", "yes"),
        ('<speak>Meow <audio src="x"><desc>no</desc>meow</audio></speak>', "Meow meow"),
        ("<speak><s>One</s><s>Two!</s> <s>Three</s></speak>", "One. Two! Three."),
        ("<speak><metadata>no</metadata><p>a</p><s>One</s></speak>", "a One."),
        ("<speak><s>“One.”</s><s>Two</s></speak>", "“One.” Two."),
        ('<speak><emphasis>very</emphasis> <mark name="x"/>big</speak>', "very big"),
        ('<speak><say-as interpret-as="ordinal">3<x/></say-as></speak>', "third"),
        ("<speak><sub alias='x'><break/>y</sub></speak>", "x"),
    ],
)
def test_tags_do_what_they_say(text: str, words: str) -> None:
    assert spoken(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<speak>not closed", "not closed"),
        ("<speak>a <prosody rate='slow'>b</speak> c", "a b c"),
        ("<speak>a </prosody> b</speak>", "a b"),
        ("<speak><p>a<p>b</speak>", "a b"),
        ('<speak>a <break time="1s" b</speak>', "a b"),
        ('<speak>a <break time="1s/> b</speak>', "a b"),
        ("<speak>a <break time=1s/> b</speak>", "a b"),
        ("<speak>a <break time=“1s”/> b</speak>", "a b"),
        ("<speak>a <voice name=> b</speak>", "a b"),
        ("<speak><sub>a</sub> <sub alias='x'>b</speak>", "a b"),
        ("<speak><desc>a <say-as>b</say-as></speak>", "a b"),
        ('<speak><say-as interpret-as="date" format="mdy">13/45/99</say-as></speak>', "13/45/99"),
        ("<speak><b>a</i> b</speak>", "a b"),
        ("<speak><!-- a", "a"),
        ("<speak/>a", "a"),
        ("a</speak>", "a</speak>"),
        ("`<speak>` a <break/>", "`<speak>` a <break/>"),
    ],
)
def test_broken_ssml_loses_no_words(text: str, words: str) -> None:
    assert spoken(text).replace("<!-- ", "") == words


@given(
    st.lists(
        st.sampled_from(
            [
                *("<speak>", "</speak>", "<p>", "</p>", "<s>", "</s>", "<voice>", "</voice>", "<sub>", "<desc>", "</desc>"),
                *("<break/>", "<break", "<say-as", "</say-as>", "<!--", "-->", "<![CDATA[", "]]>", "<prosody", ">"),
                *('"', "'", "=", "/", "<", "&amp;", " ", "word"),
            ]
        )
    )
)
def test_no_order_of_tags_raises(parts: list[str]) -> None:
    text = f"<speak>{''.join(parts)}"
    tracked = read_tags(TrackedText.of(text), "en-US")
    assert len(hide_tags(text)) == len(text)
    assert tracked.text.count("word") <= text.count("word")


@given(st.lists(st.sampled_from(["<p>", "</p>", "<s>", "</s>", "<voice name='x'>", "</voice>", "<x>", "<break/>", "word "])))
def test_no_word_is_lost(parts: list[str]) -> None:
    text = f"<speak>{''.join(parts)}"
    assert read_tags(TrackedText.of(text), "en-US").text.count("word") == text.count("word")


def test_elements_that_are_too_deep_are_removed() -> None:
    text = f"<speak>{'<x>' * 1000}deep{'</x>' * 1000}"
    assert spoken(text) == "deep"


def test_the_words_keep_their_places() -> None:
    text = '<speak>One <sub alias="a b">two</sub></speak>'
    tracked = read_tags(TrackedText.of(text), "en-US")
    place = tracked.text.index("a b")
    start, end = tracked.origin(place, place + 3)
    assert text[start:end] == "two"
    assert hide_tags(text).replace("\u2060", "").split() == ["One", "two"]


def test_a_tag_within_a_word_does_not_divide_it() -> None:
    text = "<speak>un<emphasis>be</emphasis>lievable <sub alias='x'>y</sub>. a<break/>b</speak>"
    assert hide_tags(text).replace("\u2060", "").split() == ["unbelievable", "y.", "a", "b"]


def test_a_part_of_a_text_begins_with_the_tags_that_are_open() -> None:
    text = '<speak>a <prosody rate="slow">b <s>c</s> d</prosody> e</speak> f'

    assert tags_open_at(text, " d") == '<speak><prosody rate="slow">'
    assert tags_open_at(text, "c") == '<speak><prosody rate="slow"><s>'
    assert tags_open_at(text, " e") == "<speak>"
    assert tags_open_at(text, " f") == ""


def test_without_an_engine_a_text_has_no_turns() -> None:
    text = '<speak>a <break time="1s"/> <prosody rate="slow">b</prosody></speak>'
    sections, _ = read_markup(read_tags(TrackedText.of(text), "en-US"), ())
    assert len(sections) == 1


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("slow", 0.75),
        ("X-FAST", 1.6),
        ("50%", 0.5),
        ("+20%", 1.2),
        ("-20%", 0.8),
        ("1.5", 1.5),
        ("0%", 0.1),
        ("quick", None),
        ("", None),
    ],
)
def test_a_rate_is_a_name_a_percentage_or_a_factor(text: str, rate: float | None) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    ("kind", "text", "language", "words"),
    [
        ("characters", "aB1", "en-US", "A B one"),
        ("spell-out", "ab cd", "en-US", "A B, C D"),
        ("verbatim", "a-b@c", "en-US", "A dash B at C"),
        ("characters", "ÉA", "es", "É a"),
        ("characters", "हिन्दी", "hi", "हि न् दी"),
        ("cardinal", "1984", "en-US", "one thousand nine hundred eighty-four"),
        ("cardinal", "1,984", "en-GB", "one thousand nine hundred and eighty-four"),
        ("cardinal", "-5", "en-US", "minus five"),
        ("cardinal", "3.14", "en-US", "three point one four"),
        ("cardinal", "XIV", "en-US", "fourteen"),
        ("cardinal", "007", "zh", "7"),
        ("cardinal", "1 984", "fr-FR", "mille neuf cent quatre-vingt-quatre"),
        ("ordinal", "2nd", "en-US", "second"),
        ("ordinal", "IV", "it", "quarto"),
        ("ordinal", "2", "hi", "दूसरा"),
        ("ordinal", "12", "ja", "12番目"),
        ("ordinal", "12", "zh", "第12"),
        ("number", "5", "en-US", "five"),
        ("digits", "190", "pt-BR", "1 9 0"),
        ("digits", "190", "zh", "一、九、零"),
        ("telephone", "+49 30 1234", "en-US", "plus four nine, three zero, one two three four"),
        ("telephone", "1-800-FLOWERS", "en-US", None),
        ("fraction", "1/4", "en-US", "one quarter"),
        ("fraction", "3/2", "en-US", "three halves"),
        ("fraction", "2 3/8", "en-US", "two and three eighths"),
        ("fraction", "3/8", "es", "3/8"),
        ("time", "2'", "en-US", "2 minutes"),
        ("time", "2:30pm", "en-US", None),
        ("currency", "$5", "en-US", None),
        ("unknown", "5", "en-US", None),
        ("cardinal", "many", "en-US", None),
        ("ordinal", "0", "en-US", None),
        ("characters", "♥", "en-US", None),
    ],
)
def test_say_as(kind: str, text: str, language: str, words: str | None) -> None:
    assert say_as(text, {"interpret-as": kind}, language) == words


@pytest.mark.parametrize(
    ("form", "text", "language", "words"),
    [
        ("mdy", "3/4/2024", "en-US", "March 4, 2024"),
        ("dmy", "3/4/2024", "en-GB", "3 April 2024"),
        ("dm", "3/4", "en-GB", "3 April"),
        ("md", "3-4", "es", "4 de marzo"),
        ("ymd", "20240304", "fr-FR", "4 mars 2024"),
        ("my", "3.2024", "it", "marzo 2024"),
        ("ym", "2024-03", "ja", "2024年3月"),
        ("md", "3/4", "zh", "3月4日"),
        ("dmy", "4/3/24", "pt-BR", "4 de março de 2024"),
        ("dmy", "4/3/1924", "hi", "4 मार्च 1924"),
        ("y", "1984", "en-US", "nineteen eighty-four"),
        ("d", "3", "en-US", "third"),
        ("m", "12", "de", "Dezember"),
        ("", "2024-02-29", "en-US", "February 29, 2024"),
        ("", "3/4/2024", "en-US", None),
        ("mdy", "2/30/2024", "en-US", None),
        ("mdy", "March 4", "en-US", None),
        ("mdy", "3/4", "en-US", None),
        ("mdy", "3/4/2024", "xx", None),
    ],
)
def test_a_date_has_the_order_that_its_format_tells(form: str, text: str, language: str, words: str | None) -> None:
    assert say_as(text, {"interpret-as": "date", "format": form}, language) == words
