"""`python -m tests.ears.usual`: measures the usual moments of every voice, and writes `workers/engines/kokoro/usual.npz`.

To be run when the decoder's norms or the known sentence change. It takes two minutes.
"""

import click
from rich.progress import track

from app.core.speech.voices import load_catalogue
from tests.benchmarks.model import model_once
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.kokoro.model.statistics import Usual
from workers.engines.kokoro.usual import FILE, write_table


@click.command()
def main() -> None:
    """Write the file for all voices that Kokoro has here."""
    model = model_once()
    engine = KokoroEngine(catalogue=load_catalogue(), model_dir=model.folder)
    voices = engine._voices
    assert voices is not None
    voices.learn(n_threads=2)
    measured: dict[str, Usual] = {
        voice_id: voices.measure(voice_id, n_threads=2) for voice_id in track(sorted(model.files.voices), description="voices")
    }
    packs = {voice_id: engine._packs.pack(voice_id) for voice_id in measured}
    write_table(FILE, packs, measured, voices.decoder.norms)
    click.echo(f"{FILE}: {len(measured)} voices, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
