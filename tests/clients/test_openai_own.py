"""OpenAI's own tests of listing and retrieving models, from its Python package, pass against this server too.

They come from its source distribution and run unchanged, except for the model that they retrieve, which only OpenAI has. Its
tests of speech are of no use here: they answer themselves.
"""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.clients.driving import installed
from tests.clients.environments import clean_environ, python_with, source_of, version_in

OWN_TESTS = "tests/api_resources/test_models.py"
FOREIGN_MODEL = re.compile(r'(retrieve\(\s*)"gpt-[^"]+"')


def test_the_clients_own_tests_of_models_pass(harnesses: dict[str, str], tmp_path: Path) -> None:
    python = installed(lambda: python_with("openai"))
    source = installed(lambda: source_of("openai", version_in(python, "openai")))
    shutil.copytree(source / "tests", tmp_path / "tests")
    own = tmp_path / OWN_TESTS
    text, n_changed = FOREIGN_MODEL.subn(r'\1"gpt-4o-mini-tts"', own.read_text())
    own.write_text(text)

    command: list[str | Path] = [
        python,
        "-m",
        "pytest",
        OWN_TESTS,
        "-k",
        "list or retrieve",
        "-o",
        "asyncio_mode=auto",
        "--junitxml=report.xml",
    ]
    environ = clean_environ() | {"TEST_API_BASE_URL": harnesses["open"]}
    scope = ["-o", "asyncio_default_fixture_loop_scope=session", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *scope], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout[-4000:]
    suite = next(ET.parse(tmp_path / "report.xml").getroot().iter("testsuite"))
    assert n_changed == 6
    assert int(suite.attrib["tests"]) == 35
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == ("0", "0", "0")
