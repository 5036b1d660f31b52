"""Nodes around alignment, on a context of all kinds."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.pipelines.align.nodes import train_attribute_reader
from glance_pipeline.pipelines.evaluate.nodes import measure_fidelity_on_held_out_images
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import tiny_classifier

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (90, 1, 8, 8), dtype=np.uint8)
RECORDS = pd.DataFrame({"split": ["train"] * 60 + ["test"] * 30})
CONTEXT = pd.DataFrame(
    {
        "grey": IMAGES.mean((1, 2, 3)),
        "smiling": RNG.random(90) < 0.5,
        "group": RNG.integers(1, 4, 90),
    }
)


def parameters(**changes: object) -> AlignParameters:
    return AlignParameters.model_validate(
        {
            "reader": {"widths": [4, 4], "hidden": 8, "steps": 2},
            "stage": {"steps": 1, "objectives": {"alignment": {"weight": 1}}},
            **changes,
        }
    )


def test_the_reader_reads_every_dimension_of_the_declared_kinds() -> None:
    declared = parameters(kinds={"group": "categorical"})
    reader = train_attribute_reader(IMAGES, RECORDS, CONTEXT, declared, 0)
    assert reader.header["features"] == ("grey", "smiling", "group=1", "group=2", "group=3")
    plain = train_attribute_reader(IMAGES, RECORDS, CONTEXT, parameters(), 0)
    assert plain.header["features"] == ("grey", "smiling", "group")


def test_kinds_and_basis_are_checked_with_the_parameters() -> None:
    for wrong in ({"kinds": {"group": "ordinal"}}, {"basis": "rotation"}):
        with pytest.raises(ValidationError, match="Input should be"):
            parameters(**wrong)


def test_evaluation_measures_each_kind_in_its_own_way() -> None:
    _, concepts = standardise_context(CONTEXT, RECORDS, {}, {"group": "categorical"})
    shape = SurrogateShape((1, 8, 8), 3, 3, 5, 2, (4, 4), style=8, hidden=8)
    surrogate = TwinSurrogate(shape, concepts).eval()
    found = measure_fidelity_on_held_out_images(
        images=IMAGES,
        image_records=RECORDS,
        context_features=CONTEXT,
        classifier=tiny_classifier(),
        surrogate=surrogate,
        parameters=EvaluateParameters(),
        seed=0,
    )
    assert set(found["alignment"]["r2"]) == {"grey"}
    assert set(found["alignment"]["balanced_accuracy"]) == {"smiling", "group"}
