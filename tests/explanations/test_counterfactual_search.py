import numpy as np
import pytest
import torch

from glance_pipeline.explanations import CounterfactualSearch, Subjects
from glance_pipeline.images import to_uint8
from glance_pipeline.networks import Codes
from glance_pipeline.testing import glass_box


def pictures(surrogate, codes):
    codes = torch.tensor(codes)
    return to_uint8(surrogate.generate(Codes(codes, torch.zeros(len(codes), 4))))


def search(answer, codes, classes=("a", "b", "c"), **settings):
    surrogate, classifier = glass_box(answer, classes)
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, codes))
    return CounterfactualSearch(surrogate, classifier, **settings).explain(subjects)


def by_tilt(u):
    """b beats a where tilt > 1; c never wins."""
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


def test_finds_the_one_concept_that_matters_and_the_shortest_move():
    (outcome,) = search(by_tilt, [[0.4, 0.2, -0.3]])
    first = outcome.found[0]
    assert outcome.target == "b" and first.prediction.class_name == "b"
    (change,) = first.changes
    assert change.concept == "tilt" and change.unit == "rad"
    # From 0.2 sd to the border at 1 sd; bisection leaves at most 2⁻⁵ of the first candidate.
    assert change.standard_deviations == pytest.approx(0.8, abs=0.1)
    assert change.before == pytest.approx(0.1 + 0.3 * 0.2, abs=0.02)
    assert change.after == pytest.approx(0.1 + 0.3 * 1.0, abs=0.03)
    assert len(outcome.found) == 1  # any other would hold tilt too


def test_a_change_that_takes_two_concepts_is_found_and_needs_both():
    # Each alone reaches 2.5 at most; together they must pass 3.5.
    def both(u):
        zero = torch.zeros_like(u[:, 0])
        return torch.stack([zero + 3.5, u[:, 0] + u[:, 1], zero - 50.0], 1)

    (outcome,) = search(both, [[0.0, 0.0, 1.0]])
    first = outcome.found[0]
    assert {change.concept for change in first.changes} == {"shade", "tilt"}
    assert first.distance == pytest.approx(3.5, abs=0.4)


def test_diverse_ones_use_different_concepts():
    def either(u):
        zero = torch.zeros_like(u[:, 0])
        return torch.stack([zero + 1.5, torch.maximum(u[:, 0], u[:, 1]), zero - 50.0], 1)

    (outcome,) = search(either, [[0.5, 0.0, 0.1]])
    assert [c.concept for f in outcome.found for c in f.changes] == ["shade", "tilt"]


def test_none_is_reported_where_none_is_possible():
    def out_of_reach(u):
        zero = torch.zeros_like(u[:, 1])
        return torch.stack([zero + 9.0, u[:, 1], zero - 50.0], 1)

    (outcome,) = search(out_of_reach, [[0.0, 0.5, 0.0]])
    assert outcome.found == ()
    assert outcome.note == "No change of the concepts within their range made the classifier say b."


def test_named_target_that_already_holds_is_said_and_not_searched():
    (outcome,) = search(by_tilt, [[0.0, 2.0, 0.0]], target="b")
    assert outcome.found == () and outcome.note == "The image is already called b."


def test_any_takes_every_other_class_and_many_images_at_once():
    outcomes = search(by_tilt, [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]], target="any")
    assert [o.found[0].prediction.class_name for o in outcomes] == ["b", "a"]


def test_the_saved_picture_is_what_the_teacher_was_asked_about():
    from glance_pipeline.images import to_float

    surrogate, classifier = glass_box(by_tilt)
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, [[0.0, 0.0, 0.0]]))
    found = CounterfactualSearch(surrogate, classifier).explain(subjects)[0].found[0]
    assert found.picture.dtype == np.uint8
    logits = classifier.logits(to_float(found.picture[None]))
    assert int(logits.argmax()) == 1
    np.testing.assert_allclose(logits[0], found.prediction.logits, atol=1e-5)


def test_reconstruction_called_otherwise_is_no_counterfactual():
    surrogate, classifier = glass_box(by_tilt)
    images = pictures(surrogate, [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    seen = Subjects.see(surrogate, classifier, images)
    # The first image with the codes and the reconstruction of the second.
    swapped = Subjects(
        images[:1],
        seen.codes[[1]],
        seen.logits[:1],
        seen.reconstructions[1:],
        seen.reconstruction_logits[1:],
    )
    (outcome,) = CounterfactualSearch(surrogate, classifier).explain(swapped)
    assert outcome.found == ()
    assert outcome.note == "The reconstruction is already called b, with no concept changed."


def test_unknown_target_names_the_classes():
    surrogate, classifier = glass_box(by_tilt)
    with pytest.raises(ValueError, match=r"no class 'dog'.*runner_up, any, or one of \['a'"):
        CounterfactualSearch(surrogate, classifier, target="dog")


def test_pruned_concepts_stay_untouched():
    from dataclasses import replace

    surrogate, classifier = glass_box(by_tilt)
    surrogate.concepts = (surrogate.concepts[0], replace(surrogate.concepts[1], active=False),
                          surrogate.concepts[2])  # fmt: skip
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, [[0.0, 0.0, 0.0]]))
    (outcome,) = CounterfactualSearch(surrogate, classifier).explain(subjects)
    assert outcome.found == ()
