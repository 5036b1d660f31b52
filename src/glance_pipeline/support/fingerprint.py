"""What a checkpoint was made from, as one hash."""

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import Tensor


def fingerprint(**parts: Any) -> str:
    """Return a SHA-256 of everything that decides the outcome of a training.

    Args:
        parts: arrays and tensors by their bytes, shape and dtype; mappings of tensors; whatever
            else JSON can write. Order does not matter, names do.
    """
    digest = hashlib.sha256()
    for name in sorted(parts):
        digest.update(name.encode())
        _update(digest, parts[name])
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", part: Any) -> None:
    if isinstance(part, Tensor):
        part = part.detach().cpu().contiguous().numpy()
    if isinstance(part, np.ndarray):
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).data)
    elif isinstance(part, torch.nn.Module):
        _update(digest, part.state_dict())
    elif isinstance(part, dict) and any(isinstance(value, Tensor) for value in part.values()):
        for key in sorted(part):
            digest.update(key.encode())
            _update(digest, part[key])
    else:
        digest.update(json.dumps(part, sort_keys=True).encode())
