"""`python -m tests.workers.text.documents`: rewrites what is spoken of the documents."""

from tests.workers.text.documents import find_documents, speak, spoken_file

for document in find_documents():
    spoken_file(document).write_text(speak(document), encoding="utf-8")
