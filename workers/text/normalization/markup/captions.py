"""Removes what is not spoken of a file of subtitles (SRT, WebVTT, SBV, LRC): numbers, time lines, positions and styles.

Why the lines of two subtitles are joined: a sentence often continues in the next one.
"""

import re
from typing import Final

from workers.text.locales import loader
from workers.text.tracked_text import TrackedText

_TIME: Final = r"(?:[0-9]{1,3}:)?[0-9]{1,2}:[0-9]{2}[,.][0-9]{2,3}"
_CUE: Final = re.compile(
    rf"(?m)^(?:[ \t]*+(?P<id>[^\n]{{1,80}}+)\n)??[ \t]*+{_TIME} ?(?:-->|,) ?{_TIME}[^\n]{{0,200}}+"
    rf"(?P<text>(?:\n(?![ \t]*+\n)[^\n]{{1,1000}}+){{0,8}}+)"
)
_TIMES: Final = re.compile(rf"(?P<start>{_TIME}) ?(?:-->|,) ?(?P<end>{_TIME})")
_MIN_GAP: Final = 1.0
"""After a gap of this length, in seconds, a subtitle that begins with a capital begins a sentence."""
_CAPITAL: Final = re.compile(r"(?:<[^<>\n]{1,60}+>|[\s♪♫♬\"'“(\[-]){0,20}+[^\W\d_a-zß-ÿ]")
_OPEN_END: Final = re.compile(r"(?:[\w)\"'”%](?:</?[a-z]{1,6}>)?|(?<=\.[A-Z])\.)[ \t]*+\Z")
_IS_CUE: Final = re.compile(rf"(?m)^[ \t]*+{_TIME} ?(?:-->|,) ?{_TIME}")
_HEAD: Final = re.compile(r"\A\ufeff?WEBVTT[^\n]{0,200}+(?:\n(?!\n)[^\n]{1,200}+){0,20}")
_BLOCK: Final = re.compile(r"(?m)^(?:NOTE|STYLE|REGION)(?:[ \t][^\n]{0,500}+)?(?:\n(?![ \t]*+\n)[^\n]{1,500}+){0,40}")
_STYLE: Final = re.compile(
    rf"\{{\\[^{{}}\n]{{1,100}}+\}}|</?(?:v|c|lang|ruby|rt)(?:[. ][^<>\n]{{0,100}}+)?>|<{_TIME}>|</?font\b[^<>\n]{{0,200}}+>"
)
_LYRIC: Final = re.compile(r"(?m)^(?:\[[0-9]{1,2}:[0-9]{2}[.:][0-9]{2,3}\][ \t]?+){1,9}+")
_LYRIC_HEAD: Final = re.compile(r"(?m)^\[(?:ar|ti|al|by|offset|length|au|re|ve):[^\[\]\n]{0,200}+\][ \t]*+$")
_SOUND: Final = re.compile(r"(?P<text>\[[^\[\]\n]{1,80}+\]|(?<=[^\W\d_]) ?[♪♫♬]++)(?=[ \t\n]*+(?:\Z|[^\Wa-z_]|[-–—♪\[{<(\"]))")
_NOTES: Final = re.compile(r"[♪♫♬]++[ \t]?|[ \t]?[♪♫♬]++")
_BREAK: Final = re.compile(r"(?<![ \t])[ \t]*+\n[ \t]*+(?!(?:[-–—‐]|>>|<v|$))")


def strip_captions(tracked: TrackedText, language: str) -> TrackedText:
    """Removes the numbers, times and styles of subtitles. A text without them stays as it is.

    A song or a sound in brackets gets the full stop of `language` (BCP 47).
    """
    if _LYRIC.search(tracked.text):
        tracked = tracked.sub(_LYRIC_HEAD, "").sub(_LYRIC, "")
    if not _IS_CUE.search(tracked.text):
        return tracked
    text = tracked.text
    is_vtt = _HEAD.match(text) is not None
    if is_vtt:
        tracked = tracked.sub(_HEAD, "").sub(_BLOCK, "")
    cues = list(_CUE.finditer(tracked.text))
    stop = loader.find(language).full_stop
    changes: list[tuple[int, int, str]] = []
    for number, cue in enumerate(cues):
        start = cue.start()
        if cue["id"] is not None and not _is_id(cue["id"]):
            start = cue.end("id") + 1
        if number and not tracked.text[cues[number - 1].end() : start].strip():
            start = cues[number - 1].end()
        changes.append((start, cue.start("text"), ""))
        changes += [
            (cue.start("text") + gap.start(), cue.start("text") + gap.end(), " ")
            for gap in _BREAK.finditer(cue["text"])
            if number or gap.start()
        ]
        if number and _begins_sentence(cues[number - 1], cue):
            end = cues[number - 1].end()
            changes.append((end, end, ";" if tracked.text[end - 1] == "." else stop))
    tracked = tracked.replace(sorted(changes)).sub(_STYLE, "").sub(_SOUND, lambda match: match["text"] + stop)
    return tracked.sub(_NOTES, "").strip()


def _begins_sentence(before: re.Match[str], cue: re.Match[str]) -> bool:
    """Whether a subtitle begins a sentence although the one before it has no mark at its end: time and a capital show it."""
    one, two = _TIMES.search(before[0]), _TIMES.search(cue[0])
    if one is None or two is None or _OPEN_END.search(before["text"]) is None or _CAPITAL.match(cue["text"]) is None:
        return False
    return _seconds(two["start"]) - _seconds(one["end"]) >= _MIN_GAP


def _seconds(time: str) -> float:
    hours, minutes, seconds = f"0:{time}".replace(",", ".").split(":")[-3:]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _is_id(line: str) -> bool:
    """Whether a line before a time line is the number or the name of the subtitle."""
    return line.strip().isdigit() or re.fullmatch(r"[\w-]{1,40}", line.strip()) is not None
