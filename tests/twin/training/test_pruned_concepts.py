import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.stages import StageRun, disentangle

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"split": ["train"] * 40})


def after_disentangle(folder: Path, strength: float, prune_below: float) -> TwinSurrogate:
    """One step, at a rate of next to nothing, of a surrogate whose last latent is ``strength``."""
    surrogate = tiny_surrogate()
    with torch.no_grad():
        entry = surrogate.generator.mapping.entry.weight
        entry[:, 1] *= 0.0  # tilt, which is aligned and so stays
        entry[:, 2] *= strength
    parameters = DisentangleParameters.model_validate(
        {
            "prune_below": prune_below,
            "stage": {
                "steps": 1,
                "batch_size": 8,
                "learning_rate": 1e-12,
                "objectives": {"reconstruction": {"weight": 1}},
            },
        }
    )
    critics = Critics((1, 8, 8), (8, 8), 3)
    players = Players(surrogate, critics, tiny_classifier())
    prepared = PreparedImages(IMAGES, RECORDS)
    return disentangle(prepared, players, parameters, StageRun(folder, 0)).surrogate


def test_a_latent_without_effect_is_pruned_and_named(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.INFO):
        surrogate = after_disentangle(tmp_path, strength=0.0, prune_below=0.05)
    assert surrogate.active_concepts == ["size", "tilt"]
    assert "pruned, since they have no effect on the image: latent_1" in caplog.messages
    # It is kept in the code, with its range, and only no longer looked at.
    assert surrogate.concept("latent_1").low < surrogate.concept("latent_1").high


def test_a_latent_with_an_effect_stays_and_nothing_is_said(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.INFO):
        surrogate = after_disentangle(tmp_path, strength=1.0, prune_below=0.05)
    assert surrogate.active_concepts == ["size", "tilt", "latent_1"]
    assert not [message for message in caplog.messages if "pruned" in message]
