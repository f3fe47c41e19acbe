"""`python -m tests.ears.calibrate`: measures the loudness of each Kokoro voice, for `app/core/speech/voices.toml`.

Why not through the server: the server applies the gain that is computed from these values.
"""

import os

import click
import numpy as np
import pyloudnorm

from app.core.settings import read_settings
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Voice, load_catalogue
from tests.ears.texts import read_texts
from workers.engines.kokoro.engine import KokoroEngine
from workers.synthesis.prepare import segments_of

N_TEXTS = 8
"""Number of sentences that each voice speaks, in its language."""


def measure(engine: KokoroEngine, voice: Voice) -> float:
    """Returns the integrated loudness in LUFS (ITU-R BS.1770)."""
    blend, language = load_catalogue().parse(voice.id)
    spoken = [
        waveform.samples
        for text in read_texts("sentences")[language][:N_TEXTS]
        for segment in segments_of(text, engine, voice=blend, language=language, speed=1.0)
        for waveform in engine.synthesize([segment])
    ]
    return float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(np.concatenate(spoken)))


@click.command()
@click.argument("voices", nargs=-1)
def main(voices: tuple[str, ...]) -> None:
    """Print the loudness of VOICES, or of all."""
    settings, catalogue = read_settings(os.environ), load_catalogue()
    engine = KokoroEngine(catalogue=catalogue, model_dir=settings.model_dir, fetched_dir=settings.fetched_model)
    for voice_id in voices or catalogue.voices:
        click.echo(f"{voice_id} {measure(engine, catalogue.voices[voice_id]):.1f}")


if __name__ == "__main__":
    main()
