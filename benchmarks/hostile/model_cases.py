"""Weights whose names, place or precision were read wrongly, or refused."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from kedro.io import DatasetError
from torch import Tensor

from benchmarks.hostile.kinds import Canaries, Case
from benchmarks.hostile.model_files import SMALL, SPECIFICATION, Small, header
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.onboarding.inspection.model import find_model
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.support.errors import UserError

with contextlib.suppress(ImportError):  # once for all: the processes that run cases are forks
    from transformers import ResNetConfig, ResNetForImageClassification
    from transformers.utils.logging import disable_progress_bar


class _Kept(logging.Handler):
    """Keeps what is logged of a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message, without the path before it."""
        self.said.append(record.getMessage().partition(": ")[2])


def _load(path: Path, **entry: Any) -> tuple[Classifier, str]:
    """Load a classifier; return it with what the log says of it."""
    kept, logger = _Kept(), logging.getLogger("glance_pipeline.datasets.classifier_dataset")
    logger.setLevel(logging.INFO)
    logger.addHandler(kept)
    fields = {"network": SMALL, "specification": SPECIFICATION, **entry}
    loaded = ClassifierDataset(filepath=str(path), **fields).load()
    return loaded, "; ".join(kept.said)


def _answers_as(loaded: Classifier, network: torch.nn.Module) -> bool:
    images = torch.rand(5, 1, 8, 8) * 2 - 1
    found, wanted = loaded.logits(images), network((images + 1) / 2)
    return found.dtype == torch.float32 and bool(torch.allclose(found, wanted, atol=1e-4))


def _network(moved: float = 0.0) -> Small:
    torch.manual_seed(0)
    network = Small().requires_grad_(False)
    network.linear.bias.add_(moved)
    return network


def _before(prefix: str, moved: float = 0.0) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in _network(moved).state_dict().items()}


def ema_beside_weights(folder: Path) -> tuple[bool, str]:
    """Read a checkpoint with plain and averaged weights, without a key and with each."""
    path = folder / "net.pth.tar"
    content = {"state_dict": _before(""), "state_dict_ema": _before("module.", 1), "epoch": 3}
    torch.save(content, path)
    try:
        _load(path)
        return False, "one of them was taken"
    except DatasetError as error:
        message = str(error)
    plain, averaged = (_load(path, key=key)[0] for key in ("state_dict", "state_dict_ema"))
    chosen = _answers_as(plain, _network()) and _answers_as(averaged, _network(1))
    named = "['state_dict', 'state_dict_ema']" in message and "`key`" in message
    return chosen and named, message.partition(".tar: ")[2]


def half_precision(folder: Path) -> tuple[bool, str]:
    """Read folders of transformers that were saved in bfloat16 and float16."""
    disable_progress_bar()
    plain = ResNetConfig(
        num_channels=1, embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic"
    )
    wanted, messages = True, []
    for kind in (torch.bfloat16, torch.float16):
        model = ResNetForImageClassification(plain).eval().to(kind)
        model.save_pretrained(folder / "net")
        loaded, said = _load(folder / "net", network=None)
        images = torch.rand(5, 1, 8, 8) * 2 - 1
        answer = model.float()((images + 1) / 2).logits
        wanted &= bool(torch.allclose(loaded.logits(images), answer, atol=1e-4))
        wanted &= "it runs in float32" in said
        messages.append(said)
    return wanted, "; ".join(messages)


def written(name: str, content: Any, *said: str) -> Callable[[Path], tuple[bool, str]]:
    """Return a case that reads weights which the network's answers tell, and looks at the log."""

    def run(folder: Path) -> tuple[bool, str]:
        torch.save(content, folder / name)
        loaded, log = _load(folder / name)
        return _answers_as(loaded, _network()) and all(part in log for part in said), log or "read"

    return run


def refused(name: str, content: bytes, said: str) -> Callable[[Path], tuple[bool, str]]:
    """Return a case that wants a file of another framework to be refused by name."""

    def run(folder: Path) -> tuple[bool, str]:
        (folder / name).write_bytes(content)
        try:
            _load(folder / name)
        except DatasetError as error:
            return said in str(error), str(error).partition(": ")[2]
        return False, "it was read"

    return run


def half_state_dict(folder: Path) -> tuple[bool, str]:
    """Read a state dict in float16."""
    half = _network().half()
    torch.save(half.state_dict(), folder / "net.pt")
    loaded, log = _load(folder / "net.pt")
    return _answers_as(loaded, half.float()) and "it runs in float32" in log, log


def header_is_a_hint(folder: Path) -> tuple[bool, str]:
    """Ask ``init`` about safetensors whose header names a class."""
    path = header("subprocess.run", {"args": "true"})(Canaries(folder, folder / "r", folder / "s"))
    try:
        find_model(Wishes(model=str(path)), folder, Asker(may_ask=False))
    except UserError as error:
        wanted = "Its header says subprocess.run, which is not imported on its word"
        return wanted in str(error), str(error)
    return False, "it was taken"


_PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "net.", "module._orig_mod.")

CASES = (
    Case(
        "ema_beside_weights",
        "averaged weights beside plain ones: both named, one chosen by the user",
        ema_beside_weights,
    ),
    Case("hf_half_precision", "runs in float32, and says so", half_precision),
    Case("half precision, state dict", "runs in float32, and says so", half_state_dict),
    *(
        Case(
            f"{prefix} before every name",
            "cut off, and said",
            written("net.pt", _before(prefix), f"'{prefix}' is cut off"),
        )
        for prefix in _PREFIXES
    ),
    Case(
        "a state dict under one key",
        "read, and said",
        written("net.th", {"weights": _before("module."), "epoch": 3}, "under 'weights'"),
    ),
    Case("suffix .weights", "told by content", written("net.weights", _before(""))),
    Case("suffix .PTH", "told by content", written("net.PTH", _before(""))),
    Case("no suffix", "told by content", written("net", _before(""))),
    Case("Keras", "refused by name", refused("net.model", b"\x89HDF\r\n\x1a\n", "an HDF5 file")),
    Case("TensorFlow Lite", "refused by name", refused("net", b"\x1c\0\0\0TFL3", "Lite file")),
    Case("class in a header", "shown, not imported", header_is_a_hint),
)
