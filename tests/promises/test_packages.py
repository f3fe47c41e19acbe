"""The docstring of every package says what the package contains, and why."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted({path.parent.relative_to(ROOT) for side in ("app", "workers") for path in (ROOT / side).rglob("*.py")})


def said_of(package: Path) -> str:
    """Returns the docstring of a package."""
    return ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_describes_its_contents_and_the_reason(package: Path) -> None:
    purpose, *more = said_of(package).split("\n\n")

    assert len(purpose.splitlines()) == 1
    assert purpose.endswith(".")
    assert any(paragraph.startswith("Why ") for paragraph in more)


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_modules_that_a_package_names_exist(package: Path) -> None:
    names = [name for name in said_of(package).split("`")[1::2] if name.startswith(("app.", "workers."))]
    paths = [ROOT / name.replace(".", "/") for name in names]

    assert [str(path) for path in paths if not path.is_dir() and not path.with_suffix(".py").is_file()] == []
