"""Whole explanations of the causal effect, and what is said of how far to trust them."""

import numpy as np
import pytest
import torch

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations import (
    EffectStrips,
    Explanation,
    LocalExplanations,
    Source,
    Subjects,
    choose_interventions,
)
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box
from helpers.structural_models import straight_models

ARROW, BACK = (("shade", "tilt"),), (("tilt", "shade"),)
TILT = 0.8
"""Standard deviations that tilt follows one of shade."""


def by_tilt(u):
    """b where tilt > 1, else a."""
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


@pytest.fixture(scope="module")
def box():
    surrogate, classifier = glass_box(by_tilt)
    models = straight_models(surrogate, {ARROW[0]: TILT, BACK[0]: TILT}, ARROW, BACK, ARROW, ())
    return surrogate, classifier, choose_interventions("causal", surrogate, models)


def draw(surrogate, *codes):
    return to_uint8(surrogate.generate(Codes(torch.tensor(codes), torch.zeros(len(codes), 4))))


@pytest.fixture(scope="module")
def explanation(box):
    surrogate, classifier, interventions = box
    methods = LocalExplanations(
        surrogate,
        classifier,
        torch.zeros(2, 3),
        ExplainParameters(effect="causal", steps=3),
        interventions=interventions,
    )
    return methods.explain(draw(surrogate, [0.4, 0.2, -0.3]), [Source("image 4", 4)])[0]


def test_strips_let_descendants_follow_and_say_so(box, explanation):
    surrogate, classifier, _interventions = box
    assert explanation.effect == "causal"
    strips = {strip.concept: strip for strip in explanation.strips}
    codes = surrogate.encode_array(strips["shade"].pictures).concepts.numpy()
    assert codes[:, 0] == pytest.approx([-2.5, 0, 2.5], abs=0.05)
    assert codes[:, 1] == pytest.approx(0.2 + TILT * (codes[:, 0] - 0.4), abs=0.06)
    assert strips["shade"].class_names == ("a", "a", "b")
    assert {strip.effect for strip in explanation.strips} == {"causal"}
    subjects = Subjects.see(surrogate, classifier, draw(surrogate, [0.4, 0.2, -0.3]))
    held = {s.concept: s for s in EffectStrips(surrogate, classifier, 3).explain(subjects)[0]}
    assert held["shade"].effect == "direct"
    assert held["shade"].class_names == ("a", "a", "a")
    # Of what has no descendants both effects are one.
    np.testing.assert_array_equal(held["tilt"].pictures, strips["tilt"].pictures)


def test_a_counterfactual_says_what_follows_and_under_which_graphs_it_holds(explanation):
    found = {
        tuple(c.concept for c in one.changes): one for one in explanation.counterfactuals.found
    }
    alone = found[("tilt",)]
    assert (alone.following, alone.graphs_agreeing, alone.warnings) == ((), 1.0, ())
    carried = found[("shade",)]
    assert carried.prediction.class_name == "b"
    (follows,) = carried.following
    assert (follows.concept, follows.unit) == ("tilt", "rad")
    assert follows.standard_deviations == pytest.approx(
        TILT * carried.changes[0].standard_deviations, abs=0.02
    )
    assert follows.before == pytest.approx(0.1 + 0.3 * 0.2, abs=0.02)
    assert follows.after > 0.1 + 0.3 * 1.0
    # Tilt follows shade in two of the four graphs.
    assert carried.graphs_agreeing == 0.5
    assert carried.warnings == (
        "It is read as b in 50 % of the causal graphs that the evidence allows; in the others it "
        "is not, as something else follows.",
    )


def test_importances_credit_the_cause(explanation):
    values = {one.concept: one.contribution for one in explanation.importances.of}
    assert values["shade"] == pytest.approx(-TILT * 0.4 / 2, abs=0.06)
    assert sum(values.values()) == pytest.approx(
        explanation.importances.prediction - explanation.importances.baseline, abs=1e-4
    )


def test_a_causal_explanation_survives_being_written_and_older_ones_are_read(explanation):
    document = explanation.to_document()
    pictures = explanation.pictures() | explanation.arrays()
    again = Explanation.from_document(document, pictures.__getitem__)
    assert again.to_document() == explanation.to_document()
    assert (
        again.counterfactuals.found[0].following == explanation.counterfactuals.found[0].following
    )
    assert document["schema_version"] == 5
    of_classes = explanation.to_document() | {"schema_version": 4}
    for part in ("prediction", "reconstruction_prediction"):
        del of_classes[part]["kind"], of_classes[part]["outputs"]
    for found in of_classes["counterfactuals"]["found"]:
        del found["flipped"], found["upwards"]
    for strip in of_classes["strips"]:
        del strip["numbers"], strip["number_unit"]
    del of_classes["importances"]["unit"], of_classes["saliency"]["unit"]
    del of_classes["redrawn_alike"]
    read = Explanation.from_document(of_classes, pictures.__getitem__)
    assert read.to_document() == explanation.to_document()
    shares = explanation.to_document() | {"schema_version": 2}
    assert Explanation.from_document(shares, pictures.__getitem__).concepts == explanation.concepts
    percent = explanation.to_document() | {"schema_version": 3}
    (tilt,) = (one for one in percent["concepts"] if one["name"] == "tilt")
    tilt["unit"] = "% tilted"
    read = Explanation.from_document(percent, pictures.__getitem__).concepts  # type: ignore[assignment]
    assert {one.name: one.is_probability for one in read} == {  # type: ignore[attr-defined]
        one.name: one.name == "tilt" for one in explanation.concepts
    }
    older = explanation.to_document() | {"schema_version": 1}
    for name in ("effect", "further_out", "saliency"):
        del older[name]
    for found in older["counterfactuals"]["found"]:
        for name in ("following", "graphs_agreeing", "further_out", "warnings"):
            del found[name]
    for strip in older["strips"]:
        del strip["effect"]
    del older["importances"]["backgrounds"]
    read = Explanation.from_document(older, pictures.__getitem__)
    assert (read.effect, read.further_out, read.saliency) == ("direct", None, None)


def test_an_effect_without_its_interventions_is_refused(box):
    surrogate, classifier, interventions = box
    zeros = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="found interventions of the direct effect; those of the"):
        LocalExplanations(surrogate, classifier, zeros, ExplainParameters(effect="causal"))
    with pytest.raises(ValueError, match="those of the direct one are wanted"):
        LocalExplanations(
            surrogate, classifier, zeros, ExplainParameters(), interventions=interventions
        )


def test_explanations_say_where_concepts_are_rare_together():
    """Shade and tilt go together in training: each value is common, both at once are not."""
    surrogate, classifier = glass_box(by_tilt)
    generator = torch.Generator().manual_seed(0)
    shade = torch.randn(500, 1, generator=generator)
    training = torch.cat([shade, shade, torch.randn(500, 1, generator=generator)], 1)
    training[:, 1:] += 0.1 * torch.randn(500, 2, generator=generator)
    methods = LocalExplanations(
        surrogate, classifier, training[:9], ExplainParameters(steps=2), training=training
    )
    common, rare = methods.explain(
        draw(surrogate, [0.5, 0.5, 0.0], [-1.5, 0.6, 0.0]), [Source("one"), Source("two")]
    )
    assert common.further_out > 0.2 and common.warnings == ()
    assert rare.further_out == 0.0
    assert rare.warnings == (
        "The concept values of this image, taken together, are rare: none of the 500 training "
        "images lies further out (fewer than 1 % are few). The surrogate has seen little of the "
        "kind.",
    )
    assert rare.sentence.startswith(
        "Poorly explained: few training images are like it. Predicted a ("
    )
    # Tilt alone has to pass 1 with shade left behind at 0.5: no image is like that.
    apart = common.counterfactuals.found[0]
    assert [change.concept for change in apart.changes] == ["tilt"]
    assert apart.further_out < 0.01 and "are rare: " in apart.warnings[0]
    assert apart.graphs_agreeing is None
