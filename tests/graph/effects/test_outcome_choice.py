"""Which classes become predictions of the graph; a margin leads over all others all the same."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from glance_pipeline.classifiers.classifier import Classifier, margins
from glance_pipeline.classifiers.task import OneOf
from glance_pipeline.config.discover import (
    MOST_OUTCOMES,
    DiscoverParameters,
    InterventionParameters,
)
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.outcome_choice import check_outcomes, choose_outcomes, numbers_of
from glance_pipeline.images.form import to_uint8
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

CLASSES = 60


def world(seed: int = 0):
    """Class k is the answer where the first concept is nearest to (k − 30) / 20."""
    places = (torch.arange(CLASSES) - 30) / 20

    def answer(concepts):
        return 4 * (2 * concepts[:, :1] * places - places**2) + concepts[:, 1:2] * places

    names = tuple(f"class {k}" for k in range(CLASSES))
    surrogate, classifier = glass_box(answer, names)
    codes = np.random.default_rng(seed).normal(0, 0.15, (200, 3)).clip(-2, 2)
    images = to_uint8(surrogate.generate(Codes(torch.tensor(codes).float(), torch.zeros(200, 4))))
    return surrogate, classifier, images


def called(classifier: Classifier, images: np.ndarray) -> pd.Series:
    return pd.Series(classifier.answers(images).logits.argmax(1).numpy()).value_counts()


def test_margins_of_some_classes_are_the_lead_over_the_best_of_all():
    logits = torch.tensor([[5.0, 1.0, 4.0, 0.0], [0.0, 2.0, 2.5, 7.0]])
    assert margins(logits, [2, 1]).tolist() == [[-1.0, -4.0], [-4.5, -5.0]]
    assert margins(logits, [0]).tolist() == [[1.0], [-7.0]]
    assert torch.equal(margins(logits, range(4)), margins(logits))


def test_of_labels_those_are_taken_that_most_images_have(caplog):
    # On from −0.6, −0.3, 0, 0.3 … upwards: the lower, the more images have it.
    places = torch.arange(6) * 0.3 - 0.6
    names = ("f", "e", "d", "c", "b", "a")
    surrogate, classifier = glass_box(lambda u: u[:, :1] - places, names, output="label_logits")
    codes = torch.linspace(-1, 1, 40)[:, None] * torch.tensor([[1.0, 0.0, 0.0]])
    images = to_uint8(surrogate.generate(Codes(codes, torch.zeros(40, 4))))
    with caplog.at_level(logging.INFO):
        assert choose_outcomes(2, classifier, images, np.arange(40)) == (0, 1)
    assert "2 of 6 labels, those that most of 40 held-out images have: f, e; 4" in caplog.text


def test_of_numbers_the_first_are_taken():
    surrogate, classifier = glass_box(
        lambda u: u[:, :1] * torch.tensor([0.0, -1.0, 100.0]), output="values"
    )
    images = to_uint8(surrogate.generate(Codes(torch.zeros(4, 3), torch.zeros(4, 4))))
    assert choose_outcomes(2, classifier, images, np.arange(4)) == (0, 1)


def test_few_classes_are_all_taken_without_a_look():
    _, classifier = glass_box(lambda u: u)
    none = np.empty(0, dtype=np.int64)
    assert choose_outcomes(None, classifier, np.empty((0, 1, 16, 16)), none) == (0, 1, 2)
    assert choose_outcomes(("c", "a"), classifier, np.empty((0, 1, 16, 16)), none) == (0, 2)
    with pytest.raises(ValueError, match=r"most frequent 2 of 3 classes .* no image has the split"):
        choose_outcomes(2, classifier, np.empty((0, 1, 16, 16)), none)


def test_of_many_classes_those_are_taken_that_images_are_called(caplog):
    _, classifier, images = world()
    held_out = np.arange(0, 200, 2)
    counts = called(classifier, images[held_out])
    assert 5 < len(counts) < MOST_OUTCOMES
    with caplog.at_level(logging.INFO, "glance_pipeline"):
        assert choose_outcomes(None, classifier, images, held_out) == tuple(sorted(counts.index))
    assert f"{len(counts)} of 60 classes, those that 100 of 100 held-out images are" in caplog.text
    assert f"{60 - len(counts)} are left out (discover.outcomes)" in caplog.text
    three = choose_outcomes(3, classifier, images, held_out)
    assert min(counts[list(three)]) >= max(counts.drop(list(three)))
    # More than are ever the answer: the nearest ones fill up.
    many = choose_outcomes(len(counts) + 2, classifier, images, held_out)
    assert set(counts.index) < set(many)
    leads = margins(classifier.answers(images[held_out]).logits).mean(0)
    others = [k for k in range(CLASSES) if k not in many]
    assert min(leads[k] for k in set(many) - set(counts.index)) >= leads[others].max()


def test_a_subset_has_the_numbers_that_all_have():
    surrogate, classifier, images = world()
    some = [28, 31]
    full = infer_concepts(surrogate, classifier, images)
    table = infer_concepts(surrogate, classifier, images, some)
    assert list(table.margins) == ["class 28", "class 31"]
    pd.testing.assert_frame_equal(table.margins, full.margins[["class 28", "class 31"]])
    settings = InterventionParameters(step=0.5, resamples=20, doses=3)
    outcomes = numbers_of(list(table.margins), classifier.task)
    wanted, found = (
        measure_effects(
            Experiment.on(images, surrogate, classifier, measured), ["shade"], settings, 0
        )
        for measured in (None, outcomes)
    )
    assert (wanted.other_classes, found.other_classes) == (0, len(full.margins.columns) - 2)
    one, other = found.nodes["shade"], wanted.nodes["shade"]
    np.testing.assert_array_equal(one.effects["shade"].value, other.effects["shade"].value[some])
    np.testing.assert_array_equal(one.response.margins, other.response.margins[:, some])
    np.testing.assert_array_equal(one.response.p_values, other.response.p_values[some])


def test_what_is_no_class_is_refused_with_the_closest_names():
    names = [f"n{k:05d}" for k in range(10_000)]
    with pytest.raises(UserError, match=r"no class 'n0123'; the closest of 10,000 are \['n0") as e:
        check_outcomes(("n00001", "n0123"), OneOf(names))
    assert "\n" not in str(e.value) and len(str(e.value)) < 200
    with pytest.raises(UserError, match=r"found 4, wanted at most 3, the number"):
        check_outcomes(4, OneOf(("a", "b", "c")))
    with pytest.raises(UserError, match=r"no class 'd'; there are \['a', 'b', 'c'\]"):
        check_outcomes(("d",), OneOf(("a", "b", "c")))
    with pytest.raises(ValueError, match="margins of the class 'd', which the classifier does not"):
        numbers_of(["a", "d"], OneOf(("a", "b", "c")))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, None),
        (7, 7),
        (["a", "b"], ("a", "b")),
        ([3, 5], ("3", "5")),
        ("cat; golden retriever", ("cat", "golden retriever")),
    ],
)
def test_the_parameter_takes_names_a_number_or_nothing(written, read):
    assert DiscoverParameters(outcomes=written).outcomes == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (0, "0 was found; 1 or more was wanted"),
        (True, "True was found; names of classes, a number or null"),
        (2.5, "2.5 was found; names of classes"),
        ([], r"\[\] was found; names of classes"),
        ([False, "yes"], "False was found for the name of a class: YAML reads"),
        (["a", "b", "a"], "'a' was found more than once"),
    ],
)
def test_and_says_what_it_does_not_take(written, said):
    with pytest.raises(ValidationError, match=said):
        DiscoverParameters(outcomes=written)
