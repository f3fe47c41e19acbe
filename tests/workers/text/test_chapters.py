import pytest

from workers.text.chapters import MAX_CHAPTERS, find_chapters

_PROSE = "\n\nIt was a dark night, and nobody was about.\n\n"


def titles(text: str) -> list[str]:
    return [chapter.title for chapter in find_chapters(text)]


@pytest.mark.parametrize(
    "headings",
    [
        ("Chapter 1", "CHAPTER TWENTY-ONE: The Boy", "Part II"),
        ("BOOK ONE: 1805", "Chapter the Second"),
        ("Prologue", "Chapter 1. In Which Nothing Happens", "Epilogue"),
        ("Capítulo 1", "Capítulo segundo. El río", "Epílogo"),
        ("Primera parte", "Segunda parte"),
        ("Chapitre I", "Chapitre premier : La nuit", "Deuxième partie"),
        ("Capitolo primo", "Capitolo 2 - La notte"),
        ("Capítulo Um", "Capítulo Dois – A casa"),
        ("अध्याय 1", "अध्याय एक", "अध्याय ३: शुरुआत", "पहला भाग"),
        ("第一章", "第二章 出发", "第十二回：归来", "尾声"),
        ("プロローグ", "第一章春の訪れ", "第2話「夏」", "エピローグ"),
        ("# One", "# Two"),
    ],
)
def test_headings_are_found_in_every_language(headings: tuple[str, ...]) -> None:
    text = "".join(heading + _PROSE for heading in headings)
    found = find_chapters(text)
    assert [chapter.title for chapter in found] == [heading.lstrip("# ") for heading in headings]
    assert all(text.startswith(heading, chapter.start) for heading, chapter in zip(headings, found, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n ",
        "Chapter 1" + _PROSE,
        f"Part two was harder.{_PROSE}Chapter 5, which follows.{_PROSE}",
        "As we saw in\nPart two of the plan\nand in\nPart one of it\nnothing works.",
        "we read\nchapter one\nand then\nchapter two\nof it.",
        f"第一章では何も起きない。{_PROSE}第二章は長い。{_PROSE}",
        "".join(f"# {number}{_PROSE}" for number in range(MAX_CHAPTERS + 1)),
        "```\n# comment\n\n# comment\n```",
    ],
)
def test_what_only_looks_like_a_heading_is_none(text: str) -> None:
    assert find_chapters(text) == []


def test_a_title_under_its_number_belongs_to_the_chapter() -> None:
    text = f"CHAPTER I.\nDown the Rabbit-Hole{_PROSE}CHAPTER II.\nThe Pool of Tears{_PROSE}"
    assert titles(text) == ["CHAPTER I: Down the Rabbit-Hole", "CHAPTER II: The Pool of Tears"]


def test_headings_with_nothing_between_them_are_one_chapter() -> None:
    assert titles(f"PART ONE\n\nChapter 1{_PROSE}Chapter 2{_PROSE}") == ["PART ONE – Chapter 1", "Chapter 2"]


def test_a_table_of_contents_is_no_row_of_chapters() -> None:
    contents = "\n".join(f"Chapter {number}" for number in range(1, 9))
    text = f"Contents\n\n{contents}\n\nChapter 1{_PROSE}Chapter 2{_PROSE}"
    assert [text[chapter.start :].split("\n")[2] for chapter in find_chapters(text)] == [_PROSE.strip()] * 2


def test_of_markdown_the_level_with_chapters_counts() -> None:
    text = f"# Title{_PROSE}## One{_PROSE}### A detail{_PROSE}## Two ##\r\n{_PROSE}"
    assert titles(text) == ["Title", "One", "Two"]


def test_a_level_with_a_single_heading_is_not_that_of_the_chapters() -> None:
    text = f"# Title{_PROSE}## The story{_PROSE}### One{_PROSE}### Two{_PROSE}#### A detail{_PROSE}"
    assert titles(text) == ["Title", "The story", "One", "Two"]
