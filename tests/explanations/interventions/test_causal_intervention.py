"""do(u_j = v) along a graph: against dowhy, against differences, and by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

from glance_pipeline.explanations import CausalIntervention, choose_interventions
from glance_pipeline.graph.structural.allowed_graphs import AllowedGraphs
from glance_pipeline.graph.structural.differentiable import TorchMechanism
from glance_pipeline.graph.structural.mechanisms import SplineMechanism
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.twin.networks import Codes, Concept
from glance_pipeline.twin.testing import tiny_surrogate

CHAIN = (("shade", "tilt"), ("tilt", "smile"))
FORK = (("shade", "smile"), ("tilt", "smile"))


def surrogate_of(*concepts: Concept):
    """Codes alone count here; nothing is drawn."""
    surrogate = tiny_surrogate()
    surrogate.concepts = concepts
    return surrogate


@pytest.fixture(scope="module")
def surrogate():
    return surrogate_of(
        Concept("shade", "aligned", "px", mean=3.0, std=0.5),
        Concept("tilt", "aligned", "rad", mean=0.1, std=0.3),
        Concept("smile", "aligned", mean=0.4, std=0.5, measure="binary", levels=("no", "yes")),
    )


@pytest.fixture(scope="module")
def models(surrogate):
    """shade → tilt bent, tilt → smile on the logit scale; shade → smile as well in the fork."""
    rng = np.random.default_rng(0)
    shade = rng.normal(3.0, 0.5, 1500)
    tilt = 0.1 + 0.3 * np.sin(2 * (shade - 3)) + rng.normal(0, 0.1, 1500)
    smile = expit(3 * tilt + 0.5 * (shade - 3) + rng.normal(0, 0.5, 1500))
    observed = pd.DataFrame({"shade": shade, "tilt": tilt, "smile": smile})
    scaled = observed.assign(smile=np.log(smile / (1 - smile)))
    mechanisms = {}
    for node, causes in (
        ("tilt", ("shade",)), ("smile", ("tilt",)), ("smile", ("shade", "tilt")),
    ):  # fmt: skip
        mechanisms[node, causes] = SplineMechanism.fit(
            scaled[list(causes)].to_numpy(), scaled[node].to_numpy(), 5
        )
    allowed = AllowedGraphs((CHAIN, FORK, ()), True, ())
    return StructuralModels(tuple(observed), observed, ("smile",), allowed, mechanisms, {})


def codes_of(models, surrogate, number=60):
    rows = models.observed.iloc[:number]
    columns = [surrogate.concept(name).to_code(rows[name].to_numpy()) for name in rows]
    return rows, Codes(torch.tensor(np.stack(columns, 1)), torch.zeros(number, 4))


def units(surrogate, codes):
    return {
        c.name: c.to_units(codes.concepts[:, k]).numpy() for k, c in enumerate(surrogate.concepts)
    }


def test_a_mechanism_in_torch_is_the_fitted_one_within_and_beyond_the_knots(models):
    rng = np.random.default_rng(1)
    for mechanism in models.mechanisms.values():
        spread = mechanism.knots[-1] - mechanism.knots[0]
        causes = rng.uniform(
            mechanism.knots[0] - spread, mechanism.knots[-1] + spread, (500, len(spread))
        )
        causes = np.concatenate([causes, mechanism.knots])
        found = TorchMechanism.of(mechanism)(torch.tensor(causes))
        assert found.numpy() == pytest.approx(mechanism.predict(causes), abs=1e-9)


@pytest.mark.parametrize("graph", [0, 1, 2], ids=["chain", "fork", "no arrow"])
@pytest.mark.parametrize("names", [["shade"], ["tilt"], ["shade", "tilt"], ["smile"]])
def test_it_equals_the_counterfactual_of_dowhy(models, surrogate, graph, names):
    rows, codes = codes_of(models, surrogate)
    rng = np.random.default_rng(2)
    wanted = {name: rng.permutation(models.observed[name])[: len(rows)] for name in names}
    if "smile" in wanted:
        wanted["smile"] = np.clip(wanted["smile"], 0.02, 0.98)
    truth = models.counterfactual(rows, wanted)[graph]
    values = {
        name: torch.tensor(surrogate.concept(name).to_code(value)) for name, value in wanted.items()
    }
    intervene = choose_interventions("causal", surrogate, models)[graph]
    assert intervene.effect == "causal"
    for name, found in units(surrogate, intervene(codes, values)).items():
        assert found == pytest.approx(truth[name].to_numpy(), abs=1e-4)


def test_its_gradient_is_that_of_a_finite_difference(models, surrogate):
    _, codes = codes_of(models, surrogate, 40)
    intervene = CausalIntervention(surrogate, models, (*FORK, ("shade", "tilt")), {
        key: TorchMechanism.of(fitted) for key, fitted in models.mechanisms.items()
    })  # fmt: skip
    shade = codes.concepts[:, 0] + 0.7

    def of(value):
        return intervene(codes, {"shade": value}).concepts

    given = shade.clone().requires_grad_(True)
    moved = of(given)
    for column in (1, 2):
        slope = torch.autograd.grad(moved[:, column].sum(), given, retain_graph=True)[0]
        step = 1e-5
        difference = (of(shade + step) - of(shade - step))[:, column] / (2 * step)
        assert slope.abs().max() > 0.1
        assert slope.numpy() == pytest.approx(difference.numpy(), abs=1e-4)


def test_where_a_concept_is_not_set_it_follows_and_passes_gradients_on(models, surrogate):
    _, codes = codes_of(models, surrogate, 2)
    intervene = CausalIntervention(surrogate, models, CHAIN)
    tilt = codes.concepts[:, 1].clone().requires_grad_(True)
    shade = codes.concepts[:, 0] + 1
    moved = {"tilt": torch.tensor([True, False])}
    both = intervene(codes, {"shade": shade, "tilt": tilt}, moved).concepts
    alone = intervene(codes, {"shade": shade}).concepts
    assert torch.equal(both[0, 1], codes.concepts[0, 1])
    # Set to its own value, tilt passes nothing on to smile; where it is not set, it follows.
    assert torch.equal(both[0, 2], codes.concepts[0, 2])
    assert torch.allclose(both[1], alone[1])
    assert (alone[:, 1] - codes.concepts[:, 1]).abs().min() > 0.1
    slope = torch.autograd.grad(both[1, 2], tilt)[0]
    assert slope[1] > 0 and slope[0] == 0


def test_nothing_moves_where_nothing_is_set_or_all_is_set_to_what_it_was(models, surrogate):
    _, codes = codes_of(models, surrogate)
    for graph in (CHAIN, FORK):
        intervene = CausalIntervention(surrogate, models, graph)
        values = {c.name: codes.concepts[:, k] for k, c in enumerate(surrogate.concepts)}
        nowhere = {name: torch.zeros(60, dtype=torch.bool) for name in values}
        assert torch.equal(intervene(codes, values).concepts, codes.concepts)
        assert torch.equal(intervene(codes, values, nowhere).concepts, codes.concepts)
        assert torch.equal(
            intervene(codes, {"shade": codes.concepts[:, 0]}).concepts, codes.concepts
        )


def test_a_clear_yes_counts_as_a_labels_for_what_it_causes():
    """tilt = smile's logit: beyond a label's ±4 nothing more follows, unless it was there."""
    surrogate = surrogate_of(
        Concept("smile", "aligned", mean=0.5, std=0.5, measure="binary", levels=("no", "yes")),
        Concept("tilt", "aligned", "rad", mean=0.0, std=1.0),
        Concept("latent_1", "latent"),
    )
    logits = np.linspace(-3, 3, 200)
    straight = SplineMechanism.fit(logits[:, None], logits, 3)
    observed = pd.DataFrame({"smile": expit(logits), "tilt": logits})
    models = StructuralModels(
        ("smile", "tilt"), observed, ("smile",),
        AllowedGraphs(((("smile", "tilt"),),), True, ()), {("tilt", ("smile",)): straight}, {},
    )  # fmt: skip
    intervene = CausalIntervention(surrogate, models)
    codes = Codes(torch.tensor([[0.0, 0.0, 0.3], [1.5, 0.0, 0.3]]), torch.zeros(2, 4))
    # Codes of 2 are logits of 8; the second image's own is 6.
    moved = intervene(codes, {"smile": torch.tensor([2.0, 2.0])}).concepts
    assert moved[:, 0].tolist() == [2.0, 2.0]
    assert moved[:, 1].tolist() == pytest.approx([4.0, 0.0], abs=0.01)
    assert moved[:, 2].tolist() == pytest.approx([0.3, 0.3])


def test_levels_and_constants_are_held_and_may_be_set(models):
    level = Concept("hair=a", "aligned", measure="categorical", feature="hair", levels=("a",))
    surrogate = surrogate_of(
        Concept("shade", "aligned", "px", mean=3.0, std=0.5),
        Concept("tilt", "aligned", "rad", mean=0.1, std=0.3),
        replace(level, mean=0.5, std=0.5),
    )
    surrogate.concepts += (replace(level, name="hair=b", levels=("b",), mean=0.5, std=0.5),)
    two = replace(models, nodes=("shade", "tilt"), allowed=AllowedGraphs((CHAIN[:1],), True, ()))
    codes = Codes(torch.tensor([[0.2, 0.4, 1.0, -1.0]] * 2), torch.zeros(2, 4))
    intervene = CausalIntervention(surrogate, two)
    values = {"shade": torch.tensor([1.0, 1.0]), "hair=b": torch.tensor([1.0, -1.0])}
    moved = intervene(codes, values, {"hair=b": torch.tensor([True, False])}).concepts
    assert moved[1, 2:].tolist() == [1.0, -1.0]
    assert moved[0, 2:].tolist() == pytest.approx([-1.0, 1.0], abs=1e-5)
    assert (moved[:, 1] != 0.4).all()


def test_models_that_do_not_fit_are_refused(models, surrogate):
    assert choose_interventions("direct", surrogate, None)[0].effect == "direct"
    with pytest.raises(ValueError, match=r"explain.effect: causal .* no concept is modelled;"):
        choose_interventions("causal", surrogate, None)
    nothing = replace(models, nodes=(), exclusions={"hair": "categorical"})
    with pytest.raises(ValueError, match=r"no concept is modelled \({'hair': 'categorical'}\)"):
        choose_interventions("causal", surrogate, nothing)
    with pytest.raises(ValueError, match=r"found models of \['smile'\]; .* another surrogate"):
        choose_interventions("causal", tiny_surrogate(), replace(models, nodes=("smile",)))
