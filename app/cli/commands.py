"""The `koe` command: its subcommands, in the order in which a person needs them.

Why imports stand inside functions here: the module of a subcommand is imported when it is called, so that the command starts at
once.
"""

import sys
from types import ModuleType

import click

from app import __version__
from app.cli.first_process import leave_first_process
from app.cli.help import examples
from app.cli.lazy_group import Entry, LazyGroup
from app.core.host.streams import replace_what_cannot_be_shown


def _completion() -> ModuleType:
    from app.cli import completion

    return completion


def _jobs() -> ModuleType:
    from app.cli import jobs

    return jobs


def _describing() -> ModuleType:
    from app.cli import describing

    return describing


def _job_watching() -> ModuleType:
    from app.cli import job_watching

    return job_watching


def _lexicon() -> ModuleType:
    from app.cli import lexicon

    return lexicon


def _mcp_command() -> ModuleType:
    from app.cli import mcp_command

    return mcp_command


def _operating() -> ModuleType:
    from app.cli import operating

    return operating


def _setting_up() -> ModuleType:
    from app.cli import setting_up

    return setting_up


def _speaking() -> ModuleType:
    from app.cli import speaking

    return speaking


def _starting() -> ModuleType:
    from app.cli import starting

    return starting


@click.group(
    cls=LazyGroup,
    sections={
        "Commands": {
            "submit": Entry(_job_watching, "submit", "Submit a text or a book, and print the job's id."),
            "watch": Entry(_job_watching, "watch", "Show the job's progress until it has ended."),
            "download": Entry(_jobs, "download", "Fetch the file of a completed job."),
            "captions": Entry(_jobs, "captions", "Fetch the captions of a completed job."),
            "list": Entry(_jobs, "list_", "List your jobs, the newest first."),
            "show": Entry(_jobs, "show", "Print a job as JSON."),
            "cancel": Entry(_jobs, "cancel", "Cancel a job, and print its state."),
            "delete": Entry(_jobs, "delete", "Delete a job and its file."),
        }
    },
    epilog=examples("koe jobs submit book.epub -o book.m4b", "koe jobs list", "koe jobs captions ID -o book.srt"),
)
def jobs() -> None:
    """Long texts, spoken in the background into one file each."""


@click.group(
    cls=LazyGroup,
    sections={
        "Commands": {
            "list": Entry(_lexicon, "list_", "List your words."),
            "add": Entry(_lexicon, "add", "Give a word its phonemes."),
            "remove": Entry(_lexicon, "remove", "Remove a word."),
        }
    },
    epilog=examples("koe lexicon add Koe kˈOA", "koe lexicon list", "koe lexicon remove Koe"),
)
def lexicon() -> None:
    """Words that the server says with your phonemes, in all your requests."""


def _own() -> ModuleType:
    return sys.modules[__name__]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    sections={
        "Start": {
            "fetch": Entry(_setting_up, "fetch", "Download Kokoro's voice, and verify it."),
            "serve": Entry(_starting, "serve", "Run everything: queue, workers and API."),
            "doctor": Entry(_operating, "doctor_", "Show what is missing, and the remedy."),
        },
        "Speak, with a running server": {
            "say": Entry(_speaking, "say", "Say a text: play it, or write it into a file."),
            "voices": Entry(_speaking, "voices", "List the voices."),
            "phonemize": Entry(_speaking, "phonemize", "Print the phonemes of a text."),
            "lexicon": Entry(_own, "lexicon", "Say words with phonemes of your own."),
            "jobs": Entry(_own, "jobs", "Have long texts spoken in the background."),
            "mcp": Entry(_mcp_command, "mcp", "Give an assistant a voice, over MCP."),
        },
        "Operate": {
            "top": Entry(_operating, "top_", "Show queues, what is spoken now, and workers."),
            "new-key": Entry(_operating, "new_key", "Make an API key, and print its entry."),
            "api": Entry(_starting, "api", "Run the API alone."),
            "worker": Entry(_setting_up, "worker", "Run one more worker."),
        },
        "For other programs": {
            "completion": Entry(_completion, "completion", "Print the completion script of a shell."),
            "constraints": Entry(_setting_up, "constraints", "Print the tested versions of all packages."),
            "openapi": Entry(_describing, "openapi", "Print the description of the API."),
            "redis-url": Entry(_operating, "redis_url", "Print the URL of the queue."),
            "has-voice": Entry(_setting_up, "has_voice"),
        },
    },
    epilog=examples(
        "koe fetch                           # the voice, once",
        "koe serve                           # everything, until Ctrl-C",
        'koe say "Hello" -o hello.mp3        # in another terminal',
        "koe jobs submit book.txt --watch    # a whole book into one file",
    )
    + "\n\n`koe COMMAND -h` has the options and examples of a command.",
)
@click.version_option(__version__, "-V", "--version", prog_name="koe")
def koe() -> None:
    """Koe: OpenAI's speech API on your own machines."""


def main() -> None:
    """The entry point of the console script."""
    leave_first_process()
    replace_what_cannot_be_shown()
    koe(prog_name="koe")
