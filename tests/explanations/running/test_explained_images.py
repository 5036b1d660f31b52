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
)
from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import (
    Change,
    ConceptValue,
    Counterfactual,
    Counterfactuals,
    Importance,
    Importances,
)
from glance_pipeline.explanations.result.values import format_logits, format_number, format_pair
from glance_pipeline.explanations.trust.sentence import describe
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box, tiny_classifier, tiny_surrogate


def by_tilt(u):
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


def draw(surrogate, codes):
    codes = torch.tensor(codes)
    return to_uint8(surrogate.generate(Codes(codes, torch.zeros(len(codes), 4))))


@pytest.fixture
def explained():
    surrogate, classifier = glass_box(by_tilt)
    parameters = ExplainParameters(steps=3)
    methods = LocalExplanations(surrogate, classifier, torch.zeros(2, 3), parameters)
    images = draw(surrogate, [[0.4, 0.2, -0.3], [0.0, 2.0, 0.0]])
    return methods.explain(images, [Source("image 4", 4, "a"), Source("my/seven.png")])


def test_strip_moves_one_concept_between_its_bounds_and_asks_the_teacher():
    surrogate, classifier = glass_box(by_tilt)
    subjects = Subjects.see(surrogate, classifier, draw(surrogate, [[0.4, 0.2, -0.3]]))
    strip = EffectStrips(surrogate, classifier, steps=3).explain(subjects)[0][1]
    assert strip.concept == "tilt"
    assert strip.values == pytest.approx((0.1 - 0.75, 0.1, 0.1 + 0.75))
    assert strip.class_names == ("a", "a", "b")
    # P(a) = 1 / (1 + exp(tilt − 1)) with tilt −2.5, 0, 2.5
    expected = [1 / (1 + np.exp(t - 1)) for t in (-2.5, 0, 2.5)]
    assert strip.probabilities == pytest.approx(expected, abs=0.02)
    codes = surrogate.encode_array(strip.pictures).concepts
    np.testing.assert_allclose(codes[:, [0, 2]], [[0.4, -0.3]] * 3, atol=0.05)


def test_an_explanation_says_what_the_glass_box_does(explained):
    first, second = explained
    assert first.prediction.class_name == "a" and first.faithful and first.warnings == ()
    assert first.residual_l1 < 0.01
    assert second.counterfactuals.found[0].prediction.class_name == "a"
    assert second.importances.of[0].concept == "tilt" == second.strips[0].concept
    assert second.sentence.startswith("Predicted b (0.73). Mostly because of tilt 0.70 rad (+")


def test_document_and_pictures_make_an_equal_explanation(explained):
    for explanation in explained:
        pictures = explanation.pictures()
        files = pictures | explanation.arrays()
        again = Explanation.from_document(explanation.to_document(), files.__getitem__)
        assert again.to_document() == explanation.to_document()
        for name, picture in again.pictures().items():
            np.testing.assert_array_equal(picture, pictures[name])


def test_document_of_another_schema_is_refused(explained):
    document = explained[0].to_document() | {"schema_version": 99}
    with pytest.raises(ValueError, match="schema version 99"):
        Explanation.from_document(document, explained[0].pictures().__getitem__)


def test_untrained_surrogate_is_warned_about():
    surrogate, classifier = tiny_surrogate(), tiny_classifier()
    images = np.random.default_rng(0).integers(0, 255, (2, 1, 8, 8), dtype=np.uint8)
    methods = LocalExplanations(surrogate, classifier, torch.zeros(2, 3), ExplainParameters())
    explanations = methods.explain(images, [Source("image 0", 0), Source("image 1", 1)])
    assert any("part of the image is not explained" in w for w in explanations[0].warnings)
    for explanation in explanations:
        told = any("calls the reconstruction" in w for w in explanation.warnings)
        assert told is not explanation.faithful


def sentence(changes=(), contribution=2.13, note=""):
    slant = ConceptValue(
        name="slant", kind="aligned", unit="rad", value=0.312, standardised=1, low=-1, high=1
    )
    importance = Importance(concept="slant", contribution=contribution, standard_error=0.1)
    importances = Importances(
        measure="margin", class_name="7", prediction=4, baseline=1, exact=False, of=(importance,)
    )
    one = Prediction(class_name="1", probability=0.6, logits=(0, 1))
    found = [
        Counterfactual(
            prediction=one, changes=changes, distance=1, picture=np.zeros((1, 2, 2), np.uint8)
        )
    ]
    counterfactuals = Counterfactuals(target="1", found=tuple(found if changes else ()), note=note)
    seven = Prediction(class_name="7", probability=0.963, logits=(1, 0))
    return describe(seven, [slant], importances, counterfactuals)


THICKNESS = Change(concept="thickness", unit="px", before=3.4, after=2.1, standard_deviations=-2)
LATENT = Change(concept="latent_2", unit="sd", before=0.5, after=-1.2, standard_deviations=-1.7)


def test_sentence_has_the_numbers_and_units():
    assert sentence((THICKNESS,)) == (
        "Predicted 7 (0.96). Mostly because of slant 0.31 rad (+2.1 logits). "
        "With thickness 2.1 px instead of 3.4 px it would be read as 1."
    )


def test_sentence_lists_several_changes_and_admits_what_it_lacks():
    assert sentence((THICKNESS, LATENT)).endswith(
        "With thickness 2.1 px instead of 3.4 px and latent_2 −1.2 sd instead of 0.5 sd "
        "it would be read as 1."
    )
    assert sentence(contribution=0.1, note="Nothing helped.") == (
        "Predicted 7 (0.96). No concept clearly speaks for it. Nothing helped."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.44, "3.4"), (-0.0123, "−0.012"), (1234.5, "1234"), (41.6, "42"), (0.999, "1.00")],
)
def test_numbers_are_written_plainly(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2.13, "+2.1"), (0.0003, "+0.00"), (-0.04, "−0.04"), (-0.31, "−0.31")]
)
def test_logits_have_two_decimals_at_most(value, text):
    assert format_logits(value, signed=True) == text


def test_a_pair_is_written_so_that_the_difference_shows():
    assert format_pair(3.41, 3.44) == ("3.41", "3.44")
    assert format_pair(3.4, 2.1) == ("3.4", "2.1")
    assert format_pair(0.15, -0.0041) == ("0.15", "0.00")
    assert format_pair(20.3, 16.2) == ("20", "16")
    assert format_pair(2.0, 2.0) == ("2.0", "2.0")


def test_a_notebook_shows_pictures_and_escaped_words(explained):
    shown = explained[0].model_copy(update={"sentence": "<b>", "warnings": ("a & b",)})
    html = shown._repr_html_()
    assert html.count("<img") == 2 + len(explained[0].counterfactuals.found)
    assert "<p>&lt;b&gt;</p><ul><li>a &amp; b</li></ul>" in html
