import math

import pytest

from glance_pipeline.explanations.values import concept_value
from glance_pipeline.networks import Concept


def test_a_binary_feature_is_shown_as_a_probability() -> None:
    smiling = Concept(
        "smiling", "aligned", "", 0.2, 0.4, low=-0.5, high=2.0, measure="binary", levels=("n", "y")
    )
    shown = concept_value(smiling, 0.75)  # a share of ½
    sure = 1 / (1 + math.exp(-4))
    assert (shown.low, shown.value, shown.high) == pytest.approx((1 - sure, 0.5, sure))
    assert shown.standardised == 0.75
