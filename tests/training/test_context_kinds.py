import logging

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.training.context import standardise_context
from glance_pipeline.training.reader import one_column_a_feature

RECORDS = pd.DataFrame({"split": ["train"] * 4 + ["test"]})
CONTEXT = pd.DataFrame(
    {
        "size": [1.0, 3.0, 1.0, 3.0, 9.0],
        "smiling": ["no", "yes", "no", "no", "yes"],
        "colour": ["red", "blue", "red", "green", "green"],
    }
)


def test_each_kind_has_its_dimensions_on_the_scale_of_the_training_images(caplog) -> None:
    with caplog.at_level(logging.INFO):
        values, concepts = standardise_context(CONTEXT, RECORDS, {"size": "px"})
    names = ["size", "smiling", "colour=blue", "colour=green", "colour=red"]
    assert [concept.name for concept in concepts] == names
    assert [concept.mean for concept in concepts] == [2.0, 0.25, 0.25, 0.25, 0.5]
    # 1 of 4: std = √(¼·¾·4/3) = ½; 2 of 4: √(¼·4/3).
    half = 3**-0.5
    assert [concept.std for concept in concepts] == pytest.approx([2 * half, 0.5, 0.5, 0.5, half])
    assert concepts[1].levels == ("no", "yes") and concepts[1].measure == "binary"
    assert {concept.feature for concept in concepts[2:]} == {"colour"}
    wanted = [7 / (2 * half), 1.5, -0.5, 1.5, -0.5 / half]
    assert values[4].tolist() == pytest.approx(wanted)
    assert "context: smiling is binary, 0 is no and 1 is yes" in caplog.messages
    assert "context: colour is categorical: blue, green, red" in caplog.messages


def test_what_is_missing_is_missing_in_all_levels_and_named(caplog) -> None:
    holes = CONTEXT.assign(
        size=[np.nan, 3.0, 1.0, 5.0, 9.0], colour=["red", "blue", None, "blue", "red"]
    )
    values, concepts = standardise_context(holes, RECORDS, {}, {"colour": "categorical"})
    assert concepts[0].mean == 3.0 and concepts[0].std == 2.0
    assert values.isnan().tolist()[:3] == [
        [True, False, False, False],
        [False] * 4,
        [False, False, True, True],
    ]
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warned == [
        f"context: {name} is missing for 1 of 4 training images, which take no part in aligning it"
        for name in ("size", "colour")
    ]


def test_a_declared_kind_overrules_the_values() -> None:
    context = pd.DataFrame({"mark": [True, False, True, False, True]})
    values, (concept,) = standardise_context(context, RECORDS, {}, {"mark": "continuous"})
    assert concept.measure == "continuous" and concept.mean == 0.5
    assert values[0].item() == pytest.approx(0.5 / concept.std)


def test_a_level_that_no_training_image_has_and_two_equal_names_are_refused() -> None:
    unseen = CONTEXT.assign(colour=["red", "blue", "red", "blue", "green"])
    with pytest.raises(ValueError, match=r"\['colour=green'\] do not vary over the training"):
        standardise_context(unseen, RECORDS, {})
    twice = CONTEXT.assign(**{"colour=red": [1.0, 2.0, 3.0, 4.0, 5.0]})
    with pytest.raises(ValueError, match="two concepts would be called 'colour=red'"):
        standardise_context(twice, RECORDS, {})


def test_weights_look_at_a_category_as_one_column() -> None:
    values, concepts = standardise_context(CONTEXT, RECORDS, {})
    columns = one_column_a_feature(values, concepts)
    assert columns.shape == (5, 3)
    assert columns[:, 0].tolist() == values[:, 0].tolist()
    assert columns[:, 2].tolist() == [2, 0, 2, 1, 1]
    holes = torch.cat([values[:4], torch.full((1, 5), torch.nan)])
    assert np.isnan(one_column_a_feature(holes, concepts)[4]).all()
