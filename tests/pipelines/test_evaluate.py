"""Nodes of the evaluate pipeline on images that the renderer did not draw."""

import numpy as np
import pandas as pd

from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.pipelines.evaluate.nodes import (
    compare_with_true_counterfactuals,
    measure_disentanglement_of_codes,
)
from glance_pipeline.testing import tiny_surrogate

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"label": 0, "split": ["train", "test"] * 20})


def test_true_counterfactuals_are_left_out_for_images_of_ones_own(caplog):
    context = pd.DataFrame({"size": np.arange(40.0)})
    found = compare_with_true_counterfactuals(
        IMAGES, RECORDS, context, IMAGES[:, 0], tiny_surrogate(), EvaluateParameters(), 1, 0
    )
    assert found == {}
    assert "true counterfactuals are not measured: image_records has no columns" in caplog.text


def test_disentanglement_is_left_out_where_no_feature_is_a_number(caplog):
    context = pd.DataFrame({"colour": ["red", "green", "blue", "white"] * 10})
    found = measure_disentanglement_of_codes(
        IMAGES, RECORDS, context, tiny_surrogate(), EvaluateParameters(), 0
    )
    assert found == {}
    assert "['colour'] left out" in caplog.text
