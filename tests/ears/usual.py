"""`python -m tests.ears.usual`: measures what is usual for every voice, and writes `workers/engines/kokoro/usual.npz`.

To be run when the decoder's norms change. It takes ten minutes. Each voice speaks sentences of its own language. They are none
of those in which `tests.ears.pieces` hears the result.
"""

import re
from typing import Final

import click
from rich.progress import track

from app.core.speech.boundaries import Ending
from app.core.speech.voices import BlendPart, Voice, load_catalogue
from tests.benchmarks.model import model_once
from tests.ears.texts import read_texts
from workers.engines.base import Segment
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Score
from workers.engines.kokoro.usual import FILE, write_table

N_SENTENCES: Final = 4
"""Sentences of each voice. With one, the first pieces of some sentences were half a decibel further off."""
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。！？।])\s*")


def sentences_of(language: str) -> list[str]:
    """Returns the sentences of a language's paragraph whose lengths are the most usual."""
    (paragraph,) = read_texts("paragraphs")[language]
    by_length = sorted((found for found in _SENTENCE_END.split(paragraph) if found), key=len)
    middle = len(by_length) // 2
    return by_length[max(0, middle - N_SENTENCES // 2) :][:N_SENTENCES]


def score_of(engine: KokoroEngine, text: str, voice_id: str, language: str) -> Score:
    """Returns the score of a sentence."""
    return engine._score(
        Segment(
            text=text,
            phonemes=engine.phonemize(text, language).phonemes,
            voice=(BlendPart(voice_id, 1.0),),
            language=language,
            speed=1.0,
            ending=Ending.SENTENCE,
        )
    )


def scores_of(engine: KokoroEngine, voice: Voice) -> list[Score]:
    """Returns the scores of a voice's sentences."""
    return [score_of(engine, text, voice.id, voice.language) for text in sentences_of(voice.language)]


@click.command()
def main() -> None:
    """Write the file for all voices that Kokoro has here."""
    model, catalogue = model_once(), load_catalogue()
    engine = KokoroEngine(catalogue=catalogue, model_dir=model.folder)
    decoder = engine._decoder
    assert isinstance(decoder, Decoder)
    measured = {
        voice_id: decoder.usual(scores_of(engine, catalogue.voices[voice_id]), n_threads=2)
        for voice_id in track(sorted(model.files.voices), description="voices")
    }
    packs = {voice_id: engine._packs.pack(voice_id) for voice_id in measured}
    write_table(FILE, packs, measured, decoder.norms)
    click.echo(f"{FILE}: {len(measured)} voices, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
