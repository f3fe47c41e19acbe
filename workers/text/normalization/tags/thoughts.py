"""Finds the thoughts that a model sends before its answer: `<think>…</think>` and its like.

Why a thought may lack a tag: some models write no `<think>`, since their prompt ends with it, and an answer that is cut off has
no `</think>`.
"""

import re
from collections.abc import Iterator
from typing import Final

from app.core.speech.characters import CLAUSE_ENDS, CLOSERS, SENTENCE_ENDS, in_class
from workers.text.normalization.rules import any_of
from workers.text.normalization.tags.outside_code import find_outside, gap, or_code
from workers.text.tracked_text import TrackedText

_NAMES: Final = (
    *("think", "thinking", "thinks", "thought", "thoughts", "reason", "reasoning", "reflection", "reflections", "scratchpad"),
    *("antthinking", "cot", "deliberation", "scratch_pad", "inner_thoughts", "inner_thought", "internal_thoughts"),
    *("internal_thought", "inner_monologue", "internal_monologue", "chain_of_thought", "thinking_process", "thought_process"),
    *("reasoning_content", "reasoning_process", "reasoning_scratchpad"),
    # Calls of programs, and what they returned.
    *("tool_call", "tool_calls", "tool_response", "tool_result", "function_call", "function_calls", "function_results"),
)
_NAME: Final = rf"(?:[a-z]{{1,12}}+:)?{any_of([*_NAMES, *(name.replace('_', '-') for name in _NAMES if '_' in name)])}"
_TAGS: Final = (
    rf"<(?P<end>/)?{_NAME}(?:\s[^<>]{{0,300}}+)?+(?P<empty>/)?>"
    # DeepSeek's, OpenThinker's, Mistral's, Kimi's, and Open WebUI's tags.
    r"|<\|(?:(?P<end2>end_of_|/)|begin_of_|)(?:thought|think|thinking|reasoning)\|>"
    r"|\[(?P<end3>/)?(?-i:THINK)\]|◁(?P<end4>/)?think▷"
    r"|(?P<details><details\s++type=\"reasoning\"[^<>]{0,300}+>)|(?P<details_end></details>)"
    # gpt-oss: a channel for its analysis, another for its answer.
    r"|(?P<channel><\|channel\|>(?:analysis|commentary)[^<\n]{0,80}+<\|message\|>)|(?P<channel_end><\|end\|>)"
)
_ENDS: Final = ("end", "end2", "end3", "end4", "details_end", "channel_end")
_TAG: Final = or_code(_TAGS)
_ANYWHERE: Final = re.compile(_TAGS, re.IGNORECASE)
_MARKS: Final = frozenset(SENTENCE_ENDS + CLAUSE_ENDS)
_MARK_BEFORE: Final = re.compile(rf"[{in_class(SENTENCE_ENDS)}:][{in_class(CLOSERS)}]{{0,5}}[ \t]{{0,10}}\Z")


def drop_thoughts(tracked: TrackedText, *, is_said: bool = False) -> TrackedText:
    """Removes the thoughts of a text, or, if they are said, their tags alone."""
    text = tracked.text
    if not any(sign in text for sign in "<[◁"):
        return tracked
    if is_said:
        tags = (match for match in find_outside(_TAG, text) if not _is_mentioned(text, match))
        spans = [match.span() for match in tags if not match["details_end"]]
    else:
        spans = [(start - _is_before_mark(text, start, end), end) for start, end in find_thoughts(text)]
    return tracked.replace((start, end, gap(text, start, end)) for start, end in spans)


def find_thoughts(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each thought, in order."""
    last = max((match.start() for match in _ANYWHERE.finditer(text) if _is_end(match)), default=-1)
    place, is_first = 0, True
    while (tag := next(find_outside(_TAG, text, place), None)) is not None:
        start, place = tag.span()
        if tag["empty"] or (_is_mentioned(text, tag) and (_is_end(tag) or last < place)):
            continue
        if not _is_end(tag):
            place = _find_end(text, tag) or len(text)
            yield start, place
        elif is_first and _kind(tag) == "think":
            yield 0, place
        is_first &= _kind(tag) != "think"


def _is_before_mark(text: str, start: int, end: int) -> bool:
    """Whether a space would stay before a mark: "Hello <think>…</think>!"."""
    return text[end : end + 1] in _MARKS and text[max(0, start - 1) : start] == " "


def _find_end(text: str, opening: re.Match[str]) -> int:
    """Returns the end of a thought, by its last closing tag if thoughts within it are not closed; 0 without one."""
    depth, last = 1, 0
    for match in _ANYWHERE.finditer(text, opening.end()):
        if match["empty"] or _kind(match) != _kind(opening):
            continue
        if not _is_end(match):
            depth += 1
            continue
        depth, last = depth - 1, match.end()
        if not depth:
            break
    return last


def _is_end(match: re.Match[str]) -> bool:
    return any(match[name] for name in _ENDS)


def _kind(match: re.Match[str]) -> str:
    if match["details"] or match["details_end"]:
        return "details"
    return "channel" if match["channel"] or match["channel_end"] else "think"


def _is_mentioned(text: str, match: re.Match[str]) -> bool:
    """Whether a sentence speaks of the tag, as in "The <think> tag": a word goes before it and another one after it."""
    before, after = text[max(0, match.start() - 20) : match.start()], text[match.end() : match.end() + 2]
    is_after_word = before[-1:] in {" ", "\t"} and before.strip() != "" and "\n" not in before[len(before.rstrip()) :]
    return is_after_word and _MARK_BEFORE.search(before) is None and after[:1] in {" ", "\t"} and after[1:].isalpha()
