"""Shapley values of the causal effect, and of games of many players."""

import itertools

import numpy as np
import pytest
import torch

from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations import CausalIntervention, ShapleyImportance, Subjects
from glance_pipeline.explanations.importance.background import Background, representatives
from glance_pipeline.explanations.importance.coalitions import AllCoalitions, Permutations
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box
from helpers.structural_models import straight_models

ROUNDING = 0.06  # 8-bit pictures shift a concept by up to 0.03 sd
BACKGROUND = torch.tensor([[0.5, -0.5, 0.2], [-0.3, 1.1, 0.4], [0.9, 0.3, -1.2]])
ARROW = (("shade", "tilt"),)
BOTH = (("latent_1", "tilt"), ("shade", "tilt"))


def linear(u):
    """The logit of a is shade + 2·tilt."""
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([u[:, 0] + 2 * u[:, 1] + 9, zero, zero - 50], 1)


def bent(u):
    zero = torch.zeros_like(u[:, 0])
    return torch.stack([u[:, 0] * u[:, 1] + u[:, 1] * u[:, 2].tanh() + 9, zero, zero - 50], 1)


def see(surrogate, classifier, *codes):
    images = to_uint8(surrogate.generate(Codes(torch.tensor(codes), torch.zeros(len(codes), 4))))
    return Subjects.see(surrogate, classifier, images)


def values_of(importances):
    return {one.concept: one.contribution for one in importances.of}


@pytest.mark.parametrize("exact_up_to", [12, 0], ids=["exact", "sampled"])
def test_a_cause_gets_half_the_credit_for_what_follows(exact_up_to):
    """shade → tilt with slope ½, f = shade + 2·tilt.

    Where tilt is not known, one of shade brings 1 + 2·½; where it is, 1: on average 1½, and tilt
    has the rest. Held instead, shade has 1.
    """
    surrogate, classifier = glass_box(linear)
    models = straight_models(surrogate, {ARROW[0]: 0.5}, ARROW)
    parameters = ImportanceParameters(measure="logit", exact_up_to=exact_up_to)
    subjects = see(surrogate, classifier, [1.5, -0.7, 0.4])
    away = torch.tensor([1.5, -0.7, 0.4]) - BACKGROUND.mean(0)
    for intervention, credit in ((None, 0.0), (CausalIntervention(surrogate, models), 0.5)):
        (result,) = ShapleyImportance(
            surrogate, classifier, BACKGROUND, parameters, intervention=intervention
        ).explain(subjects)
        moved = credit * float(away[0])
        assert values_of(result) == {
            "shade": pytest.approx(float(away[0]) + moved, abs=2 * ROUNDING),
            "tilt": pytest.approx(2 * float(away[1]) - moved, abs=2 * ROUNDING),
            "latent_1": pytest.approx(0, abs=ROUNDING),
        }
        assert sum(values_of(result).values()) == pytest.approx(
            result.prediction - result.baseline, abs=1e-4
        )


@pytest.mark.parametrize("exact_up_to", [12, 0], ids=["exact", "sampled"])
@pytest.mark.parametrize("graph", [(), ARROW, BOTH], ids=["no arrow", "one", "two"])
def test_causal_values_are_the_mean_over_all_orders_and_add_up(graph, exact_up_to):
    """Set along each order on each background, descendants that are not set following."""
    slopes = {("shade", "tilt"): 0.5, ("latent_1", "tilt"): -0.3}
    code = torch.tensor([1.5, -0.7, 0.8])
    expected = np.zeros(3)
    for background in BACKGROUND:
        for order in itertools.permutations(range(3)):
            for place, j in enumerate(order):
                worth = []
                for members in (order[:place], order[: place + 1]):
                    now = background.clone()
                    now[list(members)] = code[list(members)]
                    if 1 not in members:
                        for k, name in ((0, "shade"), (2, "latent_1")):
                            if (name, "tilt") in graph:
                                now[1] += slopes[name, "tilt"] * (now[k] - background[k])
                    worth.append(float(bent(now[None])[0, 0]))
                expected[j] += (worth[1] - worth[0]) / (6 * len(BACKGROUND))
    surrogate, classifier = glass_box(bent)
    models = straight_models(surrogate, slopes, graph)
    parameters = ImportanceParameters(measure="logit", exact_up_to=exact_up_to, permutations=600)
    (result,) = ShapleyImportance(
        surrogate,
        classifier,
        BACKGROUND,
        parameters,
        intervention=CausalIntervention(surrogate, models),
    ).explain(see(surrogate, classifier, code.tolist()))
    found = values_of(result)
    for name, value in zip(["shade", "tilt", "latent_1"], expected, strict=True):
        error = next(one.standard_error for one in result.of if one.concept == name)
        assert found[name] == pytest.approx(value, abs=2 * ROUNDING + 4 * error)
    assert sum(found.values()) == pytest.approx(result.prediction - result.baseline, abs=1e-4)


def test_an_image_has_the_same_importances_whatever_it_is_explained_with():
    surrogate, classifier = glass_box(bent)
    codes = [[1.5, -0.7, 0.8], [0.1, 0.9, -0.2], [-1.0, 0.3, 0.5]]
    for exact_up_to in (12, 0):
        method = ShapleyImportance(
            surrogate, classifier, BACKGROUND, ImportanceParameters(exact_up_to=exact_up_to)
        )
        together = method.explain(see(surrogate, classifier, *codes))
        for code, one in zip(codes, together, strict=True):
            assert method.explain(see(surrogate, classifier, code)) == [one]


@pytest.fixture(scope="module")
def twelve():
    """Twelve players: an additive game, and products of two and of three of them."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=12)

    def worth(members):
        on = members.double()
        products = 3 * on[:, 0] * on[:, 1] - 2 * on[:, 2] * on[:, 3] * on[:, 4]
        return on @ torch.tensor(weights) + products

    expected = weights.copy()
    expected[:2] += 3 / 2
    expected[2:5] -= 2 / 3
    return worth, expected


def test_twelve_players_are_exact(twelve):
    """A product of k players gives each of them a k-th of it."""
    worth, expected = twelve
    game = AllCoalitions(Background.even(torch.zeros(2, 12)), 12)
    assert len(game.members) == 2 * (2**12 - 1)
    rows = worth(game.members) + torch.tensor([0.5, -0.5]).repeat(2**12 - 1)  # two backgrounds
    solution = game.solve(rows[None], worth(torch.ones(1, 12)))
    assert solution.values[0].numpy() == pytest.approx(expected, abs=1e-9)
    assert float(solution.errors.max()) == 0.0


def test_sampled_values_of_twelve_players_are_within_their_error(twelve):
    worth, expected = twelve
    game = Permutations(Background.even(torch.zeros(3, 12)), 12, 200, seed=0)
    assert len(game.members) == 100 * (1 + 2 * 11)
    solution = game.solve(worth(game.members)[None], worth(torch.ones(1, 12)))
    gap = (solution.values[0] - torch.tensor(expected)).abs()
    assert (gap <= 4 * solution.errors[0] + 1e-9).all()
    # What has no product has no error; forwards and backwards settle products of two.
    assert float(solution.errors[0, [0, 1, *range(5, 12)]].max()) < 1e-9
    assert float(solution.errors[0, 2]) > 0.01
    assert float(solution.values.sum()) == pytest.approx(float(worth(torch.ones(1, 12))))


def test_a_similar_game_that_is_known_takes_chance_away(twelve):
    worth, expected = twelve
    background = Background.even(torch.zeros(3, 12))
    game, all_of_it = Permutations(background, 12, 40, seed=0), AllCoalitions(background, 12)
    everybody = torch.ones(1, 12)
    rows, full = worth(game.members)[None], worth(everybody)

    def solved(similar):
        truth = all_of_it.solve(similar(all_of_it.members)[None], similar(everybody))
        known = similar(game.members)[None]
        return game.solve_with(rows, full, known, similar(everybody), truth)

    plain = game.solve(rows, full)
    alike = solved(lambda members: 0.5 * worth(members) + members.double()[:, 6])
    assert float(plain.errors.max()) > 0.05
    assert alike.values[0].numpy() == pytest.approx(expected, abs=1e-9)
    assert float(alike.errors.max()) < 1e-9
    # A game that is not similar, of as many products, leaves the values as uncertain as they were.
    other = solved(lambda members: 3 * members[:, 8:11].double().prod(1))
    assert (other.values - plain.values).abs().max() <= 2 * plain.errors.max()
    assert float(other.errors[0, 2:5].max()) <= 1.1 * float(plain.errors[0, 2:5].max())
    for solution in (alike, other):
        total = float(solution.values.sum() + solution.baselines)
        assert total == pytest.approx(float(full), abs=1e-9)


def test_one_player_has_it_all():
    for game in (
        AllCoalitions(Background.even(torch.zeros(2, 1)), 1),
        Permutations(Background.even(torch.zeros(2, 1)), 1, 4, seed=0),
    ):
        solution = game.solve(
            torch.ones(1, len(game.members)).double(), torch.tensor([3.0]).double()
        )
        assert solution.values.tolist() == [[2.0]]


def test_an_exact_game_takes_as_many_backgrounds_as_it_may_draw():
    surrogate, classifier = glass_box(linear)
    training = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    subjects = see(surrogate, classifier, [1.5, -0.7, 0.4])
    for pictures, number in ((32, 4), (7, 1), (10_000, 24)):
        method = ShapleyImportance(
            surrogate,
            classifier,
            training[:24],
            ImportanceParameters(exact_pictures=pictures),
            training=training,
        )
        (result,) = method.explain(subjects)
        assert (result.backgrounds, result.exact) == (number, True)
        assert sum(values_of(result).values()) == pytest.approx(
            result.prediction - result.baseline, abs=1e-4
        )
        assert all((training == row).all(1).any() for row in method.game.background.values)


def test_representatives_stand_for_their_clusters():
    """Three heaps of 60, 30 and 10: the middle of each, weighted by its share."""
    generator = torch.Generator().manual_seed(0)
    heaps = [
        centre + 0.1 * torch.randn(number, 2, generator=generator)
        for centre, number in ((0.0, 60), (5.0, 30), (-5.0, 10))
    ]
    chosen = representatives(torch.cat(heaps), 3, seed=0)
    order = chosen.weights.argsort(descending=True)
    assert chosen.weights[order].tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert chosen.values[order, 0].tolist() == pytest.approx([0.0, 5.0, -5.0], abs=0.15)
    alike = torch.zeros(50, 2)
    assert len(representatives(alike, 3, seed=0)) == 1


def test_backgrounds_that_no_pair_uses_are_not_counted():
    codes = Background.even(torch.arange(30.0).view(10, 3))
    game = Permutations(codes, 3, 8, 0)
    assert len(game.background) == 4 and game.others.unique(dim=0).equal(codes.values[:4])
