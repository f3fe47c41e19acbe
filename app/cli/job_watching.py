"""`koe jobs submit` and `koe jobs watch`: jobs with their progress in the terminal."""

from pathlib import Path
from typing import Any, Final

import click
from rich.progress import BarColumn, Progress, TextColumn

from app.cli import client, job_client
from app.cli.document_client import ChapterNumbers, is_read_by_server, rows_of, sent, spoken_indices
from app.cli.help import examples
from app.cli.jobs import fetch_file, show_clock, show_segments, show_speech
from app.cli.server_option import with_server
from app.cli.texts import JobId, Number, Text, read_text
from app.core.host import remedies
from app.core.host.console import plain_console
from app.core.host.terminal import echo_table
from app.core.speech.formats import DEFAULT_FORMAT, JOB_FORMATS
from app.core.speech.voices import DEFAULT_VOICE

_TEXTS: Final = ("description", "fields[segments]", "fields[speech]", "fields[left]")
"""What stands in the line of progress; the bar is after the first."""


@click.command(
    epilog=examples(
        "koe jobs submit book.txt --watch",
        "koe jobs submit book.epub --list                  # its chapters, and no job",
        "koe jobs submit book.epub --chapters 3-12 -o book.m4b --captions",
        "koe jobs submit notes.txt --document --title Notes",
    )
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--watch", is_flag=True, help="Show the progress, and fetch the file at the end.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; implies --watch.")
@click.option("--voice", type=Text(), default=DEFAULT_VOICE, show_default=True, help="A name of `koe voices`, or a blend.")
@click.option("--model", type=Text(), default="tts-1", show_default=True)
@click.option("--speed", type=Number(), default=1.0, show_default=True)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(JOB_FORMATS)),
    help="Format, instead of the file's extension; by default mp3.",
)
@click.option(
    "--chapters", type=ChapterNumbers(), help="Numbers of the chapters to speak, such as 1-3,5; by default the story."
)
@click.option("--list", "lists", is_flag=True, help="Print the chapters, and which of them would be spoken. Creates no job.")
@click.option(
    "--document/--plain",
    "reads",
    default=None,
    help="Have the server read FILE, or send its text as it is. By default .txt and unknown extensions are sent as they are.",
)
@click.option("--title", type=Text(), help="Title in the file's tags and its name; by default that of the book.")
@click.option("--webhook-url", type=Text(), help="URL that is called when the job ends.")
@click.option("--captions", is_flag=True, help="Store word times: `koe jobs captions` fetches the captions.")
@with_server
def submit(
    server: client.Server,
    file: str,
    watch: bool,
    output: Path | None,
    format_name: str | None,
    chapters: list[int] | None,
    lists: bool,
    reads: bool | None,
    captions: bool,
    **asked: Any,
) -> None:
    """Submit FILE as a job, and print the job's id.

    FILE is a text (UTF-8; `-` is standard input), or a book or another file that the server reads: .epub, .docx, .html, .md,
    .srt.
    """
    format_name = format_name or (client.format_of(output, JOB_FORMATS) if output else DEFAULT_FORMAT)
    stem = "speech" if file == "-" else Path(file).stem
    output = output or (Path(f"{stem}.{format_name}") if watch and not lists else None)
    if output is not None:
        client.check_writable(output)
    asked |= {"response_format": format_name, "timestamps": ["word"] if captions else None}
    is_document = _is_document(file, reads, wants_chapters=lists or chapters is not None)
    job = _of_document(server, Path(file), chapters, asked, lists=lists) if is_document else _of_text(server, file, asked)
    if job is None:
        return
    click.echo(job["id"])
    if output is not None:
        _watch_and_fetch(server, job, output)


def _is_document(file: str, reads: bool | None, *, wants_chapters: bool) -> bool:
    """Whether the server reads the file. Raises UsageError for options that contradict each other."""
    if wants_chapters and reads is False:
        raise click.UsageError("--plain sends the text as it is, without chapters: leave it out, or --chapters and --list.")
    if file == "-" and (reads or wants_chapters):
        raise click.UsageError(
            "Standard input is sent as it is: give the name of a file with --document, --chapters or --list."
        )
    return wants_chapters or reads or (reads is None and is_read_by_server(file))


def _of_text(server: client.Server, file: str, asked: dict[str, Any]) -> dict[str, Any]:
    return _create(server, asked | {"input": read_text(file)})


def _of_document(
    server: client.Server, path: Path, chosen: list[int] | None, asked: dict[str, Any], *, lists: bool
) -> dict[str, Any] | None:
    """Creates a job of a file that the server reads; with `lists` it prints the chapters instead, and returns None."""
    with sent(server, path) as document:
        spoken = spoken_indices(document, chosen)
        if lists:
            echo_table(["chapter", "spoken", "characters", "title"], rows_of(document, spoken))
            return None
        return _create(server, asked | {"document": document["id"], "chapters": spoken})


def _create(server: client.Server, asked: dict[str, Any]) -> dict[str, Any]:
    return job_client.create(server, {name: value for name, value in asked.items() if value is not None})


@click.command(epilog=examples("koe jobs watch ID"))
@click.argument("job_id", type=JobId())
@with_server
def watch(server: client.Server, job_id: str) -> None:
    """Show the job's progress until it has ended."""
    _watch(server, job_id)


def _watch_and_fetch(server: client.Server, job: dict[str, Any], output: Path) -> None:
    try:
        fetch_file(server, _watch(server, job["id"]), output)
    except KeyboardInterrupt:
        watching, cancelling = remedies.koe(f"jobs watch {job['id']}"), remedies.koe(f"jobs cancel {job['id']}")
        click.echo(f"The job goes on: {watching}, {cancelling}.", err=True)
        raise


def _watch(server: client.Server, job_id: str) -> dict[str, Any]:
    """Shows the progress. Returns the completed job. Raises ServerError when it failed or was cancelled."""
    job = job_client.get(server, job_id)
    texts = [TextColumn(f"{{task.{name}}}", markup=False) for name in _TEXTS]
    columns = (texts[0], BarColumn(), *texts[1:])
    with Progress(*columns, console=plain_console(is_for_errors=True)) as progress:
        task = progress.add_task(job["status"], total=None, segments="", speech="", left="")
        for job in job_client.watch(server, job_id):
            progress.update(task, **show_progress(job))
    if job["error"]:
        raise client.ServerError(f"The job failed: {job['error']['message']}")
    if job["status"] != "completed":
        raise client.ServerError(f"The job was {job['status']}.")
    return job


def show_progress(job: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of the progress bar. When everything is spoken, the server still assembles the parts and does not
    report how far it is.
    """
    done, total = job["progress"]["segments_done"], job["progress"]["segments_total"] or None
    is_joining = job["status"] == "in_progress" and total is not None and done == total
    fields = {"description": "joining", "total": None} if is_joining else {"description": job["status"], "total": total}
    left_seconds = job["progress"].get("seconds_left")
    left = "" if left_seconds is None else f"{show_clock(left_seconds)} left"
    return fields | {"completed": done, "segments": show_segments(job), "speech": show_speech(job), "left": left}
