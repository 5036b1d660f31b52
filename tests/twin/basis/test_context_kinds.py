import logging

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.training.reader_training import one_column_a_feature

RECORDS = pd.DataFrame({"split": ["train"] * 8 + ["test"]})
CONTEXT = pd.DataFrame(
    {
        "size": [1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 9.0],
        "smiling": ["no", "yes", "no", "no", "yes", "no", "no", "no", "yes"],
        "colour": ["red", "blue", "red", "green", "red", "blue", "red", "green", "green"],
    }
)


def test_each_kind_has_its_dimensions_on_the_scale_of_the_training_images(caplog) -> None:
    with caplog.at_level(logging.INFO):
        values, concepts = standardise_context(CONTEXT, RECORDS, {"size": "px"})
    names = ["size", "smiling", "colour=blue", "colour=green", "colour=red"]
    assert [concept.name for concept in concepts] == names
    assert [concept.mean for concept in concepts] == [2.0, 0.25, 0.25, 0.25, 0.5]
    # 2 of 8: std = √(¼·¾·8/7); 4 of 8: √(¼·8/7).
    half, quarter = (2 / 7) ** 0.5, (3 / 14) ** 0.5
    stds = [2 * half, quarter, quarter, quarter, half]
    assert [concept.std for concept in concepts] == pytest.approx(stds)
    assert concepts[1].levels == ("no", "yes") and concepts[1].measure == "binary"
    assert {concept.feature for concept in concepts[2:]} == {"colour"}
    no, yes = -0.25 / quarter, 0.75 / quarter
    wanted = [7 / (2 * half), yes, no, yes, -0.5 / half]
    assert values[8].tolist() == pytest.approx(wanted)
    assert "context: smiling is binary, 0 is no and 1 is yes" in caplog.messages
    assert "context: colour is categorical: blue, green, red" in caplog.messages


def test_what_is_missing_is_missing_in_all_levels_and_named(caplog) -> None:
    holes = CONTEXT.assign(
        size=[np.nan, 3.0, 1.0, 5.0, 1.0, 5.0, 3.0, 3.0, 9.0],
        colour=["red", "blue", None, "blue", "red", "blue", "red", "red", "red"],  # type: ignore[list-item]
    )
    values, concepts = standardise_context(holes, RECORDS, {}, {"colour": "categorical"})
    assert concepts[0].mean == 3.0 and concepts[0].std == pytest.approx((16 / 6) ** 0.5)
    assert values.isnan().tolist()[:3] == [
        [True, False, False, False],
        [False] * 4,
        [False, False, True, True],
    ]
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warned == [
        f"context: {name} is missing for 1 of 8 training images, which take no part in aligning it"
        for name in ("size", "colour")
    ]


def test_a_declared_kind_overrules_the_values() -> None:
    context = pd.DataFrame({"mark": [True, False] * 4 + [True]})
    values, (concept,) = standardise_context(context, RECORDS, {}, {"mark": "continuous"})
    assert concept.measure == "continuous" and concept.mean == 0.5
    assert values[0].item() == pytest.approx(0.5 / concept.std)


def test_a_level_that_no_training_image_has_and_two_equal_names_are_refused() -> None:
    unseen = CONTEXT.assign(colour=["red", "blue", "red", "blue"] * 2 + ["green"])
    with pytest.raises(ValueError, match=r"\['colour=green'\] do not vary over the training"):
        standardise_context(unseen, RECORDS, {})
    twice = CONTEXT.assign(**{"colour=red": [float(k) for k in range(9)]})
    with pytest.raises(ValueError, match="two concepts would be called 'colour=red'"):
        standardise_context(twice, RECORDS, {})


def test_weights_look_at_a_category_as_one_column() -> None:
    values, concepts = standardise_context(CONTEXT, RECORDS, {})
    columns = one_column_a_feature(values, concepts)
    assert columns.shape == (9, 3)
    assert columns[:, 0].tolist() == values[:, 0].tolist()
    assert columns[:, 2].tolist() == [2, 0, 2, 1, 2, 0, 2, 1, 1]
    holes = torch.cat([values[:4], torch.full((1, 5), torch.nan)])
    assert np.isnan(one_column_a_feature(holes, concepts)[4]).all()


def test_columns_that_others_tell_are_refused_and_named() -> None:
    smiling = CONTEXT["smiling"] == "yes"
    red = CONTEXT["colour"] == "red"
    for more, told in (
        ({"serious": ~smiling}, r"'serious' by \['smiling'\]"),
        ({"millimetres": 10 * CONTEXT["size"]}, r"'millimetres' by \['size'\]"),
        ({"is_red": red}, r"'is_red' by \['colour'\]"),
        ({"sum": CONTEXT["size"] + 2.0 * smiling}, r"'sum' by \['size', 'smiling'\]"),
        ({"tint": CONTEXT["colour"].str.upper()}, r"others: 'tint' by \['colour'\]; leave"),
    ):
        with pytest.raises(ValueError, match=told):
            standardise_context(CONTEXT.assign(**more), RECORDS, {})
    # Nearly the same is not the same, nor is what is missing where the other is known.
    inches = (CONTEXT["size"] / 2.54).round(2) + np.tile([0, 0, 0.01], 3)
    standardise_context(CONTEXT.assign(inches=inches), RECORDS, {})
    known = CONTEXT.assign(serious=(~smiling).astype(object).where(CONTEXT.index != 1))
    values, _ = standardise_context(known, RECORDS, {})
    assert values.shape == (9, 6)
