"""What a folder of transformers holds and asks for, looked at before any of it is loaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from glance_pipeline.support.untrusted_files import parse_json, read_text, within

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"

_MOST_NUMBER = 100_000
"""Largest whole number in a config.json where no tensor is as long: images, labels, layers."""

_REFUSED: dict[str, str] = {
    "configuration_files": "another configuration than this one",
    "backbone": "a backbone that a hub is asked for",
    "quantization_config": "quantised weights",
    "transformers_weights": "a weight file of another name",
    "adapter_config": "an adapter",
    "use_pretrained_backbone": "weights of a backbone from elsewhere",
    "checkpoint_path": "a weight file of another place",
    "pretrained": "weights from elsewhere",
}
"""Keys of a config.json, anywhere in it, that would have more read than the folder holds."""

_NAMES = ("id2label", "label2id")
_ATTENTION = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")


@dataclass(frozen=True)
class Stored:
    """Weights as their files hold them.

    Attributes:
        tensors: how many.
        numbers: in all of them.
        longest: size of any of them.
        kinds: types of their fractions.
    """

    tensors: int
    numbers: int
    longest: int
    kinds: set[torch.dtype]


def check_configuration(config: dict[str, Any], stored: Stored) -> None:
    """Raise if a config.json asks for what lies elsewhere, or for absurd sizes.

    Args:
        config: what it holds.
        stored: weights of its folder.

    Raises:
        ValueError: naming the key.
    """
    for key, value in _entries(config):
        if key in _REFUSED and value:
            raise ValueError(
                f"config.json: {key}: found {str(value)!r:.80}: {_REFUSED[key]} would be read; "
                "load the model where you trust it, and call save_pretrained, plainly"
            )
        if key == "architecture" and isinstance(value, str) and ":" in value:
            raise ValueError(
                f"config.json: architecture: found {value!r:.80}, which timm would fetch; a name "
                "of timm's own was wanted"
            )
        if key in _ATTENTION and value not in (None, "eager", "sdpa"):
            raise ValueError(
                f"config.json: {key}: found {str(value)!r:.80}; 'eager' or 'sdpa' was "
                "wanted, others are code that would be fetched"
            )
        most = _MOST_NUMBER if key == "num_labels" else max(_MOST_NUMBER, stored.longest)
        if isinstance(value, int) and abs(value) > most:
            raise ValueError(
                f"config.json: {key}: found {value!s:.30}; numbers up to {most:,} were wanted"
            )


def check_weights(folder: Path) -> Stored:
    """Return what the weight files of a folder hold.

    Raises:
        ValueError: if there are none that are safetensors, or one lies outside the folder.
    """
    if (folder / "adapter_config.json").exists():
        raise ValueError(
            "adapter_config.json is in it, and an adapter names the model that it belongs to: "
            "merge the two where you trust them, and call save_pretrained"
        )
    shapes, kinds = [], set()
    for name in _weight_files(folder):
        try:
            with safe_open(within(folder, name), framework="pt") as file:
                for key in file.keys():  # noqa: SIM118
                    part = file.get_slice(key)
                    shapes.append(torch.Size(part.get_shape()))
                    kinds.add(_KINDS.get(part.get_dtype(), torch.float32))
        except ValueError:
            raise
        except Exception as error:  # safetensors' own derives from Exception alone
            raise ValueError(f"{name} is no complete safetensors file: {error}") from error
    longest = max((size for shape in shapes for size in shape), default=0)
    return Stored(len(shapes), sum(shape.numel() for shape in shapes), longest, kinds)


_KINDS = {"F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}


def _weight_files(folder: Path) -> list[str]:
    """Return the names of the files that transformers reads weights from."""
    if (folder / _WEIGHTS).exists():
        return [_WEIGHTS]
    if not (folder / _INDEX).exists():
        found = sorted(file.name for file in folder.iterdir())[:8]
        raise ValueError(
            f"no .safetensors is in it, or none called {_WEIGHTS}, it holds {found}; pickled "
            "weights are not read: load the model where you trust it and call save_pretrained, "
            "which writes safetensors"
        )
    index = parse_json(read_text(within(folder, _INDEX)), _INDEX)
    names = index.get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(n, str) for n in names.values()):
        raise ValueError(f"{_INDEX}: no weight_map of names of files is in it")
    files = sorted(set(names.values()))
    others = [name for name in files if not name.endswith(".safetensors")]
    if others:
        raise ValueError(f"{_INDEX}: found {others[:4]}; only safetensors are read")
    return files


def _entries(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key with its value, of inner objects and lists too; but not names of classes."""
    waiting: list[tuple[str, Any]] = [("", content)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((str(k), v) for k, v in value.items() if k not in _NAMES)
        elif isinstance(value, list):
            waiting.extend((key, v) for v in value)
        yield key, value
