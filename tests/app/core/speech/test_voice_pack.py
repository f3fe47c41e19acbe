"""A voice pack is read from the three forms that people have, and nothing else is taken for one."""

import io
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import InvalidRequest, InvalidValue, NotSupported
from app.core.speech.voice_pack import MAX_ABS, MAX_FILE_BYTES, N_BYTES, SHAPE, is_recording, read_pack

PACK = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
NUMBERS = PACK.numpy().tobytes()


def pt(value: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def npy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def repacked(data: bytes, change: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """The zip file with other contents of some entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", method) as new:
        for entry in old.infolist():
            name = entry.filename.partition("/")[2]
            new.writestr(entry.filename, change.get(name, old.read(entry)))
    return file.getvalue()


def pickle_in(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("archive/data.pkl")


class Hostile:
    """A pickle of it runs a command when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('the pickle was loaded')",)


@pytest.mark.parametrize(
    "data",
    [pt(PACK), pt(PACK.clone().requires_grad_()), npy(PACK.numpy()), NUMBERS],
    ids=["pt", "pt with gradients", "npy", "bare numbers"],
)
def test_the_numbers_of_a_pack_are_read(data: bytes) -> None:
    assert read_pack(data, param="audio_sample") == NUMBERS


def test_kokoros_own_packs_are_read(checkpoint: Path) -> None:
    for path in (checkpoint / "voices").glob("*.pt"):
        numbers = torch.load(path, weights_only=True).numpy().tobytes()
        assert read_pack(path.read_bytes(), param="audio_sample") == numbers


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"bare numbers would have 522240 bytes"),
        (NUMBERS + b"\0", r"bare numbers would have 522240 bytes"),
        (bytes(MAX_FILE_BYTES + 1), r"has at most 1048576"),
        (pt(torch.zeros(511, 1, 256)), r"its shape is \(511, 1, 256\)"),
        (pt(torch.zeros(510, 256)), "just one tensor of three dimensions"),
        (pt({"pack": torch.zeros(SHAPE)}), "just one tensor of three dimensions"),
        (pt(torch.zeros(SHAPE, dtype=torch.float64)), "'torch DoubleStorage', not float32"),
        (pt(torch.zeros(520, 1, 256)[5:515]), r"clone\(\)\.contiguous\(\)"),
        (pt(torch.zeros(256, 1, 510).transpose(0, 2)), r"clone\(\)\.contiguous\(\)"),
        (pt(torch.zeros(SHAPE), _use_new_zipfile_serialization=False), r"before PyTorch 1\.6"),
        (npy(np.zeros(SHAPE)), "'<f8', not float32"),
        (npy(np.zeros(SHAPE, ">f4")), "'>f4', not float32"),
        (npy(np.zeros((510, 256), "f4")), r"its shape is \(510, 256\)"),
        (npy(np.zeros(SHAPE, "f4", order="F")), "Fortran"),
        (npy(np.zeros(SHAPE, "f4"))[:-4], "522236 bytes instead of 522240"),
        (b"\x93NUMPY\x01\x00\xff\xff{}", "header cannot be read"),
        (npz(one=np.zeros(SHAPE, "f4")), r"\.npz"),
        (np.full(SHAPE, np.nan, "f4").tobytes(), "not finite"),
        (np.full(SHAPE, np.inf, "f4").tobytes(), "not finite"),
        (np.full(SHAPE, MAX_ABS * 1.01, "f4").tobytes(), "from -20 to 20"),
        (repacked(pt(PACK), {"data/0": NUMBERS[4:]}), "522236 bytes instead of 522240"),
        (repacked(pt(PACK), {"byteorder": b"big"}), "big-endian"),
        (repacked(pt(PACK), {}, zipfile.ZIP_DEFLATED), "not one of torch.save"),
        (pt(PACK)[:600], "damaged"),
    ],
)
def test_anything_else_is_refused_with_the_reason_and_with_what_is_expected(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason) as caught:
        read_pack(data, param="audio_sample")
    assert caught.value.param == "audio_sample"
    assert "float32, (510, 1, 256)" in caught.value.message


@pytest.mark.parametrize("protocol", range(6))
def test_no_pickle_is_loaded(protocol: int) -> None:
    hostile = pickle.dumps(Hostile(), protocol)
    for data in (hostile, repacked(pt(PACK), {"data.pkl": hostile}), npy(np.array([Hostile()]))):
        with pytest.raises(InvalidValue):
            read_pack(data, param="audio_sample")


@pytest.mark.parametrize(
    "change", [(b"_rebuild_tensor_v2", b"_rebuild_tensor_v3"), (b"collections\nOrderedDict", b"collections\nDefaultDict")]
)
def test_a_pickle_with_other_names_is_refused(change: tuple[bytes, bytes]) -> None:
    data = pickle_in(pt(PACK)).replace(*change)
    with pytest.raises(InvalidValue, match="just one tensor"):
        read_pack(repacked(pt(PACK), {"data.pkl": data}), param="audio_sample")


def test_a_damaged_file_is_refused_and_never_breaks_the_reader() -> None:
    chance, whole = random.Random(1), pt(PACK)
    n_refused = 0
    for _ in range(1000):
        data = bytearray(whole)
        for place in chance.choices([*range(1200), *range(len(data) - 1000, len(data))], k=3):
            data[place] = chance.randrange(256)
        try:
            read_pack(bytes(data), param="audio_sample")
        except InvalidRequest:
            n_refused += 1
    assert n_refused > 300


BEGINNINGS = {
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "mpeg with a tag": b"ID3\x04\x00",
    "mpeg": b"\xff\xfb\x90\x64",
    "aac": b"\xff\xf1\x50\x80",
    "ogg": b"OggS\x00\x02",
    "flac": b"fLaC\x00\x00",
    "webm": b"\x1aE\xdf\xa3\x01",
    "mp4": b"\x00\x00\x00\x20ftypM4A ",
}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_recording_is_refused_with_what_can_be_sent_instead(kind: str) -> None:
    data = BEGINNINGS[kind] + bytes(2 * MAX_FILE_BYTES)
    assert is_recording(data)
    with pytest.raises(NotSupported, match=r"cannot make a voice from a recording.*\.npy.*'af_heart\(2\)\+bf_emma'"):
        read_pack(data, param="audio_sample")


def test_bare_numbers_that_begin_like_a_frame_of_mpeg_are_numbers() -> None:
    numbers = b"\xff\xfb\x90\x3f" + NUMBERS[4:]
    assert len(numbers) == N_BYTES
    assert read_pack(numbers, param="audio_sample") == numbers
