"""A reader that is fooled by generated images learns what they measure."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from glance_pipeline.config.align import ReaderParameters
from glance_pipeline.context.watched import Watched
from glance_pipeline.images.form import to_float
from glance_pipeline.twin.networks import Concept
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.training.reader_refresh import KEPT, MeasuredCodes, ReaderRefresh
from glance_pipeline.twin.training.supervised import Examples

CONCEPTS = (Concept("grey", "aligned", mean=100.0, std=50.0),)
SETTINGS = ReaderParameters(widths=(8, 8), refresh_rate=5e-3)
REAL = np.random.default_rng(0).integers(0, 100, (64, 1, 8, 8), dtype=np.uint8)


def grey(images: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"grey": images.mean((1, 2, 3))})


def reader(properties: tuple[str, ...] = ()) -> AttributeReader:
    torch.manual_seed(0)
    return AttributeReader(("grey",), (1, 8, 8), (8, 8), 8, properties).requires_grad_(False).eval()


class Step:
    """A step whose generator draws what no real image looks like: uniform, and light."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        light = torch.rand(16, 1, 1, 1, generator=self.generator)
        self.recombination = light.expand(16, 1, 8, 8)
        self.batch: Any = type("Batch", (), {"images": self.recombination})


def error(of: AttributeReader) -> float:
    images = Step(1000).recombination
    wanted = (images.mean((1, 2, 3)) * 127.5 + 127.5 - 100) / 50
    return float((of(images)[:, 0] - wanted).square().mean())


def refresh_of(one: AttributeReader) -> ReaderRefresh:
    measured = MeasuredCodes(one, CONCEPTS, grey)
    return ReaderRefresh(measured, Examples(REAL, measured(REAL)), SETTINGS)


def test_the_reader_learns_what_generated_images_measure_and_forgets_no_real_one() -> None:
    one = reader()
    before = error(one)
    refresh = refresh_of(one)
    for k in range(150):
        refresh(Step(k))
    assert error(one) < 0.1 * before
    real = float((one(to_float(REAL)) - refresh.real.targets).square().mean())
    assert real < 0.05
    assert len(refresh.images) == len(refresh.codes) == KEPT
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_a_refresh_goes_on_from_its_state_as_if_it_had_not_stopped() -> None:
    unbroken, broken = refresh_of(reader()), refresh_of(reader())
    for k in range(3):
        unbroken(Step(k))
        broken(Step(k))
    resumed = refresh_of(reader())
    resumed.load_state_dict(broken.state_dict())
    unbroken(Step(3))
    resumed(Step(3))
    for name, tensor in unbroken.measured.reader.state_dict().items():
        assert torch.equal(tensor, resumed.measured.reader.state_dict()[name]), name


def test_what_nothing_measures_is_not_known_and_what_is_measured_is_standardised() -> None:
    one = reader(("brightness",))
    one.watch(Watched(("brightness",), np.array([0.5]), np.array([0.25]), np.zeros((1, 1))))
    light = np.full((2, 1, 8, 8), 255, np.uint8)
    by_table = MeasuredCodes(one, CONCEPTS, None)(light)
    assert by_table[:, 0].isnan().all()
    torch.testing.assert_close(by_table[:, 1], torch.tensor([2.0, 2.0]))
    # (255 − 100) / 50 is 3.1.
    torch.testing.assert_close(
        MeasuredCodes(one, CONCEPTS, grey)(light)[:, 0], torch.full((2,), 3.1)
    )
