"""What is spoken of whole documents is what a reviewer has read."""

from pathlib import Path

import pytest

from tests.workers.text.documents import FOLDER, find_documents, speak, spoken_file


@pytest.mark.parametrize("document", find_documents(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_what_is_spoken_of_a_document_is_as_reviewed(document: Path) -> None:
    """`python -m tests.workers.text.documents` rewrites it."""
    assert speak(document) == spoken_file(document).read_text(encoding="utf-8")
