"""Weights by name from a file of ``torch.save``, read without running any code in it."""

import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glance_pipeline.classifiers.forms.pickle_size import check_pickle
from glance_pipeline.classifiers.forms.weight_names import StateDicts

_ARCHIVE = b"PK\3\4"
_SLACK = 2**20
_PICKLES_OF_OLD = 5
"""Pickles before the numbers in the older form: magic, version, system, content, keys."""
_DEEPEST = 3
"""How many names deep a checkpoint may keep its state dict."""


def read_state_dicts(path: Path, key: str | None) -> StateDicts:
    """Read the state dicts of a file without running any code that its pickle may hold.

    Args:
        path: the file.
        key: name under which a checkpoint keeps its state dict, dots between names where it lies
            deeper; None takes all that there are.

    Returns:
        Tensors by their names, by key; the key is empty if the file is a state dict itself.

    Raises:
        ValueError: if the file holds other Python objects, is cut short, would grow on reading,
            or has no state dict.
    """
    content = _loaded(path)
    if key is not None:
        content = _under(content, key)
    found = dict(_state_dicts(content, "" if key is None else key))
    if not found:
        hint = f"; its keys are {_some(content)}" if isinstance(content, Mapping) else ""
        raise ValueError(
            f"a mapping of names to tensors was wanted{hint}; "
            "for a training checkpoint name the entry that holds it under `key`"
        )
    return found


def under_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, which is cut off.

    Raises:
        ValueError: if there are none.
    """
    chosen = {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"no weight starts with {prefix!r}; found {_some(tensors)}")
    return chosen


def _loaded(path: Path) -> Any:
    size = path.stat().st_size
    try:
        _refuse_growth(path, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch would not have written
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        lines = [line for line in str(error).splitlines() if "upported" in line]
        reason = lines[0].rpartition("error:")[2].strip() if lines else ""
        reason = reason.partition(" Please use")[0]  # torch's advice how to run it all the same
        raise ValueError(
            f"it is no plain state dict but a pickle with Python objects in it, and loading those "
            f"could run any code ({reason or error}). Save the weights alone, "
            "`torch.save(model.state_dict(), path)`, and name the class under `network`"
        ) from error
    except Exception as error:  # what is damaged fails in whatever way its damage has it
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"{size} bytes were found which are no complete file of torch.save ({reason})"
        ) from error


def _refuse_growth(path: Path, size: int) -> None:
    """Raise if a file would become far more on reading than it is on disk."""
    with path.open("rb") as file:
        if file.read(4) != _ARCHIVE:  # as torch tells them apart, whatever the end of the file says
            file.seek(0)
            for _ in range(_PICKLES_OF_OLD):
                check_pickle(file)
            return
    with zipfile.ZipFile(path) as archive:
        _refuse_two_lists(path, size, archive)
        members = archive.infolist()
        whole = sum(member.file_size for member in members)
        if whole > 2 * size + _SLACK:
            raise ValueError(
                f"they would become {whole:,} on reading; torch.save does not compress: save the "
                "weights again"
            )
        for member in members:
            if member.filename.lower().endswith(".pkl"):  # torch finds names in letters of any case
                with archive.open(member) as file:
                    check_pickle(file)


def _refuse_two_lists(path: Path, size: int, archive: zipfile.ZipFile) -> None:
    """Raise if torch would find another list of contents than is looked at here.

    Python takes the list that lies before the end of the archive, torch the one at the place that
    the end names. Source: PKWARE, APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16.
    """
    with path.open("rb") as file:
        file.seek(max(0, size - 98))
        end = file.read().rjust(98, b"\0")  # the long record, the place of that, the short record
    named = int.from_bytes(end[92:96], "little")
    is_plain = end[76:80] == b"PK\5\6"
    if end[56:60] == b"PK\6\7":
        named = int.from_bytes(end[48:56], "little")
        is_plain = is_plain and int.from_bytes(end[64:72], "little") == size - 98
    if not is_plain or named != archive.start_dir:
        raise ValueError(
            "its list of contents is not where the end of the archive says, or something follows; "
            "save the weights again"
        )


def _under(content: Any, key: str) -> Any:
    """Return what lies under a key, or under the names that dots in it part."""
    inner = content
    for name in (key,) if isinstance(content, Mapping) and key in content else key.split("."):
        if not isinstance(inner, Mapping) or name not in inner:
            found = _some(content) if isinstance(content, Mapping) else type(content).__name__
            raise ValueError(f"no key {key!r} in it; found {found}")
        inner = inner[name]
    return inner


def _state_dicts(content: Any, place: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield each mapping of names to tensors, with the names that lead to it.

    An optimiser's state is none: its names are numbers.
    """
    if not isinstance(content, Mapping) or not content:
        return
    if not all(isinstance(name, str) for name in content):
        return
    if all(isinstance(value, Tensor) for value in content.values()):
        yield place, {name: _plain(name, value) for name, value in content.items()}
    elif depth < _DEEPEST:
        for name, value in content.items():
            yield from _state_dicts(value, f"{place}.{name}" if place else name, depth + 1)


def _plain(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor whose numbers are all in the file; raise for any other."""
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    if not plain or tensor.is_quantized or tensor.is_complex():
        kind = f"{tensor.layout}, {tensor.device.type}, {tensor.dtype}"
        raise ValueError(f"weight {name!r} is {kind}; a plain array of real numbers was wanted")
    return tensor


def _some(found: Mapping[Any, Any]) -> str:
    names = [name for name in found if isinstance(name, (str, int))]
    return f"{names[:8]}" if len(names) <= 8 else f"{names[:8]} … ({len(names)})"
