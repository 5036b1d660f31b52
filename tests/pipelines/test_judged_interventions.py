"""Who measures the interventions: a feature that is no column of numbers needs a judge."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.images.form import to_uint8
from glance_pipeline.pipelines.evaluate.nodes import measure_interventions
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def measured(categorical: bool, context: pd.DataFrame) -> dict[str, Any]:
    surrogate, _ = glass_box(lambda concepts: concepts)
    codes = Codes(
        torch.randn(60, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(60, 4)
    )
    if categorical:
        surrogate.concepts = tuple(
            replace(
                concept,
                name=f"kind={level}",
                kind="aligned",
                measure="categorical",
                feature="kind",
                levels=(level,),
            )
            for concept, level in zip(surrogate.concepts, "abc", strict=True)
        )
    images = to_uint8(surrogate.generate_batched(codes))
    objectives = {"alignment": {"weight": 1}}
    reader = {"widths": [4] * (images.shape[2].bit_length() - 2), "hidden": 8, "steps": 2}
    align = {"reader": reader, "stage": {"steps": 1, "objectives": objectives}}
    return measure_interventions(
        images=images,
        image_records=pd.DataFrame({"split": ["train"] * 40 + ["test"] * 20}),
        context_features=context,
        surrogate=surrogate,
        parameters=EvaluateParameters.model_validate({"split": "test"}),
        align=AlignParameters.model_validate(align),
        workers=1,
        seed=0,
    )


def test_levels_are_measured_by_a_judge() -> None:
    found = measured(True, pd.DataFrame({"kind": list("abc") * 20}))
    assert "judge" in found
    assert set(found["effectiveness"]["mae"]) == {"kind=a", "kind=b", "kind=c"}


def test_a_feature_that_the_table_lacks_is_named() -> None:
    shade = np.random.default_rng(0).normal(size=60)
    with pytest.raises(UserError, match=r"found \['shade'\], wanted \['tilt'\] too"):
        measured(False, pd.DataFrame({"shade": shade}))
