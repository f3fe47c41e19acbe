"""`python -m tests.ears.calibrate`: the loudness of each voice as Kokoro speaks it, for `app/core/speech/voices.toml`.

Why apart from the server: the gain of a voice is what is found here, so it is measured without one.
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
"""Sentences of its language that each voice says."""


def measure(engine: KokoroEngine, voice: Voice) -> float:
    """Integrated loudness in LUFS, as ITU-R BS.1770 has it."""
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
