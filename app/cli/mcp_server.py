"""The MCP server of `koe mcp`: an assistant speaks texts and lists voices, through a running Koe server.

Why a text within the limit of OpenAI's models is asked for with asyncio, and a longer one is a job: when the assistant cancels
a call or leaves, the connection is closed or the job deleted, and nobody speaks in vain.

Why a file that exists is never replaced: the path comes from a model, and not from a person.
"""

import base64
import signal
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import AudioContent, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from app import __version__
from app.cli import job_client
from app.cli.client import Server, ServerError, check_writable, format_of
from app.core.speech.formats import DEFAULT_FORMAT, FORMATS, JOB_FORMATS
from app.core.speech.languages import find_language
from app.core.speech.models import OPENAI_MAX_INPUT_CHARS
from app.core.speech.utterance import MAX_SPEED, MIN_SPEED
from app.core.speech.voices import DEFAULT_VOICE, rank_of

MAX_INLINE_CHARS: Final = 20_000
"""A longer text needs a file: its audio is too large for a message."""

_MODEL: Final = "tts-1"

_Text = Annotated[str, Field(description="The text to speak, up to a whole book.", min_length=1)]
_VoiceName = Annotated[str | None, Field(description="A voice of list_voices, or a blend such as af_heart+bf_emma.")]
_Speed = Annotated[float, Field(description="1 is normal.", ge=MIN_SPEED, le=MAX_SPEED)]
_FormatName = Annotated[
    str | None,
    Field(
        description=f"By default that of the file's extension, else {DEFAULT_FORMAT}. m4b needs a file.",
        json_schema_extra={"enum": [*JOB_FORMATS, None]},
    ),
]
_LanguageTag = Annotated[str | None, Field(description="BCP 47 tag, such as en-GB or ja; by default the voice's own.")]
_File = Annotated[
    str | None,
    Field(description=f"Path of a new file for the audio. A text of more than {MAX_INLINE_CHARS:,} characters needs one."),
]


class VoiceChoice(BaseModel):
    """A voice."""

    id: str
    name: str
    language: str


class VoiceChoices(BaseModel):
    """Some of the server's voices."""

    voices: list[VoiceChoice]


def serve(server: Server) -> None:
    """Serves an assistant on standard input and output until it leaves. Ctrl-C ends the process at once: the thread that reads
    the input would go on waiting otherwise.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    tools = _Tools(server)
    mcp = MCPServer("koe", title="Koe", version=__version__, instructions="Speaks texts aloud.", log_level="WARNING")
    writes = ToolAnnotations(title="Speak a text", read_only_hint=False, destructive_hint=False, idempotent_hint=True)
    mcp.add_tool(tools.speak, annotations=writes, structured_output=False)
    mcp.add_tool(tools.list_voices, annotations=ToolAnnotations(title="List voices", read_only_hint=True))
    mcp.run("stdio")


class _Tools:
    """The tools. What they raise is a ToolError, whose text the assistant reads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def speak(
        self,
        text: _Text,
        context: Context,
        voice: _VoiceName = None,
        speed: _Speed = 1.0,
        format: _FormatName = None,  # noqa: A002 - the tool's own name for it
        language: _LanguageTag = None,
        file: _File = None,
    ) -> list[AudioContent | TextContent]:
        """Speak a text. Returns the audio, or writes it into `file` and says where."""
        try:
            path = _writable(file) if file else None
            format_name = format or (format_of(path, JOB_FORMATS, remedy="set `format`") if path else DEFAULT_FORMAT)
            _check_size(text, format_name, path)
            asked = {"model": _MODEL, "input": text, "speed": speed, "response_format": format_name}
            asked["voice"] = voice or await self._default_voice(language)
            asked |= {"language": language} if language else {}
            if _is_job(text, format_name):
                return await self._speak_long(asked, path, context)
            return _result(await self._speak(asked), format_name, path)
        except ServerError as error:
            raise ToolError(str(error)) from error

    async def list_voices(self, language: _LanguageTag = None) -> VoiceChoices:
        """List the voices, of all languages or of one."""
        try:
            voices = await self._voices(language)
        except ServerError as error:
            raise ToolError(str(error)) from error
        return VoiceChoices(
            voices=[VoiceChoice(**{name: voice[name] for name in VoiceChoice.model_fields}) for voice in voices]
        )

    async def _voices(self, language: str | None) -> list[dict[str, Any]]:
        voices = await anyio.to_thread.run_sync(self._server.voices, abandon_on_cancel=True)
        return [voice for voice in voices if language is None or _speaks(voice["language"], language)]

    async def _default_voice(self, language: str | None) -> str:
        """The best voice of the language."""
        voices = await self._voices(language) if language else []
        best = min(voices, key=lambda voice: rank_of(voice.get("grade") or ""), default=None)
        return best["id"] if best else DEFAULT_VOICE

    async def _speak(self, asked: dict[str, Any]) -> bytes:
        async with self._server.speech_async(asked) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def _speak_long(self, asked: dict[str, Any], path: Path | None, context: Context) -> list[AudioContent | TextContent]:
        """Speaks a text as a job. The job is deleted at the end, also when the call is cancelled."""
        job = await anyio.to_thread.run_sync(job_client.create, self._server, asked)
        try:
            with tempfile.TemporaryDirectory() as folder:
                goal = path or Path(folder, "speech")
                fetch = partial(_watch_and_fetch, self._server, job["id"], goal, context)
                await anyio.to_thread.run_sync(fetch, abandon_on_cancel=True)
                return [_written(path)] if path else _result(goal.read_bytes(), asked["response_format"], None)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_delete, self._server, job["id"])


def _watch_and_fetch(server: Server, job_id: str, path: Path, context: Context) -> None:
    """Runs in a thread. Reports the progress, and fetches the file. Raises ServerError."""
    job: dict[str, Any] = {}
    for job in job_client.watch(server, job_id):
        done, total = job["progress"]["segments_done"], job["progress"]["segments_total"] or None
        anyio.from_thread.run(context.report_progress, done, total)
    if job["status"] != "completed":
        raise ServerError(f"The job failed: {job['error']['message']}" if job["error"] else f"The job was {job['status']}.")
    job_client.fetch(server, job_id, path)


def _delete(server: Server, job_id: str) -> None:
    """Deletes the job. A server that is gone deletes it later by itself."""
    try:
        job_client.delete(server, job_id)
    except ServerError:
        return


def _writable(file: str) -> Path:
    """The path of a new file. Raises ServerError for one that cannot be written."""
    path = Path(file).expanduser().absolute()
    check_writable(path)
    if path.exists():
        raise ServerError(f"{path} exists already: name another file.")
    return path


def _is_job(text: str, format_name: str) -> bool:
    return len(text) > OPENAI_MAX_INPUT_CHARS or _is_of_jobs(format_name)


def _is_of_jobs(format_name: str) -> bool:
    """Whether only jobs have the format."""
    return format_name in JOB_FORMATS and format_name not in FORMATS


def _check_size(text: str, format_name: str, path: Path | None) -> None:
    if path is None and (len(text) > MAX_INLINE_CHARS or _is_of_jobs(format_name)):
        raise ServerError(f"A text of more than {MAX_INLINE_CHARS:,} characters, and an audiobook, needs a file: set `file`.")


def _result(data: bytes, format_name: str, path: Path | None) -> list[AudioContent | TextContent]:
    if path is None:
        audio = base64.b64encode(data).decode()
        return [AudioContent(type="audio", data=audio, mime_type=FORMATS[format_name].media_type)]
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise ServerError(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return [_written(path)]


def _written(path: Path) -> TextContent:
    return TextContent(type="text", text=f"The speech is in {path} ({path.stat().st_size:,} bytes).")


def _speaks(tag: str, language: str) -> bool:
    """Whether a voice of that tag has the language: `en` means all of English, `en-GB` or `b` one of them."""
    wanted, tag = language.strip().replace("_", "-").lower(), tag.lower()
    found = find_language(language)
    is_whole = tag.startswith(f"{wanted}-")
    return tag == wanted or is_whole or (found is not None and tag == found.tag.lower())
