import math

import pytest

from glance_pipeline.explanations.result.values import change_of, concept_value, written
from glance_pipeline.explanations.trust.sentence import describe_change
from glance_pipeline.twin.networks import Concept


def test_a_binary_feature_is_shown_as_a_probability() -> None:
    smiling = binary("smiling", ("n", "y"))
    shown = concept_value(smiling, 0.75)  # a share of ½
    sure = 100 / (1 + math.exp(-4))
    assert (shown.low, shown.value, shown.high) == pytest.approx((100 - sure, 50, sure))
    assert (shown.standardised, shown.unit) == (0.75, "%")


def binary(name, levels):
    """Return a concept whose share is 0 at −½ sd and 1 at 2 sd."""
    return Concept(
        name, "aligned", "", 0.2, 0.4, low=-0.5, high=2.0, measure="binary", levels=levels
    )


@pytest.mark.parametrize(
    ("concept", "said"),
    [
        (binary("Smiling", ("-1", "1")), "Smiling 98 % instead of 2 %"),
        (binary("gender", ("female", "male")), "gender 98 % male instead of 2 % male"),
    ],
)
def test_a_change_of_a_binary_feature_is_said_in_percent(concept, said):
    assert describe_change(change_of(concept, -0.5, 2.0)) == said


def test_no_probability_is_rounded_to_certainty():
    certain = change_of(binary("Smiling", ("0", "1")), -3.0, 5.0)
    assert describe_change(certain) == "Smiling over 99 % instead of under 1 %"
    little = certain.model_copy(update={"before": 99.5, "after": 99.97})
    assert describe_change(little) == "Smiling over 99.9 % instead of 99.5 %"
    little = certain.model_copy(update={"before": 0.04, "after": 0.4})
    assert describe_change(little) == "Smiling 0.4 % instead of under 0.1 %"


def test_a_continuous_feature_in_percent_is_written_as_any_other_number():
    moisture = Concept("moisture", "aligned", "%", mean=50, std=25)
    assert describe_change(change_of(moisture, -2.0, 2.0)) == "moisture 100 % instead of 0 %"
    assert written(concept_value(moisture, 2.0)) == "100 %"
    assert written(concept_value(moisture, -1.996)) == "0.10 %"
    assert written(concept_value(binary("wet", ("no", "yes")), 5.0)) == "over 99 %"
