import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from app.core.errors import EngineUnavailable
from tests.checkpoints import PARTS
from workers.engines.kokoro.checkpoint import DamagedFile, MissingFile, find_checkpoint, load_model

WEIGHTS = "kokoro-v1_0.pth"


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint. A test may change `config.json` and `voices` and replace the weights, which are a link."""
    shutil.copy(checkpoint / "config.json", tmp_path)
    shutil.copytree(checkpoint / "voices", tmp_path / "voices")
    (tmp_path / WEIGHTS).symlink_to(checkpoint / WEIGHTS)
    return tmp_path


@pytest.fixture(scope="module")
def weights(checkpoint: Path) -> dict[str, dict[str, torch.Tensor]]:
    loaded: dict[str, dict[str, torch.Tensor]] = torch.load(checkpoint / WEIGHTS, weights_only=True, mmap=True)
    return loaded


def _load(folder: Path) -> Any:
    return load_model(find_checkpoint(folder, ["af_heart"]))


def _replace_weights(folder: Path, weights: object) -> None:
    (folder / WEIGHTS).unlink()
    torch.save(weights, folder / WEIGHTS)


def test_every_tensor_of_the_file_is_in_the_model(checkpoint: Path, weights: dict[str, dict[str, torch.Tensor]]) -> None:
    model = _load(checkpoint)
    for part in PARTS:
        own = dict(getattr(model, part).named_parameters())
        shared = own.keys() & {key.removeprefix("module.") for key in weights[part]}
        assert shared
        for key in shared:
            torch.testing.assert_close(own[key].data, weights[part][f"module.{key}"], rtol=0, atol=0)


def test_no_tensor_is_without_memory(checkpoint: Path) -> None:
    model = _load(checkpoint)
    plain = [value for module in model.modules() for value in vars(module).values() if isinstance(value, torch.Tensor)]
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers(), *plain])


def test_the_model_and_english_need_few_packages(checkpoint: Path) -> None:
    """Each of these packages would take ten to seventy megabytes of every worker."""
    script = (
        "import json, sys; from pathlib import Path\n"
        "from workers.engines.kokoro.checkpoint import find_checkpoint, load_model\n"
        "from workers.text.g2p.phonemize import Phonemizer\n"
        "load_model(find_checkpoint(Path(sys.argv[1]), ['af_heart']))\n"
        "Phonemizer().phonemize('Hello there.', 'en-US')\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", script, checkpoint], capture_output=True, text=True, check=True)

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"torch", "spacy", "kokoro"} <= loaded
    assert not {"transformers", "sympy", "segments", "csvw", "curated_transformers"} & loaded


def test_nothing_touches_the_network(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    _load(checkpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingFile, match="Hugging Face cache"):
        find_checkpoint(None, ["af_heart"])


def test_a_checkpoint_is_found_in_the_cache_of_the_hub(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository = tmp_path / "models--hexgrad--Kokoro-82M"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / "abc123").symlink_to(checkpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    files = find_checkpoint(None, ["af_heart", "af_nobody"])
    assert files.weights.samefile(checkpoint / WEIGHTS)
    assert set(files.voices) == {"af_heart"}


@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_a_missing_file_is_told_by_name(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(MissingFile, match=rf"{name} is not in .* Run `.*koe fetch`"):
        find_checkpoint(copy, ["af_heart"])


def test_a_checkpoint_without_voices_is_refused(copy: Path) -> None:
    shutil.rmtree(copy / "voices")
    with pytest.raises(MissingFile, match="voices"):
        find_checkpoint(copy, ["af_heart"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_is_refused_by_name(copy: Path, checkpoint: Path, share: float) -> None:
    (copy / WEIGHTS).unlink()
    with (checkpoint / WEIGHTS).open("rb") as whole:
        (copy / WEIGHTS).write_bytes(whole.read(int(share * (checkpoint / WEIGHTS).stat().st_size)))
    with pytest.raises(DamagedFile, match=rf"{WEIGHTS} is damaged .*koe fetch") as caught:
        _load(copy)
    assert isinstance(caught.value, EngineUnavailable)
    assert str(copy / WEIGHTS) in caught.value.message


@pytest.mark.parametrize("content", [b"", b"\x80\x04not a pickle", b"PK\x03\x04 not a zip"])
def test_a_damaged_checkpoint_is_refused_by_name(copy: Path, content: bytes) -> None:
    (copy / WEIGHTS).unlink()
    (copy / WEIGHTS).write_bytes(content)
    with pytest.raises(DamagedFile, match=WEIGHTS):
        _load(copy)


def _drop_part(weights: dict[str, Any]) -> object:
    return {part: tensors for part, tensors in weights.items() if part != "predictor"}


def _drop_key(weights: dict[str, Any]) -> object:
    return weights | {"bert_encoder": {"module.weight": weights["bert_encoder"]["module.weight"]}}


def _add_key(weights: dict[str, Any]) -> object:
    return weights | {"bert_encoder": weights["bert_encoder"] | {"module.extra": torch.zeros(1)}}


def _change_shape(weights: dict[str, Any]) -> object:
    return weights | {"bert_encoder": weights["bert_encoder"] | {"module.bias": torch.zeros(3)}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop_part, "does not hold"),
        (_drop_key, "lacks bert_encoder.bias"),
        (_add_key, "unknown bert_encoder.extra"),
        (_change_shape, r"bert_encoder.bias is \(3,\) and should be \(512,\)"),
        (lambda _: [1, 2], "does not hold"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    copy: Path, weights: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    _replace_weights(copy, change(weights))
    with pytest.raises(DamagedFile, match=message):
        _load(copy)


def test_norms_without_scale_and_shift_are_whole(copy: Path, weights: dict[str, Any]) -> None:
    suffixes = (".norm.weight", ".norm.bias")
    older = {part: {key: value for key, value in weights[part].items() if not key.endswith(suffixes)} for part in PARTS}
    assert len(older["decoder"]) < len(weights["decoder"])
    _replace_weights(copy, older)
    _load(copy)


@pytest.mark.parametrize("content", ["", "[]", '{"vocab": 3}', '{"vocab": {}}', "{"])
def test_a_damaged_config_is_refused_by_name(copy: Path, content: str) -> None:
    (copy / "config.json").write_text(content)
    with pytest.raises(DamagedFile, match=r"config\.json"):
        _load(copy)


def test_the_vocabulary_is_that_of_the_config(checkpoint: Path) -> None:
    assert _load(checkpoint).vocab == json.loads((checkpoint / "config.json").read_text())["vocab"]
