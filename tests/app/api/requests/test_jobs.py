"""The fields of a request for a job in addition to its speech."""

from app.api.requests.jobs import read_job
from app.core.speech.voices import load_catalogue

CATALOGUE = load_catalogue()
LEAST = {"model": "kokoro", "input": "Hello.", "voice": "alloy"}


def test_a_title_keeps_nothing_that_would_show_it_as_another() -> None:
    def title(text: str) -> str | None:
        fields = LEAST | {"title": text}
        return read_job(fields, catalogue=CATALOGUE, max_job_chars=100, signs_webhooks=False, private_webhooks=False).title

    assert title("\u202egnp.exe \u2067b\u2069\ufeff") == "gnp.exe b"
    assert title("\u202e \u202c") is None
    assert title("में\u200d 👩\u200d🚀 שלום") == "में\u200d 👩\u200d🚀 שלום"
