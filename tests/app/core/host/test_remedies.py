"""Each remedy, for each way of installing Koe."""

import shlex
from pathlib import Path

import pytest

from app.core.host import remedies
from app.core.host.installation import Installation, Kind

PLACES = {
    Kind.CLONE: Installation(Kind.CLONE, ".venv/bin/koe", ".venv/bin/python -m pip install"),
    Kind.WHEEL: Installation(Kind.WHEEL, "koe", "/venv/bin/python -m pip install"),
    Kind.IMAGE: Installation(Kind.IMAGE, "koe", "/usr/bin/python -m pip install"),
}


@pytest.mark.parametrize(
    ("kind", "command", "extra", "package"),
    [
        (
            Kind.CLONE,
            "`.venv/bin/koe fetch`",
            "`.venv/bin/python -m pip install -c deploy/constraints.txt -e '.[ja]'`",
            "`.venv/bin/python -m pip install -c deploy/constraints.txt --force-reinstall --no-deps soxr`",
        ),
        (
            Kind.WHEEL,
            "`koe fetch`",
            "`/venv/bin/python -m pip install -c \"$(koe constraints --path)\" 'koe[ja]'`",
            '`/venv/bin/python -m pip install -c "$(koe constraints --path)" --force-reinstall --no-deps soxr`',
        ),
        (
            Kind.IMAGE,
            "`koe fetch` in a container of this image",
            "`docker build` again, with ja among the extras of the image",
            "`docker build` again, without its cache",
        ),
    ],
)
def test_a_remedy_is_one_for_that_installation(kind: Kind, command: str, extra: str, package: str) -> None:
    where = PLACES[kind]

    assert remedies.koe("fetch", where) == command
    assert remedies.install("ja", where) == extra
    assert remedies.package("soxr", where) == package


def test_a_clone_with_a_space_in_its_path_is_quoted() -> None:
    where = Installation(Kind.CLONE, "koe", "pip install", Path("/my clone"))

    words = shlex.split(remedies.bare(remedies.install("ja", where)))

    assert words == ["pip", "install", "-c", "/my clone/deploy/constraints.txt", "-e", "/my clone[ja]"]


def test_no_remedy_of_a_wheel_or_an_image_names_a_file_of_a_clone() -> None:
    for kind in (Kind.WHEEL, Kind.IMAGE):
        for line in (say("x", PLACES[kind]) for say in (remedies.koe, remedies.install, remedies.package)):
            assert not {"make", "Makefile", ".venv", "deploy"} & set(line.replace("/", " ").split())
