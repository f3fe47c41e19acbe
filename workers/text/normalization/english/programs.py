"""Names of files, paths, options, ports and times of programs in English texts: `config/db.yml`, `--help`, localhost:8080.

Why inline code is told apart: a dash or a dot has a name there, and in other text it is a mark.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_EXTENSIONS: Final = re.findall(
    r"\w+",
    """
    bak bash bat bin bmp c cc cfg conf cpp cs css csv dat db dll doc docx env epub exe flac gif go gz h hpp html ini ipynb
    java jpeg jpg js json jsonl jsx kt lock log lua m4a md mkv mov mp3 mp4 mpeg ods odt ogg opus pdf php pkl png ppt pptx ps1
    py pyi rar rb rs rst rtf sh sql sqlite srt svg swift tar tex tif tiff toml ts tsv tsx ttf txt vtt wasm wav webm webp whl
    wma wmv xls xlsx xml yaml yml zip
    """,
)
_WORDS: Final = frozenset({"bat", "c", "env", "go", "h", "lock", "log", "doc"})
"""Extensions that are also words or letters; they need the sign of a path or a program next to them."""
_SPELLED: Final = frozenset({"yml", "exe", "rst"})
"""Extensions that are said letter by letter although they look like words."""
_CODE: Final = re.compile(r"(?<!`)`(?P<code>[^`\n]{1,200}+)`(?!`)")
_OPTION: Final = re.compile(r"(?<![\w-])(?P<dashes>--?)(?=[A-Za-z])")
_DOT: Final = re.compile(r"(?<=[\w)])\.(?=[A-Za-z_])|(?<![^\s/~])\.(?=[a-z])|(?<=\s)\.\Z")
_SLASH: Final = re.compile(r"(?<=[\w~.])(?<![0-9](?=/[0-9]))/(?=[\w.~])|(?<![^\s])/(?=[\w.]|\Z)|(?<=\w)/\Z")
_PORTS: Final = re.compile(r"(?<![\w.-])(?P<host>localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):(?P<port>[0-9]{2,5})(?![\w.]\w)")


def rules() -> Iterator[Rule]:
    """The rules for what programs write, for before the rules of dates and signs."""
    yield Rule(_PORTS, _say_port)
    yield Rule(
        re.compile(r"(?<!\w)(?P<arxiv>arXiv:)(?P<one>[0-9]{4})\.(?P<two>[0-9]{4,5})(?:v(?P<n>[0-9]{1,2}))?(?!\w)"), _say_arxiv
    )
    # README.md: a word in capitals
    yield Rule(
        re.compile(rf"(?<![\w.])[A-Z]{{5,20}}(?=\.(?:{any_of(_EXTENSIONS)})\b)|(?<!\w)(?:README|CHANGELOG)(?!\w)"),
        lambda match: match[0].capitalize(),
        needs_digit=False,
    )
    yield Rule(_CODE, lambda match: f"`{_say_code(match['code'])}`", needs_digit=False)
    # README.md, src/pool.py, report.tar.gz
    yield Rule(
        re.compile(rf"(?<=[\w)])\.(?P<last>{any_of(_EXTENSIONS)})(?![\w-]|\.(?!{any_of(_EXTENSIONS)}\b)\w|\()"),
        lambda match: f" dot {_name(match['last'])}" if _is_file(match) else None,
        needs_digit=False,
    )
    # /var/log, ~/.config
    yield Rule(
        re.compile(r"(?<![^\s(\"'])(?<!\]\()(?P<home>~)?/(?=(?P<dot>\.)?[A-Za-z][\w.-]{0,40}/)(?:(?P=dot))?"),
        lambda match: ("tilde " if match["home"] else "") + "slash " + ("dot " if match["dot"] else ""),
        needs_digit=False,
    )
    # RFC 6455
    yield Rule(
        re.compile(r"(?<=\bRFC[ -])(?P<one>[1-9][0-9])(?P<two>[1-9][0-9])(?!\w)"),
        lambda match: f"{numerals.cardinal(match['one'], british=False)} {numerals.cardinal(match['two'], british=False)}",
    )
    yield from _times()


def _times() -> Iterator[Rule]:
    """Rules for a time after a date as programs write it: T14:30:00Z, 14:30:00+01:00."""
    time = r"(?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9])(?P<seconds>:[0-5][0-9])?(?:[.,][0-9]{1,9})?"
    yield Rule(
        re.compile(rf"(?<=[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]){time}(?: ?(?P<zone>Z|[+-][0-9]{{2}}:?[0-9]{{2}})(?!\w))?"),
        _say_time,
    )


def _say_time(match: re.Match[str]) -> str:
    said = match["time"] + ("" if match["seconds"] in {None, ":00"} else match["seconds"])
    zone = match["zone"] or ""
    if zone == "Z":
        return f"{said} UTC"
    if not zone:
        return said
    return f"{said} UTC {'plus' if zone[0] == '+' else 'minus'} {numerals.cardinal(str(int(zone[1:3])), british=False)}"


def _say_port(match: re.Match[str]) -> str:
    port = match["port"]
    if len(port) == 4 and port[1:] != "000":
        last = numerals.cardinal(str(int(port[2:])), british=False) if port[2] != "0" else "oh " + port[3]
        said = f"{numerals.cardinal(port[:2], british=False)} {'hundred' if port[2:] == '00' else last}"
    else:
        said = numerals.cardinal(port, british=False) if port.endswith("000") else numerals.spell_digits(port)
    return f"{match['host']} port {said}"


def _say_arxiv(match: re.Match[str]) -> str:
    version = f", version {numerals.cardinal(match['n'], british=False)}" if match["n"] else ""
    return f"arXiv {numerals.spell_digits(match['one'])} dot {numerals.spell_digits(match['two'])}{version}"


def _say_code(code: str) -> str:
    """Inline code with words for the dashes of options, and for the dots and slashes of names and paths."""
    said = _OPTION.sub(lambda match: "dash " * len(match["dashes"]), code)
    if "://" in said or "@" in said:
        return said
    said = re.sub(rf"\.({any_of(_SPELLED)})(?!\w)", lambda match: "." + _name(match[1]), said)
    said = _DOT.sub(" dot ", _SLASH.sub(" slash ", said)).replace("~ ", "tilde ")
    return re.sub(" {2,}", " ", said).strip()


def _name(extension: str) -> str:
    return " ".join(extension.upper()) if extension in _SPELLED else extension


def _is_file(match: re.Match[str]) -> bool:
    """Whether the text before the match may be the name of a file."""
    before = match.string[max(0, match.start() - 60) : match.start()].rpartition(" ")[2]
    if match["last"] in _WORDS:
        return re.search(r"[/_0-9]|\A(?:main|app|server|index|package|poetry|yarn|error|access)\Z", before) is not None
    return len(before) > 1
