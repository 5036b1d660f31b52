"""Checks that could not see, and precisions in which nobody had asked a classifier before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.hostile.kinds import Case
from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.project.lineage import ClassifierThen, MadeFrom, judge_lineage
from glance_pipeline.support.errors import in_one_line
from glance_pipeline.twin.testing import MomentNetwork

_SPECIFICATION: dict[str, Any] = {"image_shape": (3, 8, 8), "class_names": ("red", "green", "blue")}


def _teacher(network: nn.Module, **changes: Any) -> Classifier:
    return Classifier(network, ClassifierSpecification(**_SPECIFICATION | changes))


def _scaled_by_the_batch(batch: np.ndarray) -> np.ndarray:
    """Answer as a service that normalises by the statistics of the batch it is sent."""
    means = batch.mean((2, 3))
    return 20 * (means - means.mean(0)) / (means.std(0) + 1e-3)


def _dropping() -> Callable[[np.ndarray], np.ndarray]:
    draws = np.random.default_rng(0)
    return lambda batch: 20 * batch.mean((2, 3)) * (draws.random((len(batch), 3)) > 0.5)


class _FlattenedByView(nn.Module):
    """Flattens with ``view``, as older tutorials do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.logits = nn.Linear(256, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, 8, 8) to logits (N, 3)."""
        return self.logits(self.conv(images).view(images.shape[0], -1))


class _Dropping(_FlattenedByView):
    """Keeps its dropout on when it is evaluated."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, 8, 8) to logits (N, 3)."""
        return super().forward(F.dropout(images, 0.5, training=True))


def _refused(make: Callable[[], Any], *words: str) -> tuple[bool, str]:
    try:
        make()
    except ValueError as error:
        said = in_one_line(error)
        return all(word in said for word in words), said
    return False, "it was taken"


def _resize_in_bfloat16(_: Path) -> tuple[bool, str]:
    teacher = _teacher(MomentNetwork(), input_size=(5, 5), fit="resize")
    drawn = torch.rand(4, 3, 8, 8) * 2 - 1
    wanted = teacher.logits(drawn.bfloat16().float())
    with torch.autocast("cpu", torch.bfloat16):
        found = teacher.logits(drawn.bfloat16())
    return torch.equal(found, wanted), f"the answer, {found.dtype}"


def _view_in_colour(_: Path) -> tuple[bool, str]:
    network = _FlattenedByView().eval()
    pictures = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        wanted = network(torch.from_numpy(pictures) / 255)
    found = _teacher(network).answers(pictures).logits
    return torch.allclose(found, wanted, atol=1e-5), "the answers of the network itself"


def _names_put_in_order(folder: Path) -> tuple[bool, str]:
    from kedro.io import DataCatalog, Version
    from kedro_datasets.json import JSONDataset

    version = "2026-01-01T00.00.00.000Z"
    (folder / "concepts" / version).mkdir(parents=True)
    (folder / "concepts" / version / "concepts").write_text("{}")
    then = ClassifierThen.of(_teacher(MomentNetwork()))
    MadeFrom(node="infer", pipeline="discover", inputs={}, parameters={}, classifier=then).write(
        folder / "concepts" / version
    )
    saved = JSONDataset(filepath=str(folder / "concepts"), version=Version(None, None))
    now = _teacher(MomentNetwork(), class_names=("blue", "green", "red"))
    found = judge_lineage(["concepts"], [], DataCatalog({"concepts": saved}), now, {})
    said = "; ".join(found.refusals)
    return "'red', 'green', 'blue'" in said and "run discover" in said, said


def _black_box(answer: Callable[[np.ndarray], np.ndarray]) -> Callable[[], Classifier]:
    return lambda: _teacher(BlackBox(lambda batch: (answer(batch), None)))


CASES = (
    Case(
        "black_box_batch_check",
        "the refusal that the docs promise of an answer that depends on the batch",
        lambda _: _refused(_black_box(_scaled_by_the_batch), "differently beside 3 others"),
    ),
    Case(
        "black_box_drops_at_random",
        "a refusal of an answer that is another one each time",
        lambda _: _refused(_black_box(_dropping()), "when it is asked again"),
    ),
    Case(
        "network_drops_at_random",
        "the same of a network with gradients",
        lambda _: _refused(lambda: _teacher(_Dropping()), "when it is asked again"),
    ),
    Case("resize_in_bfloat16", "the answer of float32", _resize_in_bfloat16),
    Case("view_of_colour_images", "the answers of the network itself", _view_in_colour),
    Case("class_names_put_in_order", "a refusal that names both orders", _names_put_in_order),
)
