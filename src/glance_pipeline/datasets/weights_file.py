"""Weights on disk: safetensors with one JSON header, written all or nothing."""

import json
from pathlib import Path
from typing import Any

import torch
from kedro.io import DatasetError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from glance_pipeline import __version__
from glance_pipeline.support.whole import write_whole

FORMAT = 1
ENTRY = "glance_pipeline"
SUFFIX = ".safetensors"


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
        DatasetError: where it is no complete safetensors file, of a newer format, or another class.
    """
    if not path.is_file():
        raise DatasetError(f"weights {path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DatasetError(
            f"weights {path}: {path.stat().st_size} bytes were found which are no complete "
            f"safetensors file ({error}); it was cut short or is of another format"
        ) from error
    if ENTRY not in metadata:
        return tensors, {}
    entry = json.loads(metadata[ENTRY])
    if entry["format"] > FORMAT:
        raise DatasetError(
            f"weights {path}: found format {entry['format']}, written by version "
            f"{entry['project']}; wanted format {FORMAT} or older: update the project"
        )
    if network is not None and entry["network"] != network:
        raise DatasetError(
            f"weights {path}: found weights of {entry['network']}; wanted those of {network}"
        )
    return tensors, entry["header"]


def load_into(network: torch.nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load ``tensors`` into ``network``; where they do not fit, say which and how.

    Raises:
        DatasetError: naming missing, unexpected and wrongly shaped weights.
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
    }
    if any(complaints.values()):
        said = "; ".join(
            f"{kind}: {_shorten(names)}" for kind, names in complaints.items() if names
        )
        raise DatasetError(f"weights {path} do not fit {type(network).__name__}: {said}")
    wanted.update(tensors)  # it holds the versions of its modules, which some ask for on loading
    network.load_state_dict(wanted)


def _shorten(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
