import numpy as np
import pytest
import torch

from glance_pipeline.config.explain import CounterfactualSearchParameters
from glance_pipeline.explanations import CounterfactualSearch, Subjects
from glance_pipeline.explanations.counterfactuals.landscape import Candidates
from glance_pipeline.explanations.interventions.intervention import DirectIntervention
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box


def pictures(surrogate, codes):
    codes = torch.tensor(codes)
    return to_uint8(surrogate.generate(Codes(codes, torch.zeros(len(codes), 4))))


@pytest.fixture(params=["gradient", "attfind"])
def search(request):
    """Look for counterfactuals of a glass box by either strategy."""

    def look(answer, codes, classes=("a", "b", "c"), targets=None, **settings):
        surrogate, classifier = glass_box(answer, classes)
        subjects = Subjects.see(surrogate, classifier, pictures(surrogate, codes))
        parameters = CounterfactualSearchParameters(strategy=request.param)
        searcher = CounterfactualSearch(surrogate, classifier, parameters=parameters, **settings)
        return searcher.explain(subjects, targets)

    return look


def by_tilt(u):
    """b beats a where tilt > 1; c never wins."""
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


def test_finds_the_one_concept_that_matters_and_the_shortest_move(search):
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


def test_a_change_that_takes_two_concepts_is_found_and_needs_both(search):
    # Each alone reaches 2.5 at most; together they must pass 3.5.
    def both(u):
        zero = torch.zeros_like(u[:, 0])
        return torch.stack([zero + 3.5, u[:, 0] + u[:, 1], zero - 50.0], 1)

    (outcome,) = search(both, [[0.0, 0.0, 1.0]])
    first = outcome.found[0]
    assert {change.concept for change in first.changes} == {"shade", "tilt"}
    assert first.distance == pytest.approx(3.5, abs=0.4)


def test_diverse_ones_use_different_concepts(search):
    def either(u):
        zero = torch.zeros_like(u[:, 0])
        return torch.stack([zero + 1.5, torch.maximum(u[:, 0], u[:, 1]), zero - 50.0], 1)

    (outcome,) = search(either, [[0.5, 0.0, 0.1]])
    assert [c.concept for f in outcome.found for c in f.changes] == ["shade", "tilt"]


def test_none_is_reported_where_none_is_possible(search):
    def out_of_reach(u):
        zero = torch.zeros_like(u[:, 1])
        return torch.stack([zero + 9.0, u[:, 1], zero - 50.0], 1)

    (outcome,) = search(out_of_reach, [[0.0, 0.5, 0.0]])
    assert outcome.found == ()
    assert outcome.note == "No change of the concepts within their range made the classifier say b."


def test_named_target_that_already_holds_is_said_and_not_searched(search):
    (outcome,) = search(by_tilt, [[0.0, 2.0, 0.0]], target="b")
    assert outcome.found == () and outcome.note == "The image is already called b."


def test_any_takes_every_other_class_and_many_images_at_once(search):
    outcomes = search(by_tilt, [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]], target="any")
    assert [o.found[0].prediction.class_name for o in outcomes] == ["b", "a"]


def test_the_saved_picture_is_what_the_teacher_was_asked_about():
    from glance_pipeline.images.form import to_float

    surrogate, classifier = glass_box(by_tilt)
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, [[0.0, 0.0, 0.0]]))
    found = CounterfactualSearch(surrogate, classifier).explain(subjects)[0].found[0]
    assert found.picture.dtype == np.uint8
    logits = classifier.logits(to_float(found.picture[None]))
    assert int(logits.argmax()) == 1
    np.testing.assert_allclose(logits[0], found.prediction.logits, atol=1e-5)


def swapped_subjects(surrogate, classifier):
    """An image called a, with the codes and the reconstruction of one called b."""
    images = pictures(surrogate, [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    seen = Subjects.see(surrogate, classifier, images)
    return Subjects(
        images[:1],
        seen.codes[[1]],
        seen.logits[:1],
        seen.reconstructions[1:],
        seen.reconstruction_logits[1:],
    )


def test_reconstruction_called_otherwise_is_no_counterfactual():
    surrogate, classifier = glass_box(by_tilt)
    subjects = swapped_subjects(surrogate, classifier)
    (outcome,) = CounterfactualSearch(surrogate, classifier).explain(subjects)
    assert outcome.found == ()
    assert outcome.note == "The reconstruction is already called b, with no concept changed."


def test_any_of_two_classes_is_none_where_the_reconstruction_has_the_other():
    surrogate, classifier = glass_box(lambda u: by_tilt(u)[:, :2], ("a", "b"))
    subjects = swapped_subjects(surrogate, classifier)
    (outcome,) = CounterfactualSearch(surrogate, classifier, target="any").explain(subjects)
    assert outcome.found == () and outcome.note.startswith("There is no third class")


def test_unknown_target_names_the_classes():
    surrogate, classifier = glass_box(by_tilt)
    with pytest.raises(ValueError, match=r"no class 'dog'.*runner_up, any, .*: there are \['a'"):
        CounterfactualSearch(surrogate, classifier, target="dog")


def test_pruned_concepts_stay_untouched():
    from dataclasses import replace

    surrogate, classifier = glass_box(by_tilt)
    surrogate.concepts = (surrogate.concepts[0], replace(surrogate.concepts[1], active=False),
                          surrogate.concepts[2])  # fmt: skip
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, [[0.0, 0.0, 0.0]]))
    (outcome,) = CounterfactualSearch(surrogate, classifier).explain(subjects)
    assert outcome.found == ()


def linear(u):
    """b beats a where shade + 2·tilt > 2: by tilt alone at 1 sd, by shade alone at 2 sd."""
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([zero + 2.0, u[:, 0] + 2 * u[:, 1], zero - 50.0], 1)


def test_a_linear_teacher_is_turned_by_the_changes_worked_out_by_hand(search):
    (outcome,) = search(linear, [[0.0, 0.0, 0.4]])
    shortest, other = outcome.found  # any third would hold one of these
    assert [c.concept for c in shortest.changes] == ["tilt"]
    assert shortest.distance == pytest.approx(1.0, abs=0.1)
    assert [c.concept for c in other.changes] == ["shade"]
    assert other.distance == pytest.approx(2.0, abs=0.1)


def test_every_image_may_have_a_target_of_its_own(search):
    def highest(u):
        return u - torch.tensor([0.0, 0.5, 0.5])

    codes = [[0.0, 0.0, -0.2]] * 3
    outcomes = search(highest, codes, targets=[1, 2, 0])
    assert [o.target for o in outcomes] == ["b", "c", "a"]
    assert [[f.prediction.class_name for f in o.found][:1] for o in outcomes] == [["b"], ["c"], []]
    assert [o.found[0].changes[0].concept for o in outcomes[:2]] == ["tilt", "latent_1"]
    assert outcomes[2].note == "The image is already called a."


def test_targets_that_fit_no_image_or_class_are_refused(search):
    with pytest.raises(ValueError, match="targets: 2 classes for 1 images"):
        search(linear, [[0.0, 0.0, 0.0]], targets=[1, 1])
    with pytest.raises(ValueError, match="targets: found 3, wanted 0 to 2"):
        search(linear, [[0.0, 0.0, 0.0]], targets=[3])


def test_what_the_teacher_does_not_confirm_makes_room_for_the_next_proposal():
    class Proposes:
        """First what does not suffice, then what needs two concepts, then what does suffice."""

        def propose(self, landscape, images):
            moves = [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 2.5, 0.0], [1.0, 0.0, 1.0]]
            return Candidates(torch.zeros(4, dtype=torch.long), torch.tensor(moves))

    def product(u):
        """b beats a where tilt > 2, or shade and latent together pass 1.5."""
        zero = torch.zeros_like(u[:, 0])
        both = torch.minimum(u[:, 0], u[:, 2]) * 2 + 0.5
        return torch.stack([zero + 2.0, torch.maximum(u[:, 1], both), zero - 50.0], 1)

    surrogate, classifier = glass_box(product)
    subjects = Subjects.see(surrogate, classifier, pictures(surrogate, [[0.0, 0.0, 0.0]]))
    searcher = CounterfactualSearch(surrogate, classifier, number=2)
    searcher.strategy = Proposes()  # type: ignore[assignment]
    (outcome,) = searcher.explain(subjects)
    # Shade and latent, each proposed by itself, fail, and so do not bar what holds both.
    assert [{c.concept for c in f.changes} for f in outcome.found] == [
        {"tilt"},
        {"shade", "latent_1"},
    ]


def test_what_follows_an_intervention_counts(search):
    class TiltFollowsShade(DirectIntervention):
        def __call__(self, codes, values, moved=None):
            after = super().__call__(codes, values, moved)
            tilt = after.concepts[:, 1] + after.concepts[:, 0] - codes.concepts[:, 0]
            return Codes(
                torch.stack([after.concepts[:, 0], tilt, after.concepts[:, 2]], 1), after.residual
            )

    surrogate, _ = glass_box(by_tilt)
    (direct,) = search(by_tilt, [[0.0, 0.0, 0.0]])
    (causal,) = search(by_tilt, [[0.0, 0.0, 0.0]], intervention=TiltFollowsShade(surrogate))
    assert [[c.concept for c in f.changes] for f in direct.found] == [["tilt"]]
    assert {f.changes[0].concept for f in causal.found} == {"tilt", "shade"}
    for found in causal.found:
        assert len(found.changes) == 1  # what follows is no change of one's own
        assert found.distance == pytest.approx(1.0, abs=0.1)
