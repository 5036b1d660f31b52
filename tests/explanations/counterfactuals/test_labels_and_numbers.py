"""Labels and numbers explained, on glass boxes of which everything is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from glance_pipeline.classifiers.task import Each, OneOf, Values
from glance_pipeline.config.explain import (
    CounterfactualSearchParameters,
    ExplainParameters,
    ImportanceParameters,
)
from glance_pipeline.explanations import Explanation, LocalExplanations
from glance_pipeline.explanations.counterfactuals.goals import LabelGoals
from glance_pipeline.explanations.counterfactuals.search import CounterfactualSearch
from glance_pipeline.explanations.counterfactuals.targets import (
    ClassTarget,
    LabelTarget,
    ValueTarget,
    parse_target,
)
from glance_pipeline.explanations.interventions.subjects import Subjects
from glance_pipeline.explanations.running.local import Source
from glance_pipeline.images.form import to_float
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

LABELS = ("bright", "shown", "tilted")


def labels(u):
    """bright: shade above ½. shown: shade above −½. tilted: tilt above 0.7."""
    return torch.stack([4 * u[:, 0] - 2, 4 * u[:, 0] + 2, 3 * u[:, 1] - 2.1], 1)


def label_box():
    return glass_box(labels, LABELS, output="label_logits")


def number(u):
    """40 px, 8 more for each standard deviation of shade and 3 less of tilt."""
    return (40 + 8 * u[:, 0] - 3 * u[:, 1])[:, None]


def number_box():
    return glass_box(number, ("size",), spread=(5.0,), output="values", units=("px",))


def explained(box, codes, **parameters) -> list[Explanation]:
    surrogate, classifier = box
    pictures = surrogate.pictures(Codes(torch.tensor(codes), torch.zeros(len(codes), 4)))
    settings = ExplainParameters(
        steps=5, importance=ImportanceParameters(exact_up_to=3), **parameters
    )
    methods = LocalExplanations(surrogate, classifier, torch.zeros(1, 3), settings)
    sources = [Source(f"image {k}", k) for k in range(len(pictures))]
    return methods.explain(pictures, sources)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("runner_up", LabelTarget()),
        ("any", LabelTarget(any=True)),
        ("smiling", LabelTarget(0, True)),
        ("not smiling", LabelTarget(0, False)),
        ("flip not happy", LabelTarget(1)),
        ("not happy", LabelTarget(1, True)),  # a label's own name comes first
        ("not not happy", LabelTarget(1, False)),
    ],
)
def test_targets_of_labels(text, target):
    assert parse_target(text, Each(("smiling", "not happy"))) == target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("runner_up", ValueTarget()),
        ("angle", ValueTarget(1)),
        ("+1.5", ValueTarget(0, change=1.5)),
        ("−2 px", ValueTarget(0, change=-2.0)),
        ("-2.0", ValueTarget(0, change=-2.0)),
        ("by 1.5px", ValueTarget(0, change=1.5)),
        ("angle by -1e1 °", ValueTarget(1, change=-10.0)),
        ("=40", ValueTarget(0, value=40.0)),
        ("= -.5 px", ValueTarget(0, value=-0.5)),
        ("angle of view to 40", ValueTarget(2, value=40.0)),
    ],
)
def test_targets_of_numbers(text, target):
    task = Values(("size", "angle", "angle of view"), ("px", "°", ""))
    assert parse_target(text, task) == target


@pytest.mark.parametrize(
    ("text", "task", "said"),
    [
        ("dog", Each(("cat", "dig")), r"no label 'dog'; give runner_up \(.*`not NAME` or .*'dig'"),
        ("not dog", Each(("cat",)), r"no label 'dog'"),
        ("dog", OneOf(("cat", "cow")), r"no class 'dog'; give runner_up, any, or the name"),
        ("1.5", Values(("size",)), r"'1.5' may be a change or a value: say `by 1.5` or `to 1.5`"),
        ("by 0", Values(("size",)), "wanted a change other than 0"),
        (
            "more",
            Values(("size",)),
            r"found 'more', wanted a change \(`by 1.5`, `by -2`\), a v",
        ),
        ("more", Values(("a", "b")), r"behind the name of an output: one of \['a', 'b'\]"),
        ("by 2 mm", Values(("size",), ("px",)), r"the unit 'mm' in 'by 2 mm', but size is in 'px'"),
        ("by 2 mm", Values(("size",)), r"'mm' in 'by 2 mm', but size has no unit"),
    ],
)
def test_targets_that_cannot_be_are_refused(text, task, said):
    with pytest.raises(UserError, match=said):
        parse_target(text, task)


def test_a_target_of_classes_is_a_class():
    assert parse_target("b", OneOf(("a", "b"))) == ClassTarget(1)


def test_the_label_nearest_to_its_threshold_is_turned_and_nothing_else():
    # bright −1.6, shown 2.4, tilted −2.1 − 0.3: bright is nearest, and shade at ½ is the least.
    (one,) = explained(label_box(), [[0.1, -0.1, 0.0]])
    assert (one.prediction.kind, one.prediction.class_name) == ("each", "shown")
    assert one.prediction.probability is None
    probabilities = [output.value for output in one.prediction.outputs]
    np.testing.assert_allclose(probabilities, torch.tensor([-1.6, 2.4, -2.4]).sigmoid(), atol=0.01)
    first = one.counterfactuals.found[0]
    assert one.counterfactuals.target == "bright"
    assert [(flip.name, flip.on) for flip in first.flipped] == [("bright", True)]
    ((change,),) = (first.changes,)
    assert change.concept == "shade" and 0.4 < change.standard_deviations < 0.55
    _, classifier = label_box()
    logits = classifier.logits(to_float(first.picture[None]))[0]
    np.testing.assert_allclose(logits, first.prediction.logits, atol=1e-4)
    assert (logits > 0).tolist() == [True, True, False]


def test_what_else_is_turned_is_reported():
    # From bright and shown to not shown: bright turns on the way.
    (one,) = explained(label_box(), [[1.2, 0.0, 0.0]], target="not shown")
    assert one.counterfactuals.target == "not shown"
    first = one.counterfactuals.found[0]
    assert [(flip.name, flip.on) for flip in first.flipped] == [("shown", False), ("bright", False)]
    assert "shown would be off, and bright off too." in one.sentence
    assert one.sentence.startswith("On: bright (0.94) and shown (1.00). shown is on (probability ")


def test_a_label_that_is_so_already_is_not_searched_for():
    on, off = explained(label_box(), [[1.2, 0.0, 0.0], [-1.0, 0.0, 0.0]], target="bright")
    assert on.counterfactuals.found == ()
    assert on.counterfactuals.note == "In the image bright is on already."
    assert off.counterfactuals.found[0].flipped[0].name == "bright"
    assert off.prediction.parts == (("no label", ""),)
    assert off.sentence.startswith("No label is on. bright is off (probability 0.00), mostly bec")
    flipped = explained(label_box(), [[1.2, 0.0, 0.0]], target="flip bright")[0].counterfactuals
    assert (flipped.target, flipped.found[0].flipped[0].on) == ("not bright", False)


def test_what_the_reconstruction_has_already_is_no_counterfactual():
    task = Each(LABELS)
    image, redrawn = torch.tensor([[-1.0, 1.0, -1.0]]), torch.tensor([[1.0, 1.0, -1.0]])
    named = LabelGoals.of([(0, True)], image, redrawn, task)
    assert named.searched.tolist() == [False]
    assert named.note(0) == "In the reconstruction bright is on already, with no concept changed."
    anything = LabelGoals.of([None], image, redrawn, task)
    assert anything.sides.tolist() == [[0.0, -1.0, 1.0]]
    assert anything.lead_of(torch.tensor([[9.0, 0.5, -2.0]]), torch.tensor([0])).item() == -0.5


def test_importances_and_strips_of_a_label_are_of_its_own_logit():
    (one,) = explained(label_box(), [[0.4, 0.2, 0.0]], target="flip tilted")
    importances = one.importances
    assert (importances.measure, importances.class_name) == ("logit", "tilted")
    assert importances.unit == "logits"
    assert importances.baseline == pytest.approx(-2.1, abs=0.05)
    by_concept = {i.concept: i.contribution for i in importances.of}
    assert by_concept["tilt"] == pytest.approx(0.6, abs=0.05)
    assert abs(by_concept["shade"]) < 0.02
    (tilt,) = (strip for strip in one.strips if strip.concept == "tilt")
    wanted = torch.tensor([3 * u - 2.1 for u in (-2.5, -1.25, 0.0, 1.25, 2.5)]).sigmoid()
    np.testing.assert_allclose(tilt.probabilities, wanted, atol=0.01)
    assert tilt.class_names[-1] == "shown, tilted"
    assert one.saliency is not None
    assert (one.saliency.measure, one.saliency.class_name) == ("logit", "tilted")


def test_a_number_is_moved_by_one_spread_either_way():
    (one,) = explained(number_box(), [[0.25, 0.0, 0.0]])
    assert one.prediction.kind == "values"
    assert one.prediction.outputs[0].value == pytest.approx(42, abs=0.3)
    assert one.counterfactuals.target == "+5.00 px or −5.00 px"
    ways = {found.upwards: found for found in one.counterfactuals.found[::-1]}
    now = one.prediction.logits[0]
    for upwards, way in ((True, 1), (False, -1)):
        moved = way * (ways[upwards].prediction.logits[0] - now)
        assert 5.0 < moved < 5.0 + 0.25 * 5.0
        assert [change.concept for change in ways[upwards].changes] == ["shade"]
    assert one.sentence.startswith("Read as 42.")
    assert " px. What moves it most from the average of 40 px is shade 3.1 px (+1.8 px)." in (
        one.sentence  # 2.0, but for the rounding of a flat grey
    )
    assert one.sentence.count("it would be read as ") == 2


def test_a_value_is_reached_within_the_tolerance():
    high, there = explained(number_box(), [[0.25, 0.0, 0.0], [1.0, 0.0, 0.0]], target="to 48 px")
    found = high.counterfactuals.found[0]
    assert found.upwards
    assert 48 < found.prediction.logits[0] <= 48 + 0.25 * 5
    assert high.counterfactuals.target == "48.0 px"
    assert there.counterfactuals.note == "The answer to the image is 48.0 px already."
    (out_of_reach,) = explained(number_box(), [[0.0, 0.0, 0.0]], target="by 400")
    assert out_of_reach.counterfactuals.found == ()
    assert out_of_reach.counterfactuals.note == (
        "No change of the concepts within their range made the answer 440 px."
    )


def test_importances_and_strips_of_a_number_are_in_its_unit():
    (one,) = explained(number_box(), [[0.5, 1.0, 0.0]])
    assert (one.importances.measure, one.importances.unit) == ("value", "px")
    by_concept = {i.concept: i.contribution for i in one.importances.of}
    rounding = 0.03 * 8 + 0.03 * 3  # px, of 8 bits
    assert by_concept["shade"] == pytest.approx(4, abs=rounding)
    assert by_concept["tilt"] == pytest.approx(-3, abs=rounding)
    (shade,) = (strip for strip in one.strips if strip.concept == "shade")
    np.testing.assert_allclose(shade.numbers, [17, 27, 37, 47, 57], atol=0.4)
    assert (shade.number_unit, shade.probabilities) == ("px", ())
    assert one.redrawn_alike and one.faithful


@pytest.mark.parametrize("box", [label_box, number_box])
def test_explanations_survive_being_written(box):
    (one,) = explained(box(), [[0.25, 0.1, 0.0]])
    pictures = one.pictures() | one.arrays()
    again = Explanation.from_document(one.to_document(), pictures.__getitem__)
    assert again.to_document() == one.to_document()


@pytest.mark.parametrize("strategy", ["attfind", "gradient"])
@pytest.mark.parametrize("box", [label_box, number_box])
def test_both_strategies_reach_labels_and_numbers(box, strategy):
    surrogate, classifier = box()
    pictures = surrogate.pictures(Codes(torch.tensor([[0.1, 0.1, 0.0]]), torch.zeros(1, 4)))
    parameters = CounterfactualSearchParameters(strategy=strategy)
    search = CounterfactualSearch(surrogate, classifier, parameters=parameters)
    (outcome,) = search.explain(Subjects.see(surrogate, classifier, pictures))
    assert outcome.found and not outcome.note


def test_a_reconstruction_that_is_read_otherwise_is_doubted():
    surrogate, classifier = number_box()
    pictures = surrogate.pictures(Codes(torch.tensor([[0.0, 0.0, 0.0]]), torch.zeros(1, 4)))
    subjects = Subjects.see(surrogate, classifier, pictures)
    task = surrogate.task_of(classifier)
    assert subjects.alike(task, 0)
    beyond = replace(subjects, reconstruction_logits=subjects.logits + 1.3)
    assert not beyond.alike(task, 0)
