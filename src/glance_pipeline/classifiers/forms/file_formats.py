"""Which form a model's file is in: told by its content, and by its suffix where that says nothing.

Some forms are data, and nothing in them is ever run. Others are programs: loading one runs what its
author wrote (SECURITY.md).
"""

import zipfile
from pathlib import Path
from typing import Literal, get_args

from glance_pipeline.support.untrusted_files import regular_file

Format = Literal["weights", "torchscript", "exported", "transformers", "onnx", "callable"]
"""``weights``: a state dict or safetensors, whose class the catalog names."""

FORMATS: tuple[str, ...] = get_args(Format)

PROGRAMS: dict[Format, str] = {
    "torchscript": "a TorchScript file",
    "exported": "a file of torch.export",
    "callable": "a Python callable",
}
"""Formats that are programs, in words; all others are data."""

_BY_SUFFIX: dict[str, Format] = {
    ".safetensors": "weights",
    ".onnx": "onnx",
    ".pt2": "exported",
}
_OF_TORCH = {".pt", ".pth", ".ckpt", ".bin", ".ts", ".torchscript", ".jit", ".tar", ".th"}

_TO_ONNX = "export it to ONNX"
_REFUSED_SUFFIXES = {
    ".h5": f"a Keras file: {_TO_ONNX} (tf2onnx)",
    ".keras": f"a Keras file: {_TO_ONNX} (tf2onnx)",
    ".tflite": f"a TensorFlow Lite file: {_TO_ONNX} (tf2onnx)",
    ".pb": f"a TensorFlow graph: {_TO_ONNX} (tf2onnx)",
    ".mlmodel": f"a Core ML file: {_TO_ONNX} (coremltools)",
    ".mlpackage": f"a Core ML package: {_TO_ONNX} (coremltools)",
    ".ort": "a file of onnxruntime's own format: give the .onnx file that it was made of",
    ".joblib": f"a pickle of joblib, and loading it could run any code: {_TO_ONNX} (skl2onnx)",
}
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", f"an HDF5 file, as Keras writes: {_TO_ONNX} (tf2onnx)"),
    (4, b"TFL3", _REFUSED_SUFFIXES[".tflite"]),
    (4, b"ORTM", _REFUSED_SUFFIXES[".ort"]),
    (0, b"GGUF", "a GGUF file, of a language model"),
    (0, b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (0, b"BZh", "compressed with bzip2: unpack it first"),
    (0, b"\xfd7zXZ\x00", "compressed with xz: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"),
    (257, b"ustar", "a tar archive: unpack it first, and name the model's file in it"),
    (0, b"\x93NUMPY", "an array of NumPy"),
)
"""Where a file of another framework says so, what it says, and what can be done."""

_OLD_TORCH = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The number that the older form of torch.save begins with, pickled in any protocol."""

_PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def tell_format(path: Path) -> Format:
    """Return the format of a model's file or folder.

    Raises:
        ValueError: if there is no such file, it is empty, or nothing can be told.
    """
    if path.is_dir():
        return _of_folder(path)
    if regular_file(path).stat().st_size == 0:
        raise ValueError("0 bytes were found, an empty file; a model was wanted")
    if zipfile.is_zipfile(path):
        return _of_archive(path)
    with path.open("rb") as file:
        begins = file.read(512)
    suffix = path.suffix.lower()
    if _OLD_TORCH in begins[:32] or is_safetensors(path):
        return "weights"
    for place, magic, what in _MAGIC:
        if begins[place : place + len(magic)] == magic:
            raise ValueError(f"it is {what}")
    if suffix in _REFUSED_SUFFIXES:
        raise ValueError(f"its suffix says that it is {_REFUSED_SUFFIXES[suffix]}")
    if begins.startswith(b"PK\x03\x04"):
        raise ValueError(
            f"{path.stat().st_size} bytes were found which are no complete file of torch.save, "
            "torch.jit.save or torch.export.save: the end of the archive is missing"
        )
    if suffix not in _BY_SUFFIX and begins[:2] in _PICKLE:
        raise ValueError(
            "it is a pickle that torch.save did not write, and loading one could run any code: "
            "load it where you trust it, and write the weights with "
            "`torch.save(model.state_dict(), path)`"
        )
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if suffix in _OF_TORCH:
        return "weights"
    if _may_be_onnx(begins):
        return "onnx"
    raise ValueError(
        f"the suffix {path.suffix!r} is unknown, and so is the content, which begins with "
        f"{begins[:8]!r}; known are {sorted(_BY_SUFFIX.keys() | _OF_TORCH)} and folders of "
        f"transformers. Name the format in the catalog entry, `format:` one of {list(FORMATS)}; a "
        "model of another framework can be exported to ONNX, or wrapped in a Python callable"
    )


def is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do, whatever its name: a length, then JSON."""
    with path.open("rb") as file:
        begins = file.read(9)
    length = int.from_bytes(begins[:8], "little")
    return begins[8:] == b"{" and 2 <= length <= path.stat().st_size - 8


def _of_folder(path: Path) -> Format:
    if (path / "config.json").is_file():
        return "transformers"
    if (path / "saved_model.pb").is_file():
        raise ValueError(f"it is a SavedModel of TensorFlow: {_TO_ONNX} (tf2onnx)")
    found = sorted(child.name for child in path.iterdir())[:6]
    raise ValueError(
        f"it is a folder without config.json, it holds {found}; a folder that transformers' "
        "save_pretrained wrote was wanted, or the model's file"
    )


def _of_archive(path: Path) -> Format:
    """Tell apart what torch writes: programs hold code, exported ones a model as JSON."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ValueError(f"its list of contents cannot be read: {error}") from error
    names = [name.partition("/")[2] for name in listed]
    if "archive_format" in names or any(
        name.startswith("models/") and name.endswith(".json") for name in names
    ):
        return "exported"
    if any(name.startswith("code/") for name in names):
        return "torchscript"
    if "data.pkl" in names:
        return "weights"
    if "model.weights.h5" in listed:
        raise ValueError(f"it is {_REFUSED_SUFFIXES['.keras']}")
    raise ValueError(
        f"it is a zip archive that torch did not write, it holds {listed[:6]}: unpack it first, "
        "and name the model's file in it"
    )


def _may_be_onnx(begins: bytes) -> bool:
    """Return whether bytes begin as an ONNX model does: its version, then another field of it."""
    fields = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)  # tags of ModelProto's fields 2 to 8
    return len(begins) > 2 and begins[0] == 0x08 and begins[1] < 64 and begins[2] in fields
