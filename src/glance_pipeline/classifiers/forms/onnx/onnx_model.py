"""An ONNX graph read from its file, with everything that it names beside itself, and no more."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glance_pipeline.classifiers.forms.extras import needed
from glance_pipeline.support.untrusted_files import within

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

_TYPED = (
    "float_data",
    "double_data",
    "int32_data",
    "int64_data",
    "uint64_data",
    "string_data",
    "raw_data",
)


def load_model(path: Path, most_bytes: float) -> "ModelProto":
    """Read an ONNX file; constants that lie in other files are read from its own folder alone.

    onnxruntime opens by itself what a constant names, wherever in the graph it is; so none is left
    that names a file.

    Args:
        path: the file.
        most_bytes: of all constants together.

    Raises:
        ValueError: if it is no complete ONNX file, a constant lies outside its folder, or says
            more numbers than it holds.
    """
    onnx = needed("onnx", "onnx", "an ONNX file")
    size = path.stat().st_size
    _check(size, most_bytes)
    try:
        model: ModelProto = onnx.load(path, format="protobuf", load_external_data=False)
    except Exception as error:  # protobuf's, onnx's and the file system's have no common base
        raise ValueError(
            f"{size} bytes were found which are no complete ONNX file "
            f"({str(error).strip().partition(chr(10))[0]})"
        ) from error
    total: float = size
    for tensor in _messages(model, onnx.TensorProto):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            total += _read_beside(tensor, path.parent, most_bytes - total)
        _check_shape(tensor)
    for sparse in _messages(model, onnx.SparseTensorProto):
        total += 8 * _numbers_of(sparse.dims, "a sparse constant")
        _check(total, most_bytes)
    return model


def _messages(message: Any, kind: type) -> Iterator[Any]:
    """Yield all messages of a kind, wherever in another they are."""
    waiting = [message]
    while waiting:
        current = waiting.pop()
        if isinstance(current, kind):
            yield current
        for field, value in current.ListFields():
            if field.message_type is not None:
                waiting.extend([value] if hasattr(value, "ListFields") else value)


def _read_beside(tensor: "TensorProto", folder: Path, room: float) -> int:
    """Read a constant from the file that it names; return its bytes."""
    said = {entry.key: entry.value for entry in tensor.external_data}
    try:
        place = within(folder, said.get("location", ""))
        size = place.stat().st_size
        offset = int(said.get("offset", 0))
        length = int(said.get("length", size - offset))
        if min(offset, length) < 0 or offset + length > size:
            raise ValueError(
                f"{length} bytes at {offset} were wanted of {place.name}, which has {size}"
            )
    except ValueError as error:
        raise ValueError(f"constant {tensor.name!r}: {error}") from error
    _check(length, room)
    with place.open("rb") as file:
        file.seek(offset)
        tensor.raw_data = file.read(length)
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    return length


def _check_shape(tensor: "TensorProto") -> None:
    """Raise if a constant's shape says more numbers than the file has for it."""
    numbers = _numbers_of(tensor.dims, f"constant {tensor.name!r}")
    held = max(len(getattr(tensor, field)) for field in _TYPED)
    if numbers > 2 * held:  # two of four bits share a byte
        raise ValueError(
            f"constant {tensor.name!r} says the shape {list(tensor.dims)}, {numbers:,} numbers, "
            f"but holds {held:,} values or bytes"
        )


def _numbers_of(dims: Any, what: str) -> int:
    if any(dim < 0 for dim in dims):
        raise ValueError(f"{what} says the shape {list(dims)}; sizes from 0 up were wanted")
    return math.prod(dims)


def _check(size: float, most: float) -> None:
    if size > most:
        raise ValueError(
            f"its constants take {size / 1e9:,.1f} GB or more, but `most_gb` of the catalog entry "
            f"leaves {max(most, 0) / 1e9:,.1f}: raise it where the file is right"
        )
