"""An HTTP client for jobs, for `koe jobs`: it survives broken connections, and fetches files completely or not at all."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from app.cli.client import Away, Server, ServerError

JOBS: Final = "/v1/audio/speech/jobs"

PATIENCE_SECONDS: Final = 300.0
"""Watching or fetching ends when the server has not answered for this time. The server may be restarting meanwhile."""

_AGAIN_SECONDS: Final = 0.5
_ENDED: Final = {"completed", "failed", "cancelled"}
_PARTIAL_CONTENT: Final = 206


def create(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    """Creates a job and returns it. Raises ServerError."""
    job: dict[str, Any] = server.ask("POST", JOBS, json=asked)
    return job


def get(server: Server, job_id: str) -> dict[str, Any]:
    """Returns the job as it is now. Raises ServerError."""
    job: dict[str, Any] = server.ask("GET", _path(job_id))
    return job


def newest(server: Server, limit: int) -> list[dict[str, Any]]:
    """Returns up to `limit` (1 to 100) of the caller's jobs, the newest first. Raises ServerError."""
    return server.ask_for("data", "GET", JOBS, params={"limit": limit})


def cancel(server: Server, job_id: str) -> dict[str, Any]:
    """Cancels the job if it has not ended. Returns the job. Raises ServerError."""
    job: dict[str, Any] = server.ask("POST", f"{_path(job_id)}/cancel")
    return job


def delete(server: Server, job_id: str) -> None:
    """Deletes the job and its file. Raises ServerError."""
    server.ask("DELETE", _path(job_id))


def watch(server: Server, job_id: str) -> Iterator[dict[str, Any]]:
    """Yields the job now and after each change, the last time when it has ended. Reconnects when the connection breaks.

    Raises ServerError.
    """
    patience = _Patience()
    get(server, job_id)
    while True:
        try:
            for job in _events(server, job_id):
                patience.renew()
                yield job
                if job["status"] in _ENDED:
                    return
            raise Away("The server ended before the job.")
        except Away as error:
            patience.wait_or_raise(error)


def fetch(server: Server, job_id: str, path: Path) -> None:
    """Writes the file of a completed job to `path`, completely or not at all. Continues after a broken connection.

    Raises ServerError, also when the file cannot be written.
    """
    _fetch(server, f"{_path(job_id)}/content", path)


def fetch_captions(server: Server, job_id: str, format_name: str, path: Path) -> None:
    """Writes the captions of a completed job to `path`, completely or not at all. Raises the errors of `fetch`."""
    _fetch(server, f"{_path(job_id)}/captions?format={quote(format_name, safe='')}", path)


class _Patience:
    """Limits how long requests are repeated while the server does not answer."""

    def __init__(self) -> None:
        self._until = time.monotonic() + PATIENCE_SECONDS

    def renew(self) -> None:
        """Starts the time limit again. Must be called when the server has answered."""
        self._until = time.monotonic() + PATIENCE_SECONDS

    def wait_or_raise(self, error: Away) -> None:
        """Waits before the next request. Raises the error when the time limit is over."""
        if time.monotonic() > self._until:
            raise error
        time.sleep(_AGAIN_SECONDS)


def _events(server: Server, job_id: str) -> Iterator[dict[str, Any]]:
    with server.stream("GET", f"{_path(job_id)}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))


def _fetch(server: Server, source: str, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            _fetch_all(server, source, file)
        part.replace(path)
    except OSError as error:
        raise ServerError(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)


def _fetch_all(server: Server, path: str, file: BinaryIO) -> None:
    """Requests the missing bytes until the file is complete."""
    patience, etag, total = _Patience(), "", None
    while total is None or file.tell() < total:
        headers = {"Accept-Encoding": "identity"}
        if etag and file.tell():
            headers |= {"Range": f"bytes={file.tell()}-", "If-Range": etag}
        try:
            with server.stream("GET", path, headers=headers) as answer:
                if answer.status_code != _PARTIAL_CONTENT:
                    file.seek(0)
                    file.truncate()
                etag, total = answer.headers.get("etag", ""), file.tell() + int(answer.headers["content-length"])
                for chunk in answer.iter_raw():
                    patience.renew()
                    file.write(chunk)
        except Away as error:
            if total is None:
                raise
            patience.wait_or_raise(error)


def _path(job_id: str) -> str:
    return f"{JOBS}/{quote(job_id, safe='')}"
