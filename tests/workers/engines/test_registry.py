import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.speech.voices import Catalogue
from workers.engines.registry import AUTO_PRECISION, KernelPrecision, load_engines


def test_auto_is_kokoro_and_espeak_where_the_files_are(catalogue: Catalogue, checkpoint: Path) -> None:
    loaded = load_engines("auto", catalogue=catalogue, model_dir=checkpoint)
    assert set(loaded.engines) == {"kokoro", "espeak"}
    assert loaded.missing is None
    assert all(engine.name == name for name, engine in loaded.engines.items())


def test_auto_without_files_is_espeak_and_says_what_is_missing(catalogue: Catalogue, tmp_path: Path) -> None:
    loaded = load_engines("auto", catalogue=catalogue, model_dir=tmp_path)
    assert set(loaded.engines) == {"espeak"}
    assert loaded.missing == f"Kokoro's file config.json is not in {tmp_path}. Run {remedies.koe('fetch')} to download it."


def test_auto_with_a_damaged_file_names_it(catalogue: Catalogue, checkpoint: Path, tmp_path: Path) -> None:
    for name in ("config.json", "voices"):
        (tmp_path / name).symlink_to(checkpoint / name)
    (tmp_path / "kokoro-v1_0.pth").write_bytes(b"not a checkpoint")
    loaded = load_engines("auto", catalogue=catalogue, model_dir=tmp_path)
    assert set(loaded.engines) == {"espeak"}
    assert loaded.missing is not None
    assert str(tmp_path / "kokoro-v1_0.pth") in loaded.missing
    assert "koe fetch" in loaded.missing


def test_kokoro_without_files_is_an_error(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="koe fetch"):
        load_engines("kokoro", catalogue=catalogue, model_dir=tmp_path)


def test_auto_keeps_weights_in_its_precision_and_each_precision_is_another_sound(
    catalogue: Catalogue, checkpoint: Path
) -> None:
    choices: tuple[KernelPrecision, ...] = ("auto", AUTO_PRECISION, "float32", "float16", "int8")
    auto, same, *others = (
        load_engines("kokoro", catalogue=catalogue, model_dir=checkpoint, precision=choice).engines["kokoro"].identity
        for choice in choices
    )
    assert auto == same
    assert len({same, *others}) == 4


def test_tone_and_espeak_come_alone(catalogue: Catalogue) -> None:
    assert set(load_engines("tone", catalogue=catalogue).engines) == {"tone"}
    assert set(load_engines("espeak", catalogue=catalogue).engines) == {"espeak"}


@pytest.mark.parametrize("choice", ["tone", "espeak"])
def test_torch_is_imported_for_kokoro_only(choice: str) -> None:
    program = (
        "import sys; from app.core.speech.voices import load_catalogue; from workers.engines.registry import load_engines; "
        f"load_engines({choice!r}, catalogue=load_catalogue()); assert not {{'torch', 'spacy'}} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
