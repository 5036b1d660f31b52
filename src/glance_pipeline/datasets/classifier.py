"""Dataset of the teacher: the catalog entry that a user overrides for a model of their own."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from kedro.io import DatasetError, Version
from kedro.utils import load_obj
from pydantic import ValidationError
from torch import Tensor, nn

from glance_pipeline.classifier import Classifier, ClassifierSpecification
from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.datasets.weights_file import (
    SUFFIX,
    load_into,
    read_weights,
    write_weights,
)


class ClassifierDataset(VersionedPathDataset[Classifier]):
    """A frozen classifier: weights, the class they belong to, and what it cannot say of itself.

    For a model of your own, in ``conf/local/catalog.yml``::

        classifier:
          type: glance_pipeline.datasets.ClassifierDataset
          filepath: data/06_models/mine.pt
          network: my_package.MyNetwork
          arguments: {classes: 2}
          specification:
            image_shape: [3, 64, 64]
            class_names: [calm, smiling]

    Args:
        filepath: ``.safetensors``, or a state dict that ``torch.save`` wrote, which is read
            without running any code in it. A missing suffix is ``.safetensors``.
        network: Import path of the ``nn.Module``.
        arguments: What it is called with; by default what the file's header says, nothing for a
            foreign file. A network that was saved here says it in its attribute ``arguments``.
        specification: Fields of ``ClassifierSpecification``; needed where the file's header does
            not hold them, and taken before the header's where both do.
        key: Name under which a checkpoint keeps its state dict (Lightning: ``state_dict``).
        prefix: Of the classifier's weights in it; it is cut off, other weights are left out.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.
    """

    suffix = SUFFIX

    def __init__(
        self,
        *,
        filepath: str,
        network: str,
        arguments: dict[str, Any] | None = None,
        specification: dict[str, Any] | None = None,
        key: str | None = None,
        prefix: str = "",
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._network = network
        self._arguments = arguments
        self._specification = specification
        self._key = key
        self._prefix = prefix

    def load(self) -> Classifier:
        """Build the network, load its weights and freeze it."""
        path = self.load_path
        if path.suffix == SUFFIX:
            tensors, header = read_weights(path, self._network)
        else:
            tensors, header = _read_state_dict(path, self._key), {}
        specification = self._specify(path, header)
        network = self._build(header.get("arguments", {}))
        load_into(network, _under_prefix(tensors, self._prefix, path), path)
        try:
            return Classifier(network, specification)
        except (ValueError, RuntimeError) as error:
            raise DatasetError(f"classifier {path}: {error}") from error

    def save(self, data: Classifier) -> None:
        """Write the weights with the specification in their header, all or nothing."""
        path = self.save_path
        if path.suffix != SUFFIX:
            raise DatasetError(f"classifier {path}: it is saved as {SUFFIX} only")
        tensors, arguments = data.network.state_dict(), getattr(data.network, "arguments", {})
        load_into(self._build(arguments), tensors, path)  # what cannot be loaded is not saved
        header = {
            "specification": data.specification.model_dump(mode="json"),
            "arguments": arguments,
        }
        write_weights(path, tensors, self._network, header)

    def _build(self, saved_arguments: dict[str, Any]) -> nn.Module:
        arguments = saved_arguments if self._arguments is None else self._arguments
        try:
            return load_obj(self._network)(**arguments)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise DatasetError(
                f"classifier: the network {self._network} cannot be made with the arguments "
                f"{arguments}: {error}"
            ) from error

    def _specify(self, path: Path, header: dict[str, Any]) -> ClassifierSpecification:
        fields = self._specification or header.get("specification")
        if fields is None:
            raise DatasetError(
                f"classifier {path}: the file does not say what it classifies; name image_shape "
                "and class_names under `specification` in the catalog entry"
            )
        try:
            return ClassifierSpecification.model_validate(fields)
        except ValidationError as error:
            raise DatasetError(f"classifier {path}: specification: {error}") from error

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "network": self._network}


def _read_state_dict(path: Path, key: str | None) -> dict[str, Tensor]:
    """Read a state dict without running any code that its pickle may hold."""
    if not path.is_file():
        raise DatasetError(f"classifier {path}: no such file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("WeightsUnpickler error:")[2].strip().partition("\n")[0]
        raise DatasetError(
            f"classifier {path}: it is no plain state dict but a pickle with Python objects in "
            f"it, and loading those could run any code ({reason or error}). Save the weights "
            "alone, `torch.save(model.state_dict(), path)`, and name the class under `network`"
        ) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise DatasetError(
            f"classifier {path}: {path.stat().st_size} bytes were found which are no complete "
            f"file of torch.save ({error})"
        ) from error
    if key is not None:
        if not isinstance(content, Mapping) or key not in content:
            found = list(content) if isinstance(content, Mapping) else type(content).__name__
            raise DatasetError(f"classifier {path}: no key {key!r} in it; found {found}")
        content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        hint = f"; its keys are {list(content)[:8]}" if isinstance(content, Mapping) else ""
        raise DatasetError(
            f"classifier {path}: a mapping of names to tensors was wanted{hint}; "
            "for a training checkpoint name the entry that holds it under `key`"
        )
    return dict(content)


def _under_prefix(tensors: dict[str, Tensor], prefix: str, path: Path) -> dict[str, Tensor]:
    chosen = {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
    if not chosen:
        raise DatasetError(
            f"classifier {path}: no weight starts with {prefix!r}; found {list(tensors)[:6]}"
        )
    return chosen
