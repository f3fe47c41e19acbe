"""The processes in which espeak-ng runs: a question is asked again if its process dies, and a process ends with its worker."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from app.core.errors import Cancelled, EngineFailed
from tests.harness import wait_until
from workers.text.cancellation import cancellation_check, skipping_checks
from workers.text.espeak import child_process, library, processes
from workers.text.espeak.processes import MAX_PROCESSES, Answer, Children, CrashingText, Question

HELLO = Question(child_process.PHONEMES, "gmw/en-US", b"Hello.")
DEADLY = Question(child_process.PHONEMES, "gmw/en-US", b"s'" * 79)
SLOW = Question(child_process.SPEECH, "gmw/en-US", b"The birch canoe slid on the smooth planks.", 80, 50)
NEVER_ENDING = """
import sys; sys.path.append({folder!r}); import child_process
child_process.CPU_SECONDS = 0.1; say = child_process.Library.phonemes
def phonemes(self, text, voice, mode):
    while b"hang" in text: pass
    return say(self, text, voice, mode)
child_process.Library.phonemes = phonemes; child_process.main()
"""


@pytest.fixture
def asked() -> Iterator[Children]:
    asked = Children()
    yield asked
    asked.close()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_one_process_answers_what_is_asked_one_after_the_other(asked: Children) -> None:
    answers = [asked.ask(HELLO) for _ in range(3)]
    assert answers == [Answer((), "həlˈoʊ".encode())] * 3
    assert len(asked.pids) == 1


def test_a_question_is_asked_again_when_its_process_was_killed_meanwhile(asked: Children) -> None:
    expected = asked.ask(HELLO)
    (pid,) = asked.pids
    os.kill(pid, signal.SIGKILL)
    assert asked.ask(HELLO) == expected
    assert asked.pids != [pid]


def test_no_answer_is_lost_while_processes_are_killed_under_load(asked: Children) -> None:
    expected, is_over = asked.ask(SLOW), threading.Event()

    def kill() -> int:
        n_killed = 0
        while not is_over.wait(0.1):
            for pid in pids_of_children()[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    n_killed += 1
        return n_killed

    with ThreadPoolExecutor(9) as pool:
        killing = pool.submit(kill)
        answers = list(pool.map(lambda _: asked.ask(SLOW), range(100)))
        is_over.set()
        n_killed = killing.result()
    assert answers == [expected] * 100
    assert n_killed > 0


def pids_of_children() -> list[int]:
    tasks = Path("/proc/self/task").iterdir()
    pids = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    return [pid for pid in pids if not has_ended(pid) and b"espeak/child_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_text_that_kills_twice_is_deadly_and_nobody_elses_is(asked: Children) -> None:
    with pytest.raises(CrashingText, match="SIGABRT"):
        asked.ask(DEADLY)
    assert asked.ask(HELLO).data.decode() == "həlˈoʊ"


def test_deadly_texts_cost_the_others_nothing(asked: Children) -> None:
    def deadly(_: int) -> bool:
        with suppress(CrashingText):
            asked.ask(DEADLY)
        return True

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(deadly, n) if n % 2 else pool.submit(asked.ask, HELLO) for n in range(40)]
        answers = [one.result() for one in done]
    assert [one.data.decode() for one in answers if isinstance(one, Answer)] == ["həlˈoʊ"] * 20


def test_a_text_that_does_not_come_to_an_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "never_ending.py"
    program.write_text(NEVER_ENDING.format(folder=str(Path(child_process.__file__).parent)))
    monkeypatch.setattr(child_process, "__file__", str(program))
    library.PHONEMIZING.close()
    phonemes = library.phonemes("one two hang three four", "gmw/en-US")
    library.PHONEMIZING.close()
    assert phonemes == "wˌʌn tˈuː hˈɑː ˌɛndʒˈiː θɹˈiː fˈɔːɹ"


def test_a_process_that_gives_no_answer_is_ended_and_the_question_asked_again(
    asked: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_ANSWER_SECONDS", 0.3)
    expected = asked.ask(HELLO)
    (pid,) = asked.pids
    os.kill(pid, signal.SIGSTOP)
    assert asked.ask(HELLO) == expected
    assert has_ended(pid)


def unwanted() -> None:
    raise Cancelled("Nobody waits any more.")


def test_an_answer_that_nobody_wants_any_more_is_not_waited_for(asked: Children) -> None:
    asked.ask(HELLO)
    (pid,) = asked.pids
    os.kill(pid, signal.SIGSTOP)
    with cancellation_check(unwanted), skipping_checks(), pytest.raises(Cancelled):
        asked.ask(HELLO)
    assert has_ended(pid)
    assert asked.ask(HELLO).data.decode() == "həlˈoʊ"


def test_an_unwanted_question_does_not_wait_for_a_free_process() -> None:
    asked = Children(max_processes=1)
    asked.ask(HELLO)
    (pid,) = asked.pids
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked.ask, HELLO)
        wait_until(lambda: not asked.pids)
        with cancellation_check(unwanted), pytest.raises(Cancelled):
            asked.ask(HELLO)
        os.kill(pid, signal.SIGCONT)
        assert first.result().data.decode() == "həlˈoʊ"
    asked.close()


def test_a_question_fails_when_every_process_is_killed(asked: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(child: processes._Child, question: Question) -> None:
        child.end()
        raise processes._ChildLost(-signal.SIGKILL)

    monkeypatch.setattr(processes._Child, "ask", ask)
    monkeypatch.setattr(processes, "_RETRY_SECONDS", 0.2)
    with pytest.raises(EngineFailed, match="killed repeatedly"):
        asked.ask(HELLO)


def test_as_many_as_are_asked_at_once_and_no_more_are_kept(asked: Children) -> None:
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: asked.ask(SLOW), range(24)))
    assert 1 <= len(asked.pids) <= MAX_PROCESSES


def test_the_signals_that_end_a_worker_leave_it_what_it_needs_to_finish(asked: Children) -> None:
    asked.ask(HELLO)
    (pid,) = asked.pids
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    asked.ask(HELLO)
    assert asked.pids == [pid]


def test_it_ends_with_its_worker_however_that_ends() -> None:
    program = (
        "import json, sys, time; sys.path[:] = json.loads(sys.argv[1]); from workers.text.espeak import library\n"
        "library.self_test(); print(*library.PHONEMIZING.pids, *library.SPEAKING.pids, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, json.dumps(sys.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        pids = [int(pid) for pid in worker.stdout.readline().split()]
        worker.kill()
    assert len(pids) == 2
    for pid in pids:
        wait_until(partial(has_ended, pid))


def test_it_gets_no_secret_and_no_connection_of_its_worker(asked: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOE_WEBHOOK_SECRET", "whsec_secret")
    asked.ask(HELLO)
    (pid,) = asked.pids
    environ = Path(f"/proc/{pid}/environ").read_bytes()
    opened = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
    assert b"KOE_" not in environ
    assert len({one for one in opened if one.startswith("socket")}) == 1
    assert {one for one in opened if not one.startswith("socket")} <= {"/dev/null"}


def test_it_may_write_no_file_start_no_process_and_take_no_more_memory_than_its_share(asked: Children) -> None:
    asked.ask(HELLO)
    limits = Path(f"/proc/{asked.pids[0]}/limits").read_text()
    lines = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert lines["Max core file size"] == lines["Max file size"] == lines["Max processes"] == "0"
    assert lines["Max address space"] == str(1024**3)


def test_it_imports_nothing_but_the_standard_library() -> None:
    program = f"import sys; sys.path.append({str(Path(child_process.__file__).parent)!r}); import child_process"
    command = [sys.executable, "-I", "-S", "-c", f"{program}; print('numpy' in sys.modules or 'app' in sys.modules)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"
