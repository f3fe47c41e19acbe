"""`python -m workers.setup.diagnose`, which `koe doctor` runs: checks this machine for a worker and prints JSON."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Final, Literal

import msgspec

from app.core.errors import KoeError, Misconfigured
from app.core.host import remedies
from app.core.host.check import Check
from app.core.logs import configure_logs
from app.core.settings import Settings, read_settings
from app.core.speech.voices import Catalogue, load_catalogue
from workers.engines.registry import load_engines
from workers.synthesis.encoder import find_ffmpeg
from workers.text.g2p.english import tagger

_EXTRAS: Final = {
    "ja": ("Japanese", ("pyopenjtalk",)),
    "zh": ("Mandarin", ("jieba", "pypinyin", "cn2an", "opencc", "ordered_set")),
}


def run_checks(settings: Settings) -> Iterator[Check]:
    """Yields each check as soon as it is known."""
    yield _encoder(settings)
    catalogue = load_catalogue(settings.voices_file)
    yield _engine("espeak", catalogue, settings)
    yield _engine("kokoro", catalogue, settings)
    yield _homographs(settings)
    for extra, (language, modules) in _EXTRAS.items():
        yield _language(extra, language, modules)


def _encoder(settings: Settings) -> Check:
    try:
        path = find_ffmpeg(settings.ffmpeg)
    except Misconfigured as error:
        return Check(name="ffmpeg", is_well=False, detail=str(error), remedy="unset KOE_FFMPEG")
    return Check(name="ffmpeg", is_well=True, detail=path.name)


def _engine(name: Literal["espeak", "kokoro"], catalogue: Catalogue, settings: Settings) -> Check:
    is_needed = name in ("espeak", settings.engine)
    try:
        loaded = load_engines(
            name,
            catalogue=catalogue,
            model_dir=settings.model_dir,
            fetched_dir=settings.fetched_model,
            device=settings.device,
        )
        loaded.engines[name].warm_up()
    except KoeError as error:
        # espeak-ng has none here: its error message contains the remedy.
        remedy = remedies.bare(remedies.koe("fetch")) if name == "kokoro" else ""
        return Check(name=name, is_well=False, detail=error.message, remedy=remedy, is_needed=is_needed)
    weights = f", {loaded.weights} weights" if loaded.weights else ""
    return Check(name=name, is_well=True, detail=f"loads and speaks{weights}")


def _homographs(settings: Settings) -> Check:
    is_well = tagger.find(settings.model_dir, settings.fetched_model) is not None
    detail = "here" if is_well else "not here: English homographs such as 'read' get their more common pronunciation"
    remedy = remedies.bare(remedies.koe("fetch"))
    return Check(name="spaCy's English model", is_well=is_well, detail=detail, remedy=remedy, is_needed=False)


def _language(extra: str, language: str, modules: tuple[str, ...]) -> Check:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    detail = f"lacks {', '.join(missing)}" if missing else "here"
    remedy = remedies.bare(remedies.install(extra))
    return Check(name=f"{language} for Kokoro", is_well=not missing, detail=detail, remedy=remedy, is_needed=False)


def main() -> None:
    """Writes the checks to standard output and nothing else. The log and the output of libraries go to standard error."""
    settings = read_settings(os.environ)
    configure_logs(settings.log_format)
    with redirect_stdout(sys.stderr):
        checks = list(run_checks(settings))
    sys.stdout.buffer.write(msgspec.json.encode(checks))


if __name__ == "__main__":
    main()
