"""Reads a voice pack that a user has sent: float32 numbers of the shape (510, 1, 256), one style for each length of a segment.

Three forms are read: `.pt` (`torch.save` of one tensor), `.npy`, and the bare numbers.

Why a parser of its own: a `.pt` file holds a pickle, and loading one runs whatever it says. Here its instructions are compared
with the only ones that `torch.save` writes for a tensor, and nothing is run. The API also has neither PyTorch nor NumPy.
"""

import io
import pickletools
import re
import struct
import zipfile
from typing import Final

from app.core.errors import InvalidValue, NotSupported

SHAPE: Final = (510, 1, 256)
N_NUMBERS: Final = 510 * 256
N_BYTES: Final = 4 * N_NUMBERS
MAX_FILE_BYTES: Final = 1024**2
"""Most bytes of a file with a pack. The three forms add at most 2 KiB to its numbers."""
MAX_ABS: Final = 20.0
"""Largest number of a pack, without its sign. In Kokoro's own packs it is 3.2."""

_ZIP, _NPY, _OLD_PICKLE = b"PK\x03\x04", b"\x93NUMPY", b"\x80\x02\x8a\x0a"
_NPY_HEADER: Final = re.compile(
    rb"\{'descr': '(?P<type>[^']{1,20})', 'fortran_order': (?P<order>True|False), 'shape': \((?P<shape>[0-9, ]{0,100})\), \}\s*"
)
_RECORDINGS: Final = re.compile(
    rb"RIFF.{4}WAVE|RF64.{4}WAVE|ID3|OggS|fLaC|\x1aE\xdf\xa3|.{4}ftyp|(?P<sync>\xff[\xe2-\xff])|ADIF", re.DOTALL
)
"""How a file of audio begins: wav, mpeg with a tag, ogg, flac, webm, mp4; mpeg and aac with the mark of a frame."""

_INTEGER: Final = frozenset({"BININT", "BININT1", "BININT2"})
_NOTES: Final = frozenset({"PROTO", "BINPUT", "LONG_BINPUT"})
"""Instructions of a pickle that have no effect here: its version, and notes for later use."""
_TENSOR: Final = (
    *("GLOBAL", "MARK", "MARK", "BINUNICODE", "GLOBAL", "BINUNICODE", "BINUNICODE", "INTEGER", "TUPLE", "BINPERSID"),
    *("INTEGER", "INTEGER", "INTEGER", "INTEGER", "TUPLE3", "INTEGER", "INTEGER", "INTEGER", "TUPLE3"),
    *("FLAG", "GLOBAL", "EMPTY_TUPLE", "REDUCE", "TUPLE", "REDUCE", "STOP"),
)
"""The instructions that `torch.save` writes for a tensor of three dimensions."""
_MAX_PICKLE_BYTES: Final = 4096
_MAX_ENTRIES: Final = 20
_UNREADABLE: Final = (
    *(AttributeError, EOFError, LookupError, NotImplementedError, OSError, OverflowError, RuntimeError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile),
)
"""The errors that `zipfile` and `pickletools` raise for damaged files."""


def is_recording(data: bytes) -> bool:
    """Whether a file begins as one of mpeg, wav, ogg, aac, flac, webm or mp4 does."""
    return _RECORDINGS.match(data) is not None


def read_pack(data: bytes, *, param: str) -> bytes:
    """The numbers of a pack: float32 in little-endian order, N_BYTES. `param`: the field that has the file.

    Raises NotSupported for a recording, and InvalidValue for anything else that is no pack.
    """
    numbers = _numbers_in(data, param)
    if len(numbers) != N_BYTES:
        raise _invalid(f"its numbers have {len(numbers)} bytes instead of {N_BYTES}.", param)
    # False for a number that is not finite, too.
    if not all(-MAX_ABS <= number <= MAX_ABS for number in struct.unpack(f"<{N_NUMBERS}f", numbers)):
        raise _invalid(f"it has numbers that are not finite, or not from -{MAX_ABS:g} to {MAX_ABS:g}.", param)
    return numbers


def _numbers_in(data: bytes, param: str) -> bytes:
    begun = _RECORDINGS.match(data)
    if begun is not None and (len(data) != N_BYTES or begun["sync"] is None):
        raise NotSupported(
            "Kokoro cannot make a voice from a recording: it has no model for that. Send a Kokoro voice pack instead, a .pt, "
            f".npy or .bin file of float32 {SHAPE}, or a 'blend' of its voices such as 'af_heart(2)+bf_emma'.",
            param=param,
        )
    if len(data) > MAX_FILE_BYTES:
        raise _invalid(f"it has {len(data)} bytes, and a file with a pack has at most {MAX_FILE_BYTES}.", param)
    if data.startswith(_ZIP):
        return _from_torch(data, param)
    if data.startswith(_NPY):
        return _from_numpy(data, param)
    if data.startswith(_OLD_PICKLE):
        raise _invalid("it has the form of torch.save before PyTorch 1.6. Save it again with a newer PyTorch.", param)
    if len(data) != N_BYTES:
        raise _invalid(f"it is neither a .pt nor a .npy file, and bare numbers would have {N_BYTES} bytes.", param)
    return data


def _from_numpy(data: bytes, param: str) -> bytes:
    size = 2 if data[6:7] == b"\x01" else 4
    start = 8 + size
    end = start + int.from_bytes(data[8:start], "little")
    header = _NPY_HEADER.fullmatch(data, start, min(end, len(data)))
    if header is None:
        raise _invalid("its .npy header cannot be read.", param)
    if header["type"] != b"<f4":
        raise _invalid(f"its numbers are of type '{header['type'].decode('ascii', 'replace')}', not float32 ('<f4').", param)
    shape = tuple(int(part[:9]) for part in header["shape"].split(b",") if part.strip())
    if shape != SHAPE:
        raise _wrong_shape(shape, param)
    if header["order"] != b"False":
        raise _invalid("its numbers are in Fortran's order. Save numpy.ascontiguousarray(pack) instead.", param)
    return data[end:]


def _from_torch(data: bytes, param: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _from_archive(archive, param)
    except _UNREADABLE as error:
        raise _invalid("its .pt file is damaged.", param) from error


def _from_archive(archive: zipfile.ZipFile, param: str) -> bytes:
    entries = archive.infolist()
    pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
    if any(entry.filename.endswith(".npy") for entry in entries):
        raise _invalid("it is an archive of several voices (.npz). Send the array of one voice as .npy.", param)
    if len(entries) > _MAX_ENTRIES or len(pickles) != 1:
        raise _invalid("it is a zip file, but not one of torch.save.", param)
    folder = pickles[0].filename.removesuffix("data.pkl")
    storage = _read_pickle(_read(archive, pickles[0].filename, _MAX_PICKLE_BYTES, param), param)
    names = {entry.filename for entry in entries}
    if f"{folder}byteorder" in names and _read(archive, f"{folder}byteorder", 16, param) != b"little":
        raise _invalid("its numbers are in big-endian order.", param)
    return _read(archive, f"{folder}data/{storage}", MAX_FILE_BYTES, param)


def _read(archive: zipfile.ZipFile, name: str, max_bytes: int, param: str) -> bytes:
    """An entry, which `torch.save` never compresses."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > max_bytes:
        raise _invalid("it is a zip file, but not one of torch.save.", param)
    return archive.read(entry)


def _read_pickle(data: bytes, param: str) -> str:
    """The name of the entry with the numbers. Raises InvalidValue unless the pickle is that of one tensor of the right form."""
    found = [(operation.name, value) for operation, value, _ in pickletools.genops(data) if operation.name not in _NOTES]
    names = tuple(_kind_of(name) for name, _ in found)
    if names != _TENSOR:
        raise _invalid("its .pt file does not hold just one tensor of three dimensions.", param)
    builder, word, kind, storage, _, n_numbers, offset, *sizes, hooks = (value for _, value in found if value is not None)
    if (builder, word, hooks) != ("torch._utils _rebuild_tensor_v2", "storage", "collections OrderedDict"):
        raise _invalid("its .pt file does not hold just one tensor of three dimensions.", param)
    if kind != "torch FloatStorage":
        raise _invalid(f"its numbers are of type '{str(kind)[:100]}', not float32.", param)
    shape, strides = tuple(sizes[:3]), tuple(sizes[3:])
    if shape != SHAPE:
        raise _wrong_shape(shape, param)
    if (n_numbers, offset, strides[0], strides[2]) != (N_NUMBERS, 0, SHAPE[2], 1):
        raise _invalid("its tensor is a view of a larger one. Save tensor.clone().contiguous() instead.", param)
    return str(storage)


def _kind_of(name: str) -> str:
    if name in _INTEGER:
        return "INTEGER"
    return "FLAG" if name in ("NEWTRUE", "NEWFALSE") else name


def _wrong_shape(shape: tuple[int, ...], param: str) -> InvalidValue:
    return _invalid(f"its shape is {shape}.", param)


def _invalid(reason: str, param: str) -> InvalidValue:
    return InvalidValue(
        f"Invalid '{param}': it is not a Kokoro voice pack, since {reason} Expected a .pt file of torch.save, a .npy file or "
        f"bare numbers: float32, {SHAPE}.",
        param=param,
    )
