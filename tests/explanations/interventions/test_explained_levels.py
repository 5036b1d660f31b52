"""Explanations of a glass box with a categorical feature: an image never has two of its levels."""

import math

import pandas as pd
import pytest
import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import (
    CounterfactualSearchParameters,
    ExplainParameters,
    ImportanceParameters,
    Strategy,
)
from glance_pipeline.explanations import (
    CounterfactualSearch,
    LocalExplanations,
    ShapleyImportance,
    Source,
    Subjects,
    background_codes,
)
from glance_pipeline.explanations.counterfactuals.goals import ClassGoals
from glance_pipeline.explanations.counterfactuals.gradient_walk import GradientWalks
from glance_pipeline.explanations.counterfactuals.landscape import Candidates, Landscape
from glance_pipeline.explanations.counterfactuals.one_bound import send_to_bounds
from glance_pipeline.explanations.interventions.intervention import DirectIntervention
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.report.overview import concept_rows
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Codes, Concept
from glance_pipeline.twin.testing import GlassBoxSurrogate, glass_box


def level(name: str) -> Concept:
    """A share b is a code of 2b − ½, a no is −½ and a yes 1½."""
    return Concept(
        f"hair={name}",
        "aligned",
        mean=0.25,
        std=0.5,
        low=-0.5,
        high=1.5,
        measure="categorical",
        feature="hair",
        levels=(name,),
    )


SHADE = Concept("shade", "aligned", "px", mean=3.0, std=0.5)
THREE, TWO = [level("a"), level("b"), level("c")], [level("a"), level("b"), SHADE]


def box(concepts: list[Concept], answer) -> tuple[GlassBoxSurrogate, Classifier]:
    surrogate, classifier = glass_box(answer)
    surrogate.concepts = tuple(concepts)
    return surrogate, classifier


def see(surrogate: GlassBoxSurrogate, classifier: Classifier, code: list[float]) -> Subjects:
    images = to_uint8(surrogate.generate(Codes(torch.tensor([code]), torch.zeros(1, 4))))
    return Subjects.see(surrogate, classifier, images)


def shares(codes: Tensor) -> Tensor:
    return codes * 0.5 + 0.25


def blonde(u: Tensor) -> Tensor:
    """The first class while the share of b is below 0.7, else the second."""
    share = shares(u)
    return torch.stack([0 * share[:, 0] + 0.7, share[:, 1], 0 * share[:, 0] - 50], 1)


HAIR_A = [1.5, -0.5, -0.5]


def test_a_level_that_is_raised_is_taken_from_the_one_that_was_there() -> None:
    surrogate, classifier = box(THREE, blonde)
    codes = Codes(torch.tensor([HAIR_A]), torch.zeros(1, 4))
    goals = ClassGoals(torch.tensor([[False, True, False]]))
    landscape = Landscape(surrogate, classifier, codes, goals, DirectIntervention(surrogate))
    moved = landscape.codes_of(Candidates(torch.tensor([0]), torch.tensor([[0.0, 2.0, 0.0]])))
    part = 1 / (1 + math.exp(-4 - math.log(2)))  # of a, beside c
    assert shares(moved.concepts)[0].tolist() == pytest.approx([1 - part, 1, part - 1], abs=1e-5)
    start = landscape.nothing(torch.tensor([0]))
    allowed = torch.ones(1, 3, dtype=torch.bool)
    walked, reached = GradientWalks(1, CounterfactualSearchParameters(walk_steps=20)).walk(
        landscape, start, allowed
    )
    assert reached.all()
    assert (walked.moves != 0).sum() == 1
    assert shares(landscape.codes_of(walked).concepts).sum().item() == pytest.approx(1, abs=1e-5)


def test_beside_a_level_that_moves_no_other_level_is_tried() -> None:
    surrogate, classifier = box(TWO, blonde)
    codes = Codes(torch.tensor([[1.5, -0.5, 0.0]]), torch.zeros(1, 4))
    goals = ClassGoals(torch.tensor([[False, True, False]]))
    landscape = Landscape(surrogate, classifier, codes, goals, DirectIntervention(surrogate))
    start = Candidates(torch.tensor([0]), torch.tensor([[-1.0, 0.0, 0.0]]))
    tried = send_to_bounds(landscape, start).leads.isfinite()
    assert tried[0].tolist() == [[False, False, True]] * 2
    # By itself a level goes from no to yes and from yes to no, and has no room beyond.
    tried = send_to_bounds(landscape, landscape.nothing(start.owner)).leads.isfinite()
    assert tried[0].tolist() == [[True, False, True], [False, True, True]]


@pytest.mark.parametrize("strategy", ["gradient", "attfind"])
def test_a_counterfactual_has_one_hair_colour(strategy: Strategy) -> None:
    surrogate, classifier = box(THREE, blonde)
    subjects = see(surrogate, classifier, HAIR_A)
    parameters = CounterfactualSearchParameters(strategy=strategy)
    search = CounterfactualSearch(surrogate, classifier, parameters=parameters)
    found = search.explain(subjects)[0].found
    assert found
    for one in found:
        assert len(one.changes) == 1
        assert shares(surrogate.encode_array(one.picture[None]).concepts).sum() == pytest.approx(
            1, abs=0.06
        )
    assert found[0].changes[0].concept == "hair=b"


def two_colours(u: Tensor) -> Tensor:
    """2a + 9ab + shade: the product is that of no image."""
    share = shares(u)
    first = 2 * share[:, 0] + 9 * share[:, 0] * share[:, 1] + u[:, 2]
    return torch.stack([first + 9, 0 * first, 0 * first - 50], 1)


BACKGROUND = torch.tensor([[-0.5, 1.5, 0.0], [-0.5, 1.5, 1.0]])


@pytest.mark.parametrize("exact_up_to", [2, 0], ids=["exact", "sampled"])
def test_levels_join_a_coalition_together(exact_up_to: int) -> None:
    surrogate, classifier = box(TWO, two_colours)
    subjects = see(surrogate, classifier, [1.5, -0.5, -0.3])
    parameters = ImportanceParameters(measure="logit", exact_up_to=exact_up_to)
    (result,) = ShapleyImportance(surrogate, classifier, BACKGROUND, parameters).explain(subjects)
    assert result.exact is (exact_up_to == 2)
    values = {one.concept: one.contribution for one in result.of}
    # a from 0 to 1 and shade from ½ on average to −0.3; 8 bits blur the product of a and b.
    assert values == {"hair": pytest.approx(2, abs=0.3), "shade": pytest.approx(-0.8, abs=0.06)}


def test_background_codes_beyond_a_label_stay_as_they_were_and_add_up() -> None:
    surrogate, _ = box(THREE, blonde)
    codes = torch.tensor([[2.3, -0.5, -1.3]], dtype=torch.float64)  # shares 1.4, 0, −0.4
    frame = pd.DataFrame(
        {c.name: c.to_units(codes[:, k].numpy()) for k, c in enumerate(surrogate.concepts)}
    )
    table = ConceptTable(frame, pd.DataFrame(), dict.fromkeys(frame, "aligned"), {})
    drawn = background_codes(surrogate, table, rows=[0], number=1, seed=0)
    assert torch.allclose(drawn, codes.float())


def test_an_explanation_with_levels_is_put_together() -> None:
    surrogate, classifier = box(TWO, two_colours)
    # Codes beyond those of the labels are no exception, a shade beyond 2.5 sd is one.
    methods = LocalExplanations(surrogate, classifier, BACKGROUND, ExplainParameters(steps=2))
    inside, outside = (
        methods.explain(see(surrogate, classifier, code).images, [Source("one")])[0]
        for code in ([1.7, -0.7, -0.3], [1.7, -0.7, 3.0])
    )
    assert inside.warnings == ()
    assert outside.warnings == ("Outside what 98 % of the training images show: shade 4.5 px.",)
    assert inside.importances.of[0].concept == "hair"
    assert [strip.concept for strip in inside.strips] == ["hair=a", "hair=b", "shade"]
    assert "Mostly because of hair=a 99 % (+" in inside.sentence
    nodes = tuple(Node(c.name, "aligned", c.name) for c in surrogate.concepts)
    record = SearchRecord("FCI", "z", 0.01, 0.5, 3, 2, 12, 12, 0)
    rows = concept_rows(surrogate.concepts, CausalGraph(nodes, (), (), record), [inside])
    assert [(row.name, row.share) for row in rows][:2] == [("hair=a", 1.0), ("hair=b", 1.0)]
    assert [row.extent for row in rows][:2] == ["yes in 25 %", "yes in 25 %"]
