"""The guides: Markdown pages, each next to what it describes."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
CLIENTS: Final = ROOT / "openapi/README.md"
LIVE: Final = ROOT / "openapi/LIVE.md"
MOVING: Final = ROOT / "openapi/MOVING.md"
OPERATORS: Final = ROOT / "deploy/README.md"
TESTS: Final = ROOT / "tests/README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
GUIDES: Final = (README, CLIENTS, LIVE, MOVING, OPERATORS, TESTS, CONTRIBUTING, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md")

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(page: Path) -> str:
    """Returns the text of a page."""
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    """Returns the path of a page, for the name of a test."""
    return str(page.relative_to(ROOT))


def section(page: Path, heading: str) -> str:
    """Returns the text under a heading of the second level."""
    return read(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def examples(page: Path, language: str) -> list[str]:
    """Returns the blocks of code in a language."""
    return [code for name, code in _FENCE.findall(read(page)) if name == language]


def prose(page: Path) -> str:
    """Returns the page without blocks of code."""
    return _FENCE.sub("", read(page))


def links(page: Path) -> list[str]:
    """Returns the targets of a page's links, except links to other hosts."""
    without_code = re.sub(r"`[^`\n]*`", "", prose(page))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", without_code) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """Returns the headings of a page, in the form that links use."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
