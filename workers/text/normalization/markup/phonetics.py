"""Removes phonetic signs as encyclopedias write them: "Nice (/niːs/) is a city" becomes "Nice is a city".

Why they are not spoken: they repeat the word before them, and engines spell them.
"""

import re
from functools import cache
from typing import Final

from workers.text.locales import loader
from workers.text.normalization.rules import any_of
from workers.text.tracked_text import TrackedText

_SIGNS: Final = "ɐ-ʯʰ-˨ᴀ-ᶿ\u0329\u032f\u031a\u0325\u030a\u0303\u0361\u035c\u02d0ˈˌː‿ꜛꜜ"
_SURE: Final = re.compile("[ɐ-ʯˈˌːˑʰʲʷˠˤ\u0325\u030a\u0329\u032f\u0361\u035cᵻᵿ]")
"""Signs that no ordinary spelling has."""
_PERHAPS: Final = re.compile("[æðøœŋθβχçɣ]|[a-z]\u0303")
_ANNOUNCED: Final = re.compile(r"\([^()\[\]\n]{4,40}\[[a-zʁɛɔøœə.]{2,20}\]")
"""Phonetic signs in round brackets, after the words that announce them, may have ordinary letters only."""
_OPTIONAL: Final = r"\([a-zəɹʳ]\)"
"""A sound that some speakers leave out: /ˈneɪtʃə(r)/."""
_SLASHED: Final = rf"/(?![\s/*])(?:[^/\n()\[\]]|{_OPTIONAL}){{1,80}}(?<!\s)/(?:(?![\w/])|(?=[\u3040-\u9fff]))"
_BRACKETED: Final = rf"\[(?!\s)(?:[^\[\]\n()/]|{_OPTIONAL}){{1,80}}\](?!\()"
_IPA: Final = rf"(?:(?:(?<![\w/<:.~])|(?<=[\u3040-\u9fff]))(?<!\]\(){_SLASHED}|{_BRACKETED})"
_LISTEN: Final = r"(?:Écouter|écouter|Ascolta|ascolta)(?=[ \u00a0]?(?:[)）]|\Z))"
_AUDIO: Final = rf"(?:[ \u00a0]?(?:ⓘ|🔊|{_LISTEN}|\((?:listen|escuchar|écouter|ascolta|ouvir|help·info|audio)\)))"
_RESPELLED: Final = r"(?:[ \u00a0](?=[A-Za-zəɪ'’-]{0,20}(?:[A-Z]{2}|[a-zəA-Z]-[a-zəA-Z]))[A-Za-zəɪ'’-]{2,40})"
_ONLY_RESPELLED: Final = re.compile(rf"{_RESPELLED}{{1,4}}")
_PART: Final = re.compile(rf"(?:{_IPA}|[^;；,，、]){{1,400}}[;；,，、]?|[;；,，、]")
"""A part of a text in brackets, up to the next mark that is not within phonetic signs."""
_INFO: Final = re.compile(r"[ \u00a0]?ⓘ")


def strip_phonetics(tracked: TrackedText, language: str) -> TrackedText:
    """Removes phonetic signs, the words that announce them, and brackets that had nothing else."""
    if not (
        _SURE.search(tracked.text)
        or _PERHAPS.search(tracked.text)
        or _ANNOUNCED.search(tracked.text)
        or "ⓘ" in tracked.text
        or "/)" in tracked.text
    ):
        return tracked
    one, within = _patterns()
    return tracked.sub(within, _shorten).sub(one, _drop).sub(_INFO, "")


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The patterns of phonetic signs in running text, and of a text in round brackets."""
    said = any_of({word for locale in loader.all_locales() for word in locale.marks.pronounced})
    label = rf"(?P<label>(?<!\w)(?i:{said})(?:[ \u00a0][^\W\d_]{{2,20}})?[ \u00a0]?[:：]?[ \u00a0]?)"
    one = re.compile(
        rf"(?:(?P<comma>,[ \u00a0])|(?P<space>[ \u00a0]))?{label}?"
        rf"(?P<ipa>{_IPA}(?:(?:,? (?:or|o|ou|oder|also) |, ?){_IPA}){{0,3}}){_AUDIO}?(?P<after>,?)"
    )
    return one, re.compile(
        r"(?<!\])(?P<space>[ \u00a0]?)(?<!\])(?P<open>[(（])"
        r"(?P<inner>[^()（）\n]{0,400}(?:\([a-z·]{3,12}\)[^()（）\n]{0,400})?)[)）]"
    )


@cache
def _token() -> re.Pattern[str]:
    """The pattern of phonetic signs within round brackets: with the words that announce them, and a respelling after them."""
    said = any_of({word for locale in loader.all_locales() for word in locale.marks.pronounced})
    language, colon = r"(?:[^\W\d_]|[\u0900-\u0963]){2,21}", r"[ \u00a0]?[:：]"
    announced = rf"(?:{language} )?(?i:{said})(?: {language})?(?:{colon})?|{language}(?: {language})?{colon}"
    return re.compile(
        rf"(?P<label>(?:(?<![A-Za-zÀ-ɏ\u0900-\u0963])(?:{announced})[ \u00a0]?)?)"
        rf"(?P<ipa>{_IPA}){_AUDIO}?{_RESPELLED}{{0,4}}{_AUDIO}?"
    )


def _is_phonetic(ipa: str, *, is_announced: bool) -> bool:
    if _SURE.search(ipa):
        return True
    inner = ipa[1:-1]
    return (ipa[0] == "/" and _PERHAPS.search(inner) is not None) or (
        is_announced and re.fullmatch(r"[^\W\d_.]{1,20}(?:[.ˈ][^\W\d_]{1,20}){0,9}", inner) is not None
    )


def _shorten(match: re.Match[str]) -> str | None:
    """Removes the phonetic signs from a text in round brackets; the brackets too, where nothing is left."""
    inner = match["inner"]
    kept: list[str] = []
    is_changed = False
    for part in _PART.findall(inner):
        mark = part[-1:] if part[-1:] in ";；,，、" else ""
        rest = _strip_tokens(part[: len(part) - len(mark)])
        if rest is None and is_changed and _ONLY_RESPELLED.fullmatch(part.rstrip(mark)):
            rest = ""
        if rest is None:
            kept.append(part)
        else:
            is_changed = True
            if rest.strip():
                kept.append(rest.rstrip() + mark)
    if not is_changed:
        return None
    left = "".join(kept).strip(" \u00a0,;；，、")
    return f"{match['space']}{match['open']}{left}{match[0][-1]}" if re.search(r"\w", left) else ""


def _strip_tokens(part: str) -> str | None:
    """Returns a part of a text in brackets without phonetic signs; None if it has none."""
    found = False

    def drop(match: re.Match[str]) -> str:
        nonlocal found
        announced = match["label"].strip() != "" or not part[: match.start()].strip()
        if not _is_phonetic(match["ipa"], is_announced=announced):
            return match[0]
        found = True
        return ""

    rest = _token().sub(drop, part)
    if not found:
        return None
    # A respelling that stands alone after the signs, as "neess", and "or" and "also" between two of them.
    return "" if re.fullmatch(r"[\s,]*(?:(?:or|also|and|o|ou|oder|e|y|et)\s*)*[a-zA-Zə'’-]{0,20}\s*", rest) else rest


def _drop(match: re.Match[str]) -> str | None:
    """Removes phonetic signs in running text."""
    ipa = match["ipa"]
    if not _is_phonetic(ipa, is_announced=match["label"] is not None and ipa[0] == "/"):
        return None
    if match["comma"]:
        return ""
    label = (match["label"] or "").rstrip(" \u00a0:：")
    return f"{match['space'] or ''}{label}{match['after']}" if label else match["after"]
