import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.errors import EngineUnavailable
from workers.text import espeak


def _samples(text: str, voice: str) -> bytes:
    with espeak.opened() as library:
        return library.speak(text, voice, wpm=175, pitch=50)[0].tobytes()


def test_the_library_passes_its_own_test() -> None:
    espeak.self_test()


def test_a_broken_library_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match="pip install --force-reinstall espeakng-loader"):
        espeak.self_test()


@pytest.mark.parametrize(
    ("language", "voice"),
    [("en-US", "gmw/en-US"), ("en-GB", "gmw/en"), ("fr-FR", "roa/fr"), ("zh", "sit/cmn"), ("ko-KR", "ko"), ("xx", None)],
)
def test_a_voice_is_found_by_the_nearest_tag(language: str, voice: str | None) -> None:
    assert espeak.find_voice(language) == voice


def test_phonemes_are_ipa_without_language_flags() -> None:
    assert espeak.phonemes("Hello, world.", "gmw/en-US") == "həlˈoʊ wˈɜːld"
    assert "(" not in espeak.phonemes("你好 world", "sit/cmn")
    assert espeak.phonemes("...", "gmw/en-US") == ""


def test_a_missing_voice_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="no/such"):
        espeak.phonemes("Hello", "no/such")


def test_threads_do_not_get_each_others_text() -> None:
    jobs = [
        ("one two three", "gmw/en-US"),
        ("uno dos tres", "roa/es"),
        ("eins zwei drei", "gmw/de"),
        ("un deux trois", "roa/fr"),
    ]
    alone = [(espeak.phonemes(*job), _samples(*job)) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        phonemes = list(pool.map(lambda job: espeak.phonemes(*job), jobs * 20))
        samples = list(pool.map(lambda job: _samples(*job), jobs * 10))
    assert phonemes == [one for one, _ in alone] * 20
    assert samples == [one for _, one in alone] * 10


def test_phonemes_do_not_depend_on_what_was_said_before() -> None:
    with espeak.opened() as library:
        fresh = library.phonemes("The birch canoe slid.", "gmw/en-US+f3")
    for text, voice in (("Der Hund", "gmw/de"), ("你好 world", "sit/cmn"), ("The birch canoe slid.", "gmw/en-US+m3")):
        espeak.phonemes(text, voice)
    assert espeak.phonemes("The birch canoe slid.", "gmw/en-US+f3") == fresh


def test_nothing_of_the_library_is_lost_when_it_is_loaded_again_and_again() -> None:
    program = (
        "import ctypes, gc, json, sys; sys.path[:] = json.loads(sys.argv[1]); from workers.text import espeak\n"
        "class Info(ctypes.Structure): _fields_ = [(n, ctypes.c_size_t) for n in 'a b c d e f g used i j'.split()]\n"
        "libc = ctypes.CDLL(None); libc.mallinfo2.restype = Info; used = []\n"
        "for n in range(90):\n"
        "    with espeak.opened() as library: library.speak('one', 'gmw/en-US+f3', wpm=175, pitch=50)\n"
        "    espeak.phonemes('one two', ('gmw/en-US', 'gmw/de')[n % 2])\n"
        "    if n % 30 == 29: gc.collect(); used.append(libc.mallinfo2().used)\n"
        "print(used[-1] - used[-2])"
    )
    done = subprocess.run([sys.executable, "-c", program, json.dumps(sys.path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30 * 1024


def test_words_are_told_with_their_place() -> None:
    with espeak.opened() as library:
        samples, words = library.speak("one two three", "gmw/en-US", wpm=175, pitch=50)
    assert [word.character for word in words] == [0, 4, 8]
    assert 0 == words[0].sample < words[1].sample < words[2].sample < len(samples)
