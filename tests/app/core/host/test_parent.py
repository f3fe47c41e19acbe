"""A process ends when its parent ends, however the parent ended."""

import signal
import subprocess
import sys

CHILD = """
import signal, sys
from app.core.host.parent import end_with_parent
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
end_with_parent()
print("ready", flush=True)
while True:
    signal.pause()
"""

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.stdout.readline().decode(), end="", flush=True)
sys.stdin.read()
"""


def test_the_end_of_standard_input_counts_as_sigterm() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"ready\n"

        child.stdin.close()

        assert child.wait(30) == 7


def test_a_write_to_the_pipe_does_not_end_the_process() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"ready\n"

        child.stdin.write(b"word" * 5000)
        child.stdin.flush()
        assert child.poll() is None
        child.stdin.close()

        assert child.wait(30) == 7


def test_a_child_ends_when_its_parent_is_killed() -> None:
    # The child holds the parent's standard error open, so reading it ends only when both processes have ended.
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        assert parent.stdout.readline() == b"ready\n"

        parent.send_signal(signal.SIGKILL)

        assert parent.stderr.read() == b""
        assert parent.wait(30) == -signal.SIGKILL
