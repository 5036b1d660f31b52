"""AttFind's greedy order, on cases worked out by hand."""

import pytest
import torch
from torch import Tensor

from glance_pipeline.explanations.counterfactuals.attfind import AttFind
from glance_pipeline.explanations.counterfactuals.goals import ClassGoals
from glance_pipeline.explanations.counterfactuals.landscape import Landscape
from glance_pipeline.explanations.counterfactuals.one_bound import send_to_bounds
from glance_pipeline.explanations.interventions.intervention import DirectIntervention
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

SHADE, TILT, LATENT = range(3)


def landscape_of(answer, *codes: list[float]) -> Landscape:
    """The second of three classes is wanted in every image."""
    surrogate, classifier = glass_box(answer)
    code = Codes(torch.tensor(codes), torch.zeros(len(codes), 4))
    wanted = torch.tensor([[False, True, False]]).repeat(len(codes), 1)
    return Landscape(surrogate, classifier, code, ClassGoals(wanted), DirectIntervention(surrogate))


def logits(of_b: Tensor) -> Tensor:
    return torch.stack([0 * of_b, of_b, 0 * of_b - 50], 1)


def joint(u: Tensor) -> Tensor:
    """shade + 0.8·tilt + ½·shade·latent − 5; every concept reaches from −2.5 to 2.5.

    Alone: shade leads to −2.5, tilt to −3, latent to −5. Beside shade: tilt to −0.5, latent to
    0.625. So latent, last by itself, is the second to join, and then b leads.
    """
    return logits(u[:, SHADE] + 0.8 * u[:, TILT] + 0.5 * u[:, SHADE] * u[:, LATENT] - 5)


def test_effects_of_the_bounds_are_those_of_the_glass_box() -> None:
    landscape = landscape_of(joint, [0.0, 0.0, 0.0])
    tried = send_to_bounds(landscape, landscape.nothing(torch.tensor([0])))
    assert tried.bounds[0].tolist() == [[-2.5] * 3, [2.5] * 3]
    assert tried.leads[0, 0].tolist() == pytest.approx([-7.5, -7, -5], abs=0.1)
    assert tried.leads[0, 1].tolist() == pytest.approx([-2.5, -3, -5], abs=0.1)


def test_what_joins_next_is_what_helps_most_beside_the_others() -> None:
    landscape = landscape_of(joint, [0.0, 0.0, 0.0])
    found = AttFind(number=1, largest=3).propose(landscape, torch.tensor([0]))
    assert found.moves.tolist() == [[2.5, 0.0, 2.5]]


def test_what_has_become_needless_is_taken_back() -> None:
    def overtaken(u: Tensor) -> Tensor:
        """shade + 0.6·tilt + 0.6·latent + 0.3·tilt·latent must pass 4.5.

        At the bounds shade gives 2.5, with tilt 4, with latent too 7.375; but tilt and latent
        give 4.875 between them.
        """
        tilt, latent = u[:, TILT], u[:, LATENT]
        return logits(u[:, SHADE] + 0.6 * tilt + 0.6 * latent + 0.3 * tilt * latent - 4.5)

    landscape = landscape_of(overtaken, [0.0, 0.0, 0.0])
    found = AttFind(number=1, largest=3).propose(landscape, torch.tensor([0]))
    assert found.moves.tolist() == [[0.0, 2.5, 2.5]]


def test_a_second_set_does_without_the_concept_the_first_began_with() -> None:
    def two_ways(u: Tensor) -> Tensor:
        """shade with latent, or tilt with latent: 2.5 + 1 or 2 + 1 must pass 2.8."""
        best = torch.maximum(u[:, SHADE], 0.8 * u[:, TILT])
        return logits(best + 0.4 * u[:, LATENT] - 2.8)

    landscape = landscape_of(two_ways, [0.0, 0.0, 0.0])
    found = AttFind(number=2, largest=3).propose(landscape, torch.tensor([0]))
    assert found.moves.tolist() == [[2.5, 0.0, 2.5], [0.0, 2.5, 2.5]]


def test_it_stops_at_the_largest_set_and_where_nothing_helps() -> None:
    landscape = landscape_of(joint, [0.0, 0.0, 0.0])
    assert not len(AttFind(number=3, largest=1).propose(landscape, torch.tensor([0])))
    deaf = landscape_of(lambda u: logits(0 * u[:, 0] - 1), [0.0, 0.0, 0.0])
    assert not len(AttFind(number=3, largest=3).propose(deaf, torch.tensor([0])))


def test_each_image_has_a_set_of_its_own() -> None:
    landscape = landscape_of(joint, [0.0, 0.0, 0.0], [2.5, 0.0, 0.0], [0.0, 0.0, 2.5])
    found = AttFind(number=1, largest=3).propose(landscape, torch.arange(3))
    sets = {int(owner): move.tolist() for owner, move in zip(found.owner, found.moves, strict=True)}
    # The second needs only latent beside the shade it has, the third only shade.
    assert sets == {0: [2.5, 0, 2.5], 1: [0, 0, 2.5], 2: [2.5, 0, 0]}
