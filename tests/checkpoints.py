"""A checkpoint of Kokoro's shape with random weights: the real one is large and may be missing where tests run.

Why files and not a model: tests then run the code that finds, checks and loads a real checkpoint. A phoneme lasts about 3.2
frames of 25 ms, as in speech, so that lengths and speeds are realistic.

    python -m tests.checkpoints FOLDER [--full] [--seed N] [--voice af_heart ...]
"""

import argparse
import hashlib
import io
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from workers.engines.kokoro.package import KModel

FRAMES_PER_PHONEME = 3.2
PARTS = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")
DEFAULT_VOICES = ("af_heart", "af_bella", "am_michael", "bf_emma", "ef_dora", "ff_siwis", "jf_alpha", "zf_xiaobei")

PHONEMES = {
    **dict(zip(";:,.!?", range(1, 7), strict=True)),
    **dict(zip('—…"()“” \u0303ʣʥʦʨᵝ\uab67AI', range(9, 26), strict=True)),
    **{"O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42},
    **dict(zip("abcdef", range(43, 49), strict=True)),
    **dict(zip("hijklmnopqrstuvwxyzɑɐɒæ", range(50, 73), strict=True)),
    **{"β": 75, "ɔ": 76, "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92},
    **{"ɥ": 99, "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111, "ŋ": 112, "ɳ": 113, "ɲ": 114, "ɴ": 115, "ø": 116, "ɸ": 118},
    **{"θ": 119, "œ": 120, "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135},
    **{"ʋ": 136, "ʌ": 138, "ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158, "ʰ": 162},
    **{"ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177},
}
"""The whole vocabulary of Kokoro v1.0: phoneme → index."""

_FULL: dict[str, Any] = {
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
    },
    "dim_in": 64,
    "dropout": 0.2,
    "hidden_dim": 512,
    "max_conv_dim": 512,
    "max_dur": 50,
    "multispeaker": True,
    "n_layer": 3,
    "n_mels": 80,
    "n_token": 178,
    "style_dim": 128,
    "text_encoder_kernel_size": 5,
    "plbert": {
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "max_position_embeddings": 512,
        "num_hidden_layers": 12,
        "dropout": 0.1,
    },
    "vocab": PHONEMES,
}

_TINY: dict[str, Any] = _FULL | {
    "istftnet": _FULL["istftnet"] | {"resblock_dilation_sizes": [[1, 3, 5]], "resblock_kernel_sizes": [3]},
    "n_layer": 1,
    "text_encoder_kernel_size": 3,
    "plbert": _FULL["plbert"] | {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": 1},
}
"""The smallest possible config: the decoder of the `kokoro` package has fixed widths that no config changes."""


def make_checkpoint(folder: Path, *, seed: int = 0, tiny: bool = True, voices: Sequence[str] = DEFAULT_VOICES) -> Path:
    """Writes `config.json`, `kokoro-v1_0.pth` and `voices/*.pt` into `folder` and returns it. Equal seeds give equal files.

    `tiny` takes about two seconds and 150 MB. Without it the checkpoint has the real dimensions (330 MB).
    """
    config = _TINY if tiny else _FULL
    (folder / "voices").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    torch.save(_make_weights(config, seed), folder / "kokoro-v1_0.pth")
    for voice_id in voices:
        torch.save(_make_pack(voice_id, seed), folder / "voices" / f"{voice_id}.pt")
    return folder


def _make_weights(config: Mapping[str, Any], seed: int) -> dict[str, dict[str, torch.Tensor]]:
    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        model = KModel(repo_id="hexgrad/Kokoro-82M", config=dict(config), model=nothing)
    _set_pace(model)
    _set_loudness(model)
    return {part: {f"module.{key}": value for key, value in getattr(model, part).state_dict().items()} for part in PARTS}


@torch.no_grad()
def _set_pace(model: KModel) -> None:
    """Sets durations near FRAMES_PER_PHONEME that vary a little from phoneme to phoneme."""
    projection = model.predictor.duration_proj.linear_layer
    share = FRAMES_PER_PHONEME / projection.out_features
    projection.bias.fill_(math.log(share / (1 - share)))
    projection.weight.mul_(0.3)


@torch.no_grad()
def _set_loudness(model: KModel) -> None:
    """Keeps most samples within 0.5, as in speech: the spectrum is the exponential of the first half of the last layer."""
    last = model.decoder.generator.conv_post
    last.bias[: last.out_channels // 2] -= 2.0


def _make_pack(voice_id: str, seed: int) -> torch.Tensor:
    """Returns a voice pack, (510, 1, 256) float32, in the range of real styles. Every voice has a different one."""
    digest = hashlib.sha256(f"{seed} {voice_id}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    drift = torch.randn(510, 1, 256, generator=generator) * 0.02
    return torch.randn(1, 1, 256, generator=generator) * 0.2 + drift


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.checkpoints", description="Writes a random checkpoint of Kokoro's shape."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true", help="write the real dimensions, for benchmarks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--voice", action="append", help="id of a voice; may be given several times")
    chosen = parser.parse_args()
    make_checkpoint(chosen.folder, seed=chosen.seed, tiny=not chosen.full, voices=chosen.voice or DEFAULT_VOICES)


if __name__ == "__main__":
    main()
