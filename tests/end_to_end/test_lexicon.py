"""A user's lexicon over real HTTP: what a key has put into it is heard in all its requests, and in those of no other key."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from app.cli.commands import koe
from tests.end_to_end.listeners import SPEECH, asked
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import SECONDS_PER_PHONEME

LEXICON = "/v1/audio/lexicon"
JOBS = "/v1/audio/speech/jobs"
ALICE, BOB = ({"Authorization": f"Bearer sk-{name}"} for name in ("alice", "bob"))


@pytest.fixture(scope="module")
def two(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness with two keys, which share the cache, and an operator's lexicon."""
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    file = folder / "lexicon.toml"
    file.write_text('[all]\nkoe = "kokokokok"\n')
    environ = {"KOE_API_KEYS": "sk-alice,sk-bob", "KOE_LEXICON": str(file)}
    with open_harness(folder, **environ) as harness:
        yield harness


@pytest.fixture
def http(two: Harness) -> Iterator[httpx.Client]:
    """Yields a client; afterwards both lexicons are empty."""
    with two.http() as http:
        yield http
        for key in (ALICE, BOB):
            for one in http.get(LEXICON, headers=key).json()["data"]:
                assert http.delete(f"{LEXICON}/{one['language']}/{one['word']}", headers=key).status_code == 204


def put(http: httpx.Client, key: dict[str, str], word: str, phonemes: str, **more: Any) -> httpx.Response:
    return http.put(LEXICON, json={"word": word, "phonemes": phonemes, **more}, headers=key)


def n_phonemes(http: httpx.Client, key: dict[str, str], text: str, **more: Any) -> int:
    """Returns the number of phonemes that are heard."""
    answer = http.post(SPEECH, json=asked(text, **more), headers=key)
    assert answer.status_code == 200
    return round(len(np.frombuffer(answer.content, "<i2")) / (24_000 * SECONDS_PER_PHONEME))


def test_a_word_is_put_listed_and_deleted(http: httpx.Client) -> None:
    answer = put(http, ALICE, "Koe", "kˈOA")
    assert (answer.status_code, answer.json()) == (200, {"word": "Koe", "phonemes": "kˈOA", "language": "*"})
    assert put(http, ALICE, "schedule", "ʃ", language="en-gb").json()["language"] == "en-GB"
    assert http.get(LEXICON, headers=ALICE).json() == {
        "object": "list",
        "data": [
            {"word": "Koe", "phonemes": "kˈOA", "language": "*"},
            {"word": "schedule", "phonemes": "ʃ", "language": "en-GB"},
        ],
    }
    answer = http.delete(f"{LEXICON}/en-gb/schedule", headers=ALICE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert http.delete(f"{LEXICON}/%2A/Koe", headers=ALICE).status_code == 204
    answer = http.delete(f"{LEXICON}/*/Koe", headers=ALICE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "word_not_found")
    assert http.get(LEXICON, headers=ALICE).json() == {"object": "list", "data": []}


def test_a_key_is_needed(http: httpx.Client) -> None:
    assert [http.request(*one).status_code for one in (("GET", LEXICON), ("PUT", LEXICON), ("DELETE", f"{LEXICON}/*/a"))] == [
        401,
        401,
        401,
    ]


def test_an_invalid_word_is_reported_with_its_field(http: httpx.Client) -> None:
    answer = put(http, ALICE, "two words", "a")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "word")
    assert put(http, ALICE, "word", "日").json()["error"]["param"] == "phonemes"


def test_the_request_goes_before_the_lexicon_of_the_key_and_this_before_the_operator_s(http: httpx.Client) -> None:
    assert n_phonemes(http, ALICE, "Koe.") == len("kokokokok.")
    put(http, ALICE, "koe", "ko")
    assert n_phonemes(http, ALICE, "Koe.") == len("ko.")
    assert n_phonemes(http, ALICE, "Koe.", pronunciations={"koe": "kokok"}) == len("kokok.")
    assert n_phonemes(http, BOB, "Koe.") == len("kokokokok.")


def test_the_language_of_the_request_decides(http: httpx.Client) -> None:
    put(http, ALICE, "word", "ko")
    put(http, ALICE, "word", "koko", language="en-US")
    assert n_phonemes(http, ALICE, "Word.", language="en-US") == len("koko.")
    assert n_phonemes(http, ALICE, "Word.", language="fr") == len("ko.")


def test_a_changed_word_is_not_read_from_the_cache(http: httpx.Client) -> None:
    def found(text: str) -> str:
        return http.post(SPEECH, json=asked(text), headers=ALICE).headers["x-koe-cache"]

    texts = "A lemon is here.", "No word of it."
    assert [found(text) for text in texts] == ["miss", "miss"]
    put(http, ALICE, "lemon", "ko")
    assert [found(text) for text in texts] == ["miss", "hit"]
    put(http, ALICE, "lemon", "koko")
    assert found(texts[0]) == "miss"
    http.delete(f"{LEXICON}/*/lemon", headers=ALICE)
    assert [found(text) for text in texts] == ["hit", "hit"]


def test_jobs_and_phonemes_know_the_words_too(http: httpx.Client) -> None:
    put(http, ALICE, "melon", "kokok")
    shown = http.post("/v1/audio/phonemize", json={"input": "A melon.", "voice": "alloy"}, headers=ALICE).json()
    assert shown["segments"][0]["phonemes"] == "A kokok."
    body = {"model": "tts-1", "voice": "alloy", "input": "A melon.", "response_format": "pcm"}
    path = http.post(JOBS, json=body, headers=ALICE).headers["location"]
    wait_until(lambda: http.get(path, headers=ALICE).json()["status"] == "completed")
    content = http.get(f"{path}/content", headers=ALICE).content
    assert round(len(content) / 2 / (24_000 * SECONDS_PER_PHONEME)) == len("A kokok.")


def test_a_text_may_have_more_words_of_the_lexicon_than_a_request_may_give(http: httpx.Client) -> None:
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(250)]
    for word in words:
        put(http, BOB, word, "k")
    given = {f"x{word}": "o" for word in words[:200]}
    body = {"input": " ".join([*words, *given]), "voice": "alloy", "pronunciations": given}
    shown = http.post("/v1/audio/phonemize", json=body, headers=BOB).json()
    assert "".join(one["phonemes"] for one in shown["segments"]).replace(" ", "") == "k" * 250 + "o" * 200


def test_words_are_there_after_a_restart_and_an_operator_can_forbid_changes(short_folder: Path) -> None:
    data = Path(tempfile.mkdtemp(dir=short_folder))
    with open_harness(data) as harness, harness.http() as http:
        assert put(http, {}, "Koe", "ko").status_code == 200
    with open_harness(data, KOE_LEXICON_WRITABLE="false") as harness, harness.http() as http:
        assert [one["word"] for one in http.get(LEXICON).json()["data"]] == ["Koe"]
        assert n_phonemes(http, {}, "Koe.") == len("ko.")
        for answer in (put(http, {}, "Koe", "a"), http.delete(f"{LEXICON}/*/Koe")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "lexicon_read_only")


def test_the_command_line_lists_adds_and_removes_words(harness: Harness) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(koe, ["lexicon", *words, "--url", harness.url], env={"COLUMNS": "100"})
        assert done.exit_code == 0, done.output
        return done.stdout

    run("add", "Koe", "kˈOA")
    run("add", "schedule", "ʃ", "--language", "en-GB")
    assert [line.split() for line in run("list").splitlines()][-2:] == [["Koe", "kˈOA", "*"], ["schedule", "ʃ", "en-GB"]]
    run("remove", "Koe")
    run("remove", "schedule", "--language", "en-GB")
    assert run("list", "--json").strip() == "[]"
    failed = CliRunner().invoke(koe, ["lexicon", "remove", "Koe", "--url", harness.url])
    assert failed.exit_code == 1
    assert "There is no word 'Koe'" in failed.stderr
