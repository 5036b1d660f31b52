"""Weights on disk: safetensors with one JSON header, written all or nothing."""

import json
from pathlib import Path
from typing import Any

import torch
from kedro.io import DatasetError
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from glance_pipeline import __version__
from glance_pipeline.support.untrusted_files import parse_json
from glance_pipeline.support.whole import write_whole

FORMAT = 1
ENTRY = "glance_pipeline"
SUFFIX = ".safetensors"
_MOST_HEADER = 2**24  # bytes; some hundred for each tensor, so room for 100,000

_FORMER_PATHS = {
    "glance_pipeline.causal.structural_model.StructuralModels": (
        "glance_pipeline.graph.structural.structural_model.StructuralModels"
    ),
    "glance_pipeline.networks.TwinSurrogate": "glance_pipeline.twin.networks.TwinSurrogate",
    "glance_pipeline.networks.critics.Critics": "glance_pipeline.twin.networks.critics.Critics",
    "glance_pipeline.networks.demo_classifier.DemoClassifier": (
        "glance_pipeline.digits.demo_classifier.DemoClassifier"
    ),
    "glance_pipeline.networks.reader.AttributeReader": (
        "glance_pipeline.twin.networks.attribute_reader.AttributeReader"
    ),
}
"""Classes by the import path that earlier files name: what a user has trained stays readable."""


def write_weights(
    path: Path, tensors: dict[str, Tensor], network: str, header: dict[str, Any]
) -> None:
    """Write ``tensors`` and ``header`` to ``path`` so that it holds all of them or is not there.

    Args:
        path: The file; its folder is created.
        tensors: Weights by name.
        network: Import path of the class whose weights they are.
        header: Whatever JSON the class needs to be built again.
    """
    entry = {"format": FORMAT, "project": __version__, "network": network, "header": header}
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_whole(path, save(plain, {ENTRY: json.dumps(entry, allow_nan=False)}))


def read_weights(
    path: Path, network: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the header of ``path``; the header is empty for a foreign file.

    Args:
        path: A safetensors file.
        network: Import path of the class that is wanted, checked against the header's.

    Raises:
        DatasetError: if it is no complete safetensors file, of a newer format, or another class.
    """
    if not path.is_file():
        raise DatasetError(f"weights {path}: no such file")
    try:
        _check_length_of_header(path)
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors', and torch's where it lacks a type of numbers
        raise DatasetError(
            f"weights {path}: {path.stat().st_size} bytes were found which are no complete "
            f"safetensors file ({error}); it was cut short or is of another format"
        ) from error
    entry = _entry(metadata, path)
    if entry is None:
        return tensors, {}
    found = _FORMER_PATHS.get(entry["network"], entry["network"])
    if network is not None and found != network:
        raise DatasetError(f"weights {path}: found weights of {found}; wanted those of {network}")
    return tensors, entry["header"]


def network_in_header(path: Path) -> str | None:
    """Return the class that a safetensors file says its weights are of, to be shown, not imported.

    Raises:
        DatasetError: if the header is not as this project writes it.
    """
    with safe_open(path, framework="pt") as file:
        entry = _entry(file.metadata() or {}, path)
    return None if entry is None else str(entry["network"])


def _check_length_of_header(path: Path) -> None:
    """Raise if the header, which is read into memory whole, is too long."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _MOST_HEADER:
        raise ValueError(f"its header would have {length:,} bytes, at most {_MOST_HEADER:,} may be")


def _entry(metadata: dict[str, str], path: Path) -> dict[str, Any] | None:
    """Return what this project wrote into a header; None for a foreign file."""
    if ENTRY not in metadata:
        return None
    try:
        entry = parse_json(metadata[ENTRY], f"the entry {ENTRY!r} of its header")
        wanted = {"format": int, "project": str, "network": str, "header": dict}
        wrong = [key for key, kind in wanted.items() if not isinstance(entry.get(key), kind)]
        if wrong:
            raise ValueError(f"the entry {ENTRY!r} of its header lacks {wrong}")
    except ValueError as error:
        raise DatasetError(f"weights {path}: {error}") from error
    if entry["format"] > FORMAT:
        raise DatasetError(
            f"weights {path}: found format {entry['format']}, written by version "
            f"{entry['project']}; wanted format {FORMAT} or older: update the project"
        )
    return entry


def load_into(
    network: torch.nn.Module, tensors: dict[str, Tensor], path: Path, hint: str = ""
) -> None:
    """Load ``tensors`` into ``network``; where they do not fit, say which and how.

    Args:
        network: that takes them.
        tensors: by its names.
        path: path of the file, for messages.
        hint: what to do where they do not fit.

    Raises:
        DatasetError: naming missing, unexpected and wrongly shaped weights, and whole numbers
            where fractions are wanted.
    """
    wanted = network.state_dict()
    shapes = [
        f"{name} found {tuple(tensors[name].shape)}, wanted {tuple(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    complaints = {
        "missing": [name for name in wanted if name not in tensors],
        "unexpected": [name for name in tensors if name not in wanted],
        "of another shape": shapes,
        "of another kind of numbers": [
            f"{name} found {tensors[name].dtype}, wanted {wanted[name].dtype}"
            for name in wanted
            if name in tensors and _kind(tensors[name]) != _kind(wanted[name])
        ],
    }
    if any(complaints.values()):
        said = "; ".join(
            f"{kind}: {_shorten(names)}" for kind, names in complaints.items() if names
        )
        raise DatasetError(f"weights {path} do not fit {type(network).__name__}: {said}{hint}")
    wanted.update(tensors)  # it holds the versions of its modules, which some ask for on loading
    network.load_state_dict(wanted)


def _kind(tensor: Tensor) -> str:
    """Return the kind of a tensor's numbers; of 8 bits they mean nothing without a scale."""
    if tensor.is_floating_point():
        return "fractions" if tensor.element_size() > 1 else str(tensor.dtype)
    return "whole numbers"


def _shorten(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
