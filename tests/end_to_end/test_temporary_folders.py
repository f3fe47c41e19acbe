"""`koe serve` when nothing may be executed from the temporary folder, when it is full, and when there is none."""

from pathlib import Path

import httpx
import pytest

from tests.audio import decode
from tests.end_to_end.listeners import SPEECH, asked
from tests.end_to_end.processes import Served, may_mount, running

NOEXEC = 'mount -t tmpfs -o noexec,nosuid,nodev none "$TMPDIR"'
FULL = 'mount -t tmpfs -o size=64k none "$TMPDIR"; head -c 65536 /dev/zero > "$TMPDIR/full"'
NONE = 'mount -t tmpfs none "$KOE_DATA"; mount -o remount,bind,ro /; export TMPDIR=/no/such/folder'


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
@pytest.mark.parametrize("prepare", [NOEXEC, FULL, NONE], ids=["noexec", "full", "none, and a read-only root"])
def test_espeak_speaks_with_any_kind_of_temporary_folder(prepare: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    launcher = ["unshare", "-m", "bash", "-c", f'{prepare}; exec "$@"', "--"]
    served = Served(data, *launcher, KOE_ENGINE="espeak", TMPDIR=str(tmp_path / "tmp"))
    with running(served):
        served.wait_ready()
        answer = httpx.post(f"{served.url}{SPEECH}", json=asked("Hello.", "mp3", model="espeak"), timeout=60)
    assert answer.status_code == 200
    assert len(decode(answer.content, "mp3"))
