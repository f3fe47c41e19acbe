"""Hostile texts for the code that reads texts: runs of each kind of character, each in the middle of a text.

Why in the middle: a run at the edge of a text is often stripped at once, and then no code that might backtrack reads it.
"""

import gc
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import regex

import workers.text
from app.core.speech.lexicon import WORD as LEXICON_WORD
from app.core.speech.pauses import asked_seconds
from app.core.speech.speakers import find_speakers
from app.core.speech.tags import find_voices
from app.core.speech.titles import show_title
from app.core.speech.voices import load_catalogue
from workers.jobs.plan import plan_parts
from workers.text import chapters
from workers.text.chapters import find_chapters
from workers.text.espeak.sanitize import sanitize
from workers.text.g2p import other_scripts
from workers.text.g2p.alignment import AlignedSpan, assign
from workers.text.g2p.other_scripts import find_foreign
from workers.text.markup import Markup, plain, read_markup
from workers.text.normalization import verbalize
from workers.text.normalization.emoji import drop_emoji, say_emoji
from workers.text.normalization.normalize import clean, normalize
from workers.text.normalization.rules import Rule
from workers.text.normalization.tags.others import drop_others
from workers.text.normalization.tags.read import read_tags, tags_before
from workers.text.normalization.tags.speakers import hide_speakers, read_speakers
from workers.text.normalization.tags.ssml_places import hide_tags
from workers.text.passages import divide
from workers.text.segment import segment
from workers.text.tracked_text import TrackedText
from workers.text.words import find_words, says_something

SPACES: Final = (
    " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060"
    "\ufeff"
)
MARKS: Final = "\u0301\u0308\u0327\u093c\u0e31\u064b\u20e3\ufe0f\ufe0e\u302a\u3099\U000e0067\U0001f3fd"
SIGNS: Final = (
    ".,;:!?…-–—_*~`#\"'’“”«»‹›()[]{}<>/\\|&@%$€£¥₹+=^°§©™·•№±×÷−≈→½²³ºª。、！？：；，．「」『』（）【】《》〜・ー〒।॥۔؟،¿¡‐‑"
)
LETTERS: Final = "aAéßñIXVсПαاאहक한漢あアｱＡ２१५٣ไမᐁ𐀀𠀀ⅫⅣ①㎏㍿ﬁ😀☎"
MIXED: Final = (
    *(
        " \n",
        "\n ",
        "\r\n",
        " \t\n",
        "\n\n",
        "\n\xa0\n",
        " \u3000",
        " \u200b",
        "\n\u200b",
        "\xa0 ",
        "\n- ",
        "\n# ",
        "\n> ",
        "\n| ",
    ),
    *("❤️", "❤️ ", "😀 ", "👨‍👩‍👧", "👍🏽", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "#️⃣", "❤\ufe0e", "☺️☺", "🇩", "😀\u200d", "a😀", "😀.", "(😀) "),
    *(
        "1,",
        "1.",
        "1 ",
        "1-",
        "1/",
        "1:",
        "12:30 ",
        "1,000,",
        "1½ ",
        "1/2 ",
        "0.",
        ".5",
        "-1",
        "1e",
        "1x",
        "12.",
        "1_",
        "1'",
        "1%",
        "1°",
    ),
    *(
        "A.",
        "a.b.",
        ".𐀀",
        "s'",
        "e\u0301",
        "\u0301a",
        "Ab ",
        "a b ",
        "a-",
        "a'",
        "a/",
        "a+",
        "a&",
        "a_b",
        "aB",
        "a.",
        "a,",
        "A ",
        "a\n",
    ),
    *("XIV ", "IX", "Louis X", "Chapter X ", "siglo X ", "X-", "King A ", "Rocky IV", "I ", "XX", "MCM "),
    *("$1", "$ ", "€1.50 ", "1 $", "$1-", "5€-", "1 $ 1", "$1k ", "₹1,00,", "¥1"),
    *(
        "+1 (555) ",
        "+1 ",
        "(555) ",
        "555-",
        "+1-",
        "555-555-",
        "0-0",
        "1-1-1 ",
        "01.02.",
        "2024-03-",
        "1.1.1.",
        "+",
        "03-1234-",
    ),
    *(
        "<a ",
        "<a b=",
        "<!--",
        "<!-- - ",
        "<script>",
        "<think>",
        "</think>",
        "a <think> b ",
        "`<think>",
        "<speak>",
        "</speak>",
        "<break/>",
        '<voice name="x">',
        '<prosody rate="slow">a',
        "<s>a</s>",
        "<sub alias='b'>a</sub>",
        "</p>",
        "<![CDATA[",
        "<ruby>",
        "<ruby>あ<rt>",
        "<x>",
        "<x>a</x>",
        "<a b, c>",
        "<script>a<b",
        "</script",
        "<b>",
        "</td>",
        "<li ",
        "&amp;",
        "&amp",
        "&#",
        "<a@b",
    ),
    *(
        "[a](",
        "[a](b) ",
        "[",
        "](",
        "![",
        "[^",
        "[a",
        "[a](/b/) ",
        "[af_heart]",
        "[af_heart] a ",
        "a [ff_siwis] [af_heart]",
        "\naf_heart: a",
        "\ncoral: ",
        "[coral]: ",
        "af_heart(2)+",
        "[a[b]",
        "[pause:1s]",
        "[pause:",
        "[pause: 1",
        "**a",
        "**a** ",
        "_a_ ",
        "__",
    ),
    *(
        "`a` ",
        "~~a",
        "\\*",
        "# a\n",
        "- a\n",
        "1. a\n",
        "| a ",
        "|-",
        "> > ",
        "***",
        "* * ",
        "- - ",
        "```\n",
        "---\n",
        "\\\\",
        "\\(",
    ),
    *("www.", "www.a", "http://", "http://a ", "a@", "a@b.", "a.com/", "a.b.c", "mailto:", "://", "a.com ", "-a.", "a.uk?"),
    *(
        "Dr. ",
        "St. ",
        "Main St. ",
        "March 3 ",
        "3 March ",
        "p.m. ",
        "9 p.m.",
        "5 km/h ",
        "1st ",
        "the 1990s ",
        "in 1905 ",
        "5-7 ",
        "no. ",
    ),
    *(
        "Chapter one\n",
        "Chapter 1\n\n",
        "one ",
        "twenty one ",
        "第一章\n",
        "第1",
        "प्रस्तावना\n",
        "Part ",
        "## a ##\n",
        "# #",
        "one-",
        "and ",
    ),
    *(
        "2 horas ",
        "1 ou 2 ",
        "½ taza",
        "1º",
        "3e ",
        "15h30",
        "J-",
        "9 a. m. ",
        "CEP 1",
        "(11) 9",
        "01 23 ",
        "98765 4",
        "1905 में ",
    ),
    *(
        "1年",
        "10:00-",
        "3km",
        "１",
        "1万",
        "5 km",
        "1个",
        "时速",
        "123-",
        "あ1",
        "漢a",
        "アー",
        "aあ",
        "ｱﾞ",
        "日本。",
        "「あ」",
        "漢字かな",
        "ﾞ",
    ),
    *(
        "hello ",
        "hello. ",
        "Hello! ",
        "hello, ",
        "“a” ",
        "(a) ",
        "a — b ",
        "a... ",
        "a . ",
        "?!",
        "'a' ",
        "a's ",
        "«a» ",
        "привет ",
        "π ",
        "ж",
    ),
    *(
        "IS ",
        "IT ",
        "US ",
        "the US ",
        "AT&T",
        "C++",
        "C#",
        "w/o ",
        "and/or ",
        "he/she ",
        "24/7 ",
        "16:9",
        "10x",
        "~5",
        ">=",
        "->",
        "a^2",
    ),
)

LANGUAGES: Final = ("en-US", "en-GB", "es", "fr-FR", "it", "pt-BR", "hi", "zh", "ja", "de")
FULLY_TESTED_LANGUAGES: Final = ("en-US", "ja")
"""Languages whose whole steps are tested. For all others only the patterns are tested."""

GIVEN_WORDS: Final = tuple((f"{'あ' * (i % 99 + 1)}{chr(0x3042 + i)}", "a") for i in range(200))
"""The largest number of given words, with the greatest lengths, that a request may have."""

CATALOGUE: Final = load_catalogue()

SPEAKERS: Final = find_speakers("[af_heart] a [ff_siwis] b\ncoral: c", CATALOGUE)

Pass = Callable[[str], object]
"""One step that processes a whole text."""


def shapes() -> dict[str, str]:
    """Printable name → string that a hostile text repeats."""
    return {ascii(unit)[1:-1]: unit for unit in (*SPACES, *MARKS, *SIGNS, *LETTERS, *MIXED)}


def hostile(unit: str, n_chars: int) -> str:
    """A text with `n_chars` characters of repeated `unit` between words."""
    return f"One word {(unit * (n_chars // len(unit) + 1))[:n_chars]} another word."


def passes() -> dict[str, Pass]:
    """Name → step, for every step that reads a text before an engine does."""
    found: dict[str, Pass] = {
        "clean": lambda text: clean(TrackedText.of(text)),
        "read_markup": lambda text: read_markup(text, ()),
        "read_markup with given words": lambda text: read_markup(text, GIVEN_WORDS),
        "asked_seconds": asked_seconds,
        "read_tags": lambda text: read_tags(TrackedText.of(text), "ja"),
        "read_tags in SSML": lambda text: read_tags(TrackedText.of(f"<speak>{text}</speak>"), "en-US"),
        "drop_others": lambda text: drop_others(TrackedText.of(text)),
        "hide_tags": lambda text: hide_tags(f"<speak>{text}</speak>"),
        "tags_before": lambda text: tags_before(f"<speak>{text}</speak>", len(text)),
        "find_speakers": lambda text: find_speakers(text, CATALOGUE),
        "read_speakers": lambda text: read_speakers(
            TrackedText.of(text), SPEAKERS, Markup(), lambda manner: manner.language == "en-US"
        ),
        "hide_speakers": lambda text: hide_speakers(text, SPEAKERS),
        "tags_before with speakers": lambda text: tags_before(text, len(text), speakers=SPEAKERS, narrator="af_heart"),
        "find_voices": lambda text: find_voices(f"<voice {text}", CATALOGUE),
        "show_title": show_title,
        "plain": plain,
        "drop_emoji": lambda text: drop_emoji(TrackedText.of(text)),
        "sanitize": lambda text: sanitize(TrackedText.of(text)),
        "find_chapters": find_chapters,
        "plan_parts": lambda text: plan_parts(text, "en-US"),
        "find_words": find_words,
        "says_something": says_something,
        "lexicon": LEXICON_WORD.findall,
        "assign": lambda text: assign(text, [AlignedSpan(0, len(text), text)]),
    }
    for language in FULLY_TESTED_LANGUAGES:
        found |= {name: partial(one, language) for name, one in _passes_of(language).items()}
    return found


def _passes_of(language: str) -> dict[str, Callable[[str, str], object]]:
    return {
        f"normalize {language}": lambda language, text: normalize(text, language),
        f"say_emoji {language}": lambda language, text: say_emoji(TrackedText.of(text), language),
        f"divide {language}": lambda language, text: list(divide(TrackedText.of(text), language)),
        f"segment {language}": lambda language, text: list(segment(text, language)),
        f"find_foreign {language}": lambda language, text: list(find_foreign(text, language)),
    }


def patterns() -> dict[str, Any]:
    """Place in the code → pattern, for every pattern that is compiled for texts."""
    modules = [info.name for info in pkgutil.walk_packages(workers.text.__path__, "workers.text.")]
    found: dict[str, Any] = {}
    for name in (
        *modules,
        "workers.jobs.plan",
        "app.core.speech.boundaries",
        "app.core.speech.lexicon",
        "app.core.speech.pauses",
        "app.core.speech.speakers",
        "app.core.speech.tags",
        "app.core.speech.titles",
    ):
        for key, value in vars(importlib.import_module(name)).items():
            for number, pattern in enumerate(_patterns_in(value)):
                found.setdefault(f"{name}.{key}" + (f"[{number}]" if number else ""), pattern)
    found["workers.text.chapters._heading()"] = chapters._heading()
    for language in LANGUAGES:
        for number, rule in enumerate(verbalize._rules(language if language == "en-GB" else language.partition("-")[0])):
            found[f"rule of {language}[{number}]"] = rule.pattern
        found[f"foreign to {language}"] = other_scripts._pattern(language)
    return found


def _patterns_in(value: Any) -> Iterator[Any]:
    if isinstance(value, re.Pattern | regex.Pattern):
        yield value
    elif isinstance(value, Rule):
        yield value.pattern
    elif isinstance(value, tuple):
        for one in value:
            yield from _patterns_in(one)


_BLINK_SECONDS: Final = 0.002
"""Shorter than any quadratic work on 4,000 characters, which looks at a character 16,000,000 times."""


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of `work` in this thread, without the garbage collector, which runs at unpredictable times."""
    gc.disable()
    try:
        begun = time.thread_time()
        work()
        return time.thread_time() - begun
    finally:
        gc.enable()


def grows_faster(work: Pass, unit: str, n_chars: int) -> bool:
    """Whether a text of four times the length takes more than eight times the work. A busy machine does not count as growth.

    Quadratic work takes sixteen times as long, linear work four times. That is far enough apart for the best of several
    measurements of CPU time. Only a time below `_BLINK_SECONDS` is judged by itself: quadratic work always takes longer.
    """
    short, long = hostile(unit, n_chars), hostile(unit, 4 * n_chars)
    longest = shortest = float("inf")
    for _ in range(6):
        longest = min(longest, cpu_seconds(lambda: work(long)))
        if longest < _BLINK_SECONDS:
            return False
        shortest = min(shortest, cpu_seconds(lambda: work(short)))
        if longest < 8 * shortest:
            return False
    return True
