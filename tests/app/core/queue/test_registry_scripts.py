"""The scripts: every key that they name is in the table of keys, and every one of them is Lua that Valkey understands."""

import re

import pytest
from redis import Redis

from app.core.jobs import job_scripts
from app.core.queue import registry_scripts
from app.core.storage import keys

LEDGER = {name: text for name, text in vars(registry_scripts).items() if name.isupper() and not name.startswith("_")}
JOBS = {name: text for name, text in vars(job_scripts).items() if name.isupper() and not name.startswith("_")}

VALUE = r"(?:[\w.]+(?:\[\d+\])?|\([^)]*\))"
NAME = re.compile(rf"'(koe:[^']*)'((?:\s*\.\.\s*(?:{VALUE}|'[^']*'))*)")
"""A key as a script builds it: a literal, and what is put behind it."""

PART = re.compile(rf"\.\.\s*(?:'([^']*)'|{VALUE})")


def table() -> set[str]:
    """The first column of the table in the docstring, with `<…>` for whatever a name holds."""
    rows = re.findall(r"^\| `(koe:[^`]+)` \|", keys.__doc__ or "", re.MULTILINE)
    return {re.sub(r"<\w+>", "<…>", row) for row in rows}


def named(text: str) -> set[str]:
    """The keys that stand in a script, in the same form."""
    found = set()
    for literal, rest in NAME.findall(text):
        found.add(literal + "".join(part or "<…>" for part in PART.findall(rest)))
    return found


def test_there_are_scripts_and_a_table() -> None:
    assert {"ATTACH", "CLAIM", "APPEND", "FINISH"} <= set(LEDGER)
    assert "koe:utterance:<…>" in table()
    assert {"koe:audio:<…>:<…>", "koe:bell"} <= named(registry_scripts.CLAIM)


@pytest.mark.parametrize("name", LEDGER)
def test_every_key_that_a_script_names_is_in_the_table(name: str) -> None:
    assert named(LEDGER[name]) <= table()


@pytest.mark.parametrize("name", JOBS)
def test_every_key_that_a_script_of_jobs_names_is_in_the_table(name: str) -> None:
    assert named(JOBS[name]) <= table()


def test_the_functions_of_keys_give_what_is_in_the_table() -> None:
    given = {
        keys.worker("<…>"),
        keys.api("<…>"),
        keys.kept("<…>"),
        keys.utterance("<…>"),
        keys.audio("<…>", "<…>"),
        *(value for name, value in vars(keys).items() if name.isupper()),
    }
    assert given <= table()


@pytest.mark.parametrize("name", [*LEDGER, *JOBS])
def test_every_script_is_understood(name: str, redis: Redis) -> None:
    redis.script_load((LEDGER | JOBS)[name])
