"""Weights by name from a file of ``torch.save``, read without running any code in it."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor


def read_state_dict(path: Path, key: str | None) -> dict[str, Tensor]:
    """Read a state dict without running any code that its pickle may hold.

    Args:
        path: the file.
        key: name under which a checkpoint keeps its state dict; None where it is one itself.

    Raises:
        ValueError: where the file holds other Python objects, is cut short, or has no state dict.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch would not have written
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("WeightsUnpickler error:")[2].strip().partition("\n")[0]
        reason = reason.partition(" Please use")[0]  # torch's advice how to run it all the same
        raise ValueError(
            f"it is no plain state dict but a pickle with Python objects in it, and loading those "
            f"could run any code ({reason or error}). Save the weights alone, "
            "`torch.save(model.state_dict(), path)`, and name the class under `network`"
        ) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path.stat().st_size} bytes were found which are no complete file of torch.save "
            f"({error})"
        ) from error
    if key is not None:
        if not isinstance(content, Mapping) or key not in content:
            found = list(content) if isinstance(content, Mapping) else type(content).__name__
            raise ValueError(f"no key {key!r} in it; found {found}")
        content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        hint = f"; its keys are {list(content)[:8]}" if isinstance(content, Mapping) else ""
        raise ValueError(
            f"a mapping of names to tensors was wanted{hint}; "
            "for a training checkpoint name the entry that holds it under `key`"
        )
    return dict(content)


def under_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, which is cut off.

    Raises:
        ValueError: where there are none.
    """
    chosen = {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
    if not chosen:
        raise ValueError(f"no weight starts with {prefix!r}; found {list(tensors)[:6]}")
    return chosen
