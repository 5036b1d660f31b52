"""Teachers from folders that transformers' ``save_pretrained`` wrote."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.forms.building import in_float32, of_bounded_size
from glance_pipeline.classifiers.forms.extras import needed
from glance_pipeline.classifiers.forms.transformers_files import (
    Stored,
    check_configuration,
    check_weights,
)
from glance_pipeline.support.untrusted_files import parse_json, read_text, within

logger = logging.getLogger(__name__)

_PROCESSOR = "preprocessor_config.json"
_SLACK = 2**26  # numbers in buffers that no file holds, such as positions
_LAYERS_A_TENSOR = 20
_MOST_SMALL = 1000  # layers that any network may have


class LogitsOnly(nn.Module):
    """An image classifier of transformers that answers with its logits alone.

    Args:
        model: what ``AutoModelForImageClassification`` gives.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Map pixel values (N, C, H, W) to logits (N, K)."""
        return self.model(pixel_values=images).logits


def read_transformers(path: Path) -> LoadedNetwork:
    """Read an image classifier with its labels and what its processor does to images.

    Nothing is fetched from a hub, nothing outside the folder is read, and no code from it is run;
    its weights must be safetensors. It runs in float32, whatever the weights are. A folder of
    timm's is one too: its ``config.json`` says what its images are.

    Args:
        path: the folder.

    Raises:
        ValueError: if it holds no image classifier, no safetensors, or weights that do not fit;
            where it wants code, files or memory beyond its own.
    """
    transformers = needed("transformers", "transformers", "a folder of transformers")
    config = _json(path, "config.json")
    stored = check_weights(path)
    check_configuration(config, stored)
    try:
        known = _preprocessing(path, config)
    except (TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"{_PROCESSOR} or config.json is not as transformers writes it: "
            f"{type(error).__name__}: {error}"
        ) from error
    model: Any = _load(transformers, path, stored)
    known |= _output(model.config.problem_type)
    said = in_float32(model, stored=stored.kinds)
    if "auto_map" in config:
        said += ("its config.json names code of its own (auto_map), which is not run",)
    return LoadedNetwork(LogitsOnly(model), _labels(model.config.id2label or {}) | known, said=said)


def _load(transformers: Any, path: Path, stored: Stored) -> nn.Module:
    logger = logging.getLogger("transformers")
    level = logger.level
    shows_bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    logger.setLevel(logging.CRITICAL)
    # A network is registered once as it is made, without memory, and once as it is filled.
    most = 2 * stored.numbers + _SLACK
    try:
        with _offline(), of_bounded_size(most, _LAYERS_A_TENSOR * stored.tensors + _MOST_SMALL):
            model, report = transformers.AutoModelForImageClassification.from_pretrained(
                path,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported below, with their names
                dtype=torch.float32,
            )
    except Exception as error:  # transformers raises whatever its parts raise
        raise ValueError(f"transformers cannot load it: {error}") from error
    finally:
        logger.setLevel(level)
        if shows_bars:
            transformers.utils.logging.enable_progress_bar()
    # Weights that are missing would be drawn at random without a word.
    wrong = {
        kind.removesuffix("_keys"): sorted(map(str, report.get(kind, ())))[:6]
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
        if report.get(kind)
    }
    if wrong:
        raise ValueError(f"its weights do not fit {type(model).__name__}: {wrong}")
    return model


@contextmanager
def _offline() -> Iterator[None]:
    """Have the hub's library ask nobody meanwhile.

    ``local_files_only`` is for the folder itself. Some configurations ask a hub by themselves as
    they are made, for what they name or by default, whether the model is one of images or not.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _output(problem: str | None) -> dict[str, Any]:
    """Return what the outputs are, where the configuration says that they are no classes."""
    kinds = {"multi_label_classification": "label_logits", "regression": "values"}
    return {"output": kinds[problem]} if problem in kinds else {}


def _labels(labels: dict[int, str]) -> dict[str, Any]:
    """Return the class names, where they are more than the numbers that transformers fills in."""
    names = [str(labels[key]) for key in sorted(labels)]
    made_up = all(name == f"LABEL_{number}" for number, name in enumerate(names))
    if made_up:
        return {}
    # ImageNet has two classes called crane; the later of equals gets its number.
    return {
        "class_names": tuple(
            f"{name} ({number})" if name in names[:number] else name
            for number, name in enumerate(names)
        )
    }


def _preprocessing(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return input size, mean and std as the folder's processor has them."""
    channels = config.get("num_channels")
    if isinstance(config.get("pretrained_cfg"), dict):
        return _of_timm(config["pretrained_cfg"])
    if not (path / _PROCESSOR).exists():
        size = config.get("image_size")
        height, width = size if isinstance(size, list) else (size, size)
        return {"network_shape": (channels, height, width)}
    processor = _json(path, _PROCESSOR)
    height, width = _size(processor)
    known: dict[str, Any] = {"network_shape": (channels, height, width)}
    if processor.get("do_resize", True):
        known["fit"] = "resize"
    _log_crop(processor, height)
    kind = str(processor.get("image_processor_type", processor.get("feature_extractor_type", "")))
    if processor.get("do_flip_channel_order", kind.startswith("MobileViT")):
        known["colour"] = "bgr"
    # Pixels are first multiplied by rescale_factor, 1/255 by default, then normalised.
    scale = 255 * processor.get("rescale_factor", 1 / 255)
    if not processor.get("do_rescale", True):
        scale = 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    if processor.get("do_normalize", True) and "image_mean" in processor:
        mean, std = _numbers(processor["image_mean"]), _numbers(processor["image_std"])
        if kind.startswith("EfficientNet") and processor.get("include_top", True):
            std = tuple(value**2 for value in std)  # it divides by std twice, as its makers did
    if processor.get("rescale_offset"):
        raise ValueError(
            f"{_PROCESSOR}: rescale_offset is not understood; wrap the network in a callable"
        )
    known["mean"] = tuple(round(value / scale, 9) for value in mean)
    known["std"] = tuple(round(value / scale, 9) for value in std)
    return known


def _of_timm(said: dict[str, Any]) -> dict[str, Any]:
    """Return input size, mean and std as timm's own configuration of a network has them."""
    known: dict[str, Any] = {name: _numbers(said[name]) for name in ("mean", "std") if name in said}
    if "input_size" in said:
        known |= {"network_shape": tuple(said["input_size"]), "fit": "resize"}
        height = known["network_shape"][1]
        edge = round(height / said.get("crop_pct", 1.0))
        _log_crop({"size": edge, "do_center_crop": True}, height)
    return known


def _size(processor: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the height and width of what the processor gives the model."""
    cropped = processor.get("do_center_crop", False) and processor.get("crop_size")
    size = cropped or processor.get("size")
    if isinstance(size, int):
        return size, size
    if isinstance(size, dict):
        edge = size.get("shortest_edge")
        return size.get("height", edge), size.get("width", edge)
    return None, None


def _log_crop(processor: dict[str, Any], height: int | None) -> None:
    """Say where the folder's processor cuts a margin off, which is not done here."""
    size = processor.get("size")
    edge = size.get("shortest_edge") if isinstance(size, dict) else size
    if processor.get("do_center_crop") and isinstance(edge, int) and height and edge > height:
        logger.info(
            "its processor resizes images to %d px and cuts out the middle %d; here the whole "
            "image is resized to %d px: crop the images where that matters",
            edge,
            height,
            height,
        )


def _numbers(found: Any) -> tuple[float, ...]:
    return tuple(found) if isinstance(found, (list, tuple)) else (float(found),)


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        text = read_text(within(folder, name))
    except (OSError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
    return parse_json(text, name)
