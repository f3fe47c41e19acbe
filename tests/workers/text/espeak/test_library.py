import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import espeakng_loader
import pytest

from app.core.errors import EngineUnavailable
from tests.end_to_end.processes import may_mount
from workers.text.espeak import library

HEAD = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from workers.text.espeak import library\n"


def _samples(text: str, voice: str) -> bytes:
    return library.speak(text, voice, wpm=175, pitch=50)[0].tobytes()


def _in_a_process(program: str, **environ: str) -> str:
    """Returns the output of a program that runs as a worker would, with this tree's modules."""
    command = [sys.executable, "-c", HEAD + program, json.dumps(sys.path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environ).stdout


def test_the_library_passes_its_own_test() -> None:
    library.self_test()


def test_a_broken_library_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    library.SPEAKING.close()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match=r"pip install .*espeakng-loader"):
        library.self_test()


def test_an_interpreter_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    library.SPEAKING.close()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(EngineUnavailable, match="its process cannot be started \\(No such file or directory\\)"):
        library.self_test()


def test_a_library_that_cannot_be_loaded_is_told_without_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    library.SPEAKING.close()
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: "/no/such/libespeak-ng.so")
    with pytest.raises(EngineUnavailable, match=r"its library cannot be loaded \(libespeak-ng.so: cannot open") as caught:
        library.self_test()
    assert "/no/such" not in caught.value.message
    library.SPEAKING.close()


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
def test_a_library_in_a_folder_that_is_mounted_noexec_is_told_as_that(tmp_path: Path) -> None:
    program = (
        "import espeakng_loader, shutil\n"
        "path = shutil.copy(espeakng_loader.get_library_path(), sys.argv[2])\n"
        "espeakng_loader.get_library_path = lambda: path\n"
        "try: library.self_test()\n"
        "except Exception as error: print(error.message)"
    )
    command = [sys.executable, "-c", HEAD + program, json.dumps(sys.path), str(tmp_path)]
    mount = ["unshare", "-m", "bash", "-c", f'mount -t tmpfs -o noexec none {tmp_path}; exec "$@"', "--"]
    output = subprocess.run([*mount, *command], capture_output=True, text=True, check=True).stdout.strip()
    assert output == (
        "espeak-ng does not work on this machine: its library cannot be loaded from a folder that is mounted noexec. "
        "Install Koe in a folder that programs may be run from."
    )


@pytest.mark.parametrize(
    ("language", "voice"),
    [("en-US", "gmw/en-US"), ("en-GB", "gmw/en"), ("fr-FR", "roa/fr"), ("zh", "sit/cmn"), ("ko-KR", "ko"), ("xx", None)],
)
def test_a_voice_is_found_by_the_nearest_tag(language: str, voice: str | None) -> None:
    assert library.find_voice(language) == voice


def test_phonemes_are_ipa_without_language_flags() -> None:
    assert library.phonemes("Hello, world.", "gmw/en-US") == "həlˈoʊ wˈɜːld"
    assert "(" not in library.phonemes("你好 world", "sit/cmn")
    assert library.phonemes("...", "gmw/en-US") == ""


def test_a_missing_voice_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="no/such"):
        library.phonemes("Hello", "no/such")


def test_threads_do_not_get_each_others_text() -> None:
    jobs = [
        ("one two three", "gmw/en-US"),
        ("uno dos tres", "roa/es"),
        ("eins zwei drei", "gmw/de"),
        ("un deux trois", "roa/fr"),
    ]
    alone = [(library.phonemes(*job), _samples(*job)) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        phonemes = list(pool.map(lambda job: library.phonemes(*job), jobs * 20))
        samples = list(pool.map(lambda job: _samples(*job), jobs * 10))
    assert phonemes == [one for one, _ in alone] * 20
    assert samples == [one for _, one in alone] * 10


def test_nothing_depends_on_what_was_said_before() -> None:
    library.PHONEMIZING.close()
    library.SPEAKING.close()
    mine = ("The birch canoe slid.", "gmw/en-US+f3")
    fresh = library.phonemes(*mine), library.tied_phonemes(*mine), _samples(*mine)
    for text, voice in (("Der Hund", "gmw/de"), ("你好 world", "sit/cmn"), ("The birch canoe slid.", "gmw/en-US+m3")):
        library.phonemes(text, voice)
        library.tied_phonemes(text, voice)
        _samples(text, voice)
    assert (library.phonemes(*mine), library.tied_phonemes(*mine), _samples(*mine)) == fresh


def test_nothing_of_the_library_is_lost_when_it_is_loaded_again_and_again() -> None:
    used = _in_a_process(
        "import ctypes, espeakng_loader, gc; from workers.text.espeak.child_process import Library\n"
        "class Info(ctypes.Structure): _fields_ = [(n, ctypes.c_size_t) for n in 'a b c d e f g used i j'.split()]\n"
        "libc = ctypes.CDLL(None); libc.mallinfo2.restype = Info; used = []\n"
        "for n in range(90):\n"
        "    library = Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())\n"
        "    library.speak(b'one', 'gmw/en-US+f3', wpm=175, pitch=50)\n"
        "    for voice in ('gmw/en-US', 'gmw/de'): library.phonemes(b'one two', voice, 2)\n"
        "    library.close()\n"
        "    if n % 30 == 29: gc.collect(); used.append(libc.mallinfo2().used)\n"
        "print(used[-1] - used[-2])"
    )
    assert int(used) < 30 * 1024


def test_words_are_told_with_their_place() -> None:
    samples, words = library.speak("one two three", "gmw/en-US", wpm=175, pitch=50)
    assert [word.character for word in words] == [0, 4, 8]
    assert 0 == words[0].sample < words[1].sample < words[2].sample < len(samples)


def test_a_text_that_the_library_does_not_survive_is_said_in_parts() -> None:
    text = "Good day. " + "s'" * 79 + " is what I said."
    samples, words = library.speak(text, "gmw/en-US", wpm=175, pitch=50)
    last = max(words, key=lambda word: word.sample)
    assert text[last.character :].startswith("said")
    assert 0.9 * len(samples) < last.sample + library.RATE_HZ < 1.1 * len(samples)


def test_a_worker_has_the_library_neither_in_its_process_nor_in_the_temporary_folder(tmp_path: Path) -> None:
    program = """
from app.core.speech.languages import LANGUAGES
from workers.text.g2p.phonemize import Phonemizer
from workers.text.normalization.emoji import say_emoji
from workers.text.tracked_text import TrackedText
phonemizer = Phonemizer()
for language in LANGUAGES:
    if phonemizer.speaks(language.tag):
        phonemizer.phonemize("Radio zxqvrt Привет こんにちは Ελλάδα", language.tag)
say_emoji(TrackedText.of("a 🎉 b"), "hi")
library.speak("one", "gmw/en-US", wpm=175, pitch=50)
with open("/proc/self/maps") as maps: print("espeak" in maps.read())
"""
    output = _in_a_process(program, TMPDIR=str(tmp_path))
    assert output.splitlines()[-1] == "False"
    assert {one.name for one in tmp_path.iterdir()} <= {".ses"}
