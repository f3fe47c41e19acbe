"""The `koe` command: each of its subcommands, and errors as one line with the remedy."""

import json
import logging
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result

import app
from app.access.keyring import Keyring
from app.cli.commands import koe
from app.cli.lazy_group import LazyGroup
from app.core.rate_limits import RateLimit
from tests.audio import decode, sounding_seconds
from tests.command_lines import parse
from tests.harness import Harness
from tests.valkeys import serving
from workers.engines.tone import SECONDS_PER_PHONEME

Run = Callable[..., Result]

COMMANDS = list(koe.entries)
SHOWN = [name for name, entry in koe.entries.items() if entry.summary]
GROUPS = {"koe": koe, "koe jobs": cast(LazyGroup, koe.entries["jobs"].command)}


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs the command in this process, and restores the logging afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def invoke(*arguments: str | Path, given: str | None = None, **environ: str) -> Result:
        return CliRunner().invoke(koe, [str(argument) for argument in arguments], input=given, env=dict(environ))

    yield invoke
    root.handlers[:] = handlers
    root.setLevel(level)


def the_line(result: Result, status: int = 1) -> str:
    """Returns the one line of an error."""
    assert result.exit_code == status
    assert isinstance(result.exception, SystemExit)
    # The harness logs in this process too: its log, in JSON, goes to the same stream as the command's errors.
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("Error: ")
    return line


def test_help_names_every_command(run: Run) -> None:
    result = run("--help")

    assert result.exit_code == 0
    places = [result.output.index(f"\n  {name} ") for name in SHOWN]
    assert places == sorted(places)
    assert "has-voice" not in result.output


def test_a_misspelt_command_gets_a_proposal(run: Run) -> None:
    result = run("fetsh")

    assert result.exit_code == 2
    assert "Did you mean 'fetch'?" in result.stderr


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in GROUPS[group].entries])
def test_a_command_has_the_name_that_the_group_lists(group: str, name: str) -> None:
    entry = GROUPS[group].entries[name]

    assert entry.command.name == name
    assert entry.command.hidden == (not entry.summary)


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in GROUPS[group].entries])
def test_every_example_in_the_help_can_be_called(group: str, name: str) -> None:
    command = GROUPS[group].entries[name].command
    lines = re.findall(r"^  (?:\w+=\S+ )*(?:.*\$\()?(koe [^#|<>)]*)", command.epilog or "", re.MULTILINE)

    assert lines or command.hidden
    for line in lines:
        parse(shlex.split(line)[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_hides_internal_options(run: Run, name: str) -> None:
    result = run(name, "-h")

    assert result.exit_code == 0
    assert "--with-parent" not in result.output


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_the_package_s(run: Run, option: str) -> None:
    assert run(option).output == f"koe, version {app.__version__}\n"


HEAVY = {"asyncio", "httpx", "litestar", "redis", "rich", "structlog", "uvicorn", "yaml"}


@pytest.mark.parametrize(
    ("arguments", "imported"),
    [
        (["-V"], []),
        (["-h"], []),
        (["completion", "bash"], []),
        (["constraints"], []),
        (["say", "-h"], ["asyncio", "httpx", "rich"]),
        (["jobs", "list", "-h"], ["asyncio", "httpx", "rich"]),
        (["mcp", "-h"], ["asyncio", "httpx", "rich"]),
    ],
    ids=" ".join,
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], imported: list[str]) -> None:
    modules = modules_of(*arguments)

    assert modules & HEAVY <= set(imported)
    assert not {"rich.console", "pygments"} & modules


def test_a_command_of_the_operator_imports_no_web_framework() -> None:
    assert not {"litestar", "uvicorn"} & modules_of("redis-url", "-h")


def modules_of(*arguments: str) -> set[str]:
    """The modules that a command has imported at its end."""
    script = "import sys\nfrom app.cli.commands import koe\ntry: koe()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_constraints_are_those_of_the_repository(run: Run) -> None:
    pinned = (Path(__file__).parents[3] / "deploy/constraints.txt").read_text()

    assert run("constraints").output == pinned
    assert Path(run("constraints", "--path").output.removesuffix("\n")).read_text() == pinned


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(run: Run, shell: str) -> None:
    script = run("completion", shell).output

    assert f"_KOE_COMPLETE={shell}_complete" in script
    assert "new-key" in completed(shell, "koe ne", 1)
    assert "submit" in completed(shell, "koe jobs su", 2)
    assert "--workers" in completed(shell, "koe serve --wo", 2)


def completed(shell: str, line: str, n_word: int) -> str:
    """Returns what the command answers to the script of that shell, before the end of `line` is typed."""
    words = {"COMP_WORDS": line, "COMP_CWORD": line.rsplit(maxsplit=1)[-1] if shell == "fish" else str(n_word)}
    script = "from app.cli.commands import koe; koe(prog_name='koe')"
    environ = os.environ | {"_KOE_COMPLETE": f"{shell}_complete"} | words
    return subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_accepts_the_script(run: Run) -> None:
    script = run("completion", "bash").output + "\ncomplete -p koe"

    assert "_koe_completion" in subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def test_an_unknown_setting_is_one_line(run: Run) -> None:
    assert "KOE_PROT is not a setting of Koe" in the_line(run("redis-url", KOE_PROT="8000"), 78)


def test_a_setting_that_cannot_be_read_is_one_line(run: Run) -> None:
    assert "KOE_PORT" in the_line(run("openapi", KOE_PORT="many"), 78)


@pytest.mark.parametrize("name", ["serve", "api"])
def test_a_port_in_use_is_one_line_with_the_remedy(run: Run, data: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        line = the_line(run(name, KOE_PORT=port, KOE_DATA=str(data)))

    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "KOE_PORT" in line


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_one_line(run: Run, data: Path, port: str) -> None:
    assert "KOE_PORT" in the_line(run("api", KOE_PORT=port, KOE_DATA=str(data)), 78)


def test_a_folder_too_deep_for_a_socket_is_one_line_with_the_remedy(run: Run, tmp_path: Path) -> None:
    assert "set KOE_DATA to a shorter one" in the_line(run("redis-url", KOE_DATA=str(tmp_path / ("deep" * 30))), 78)


def test_redis_url_is_the_embedded_server_s_or_the_one_that_is_set(run: Run, data: Path) -> None:
    assert run("redis-url", KOE_DATA=str(data)).stdout == f"unix://{data}/valkey.sock\n"
    assert run("redis-url", KOE_REDIS_URL="redis://elsewhere:6379/1").stdout == "redis://elsewhere:6379/1\n"


def test_openapi_is_the_schema_as_json(run: Run) -> None:
    result = run("openapi")

    schema = json.loads(result.stdout)
    assert schema["info"]["title"] == "Koe"
    assert "/v1/audio/speech" in schema["paths"]


@pytest.mark.parametrize("format_name", ["mp3", "wav", "flac"])
def test_say_writes_the_file_that_its_ending_names(run: Run, harness: Harness, tmp_path: Path, format_name: str) -> None:
    file = tmp_path / f"hello.{format_name.upper()}"

    result = run("say", "Hello there.", "-o", file, "--url", harness.url)

    assert result.exit_code == 0, result.output
    assert "first audio after" in result.stderr
    assert sounding_seconds(decode(file.read_bytes(), format_name)) == pytest.approx(12 * SECONDS_PER_PHONEME, abs=0.03)
    assert list(tmp_path.iterdir()) == [file]


def test_say_reads_from_standard_input_and_takes_format_speed_and_voice(run: Run, harness: Harness, tmp_path: Path) -> None:
    options = ["--format", "pcm", "--speed", "2", "--voice", "af_heart+bf_emma", "--model", "tts-1"]

    result = run("say", "-", "-o", tmp_path / "hello.raw", "--url", f"{harness.url}/v1", *options, given="Hello there.")

    assert result.exit_code == 0, result.output
    assert len((tmp_path / "hello.raw").read_bytes()) == 2 * 24_000 * 12 * SECONDS_PER_PHONEME / 2


def test_say_finds_the_server_by_the_settings(run: Run, harness: Harness, tmp_path: Path) -> None:
    port = harness.url.rpartition(":")[2]

    result = run("say", "Hello there.", "-o", tmp_path / "hello.mp3", KOE_HOST="0.0.0.0", KOE_PORT=port)

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--voice", "nobody"], "400: Invalid value: 'nobody'"),
        (["--model", "unknown"], "404: The model `unknown`"),
        (["--speed", "9"], "400: Invalid 'speed'"),
        (["--model", "kokoro"], "503: "),
    ],
)
def test_a_refusal_of_the_server_prints_one_line_and_makes_no_file(
    run: Run, harness: Harness, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = run("say", "Hello.", "-o", tmp_path / "hello.mp3", "--url", harness.url, *arguments)

    assert said in the_line(result)
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_names_no_format_is_one_line(run: Run, harness: Harness, tmp_path: Path) -> None:
    line = the_line(run("say", "Hello.", "-o", tmp_path / "hello.xyz", "--url", harness.url))
    assert "hello.xyz" in line
    assert "--format" in line


def test_a_file_that_cannot_be_written_is_one_line(run: Run, harness: Harness, tmp_path: Path) -> None:
    assert "absent" in the_line(run("say", "Hello.", "-o", tmp_path / "absent" / "hello.mp3", "--url", harness.url))


def test_phonemize_prints_the_spoken_text_a_line_for_each_segment(run: Run, harness: Harness) -> None:
    text = "The birch canoe slid on the smooth planks. And nobody saw it."

    result = run("phonemize", text, "--url", harness.url)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["The birch canoe slid on the smooth planks.", "And nobody saw it."]


def test_phonemize_reads_from_standard_input_and_takes_voice_or_language(run: Run, harness: Harness) -> None:
    for options in (["--language", "fr"], ["--voice", "ff_siwis"]):
        result = run("phonemize", "-", "--url", harness.url, *options, given="Bonjour.")
        assert (result.exit_code, result.stdout) == (0, "Bonjour.\n")

    assert "400: Invalid value: 'tlh'" in the_line(run("phonemize", "Hello.", "--url", harness.url, "--language", "tlh"))


@pytest.mark.parametrize("name", ["say", "voices"])
def test_without_a_server_it_is_one_line_with_the_remedy(run: Run, tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    arguments = ["Hello.", "-o", tmp_path / "hello.mp3"] if name == "say" else []

    line = the_line(run(name, *arguments, "--url", url))

    assert url in line
    assert "koe serve" in line


@pytest.mark.parametrize("url", ["nowhere", "http://[", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_one_line(run: Run, url: str) -> None:
    the_line(run("voices", "--url", url))


def test_without_a_player_the_remedy_is_printed(run: Run, harness: Harness, tmp_path: Path) -> None:
    assert "-o speech.mp3" in the_line(run("say", "Hello.", "--url", harness.url, PATH=str(tmp_path)))


def test_a_player_gets_the_whole_sound(run: Run, harness: Harness, tmp_path: Path) -> None:
    player = tmp_path / "aplay"
    player.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; d=sys.stdin.buffer.read(); open(sys.argv[1], "
        f'"wb").write(d)\' {tmp_path}/played.wav\n'
    )
    player.chmod(0o755)

    result = run("say", "Hello there.", "--url", harness.url, PATH=str(tmp_path))

    assert result.exit_code == 0, result.output
    played = decode((tmp_path / "played.wav").read_bytes(), "wav")
    assert len(played) == round(12 * SECONDS_PER_PHONEME * 24_000)


@pytest.mark.parametrize(("last", "how"), [("exit 3", "with status 3"), ("kill -9 $$", "by SIGKILL")])
def test_a_player_that_dies_is_named(run: Run, harness: Harness, tmp_path: Path, last: str, how: str) -> None:
    player = tmp_path / "aplay"
    player.write_text(f"#!/bin/sh\n{last}\n")
    player.chmod(0o755)

    line = the_line(run("say", "A text of some length. " * 20, "--url", harness.url, PATH=str(tmp_path)))

    assert f"aplay, which played the audio, ended {how}" in line
    assert "-o speech.mp3" in line


def test_a_player_that_is_closed_early_is_no_error(run: Run, harness: Harness, tmp_path: Path) -> None:
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\nexit 0\n")
    player.chmod(0o755)

    assert run("say", "A text of some length. " * 20, "--url", harness.url, PATH=str(tmp_path)).exit_code == 0


@pytest.mark.parametrize("key", ["sk-\u2026", "sk-a\nb", "ключ"])
def test_a_key_that_does_not_fit_into_a_header_is_refused_and_not_shown(run: Run, harness: Harness, key: str) -> None:
    line = the_line(run("phonemize", "Hello.", "--url", harness.url, "--key", key))

    assert "API key" in line
    assert key not in line


def test_a_key_with_a_line_end_is_taken_without_it(run: Run, harness: Harness) -> None:
    assert run("phonemize", "Hello.", "--url", harness.url, "--key", "sk-a\r\n").exit_code == 0


@pytest.mark.parametrize("speed", ["nan", "inf", "fast"])
def test_the_error_for_a_speed_that_is_no_number_names_the_option(run: Run, harness: Harness, speed: str) -> None:
    result = run("say", "Hello.", "--url", harness.url, "--speed", speed)

    assert result.exit_code == 2
    assert "--speed" in result.stderr


@pytest.mark.parametrize("body", ["<html>Hello</html>", "[]", '{"status": "ok"}', "7"])
@pytest.mark.parametrize("command", ["voices", "phonemize", "jobs"])
def test_another_server_at_that_address_is_reported(run: Run, body: str, command: str) -> None:
    arguments = {"voices": ["voices"], "phonemize": ["phonemize", "Hello."], "jobs": ["jobs", "list"]}[command]
    with other_server(body) as url:
        assert "is not a Koe server" in the_line(run(*arguments, "--url", url))


@contextmanager
def other_server(body: str) -> Iterator[str]:
    """Yields the URL of a server that answers every request with `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a?b", "a b"])
@pytest.mark.parametrize("command", ["show", "delete", "cancel", "watch", "download", "captions"])
def test_an_invalid_job_id_never_requests_another_path(run: Run, harness: Harness, command: str, job_id: str) -> None:
    result = run("jobs", command, job_id, "--url", harness.url)

    assert result.exit_code == 2
    assert "no id of a job" in result.stderr


@pytest.mark.parametrize("name", ["", " ", "a\nb"])
def test_a_new_key_needs_a_name_of_one_line(run: Run, name: str) -> None:
    result = run("new-key", name)

    assert result.exit_code == 2
    assert "is not a name" in result.stderr


def test_an_address_without_a_scheme_is_http_s(run: Run, harness: Harness) -> None:
    assert run("phonemize", "Hello.", "--url", harness.url.removeprefix("http://")).exit_code == 0


ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def as_process(*arguments: str | bytes, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, check=False)


def test_a_terminal_of_ascii_shows_what_it_can(data: Path) -> None:
    done = as_process("doctor", **ASCII, KOE_DATA=str(data), KOE_ENGINE="espeak")

    assert b"Error" not in done.stderr
    assert b"+ Python: " in done.stdout
    assert b"    -> " in done.stdout


def test_arguments_are_utf_8_whatever_the_locale(harness: Harness) -> None:
    options = ("--url", harness.url, "--voice", "alloy")
    plain = as_process("phonemize", "Schöne Grüße.", *options, PYTHONIOENCODING="utf-8")
    in_ascii = as_process("phonemize", "Schöne Grüße.".encode(), *options, **ASCII)

    assert (plain.returncode, in_ascii.returncode) == (0, 0), plain.stderr + in_ascii.stderr
    assert in_ascii.stdout == plain.stdout


def test_an_argument_that_is_not_utf_8_is_reported(harness: Harness) -> None:
    done = as_process("phonemize", b"K\xf6ln", "--url", harness.url)

    assert done.returncode == 2
    assert b"it is not UTF-8 text" in done.stderr


def test_voices_lists_them_with_their_other_names(run: Run, harness: Harness) -> None:
    result = run("voices", "--url", harness.url, COLUMNS="200")

    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.lstrip().startswith("af_heart")]
    assert "coral" in line
    assert "en-US" in line


def test_a_reader_that_ends_early_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m app.cli openapi | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("{", "")


def test_lists_are_json_for_programs(run: Run, harness: Harness) -> None:
    voices = json.loads(run("voices", "--json", "--url", harness.url).stdout)
    jobs = json.loads(run("jobs", "list", "--json", "--url", harness.url).stdout)

    assert "af_heart" in {voice["id"] for voice in voices}
    assert jobs == []


def test_the_doctor_s_checks_are_json_for_programs(data: Path) -> None:
    done = as_process("doctor", "--json", KOE_DATA=str(data), KOE_ENGINE="espeak")

    checks = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"Python", "Queue", "ffmpeg", "espeak"} <= {check["name"] for check in checks}
    assert all(check["remedy"] for check in checks if not check["is_well"])


def test_as_a_process_an_error_is_one_line_too() -> None:
    environ = os.environ | {"KOE_NOTHING": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "redis-url"], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.startswith("Error: KOE_NOTHING is not a setting of Koe.")
    assert len(done.stderr.splitlines()) == 1


def test_the_command_starts_without_the_speaking_side() -> None:
    script = (
        "import sys, app.cli.commands; print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'workers', 'torch', 'numpy', 'kokoro', 'misaki'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_the_newer_kind_may_be_listened_on(run: Run, data: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = str(taken.getsockname()[1])

        line = the_line(run("api", KOE_HOST="::1", KOE_PORT=port, KOE_DATA=str(data)))

    assert "in use" in line


def test_a_new_key_is_printed_once_and_its_entry_accepts_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    told = []
    for name, options in (("kitchen", ()), ('the "attic"', ("--rate-limit", "5 / second", "--max-concurrent", "2"))):
        result = run("new-key", name, *options)
        file.write_text((file.read_text() if file.exists() else "") + result.stdout)
        told.append(result.stderr.rpartition(" ")[2].strip())

    ring = Keyring(file=file)

    opened = [ring.find(key.encode()) for key in told]
    assert [(key.name, key.rate_limit, key.max_concurrent) for key in opened if key] == [
        ("kitchen", None, 0),
        ('the "attic"', RateLimit(5, 1), 2),
    ]
    assert not any(key in file.read_text() for key in told)


def test_a_new_key_with_a_limit_that_is_none_is_refused(run: Run) -> None:
    assert "60/minute" in the_line(run("new-key", "x", "--rate-limit", "lots"))


@pytest.mark.parametrize("name", ["KOE_API_KEYS_FILE", "KOE_LEXICON", "KOE_VOICES_FILE"])
def test_a_file_that_cannot_be_read_is_reported_at_the_start(run: Run, data: Path, name: str) -> None:
    line = the_line(run("serve", KOE_DATA=str(data), KOE_PORT="0", **{name: str(data / "none.toml")}), 78)

    assert name in line


@pytest.mark.parametrize("command", ["serve", "api"])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://queue.example", "KOE_REDIS_URL has the scheme 'http'"),
        ("127.0.0.1:6379", "KOE_REDIS_URL has no scheme"),
        ("redis://:hunter2/ss@127.0.0.1:6379", "percent-encode"),
        ("redis+sentinel://127.0.0.1:26379", "no service for its sentinels"),
    ],
)
def test_a_url_that_names_no_redis_ends_the_server_with_one_line(
    command: str, url: str, told: str, run: Run, data: Path
) -> None:
    line = the_line(run(command, KOE_DATA=str(data), KOE_PORT="0", KOE_REDIS_URL=url), 78)
    assert told in line
    assert "hunter2" not in line
    assert "ss@" not in line


def test_a_worker_too_ends_at_once_with_a_url_that_names_no_redis(data: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KOE_")}
    environ |= {"KOE_DATA": str(data), "KOE_ENGINE": "tone", "KOE_REDIS_URL": "redis://:hunter2#@127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-m", "workers"], env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 78
    assert "percent-encode" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_redis_in_cluster_mode_ends_every_part_with_one_line(run: Run, data: Path, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KOE_")}
    with serving(tmp_path, "--cluster-enabled", "yes") as server:
        for command in ("serve", "api"):
            told = the_line(run(command, KOE_DATA=str(data), KOE_PORT="0", KOE_REDIS_URL=server.url), 78)
            assert "cluster mode" in told
        environ |= {"KOE_DATA": str(data), "KOE_ENGINE": "tone", "KOE_REDIS_URL": server.url}
        done = subprocess.run(
            [sys.executable, "-m", "workers"], env=environ, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 78
    assert "cluster mode" in done.stderr
