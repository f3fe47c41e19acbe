"""Removes Markdown and HTML from a text, so that only the text remains that a reader would say.

Why a list item gets a full stop and a heading a paragraph break: without its marks it would run into the next text.
"""

import html
import re
from typing import Final

from app.core.speech.tags import COMMENT
from workers.text.locales import loader
from workers.text.locales.structs import Locale
from workers.text.normalization.formulas.marks import SMALL
from workers.text.normalization.markup.line_ends import end_item
from workers.text.normalization.rules import Rule, apply
from workers.text.tracked_text import TrackedText

_INLINE: Final = (
    "a abbr audio b bdi bdo big button cite code data del dfn em font i img input ins kbd label link mark meta option q s samp "
    "select small source span strike strong sub sup svg time tt u var video wbr"
)
_BLOCK: Final = (
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 head header hr html iframe legend main nav ol p pre section summary table tbody tfoot thead title tr ul"
)
HTML_NAMES: Final = frozenset(f"{_INLINE} {_BLOCK} br li script style td th".split())
"""Elements of HTML that are removed here, in small letters."""


_ATTRIBUTES: Final = r"(?:\s++[\w:-]{1,40}+=(?:[^<>\"']++|\"[^\"<]{0,2000}+\"|'[^'<]{0,2000}+'|[\"']){0,200}+)?+"
"""A value in quotation marks may have a `>`."""


def _tag(names: str) -> re.Pattern[str]:
    any_name = "|".join(sorted(names.split(), key=len, reverse=True))
    return re.compile(rf"</?(?:{any_name}){_ATTRIBUTES}\s*+/?>", re.IGNORECASE)


_NAME: Final = "(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
_ENTITY: Final = re.compile(rf"&(?:(?:amp;){{1,9}}+(?P<twice>{_NAME})?+|(?P<name>{_NAME}))")
_BULLETS: Final = "-*+•‣◦⁃∙▪▫■□●○◆◇▶►▸➤➢✦❖※"
_LABEL: Final = (
    r"[0-9]{1,3}[.)]|[A-Za-z]\)|\((?:[0-9]{1,2}(?!\) ?[0-9])|[A-Za-z]|[ivx]{1,5})\)|[ivx]{1,5}\)|[a-z]\.(?= [A-Z\"'])|"
    r"[0-9]{1,3}[、．]|（[0-9一二三四五六七八九十]{1,3}）|[一二三四五六七八九十]{1,3}[、．]"
)
_LIST_ITEM: Final = re.compile(
    rf"(?m)^(?:[ \t]*+(?:[{_BULLETS}]|{_LABEL})[ \t]++|[ \t]*+"
    rf"(?:[・●○■□◆◇▶►※]|[0-9]{{1,3}}[、．]|（[0-9一二三四五六七八九十]{{1,3}}）"
    rf"|[一二三四五六七八九十]{{1,3}}[、．])[ \t]*+)[^\n]++"
    # Its further lines: indented, or going on in small letters.
    rf"(?:\n(?![ \t]*+(?:[{_BULLETS}・]|{_LABEL})[ \t])(?:[ \t]++(?=\S)|(?=[^\W\d_A-Z])(?![^\W\d_a-zß-ÿ]))[^\n]++){{0,40}}+"
)

PROGRAM: Final = r"<(?P<program>script|style)\b[^<>]{0,500}+>(?:[^<]++|<(?!/)){0,300}+</(?P=program)>"
"""A script or a style, with its content."""

_TAGS: Final = (
    # Comments, scripts and styles are not text.
    Rule(re.compile(COMMENT), " ", needs_digit=False),
    Rule(re.compile(PROGRAM, re.IGNORECASE), " ", needs_digit=False),
    Rule(re.compile(rf"<li{_ATTRIBUTES}>", re.IGNORECASE), "\n- ", needs_digit=False),
    Rule(re.compile(r"</li>|<br\s*+/?>", re.IGNORECASE), "\n", needs_digit=False),
    Rule(re.compile(r"</t[dh]>(?=\s*+<t[dh]\b)", re.IGNORECASE), ", ", needs_digit=False),
    Rule(_tag("td th"), "", needs_digit=False),
    Rule(_tag(_BLOCK), "\n\n", needs_digit=False),
    Rule(_tag(_INLINE), "", needs_digit=False),
    # Jane Doe <jane@example.com>
    Rule(
        re.compile(r"(?P<name>(?<=[\w\"')]) )?<(?P<address>[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9.-]{1,200}+)>"),
        lambda match: (", " if match["name"] else "") + match["address"],
        needs_digit=False,
    ),
    # <https://example.com>
    Rule(re.compile(r"<(?=(?:https?://|mailto:)[^\s<>]{1,2000}+>)"), "", needs_digit=False),
    Rule(re.compile(r"(?<=[\w/])>(?!\S)"), "", needs_digit=False),
)

_BLOCKS: Final = (
    # Lines of ```, and lines of --- and --.
    Rule(re.compile(r"(?m)^[ \t]{0,8}+(?:`{3,}+|~{3,}+)[^\n`]*+$"), "", needs_digit=False),
    Rule(re.compile(r"(?m)^[ \t]*+(?:(?:[-*_=][ \t]*+){3,}+|--[ \t]*+)$"), "\n", needs_digit=False),
    # [1] An entry of a list of notes or sources.
    Rule(
        re.compile(r"(?m)^(?P<indent>[ \t]{0,4}+)\[(?P<n>[1-9][0-9]{0,2})\][ \t]++(?=[\"'*“]|(?![\u3040-\u9fff])[^\W\d_])"),
        lambda match: f"{match['indent']}{match['n']}. ",
    ),
    # -----Original Message-----
    Rule(
        re.compile(r"(?m)^[ \t>]{0,8}+(?P<mark>-{3,}+|={3,}+|\*{4,}+|~{3,}+) ?(?P<text>[^\W_][^\n]{0,80}?) ?(?P=mark)[ \t]*+$"),
        lambda match: f"\n{match['text']}\n\n",
        needs_digit=False,
    ),
    # Text on both sides of a pipe that is no table, or of a dot.
    Rule(re.compile(r"(?<=\S) \| (?=\S)|(?<=[^\s0-9]) [·•] (?=\S)|(?<=[0-9]) [·•] (?=[^\s0-9])"), ", ", needs_digit=False),
    # A break of a line, attributes, the marks of a box, a definition.
    Rule(re.compile(r"(?<!\\)\\[ \t]*+(?=\n)"), "", needs_digit=False),
    Rule(re.compile(r"\{[:#.] ?[.#]?[A-Za-z][^{}\n]{0,80}+\}|(?m:^[ \t]{0,8}+:{3,}+[^\n]*+$)"), "", needs_digit=False),
    Rule(re.compile(r"(?<=\S)\n: ++(?=\S)"), ": ", needs_digit=False),
    # An arrow of several dashes.
    Rule(re.compile(r"(?<![-<!])-{2,6}+>"), "->", needs_digit=False),
    # Quotations and headings.
    Rule(re.compile(r"(?m)^[ \t]{0,8}+(?:>(?![=0-9])[ \t]?+)++"), "", needs_digit=False),
    Rule(re.compile(r"(?m)^[ \t]{0,8}+#{1,6}+[ \t][^\n]*+\n"), lambda match: match[0] + "\n", needs_digit=False),
    Rule(re.compile(r"(?m)^[ \t]{0,8}+(?:#{1,6}+[ \t]++)++"), "", needs_digit=False),
    Rule(re.compile(r"(?m)(?<=[ \t])#{1,6}+[ \t]*+$"), "", needs_digit=False),
)
_CALLOUT: Final = re.compile(r"(?m)^[ \t]{0,8}+\[!(?P<kind>NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*+(?:\n|$)")
_BULLET: Final = Rule(
    re.compile(rf"(?m)^[ \t]*+(?:(?:[{_BULLETS}][ \t]++|[・●○■□◆◇▶►※])(?:\[[ xX]\][ \t]++)?+)++"), "", needs_digit=False
)

_SPOKEN_AS: Final = r"(?!/[^()/\n]{0,200}+/\))"
"""The brackets hold an address and not phonemes, as in [word](/phonemes/)."""
_ADDRESS_REST: Final = r"[^()\s]{0,2000}+(?:\([^()\s]{0,200}+\)[^()\s]{0,200}+)?+(?:[ ]\"[^\"\n]{0,300}+\")?+\)"
"""The address of a link and its title, after the opening bracket."""
_TARGET: Final = rf"\]\({_SPOKEN_AS}{_ADDRESS_REST}"
_ADDRESS: Final = rf"\({_ADDRESS_REST}"
_BADGE: Final = rf"!\[[^\[\]\n]{{0,300}}+\]\((?=[^()\s]{{0,300}}?(?:badge|shields\.io|/actions/workflows/)){_ADDRESS_REST}"
"""The picture of a badge; its address shows that it is one."""
_BADGES: Final = (
    # [![build](https://img.shields.io/x.svg)](https://example.com) is no text; [![alt](image)](link) is the text of the image.
    Rule(
        re.compile(
            rf"(?:\[{_BADGE}\]{_ADDRESS}|{_BADGE})[ \t]*+",
            re.IGNORECASE,
        ),
        "",
        needs_digit=False,
    ),
    Rule(
        re.compile(rf"\[!\[(?P<alt>[^\[\]\n]{{0,300}}+)\]{_ADDRESS}\]{_ADDRESS}"), lambda match: match["alt"], needs_digit=False
    ),
    Rule(re.compile(rf"!\[\]{_ADDRESS}"), "", needs_digit=False),
    # ==marked==, ++inserted++, ||hidden||
    Rule(
        re.compile(
            r"(?<![=A-Za-z0-9_!<>+|])(?P<mark>==|\+\+|\|\|)(?=[^\s=+|])(?P<text>[^\n=+|]{1,500}+)(?P=mark)(?![=A-Za-z0-9_+|])"
        ),
        lambda match: None if match["text"][-1].isspace() else match["text"],
        needs_digit=False,
    ),
    # H~2~O, x^2^
    *SMALL,
    Rule(
        re.compile(r"(?<=\w)(?P<mark>[\^~])(?P<text>[A-Za-z]{1,12})(?P=mark)(?!\w)"),
        lambda match: match["text"],
        needs_digit=False,
    ),
    Rule(
        re.compile(r"(?<![\w~])~(?=[^\s~])(?P<text>[^~\n]{1,300}+)(?<!\s)~(?![\w~])"),
        lambda match: match["text"],
        needs_digit=False,
    ),
    # 5\% off
    Rule(re.compile(r"\\(?=[%$&\"',/:;=?@^])"), "", needs_digit=False),
)
_LINKS: Final = (
    Rule(re.compile(rf"!?\[(?=[^\[\]\n]{{1,500}}+{_TARGET})"), "", needs_digit=False),
    Rule(re.compile(rf"(?<=[^\[]){_TARGET}"), "", needs_digit=False),
    # A number in bold, which is read with the unit next to it: **5** km.
    Rule(re.compile(r"(?<![\w*])(\*{1,3}+)(?=\S)([$€£¥₹+−-]?[0-9][^\s*]{0,30}+)\1(?![\w*])"), lambda match: match[2]),
    # Footnote marks.
    Rule(re.compile(r"\[\^[^\[\]\s]{1,40}+\]:?"), "", needs_digit=False),
)

_EMPHASIS: Final = (
    Rule(re.compile(r"`++|~~++"), "", needs_digit=False),
    Rule(re.compile(r"\\(?=[\\`*_{}\[\]()#+.!|<>~-])"), "", needs_digit=False),
    Rule(re.compile(r"(?<![\w*)\]])\*++(?=[^\s*])"), "", needs_digit=False),
    Rule(re.compile(r"(?<=[^\s*])\*++(?![\w*(\[])"), "", needs_digit=False),
    Rule(re.compile(r"(?<=\w)\*{2,}+|(?<!\*)\*{2,}+(?=\w)"), "", needs_digit=False),
    Rule(re.compile(r"(?<!\w)_++(?=[^\s_])|(?<=[^\s_])_++(?!\w)"), "", needs_digit=False),
    Rule(re.compile(r"_++"), " ", needs_digit=False),
)


def unescape(tracked: TrackedText) -> TrackedText:
    """Replaces HTML's character references by the characters. References to no character are left."""
    return tracked.sub(_ENTITY, _unescape)


def strip_blocks(tracked: TrackedText, language: str) -> TrackedText:
    """Removes tags, the marks of lines, and links. Needs the lines as they were written."""
    locale = loader.find(language)
    is_english = language.partition("-")[0].lower() == "en"
    cells = apply(tracked, _TAGS + _BLOCKS).sub(
        _CALLOUT, lambda match: f"{match['kind'].capitalize()}.\n\n" if is_english else ""
    )
    items = cells.sub(_LIST_ITEM, lambda match: _end(match, locale))
    return apply(items, (_BULLET, *_BADGES, *_LINKS))


def strip_emphasis(tracked: TrackedText) -> TrackedText:
    """Removes the marks of bold, italic and code. Addresses may have the same characters; they must be words already."""
    return apply(tracked, _EMPHASIS)


def _unescape(match: re.Match[str]) -> str | None:
    name = match["twice"] or match["name"] or "amp;"
    return html.unescape(f"&{name}")


def _end(match: re.Match[str], locale: Locale) -> str | None:
    """Returns an item of a list with the mark at its end; None if it needs none."""
    item = match[0].rstrip()
    has_text = len(item.split(maxsplit=1)) > 1 or item.lstrip()[:1] > "\u2fff" or item.lstrip()[:1] in "●○■□◆◇▶►※"
    return end_item(item, match.string[match.end() : match.end() + 80], locale) if has_text else None
