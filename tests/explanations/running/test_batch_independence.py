"""An image comes out the same, to the last bit, by itself and among others."""

import numpy as np
import pytest
import torch

from glance_pipeline.classifiers.classifier import (
    Classifier,
    ClassifierSpecification,
    in_quickest_layout,
)
from glance_pipeline.config.explain import CounterfactualSearchParameters, Strategy
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.explanations import CounterfactualSearch, Subjects
from glance_pipeline.explanations.interventions.subjects import draw, padded
from glance_pipeline.twin.networks import Codes, TwinSurrogate
from glance_pipeline.twin.testing import tiny_surrogate


@pytest.fixture
def trio() -> tuple[TwinSurrogate, Classifier, Codes]:
    """Untrained networks, the teacher's biases such that no class wins everywhere; 19 codes."""
    surrogate = tiny_surrogate(16)
    network = DemoClassifier(size=16, classes=3, width=4, features=8)
    specification = ClassifierSpecification(image_shape=(1, 16, 16), class_names=("a", "b", "c"))
    classifier = in_quickest_layout(Classifier(network, specification))
    generator = torch.Generator().manual_seed(0)
    codes = Codes(torch.randn(19, 3, generator=generator), torch.randn(19, 4, generator=generator))
    network.logits.bias -= draw(surrogate, classifier, codes)[1].mean(0)  # type: ignore[misc]
    return surrogate, classifier, codes


def test_padding_repeats_the_last_code_and_adds_none_where_none_is_missing(trio) -> None:
    codes = trio[2]
    assert (
        len(padded(codes)) == 32 and len(padded(codes[:16])) == 16 and len(padded(codes[:1])) == 16
    )
    assert torch.equal(padded(codes).concepts[19:], codes.concepts[[18] * 13])
    assert torch.equal(padded(codes).residual[:19], codes.residual)


def test_pictures_and_answers(trio) -> None:
    surrogate, classifier, codes = trio
    pictures, logits = draw(surrogate, classifier, codes)
    for row in range(len(codes)):
        picture, answer = draw(surrogate, classifier, codes[[row]])
        np.testing.assert_array_equal(picture[0], pictures[row])
        assert torch.equal(answer[0], logits[row])


def test_what_is_made_of_an_image(trio) -> None:
    surrogate, classifier, codes = trio
    pictures, _ = draw(surrogate, classifier, codes)
    together = Subjects.see(surrogate, classifier, pictures)
    assert len(together) == len(together.codes) == len(together.logits) == 19
    for row in range(len(pictures)):
        alone = Subjects.see(surrogate, classifier, pictures[[row]])
        assert torch.equal(alone.codes.concepts[0], together.codes.concepts[row])
        assert torch.equal(alone.codes.residual[0], together.codes.residual[row])
        assert torch.equal(alone.logits[0], together.logits[row])
        np.testing.assert_array_equal(alone.reconstructions[0], together.reconstructions[row])


@pytest.mark.parametrize("strategy", ["gradient", "attfind"])
def test_counterfactuals(trio, strategy: Strategy) -> None:
    surrogate, classifier, codes = trio
    pictures, logits = draw(surrogate, classifier, codes)
    subjects = Subjects(pictures, codes, logits, pictures, logits)
    parameters = CounterfactualSearchParameters(strategy=strategy, walk_steps=3, halvings=3)
    search = CounterfactualSearch(surrogate, classifier, "any", parameters=parameters)
    together = search.explain(subjects)
    assert any(outcome.found for outcome in together)
    for row, among_others in enumerate(together):
        one = [row]
        alone = Subjects(pictures[one], codes[one], logits[one], pictures[one], logits[one])
        (outcome,) = search.explain(alone)
        assert [f.changes for f in outcome.found] == [f.changes for f in among_others.found]
        for mine, theirs in zip(outcome.found, among_others.found, strict=True):
            assert mine.prediction == theirs.prediction
            np.testing.assert_array_equal(mine.picture, theirs.picture)
