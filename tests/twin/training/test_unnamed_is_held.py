"""``align`` holds what goes with a feature by accident, in training and at its end."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.context.properties import measure_properties
from glance_pipeline.images.form import in_batches
from glance_pipeline.twin.basis.accompanying import Accompanying
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training import stages
from glance_pipeline.twin.training.averaging import refresh_statistics
from glance_pipeline.twin.training.data import PreparedImages, TrainingData
from glance_pipeline.twin.training.state import Stage

COUNT = 300
RECORDS = pd.DataFrame({"split": ["train"] * COUNT})


def world() -> tuple[np.ndarray, pd.DataFrame]:
    """Return images of a bar whose place goes with the feature ``size``, which is in the table."""
    rng = np.random.default_rng(0)
    place = rng.integers(1, 7, COUNT)
    size = 0.7 * (place - 3.5) / 1.7 + 0.7 * rng.standard_normal(COUNT)
    images = rng.integers(0, 40, (COUNT, 1, 8, 8)).astype(np.uint8)
    images[np.arange(COUNT), 0, :, place] = (150 + 30 * size.clip(-3, 3)).astype(np.uint8)[:, None]
    return images, pd.DataFrame({"size": size})


def correlation(one: Tensor, other: Tensor) -> float:
    """Return the largest correlation of any two columns, without a sign."""
    both = np.corrcoef(one.numpy().T, other.numpy().T)
    return float(np.abs(both[: one.shape[1], one.shape[1] :]).max())


@pytest.mark.parametrize("hold", [True, False])
def test_what_the_rest_is_uncorrelated_with(
    hold: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, context = world()
    stage = {
        "steps": 1,
        "batch_size": 8,
        "learning_rate": 1e-12,
        "objectives": {"reconstruction": {"weight": 1}, "decorrelation": {"weight": 1}},
    }
    settings = AlignParameters.model_validate(
        {"reader": {"widths": [8, 8]}, "stage": stage, "hold_unnamed": hold}
    )
    trained_on: list[TrainingData] = []
    train = stages.train_stage

    def watched(stage: Stage, *rest: object) -> object:
        trained_on.append(stage.data)
        return train(stage, *rest)

    monkeypatch.setattr(stages, "train_stage", watched)
    torch.manual_seed(0)
    surrogate = TwinSurrogate(SurrogateShape((1, 8, 8), 3, 3, 3, 6, (8, 8), 16, 16)).eval()
    # An encoder that was trained has seen images; align goes on from what it normalises by.
    refresh_statistics(surrogate.encoder, in_batches(images))
    players = Players(surrogate, Critics((1, 8, 8), (8, 8), 3), tiny_classifier())
    prepared = PreparedImages(images, RECORDS, context)
    twin = stages.align(prepared, players, settings, stages.StageRun(tmp_path, 0)).surrogate

    codes = twin.encode_array(images)
    aligned, rest = codes.concepts[:, :1], twin.rest_of(codes)
    values, _ = standardise_context(context, RECORDS, {})
    beside = Accompanying.of(measure_properties(images), values, ("size",))
    assert beside.held.any(), "the place of the bar is measured"
    told = beside.tell(aligned, torch.ones(COUNT)).float()
    (data,) = trained_on
    if hold:
        assert data.told_beside is not None
        assert correlation(data.told_beside, told) > 0.99
        assert correlation(rest, aligned - told) < 1e-2
        assert correlation(rest, aligned) > 0.2
    else:
        assert data.told_beside is None
        assert correlation(rest, aligned) < 1e-2
