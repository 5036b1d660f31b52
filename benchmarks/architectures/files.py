"""A trained network as a file in one of the forms that users have, and its catalog entry."""

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.architectures.teachers import Form

SPECIFICATION: dict[str, Any] = {
    "image_shape": [1, 32, 32],
    "class_names": ["no", "yes"],
    "mean": [0.5],
    "std": [0.5],
}
"""What no file says: the networks were trained on images in [−1, 1]."""


def write_file(network: nn.Module, form: Form, folder: Path) -> dict[str, Any]:
    """Write ``network`` to ``folder`` and return the catalog entry that reads it.

    Args:
        network: trained, in evaluation mode.
        form: form of the file.
        folder: that the file lies in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"classifier{_SUFFIXES[form]}"
    network = network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    images = torch.zeros(2, 1, 32, 32)
    entry: dict[str, Any] = {
        "type": "glance_pipeline.datasets.ClassifierDataset",
        "filepath": str(path.resolve()),
        "specification": SPECIFICATION,
    }
    imported = f"{type(network).__module__}.{type(network).__qualname__}"
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # torch announces what it will drop one day
        match form:
            case "state_dict":
                torch.save(network.state_dict(), path)
                entry["network"] = imported
            case "checkpoint":
                weights = {f"model.{name}": value for name, value in network.state_dict().items()}
                torch.save({"epoch": 1, "state_dict": weights}, path)
                entry |= {"network": imported, "key": "state_dict", "prefix": "model."}
            case "safetensors":
                save_file(network.state_dict(), path)
                entry["network"] = imported
            case "torchscript":
                torch.jit.trace(network, images).save(str(path))
                entry["trust"] = True  # a program, of our own
            case "exported":
                batch = ({0: torch.export.Dim("batch")},)
                torch.export.save(
                    torch.export.export(network, (images,), dynamic_shapes=batch), path
                )
                entry["trust"] = True
            case "onnx":
                _write_onnx(network, images, path)
    return entry


_SUFFIXES: dict[Form, str] = {
    "state_dict": ".pt",
    "checkpoint": ".ckpt",
    "safetensors": ".safetensors",
    "torchscript": ".torchscript",
    "exported": ".pt2",
    "onnx": ".onnx",
}


def _write_onnx(network: nn.Module, images: torch.Tensor, path: Path) -> None:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        torch.onnx.export(
            network,
            (images,),
            path,
            dynamo=False,  # the newer exporter needs onnxscript
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
        )
    finally:
        logging.disable(before)
