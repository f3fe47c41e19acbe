"""Says a word in `<ruby>` once: with its reading if that is in kana, else as it is written.

Why pinyin and zhuyin are not said: the G2P of Mandarin reads Han characters, and cannot read these.
"""

import re
from typing import Final

from workers.text.normalization.east_asian.ruby import say_reading
from workers.text.tracked_text import TrackedText

_MAX_CHARS: Final = 2000
_RUBY: Final = re.compile(
    rf"<ruby\b[^<>]{{0,500}}+>(?P<inner>(?:[^<]++|<(?!/?ruby\b)){{0,{_MAX_CHARS}}}+)</ruby\s*+>", re.IGNORECASE
)
_PART: Final = re.compile(
    r"<(?P<end>/)?(?P<name>rb|rtc|rt|rp|[a-z][\w-]{0,40})\b[^<>]{0,500}+>|(?P<text>[^<]++|<)", re.IGNORECASE
)
_IN_RUBY: Final = frozenset({"rb", "rt", "rp", "rtc"})
_KANA: Final = re.compile(r"[\u3040-\u30ffｦ-ﾟ・\s]++")
_HAS_KANA: Final = re.compile(r"[\u3041-\u30fa]")
_HIRAGANA: Final = re.compile("[ぁ-ゖ]")
_AFTER: Final = 60
"""Characters after a word that decide in which kana its reading is said."""
_MARKUP: Final = re.compile("<[^<>]{0,50}+>?")


def say_ruby(tracked: TrackedText) -> TrackedText:
    """Replaces each `ruby` element by what is spoken of it."""
    if "<ruby" not in tracked.text.lower():
        return tracked
    return tracked.sub(_RUBY, _say)


def _say(match: re.Match[str]) -> str:
    following = _MARKUP.sub("", match.string[match.end() : match.end() + _AFTER])[:1]
    parts = _pairs(match["inner"])
    said = ""
    for number, (base, reading) in enumerate(parts):
        after = parts[number + 1][0][:1] if number + 1 < len(parts) and parts[number + 1][0] else following
        is_kana = _KANA.fullmatch(reading) is not None and _HAS_KANA.search(reading) is not None
        said += say_reading(reading, after if _HIRAGANA.match(after) else "") if is_kana else base
    return said


def _pairs(inner: str) -> list[tuple[str, str]]:
    """Returns each base and its reading, which is empty without one, in order."""
    found, place = _Pairs(), "rb"
    for part in _PART.finditer(inner):
        if part["text"] is not None:
            found.add(place, part["text"])
            continue
        name, is_end = part["name"].lower(), part["end"] is not None
        is_second = place == "rtc" and name != "rb" and not (is_end and name == "rtc")
        if name in _IN_RUBY and not is_second:
            place = "rb" if is_end else name
            found.begin(name, is_end=is_end)
    return found.finish()


class _Pairs:
    """Collects bases and readings: those of `<rb>a<rb>b<rt>A<rt>B` as well as of `a<rt>A</rt>b<rt>B</rt>`."""

    def __init__(self) -> None:
        self._done: list[tuple[str, str]] = []
        self._bases = [""]
        self._readings: list[str] = []

    def begin(self, name: str, *, is_end: bool) -> None:
        """Begins another base or reading, or a text that is neither."""
        if name == "rt" and not is_end:
            self._readings.append("")
        elif name == "rb":
            self._bases.append("")

    def add(self, place: str, text: str) -> None:
        """Adds a text to the last base or reading."""
        if place == "rt":
            self._readings[-1] += text
        elif place == "rb" and text.strip():
            if self._readings:
                self.finish()
            self._bases[-1] += text

    def finish(self) -> list[tuple[str, str]]:
        """Joins the last bases with their readings. Returns all pairs."""
        bases = [base for base in map(str.strip, self._bases) if base]
        readings = [reading.strip() for reading in self._readings]
        if len(bases) == len(readings):
            self._done += zip(bases, readings, strict=True)
        elif readings and all(readings):
            # One reading for several characters, or several for one.
            self._done.append(("".join(bases), "".join(readings)))
        else:
            self._done += ((base, "") for base in bases)
        self._bases, self._readings = [""], []
        return self._done
