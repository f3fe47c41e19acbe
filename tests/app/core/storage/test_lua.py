"""The scripts that Redis runs: each has a true header, names only keys of the table, and is used."""

import ast
import re
from pathlib import Path

import pytest
from redis import Redis

from app.core.storage import keys, lua
from app.core.storage.lua import load_script

ROOT = Path(lua.__file__).parents[3]
FUNCTIONS = "functions.lua"
SCRIPTS = sorted(path for side in ("app", "workers") for path in (ROOT / side).rglob("*.lua") if path.name != FUNCTIONS)
SHARED = sorted((ROOT / "app").rglob(FUNCTIONS)) + sorted((ROOT / "workers").rglob(FUNCTIONS))

of_every_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))

OF_RQ = {"rq:job:<id>", "rq:queue:<name>", "rq:probe:two"}
"""Keys with RQ's prefix, which the table does not list."""
TRIED = {"koe:probe:one"}
"""A key that one script writes and deletes before any work begins."""

VALUE = r"(?:[\w.]+(?:\[\d+\])?|\([^)]*\))"
BUILT = re.compile(rf"'(koe:[^']*)'((?:\s*\.\.\s*(?:{VALUE}|'[^']*'))*)")
"""A key as a script builds it: a literal, and the values that are appended to it."""
PIECE = re.compile(rf"\.\.\s*(?:'([^']*)'|{VALUE})")


def header_of(path: Path) -> str:
    """The comment that a script begins with."""
    lines = path.read_text("utf-8").splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[:end])


def code_of(path: Path) -> str:
    """The script without its comments."""
    return re.sub(r"--.*", "", path.read_text("utf-8"))


def labels_of(header: str, name: str) -> list[str]:
    """The numbers that the header describes: `1`, `2`, `3…`; `none` when it says so."""
    found = re.findall(rf"^-- {name}(?:\[(\d+…?)\]| +(none)$)", header, re.MULTILINE)
    return [place or none for place, none in found]


def places_in(code: str, name: str) -> set[int]:
    """The numbers of `KEYS` or `ARGV` that the code uses."""
    return {int(place) for place in re.findall(rf"{name}\[(\d+)\]", code)}


def in_table() -> set[str]:
    """The first column of the table of keys."""
    return set(re.findall(r"^\| `(koe:[^`]+)` \|", keys.__doc__ or "", re.MULTILINE))


def described(header: str) -> set[str]:
    """The keys that a header names."""
    return {name.rstrip(":") for name in re.findall(r"\b(?:koe|rq):[\w:<>]+", header)}


def placeless(names: set[str]) -> set[str]:
    """The keys with `<…>` in place of each variable part, because code does not show its name."""
    return {re.sub(r"<\w+>", "<…>", name) for name in names}


def built(code: str) -> set[str]:
    """The keys that the code builds."""
    return {literal + "".join(piece or "<…>" for piece in PIECE.findall(rest)) for literal, rest in BUILT.findall(code)}


def loaded() -> set[Path]:
    """The scripts that the code loads. Each name must be a literal, so that a person and this test can find the script."""
    found = set()
    for side in ("app", "workers"):
        for module in (ROOT / side).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load_script":
                    module_file, name = node.args
                    assert isinstance(module_file, ast.Name)
                    assert module_file.id == "__file__"
                    assert isinstance(name, ast.Constant)
                    assert isinstance(name.value, str)
                    found.add(module.parent / lua.FOLDER / f"{name.value}.lua")
    return found


def test_every_script_is_loaded_by_a_module_next_to_it_and_every_loaded_script_exists() -> None:
    assert loaded() == set(SCRIPTS)


@of_every_script
def test_a_header_says_what_the_script_does_before_anything_else(path: Path) -> None:
    purpose = header_of(path).partition("\n--\n")[0]
    assert re.fullmatch(r"-- [A-Z].+\.", purpose, re.DOTALL)
    assert "[" not in purpose


@of_every_script
@pytest.mark.parametrize("name", ["KEYS", "ARGV"])
def test_a_header_describes_every_key_and_argument_that_the_script_uses(path: Path, name: str) -> None:
    labels = labels_of(header_of(path), name)
    used = places_in(code_of(path), name)
    if labels == ["none"]:
        assert not re.search(rf"\b{name}\b", code_of(path))
        return
    assert [int(label.rstrip("…")) for label in labels] == list(range(1, len(labels) + 1))
    assert used <= set(range(1, len(labels) + 1))
    assert not any("…" in label for label in labels[:-1])


@of_every_script
def test_a_header_describes_no_argument_that_the_script_does_not_use(path: Path) -> None:
    code = code_of(path)
    labels = [int(label) for label in labels_of(header_of(path), "ARGV") if label.isdigit()]
    if "unpack(ARGV)" in code:
        unpacked = re.search(r"local ([\w, ]+) = unpack\(ARGV\)", code)
        assert unpacked is not None
        assert len(unpacked[1].split(",")) == len(labels)
    else:
        assert set(labels) == places_in(code, "ARGV")


@of_every_script
def test_a_header_says_what_the_script_returns(path: Path) -> None:
    says = re.search(r"^-- Returns  (.+)$", header_of(path), re.MULTILINE)
    assert says is not None
    returns = re.findall(r"\breturn\b *(\S+)?", re.sub(r"(?s)\bfunction\b.*?\nend", "", code_of(path)))
    gives = any(value not in ("", "end") for value in returns)
    assert says[1].startswith("nothing") is not gives


@of_every_script
def test_a_header_names_the_keys_that_the_script_builds(path: Path) -> None:
    assert built(code_of(path)) <= placeless(described(header_of(path)))


@of_every_script
def test_every_key_that_a_script_names_is_in_the_table_of_keys(path: Path) -> None:
    assert described(header_of(path)) <= in_table() | OF_RQ | TRIED


@of_every_script
def test_a_script_asks_for_the_shared_functions_when_it_uses_one(path: Path) -> None:
    shared = path.with_name(FUNCTIONS)
    names = re.findall(r"^local function (\w+)", shared.read_text("utf-8"), re.MULTILINE) if shared.exists() else []
    uses = any(re.search(rf"\b{name}\(", code_of(path)) for name in names)
    assert (f"-- Uses: {FUNCTIONS}" in header_of(path)) is uses


@of_every_script
def test_a_line_of_a_script_is_no_longer_than_one_of_python(path: Path) -> None:
    assert max(map(len, path.read_text("utf-8").splitlines())) <= 128


@of_every_script
def test_every_script_is_understood(path: Path, redis: Redis) -> None:
    redis.script_load(load_script(str(path.parents[1] / "any.py"), path.stem))


@pytest.mark.parametrize("path", SHARED, ids=str)
def test_every_shared_function_says_what_it_is_for_and_names_keys_of_the_table(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("local function"):
            assert re.fullmatch(r"-- [A-Z].+\.", lines[number - 1])
    assert built(code_of(path)) <= placeless(in_table())


@pytest.mark.parametrize("path", SHARED, ids=str)
def test_every_shared_function_is_used(path: Path) -> None:
    everything = "".join(map(code_of, [path, *path.parent.glob("*.lua")]))
    for name in re.findall(r"^local function (\w+)", path.read_text("utf-8"), re.MULTILINE):
        assert len(re.findall(rf"\b{name}\(", everything)) > 2


def test_a_script_stands_after_the_functions_that_it_uses() -> None:
    text = load_script(str(ROOT / "app/core/queue/registry.py"), "detach")
    assert text.index("local function n_readers") < text.index("KEYS[1]  koe:utterance:<id>")


def test_a_script_that_uses_none_is_loaded_alone() -> None:
    assert "local function" not in load_script(str(ROOT / "app/core/queue/registry.py"), "extend")


def test_the_functions_of_keys_give_what_is_in_the_table() -> None:
    given = {
        keys.worker("<…>"),
        keys.api("<…>"),
        keys.cached_segments("<…>"),
        keys.utterance("<…>"),
        keys.audio("<…>", "<…>"),
        *(value for name, value in vars(keys).items() if name.isupper()),
    }
    assert given <= placeless(in_table())
