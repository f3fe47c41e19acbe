"""`koe jobs`: lists, shows, fetches, cancels and deletes jobs. `job_watching` submits and watches them."""

import time
from pathlib import Path
from typing import Any

import click

from app.cli import client, job_client
from app.cli.help import AS_JSON, examples
from app.cli.server_option import with_server
from app.cli.texts import JobId
from app.core.host.terminal import echo_json, echo_table
from app.core.speech.captions import CAPTION_FORMATS, DEFAULT_CAPTION_FORMAT


@click.command("list", epilog=examples("koe jobs list", "koe jobs list --json | jq -r '.[].id'"))
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Most jobs to list.")
@AS_JSON
@with_server
def list_(server: client.Server, limit: int, as_json: bool) -> None:
    """List your jobs, the newest first."""
    newest = job_client.newest(server, limit)
    if as_json:
        echo_json(newest)
        return
    rows = [_row(job) for job in newest]
    echo_table(["job", "status", "created", "segments", "speech", "title"], rows)


@click.command(epilog=examples("koe jobs show ID | jq .progress"))
@click.argument("job_id", type=JobId())
@with_server
def show(server: client.Server, job_id: str) -> None:
    """Print the job as JSON."""
    echo_json(job_client.get(server, job_id))


@click.command(epilog=examples("koe jobs download ID -o book.mp3"))
@click.argument("job_id", type=JobId())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; by default named after the id."
)
@with_server
def download(server: client.Server, job_id: str, output: Path | None) -> None:
    """Fetch the file of a completed job."""
    job = job_client.get(server, job_id)
    fetch_file(server, job, output or Path(f"{job['id']}.{job['response_format']}"))


@click.command(epilog=examples("koe jobs captions ID -o book.vtt"))
@click.argument("job_id", type=JobId())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; by default named after the id."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice([*CAPTION_FORMATS]),
    help="Format, instead of the file's extension; by default srt.",
)
@with_server
def captions(server: client.Server, job_id: str, output: Path | None, format_name: str | None) -> None:
    """Fetch the captions of a completed job that was submitted with --captions."""
    format_name = format_name or (_caption_format_of(output) if output else DEFAULT_CAPTION_FORMAT)
    job = job_client.get(server, job_id)
    output = output or Path(f"{job['id']}.{format_name}")
    job_client.fetch_captions(server, job["id"], format_name, output)
    click.echo(f"{output}: captions of {show_speech(job)} of speech", err=True)


@click.command(epilog=examples("koe jobs cancel ID"))
@click.argument("job_id", type=JobId())
@with_server
def cancel(server: client.Server, job_id: str) -> None:
    """Cancel a job, and print its state."""
    click.echo(job_client.cancel(server, job_id)["status"])


@click.command(epilog=examples("koe jobs delete ID"))
@click.argument("job_id", type=JobId())
@with_server
def delete(server: client.Server, job_id: str) -> None:
    """Delete a job and its file."""
    job_client.delete(server, job_id)


def _row(job: dict[str, Any]) -> list[str]:
    created = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["created_at"]))
    return [job["id"], job["status"], created, show_segments(job), show_speech(job), job["title"] or ""]


def _caption_format_of(path: Path) -> str:
    name = path.suffix.removeprefix(".").lower()
    if name not in CAPTION_FORMATS:
        raise ValueError(
            f"{path.name}: no captions have this extension. Use one of {', '.join(CAPTION_FORMATS)}, or give --format."
        )
    return name


def fetch_file(server: client.Server, job: dict[str, Any], output: Path) -> None:
    """Fetches the file of a completed job, and says how long it is."""
    job_client.fetch(server, job["id"], output)
    click.echo(f"{output}: {show_speech(job)} of speech", err=True)


def show_segments(job: dict[str, Any]) -> str:
    """Returns how many segments are spoken, of how many; nothing before they are counted."""
    progress = job["progress"]
    return f"{progress['segments_done']}/{progress['segments_total']}" if progress["segments_total"] else ""


def show_speech(job: dict[str, Any]) -> str:
    """Returns the hours, minutes and seconds of speech, so far or in total."""
    return show_clock(job["duration_seconds"] or job["progress"]["audio_seconds"])


def show_clock(seconds: float) -> str:
    """Returns hours, minutes and seconds."""
    seconds = round(seconds)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
