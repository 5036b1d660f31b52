import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skimage
import torch

from glance_pipeline.classifiers.classifier import Answer
from glance_pipeline.classifiers.task import OneOf
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import OBJECTIVES, build_objective
from glance_pipeline.twin.objectives.adversarial import Adversarial
from glance_pipeline.twin.objectives.alignment import Alignment
from glance_pipeline.twin.objectives.composition import Composition
from glance_pipeline.twin.objectives.distillation import Distillation
from glance_pipeline.twin.objectives.intervention_consistency import InterventionConsistency
from glance_pipeline.twin.objectives.proximity import Proximity
from glance_pipeline.twin.objectives.reconstruction import Reconstruction, structural_similarity
from glance_pipeline.twin.objectives.sufficiency import Sufficiency
from glance_pipeline.twin.objectives.twin_pass import Batch, TwinPass
from glance_pipeline.twin.objectives.unnamed_preservation import UnnamedPreservation
from glance_pipeline.twin.objectives.variation_predictability import VariationPredictability
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate

EVEN = torch.zeros(2, 2)
TASK = OneOf(("a", "b"))
THREE_TO_ONE = torch.tensor([[math.log(3.0), 0.0]] * 2)


def made_up(**parts: Any) -> Any:
    return SimpleNamespace(task=TASK, **parts)


def answer(logits: torch.Tensor, features: list[float]) -> Answer:
    return Answer(logits, torch.tensor([features] * len(logits)))


def test_divergence_of_three_to_one_from_even() -> None:
    # ¾·ln(¾/½) + ¼·ln(¼/½)
    want = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert TASK.divergence(THREE_TO_ONE, EVEN).item() == pytest.approx(want, abs=1e-6)


def test_reconstruction_adds_pixels_structure_and_features() -> None:
    step = made_up(
        reconstruction=torch.full((2, 1, 2, 2), 0.5),
        batch=Batch(torch.zeros(2, 1, 2, 2), answer(EVEN, [3.0, 4.0])),
        reconstruction_answer=answer(EVEN, [3.0, 3.0]),
    )
    # 0.5 in every pixel; features are off by 1² of 25. Flat images differ in luminance alone,
    # whose constant is (0.01 · 2)².
    luminance = 0.0004 / (0.5**2 + 0.0004)
    want = 0.5 + 2 * (1 - luminance) + 0.1 / 25
    found = Reconstruction(perceptual=0.1, structural=2.0)(step).item()
    assert found == pytest.approx(want, abs=1e-5)


def test_distillation_adds_its_three_terms() -> None:
    step = made_up(
        batch=Batch(torch.zeros(2, 1, 2, 2), answer(THREE_TO_ONE, [2.0, 0.0])),
        student=answer(EVEN, [1.0, 0.0]),
        reconstruction_answer=answer(THREE_TO_ONE, [0.0, 0.0]),
    )
    want = TASK.divergence(THREE_TO_ONE, EVEN).item() + 0.0 + 1 / 4
    assert Distillation()(step).item() == pytest.approx(want)


def test_structural_similarity_is_that_of_scikit_image() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, 1, 16, 16, generator=generator) * 2 - 1
    noisy = images + 0.3 * torch.randn(images.shape, generator=generator)
    want = np.mean(
        [
            skimage.metrics.structural_similarity(one.numpy(), other.numpy(), data_range=2)
            for one, other in zip(images[:, 0], noisy[:, 0], strict=True)
        ]
    )
    assert structural_similarity(images, noisy).item() == pytest.approx(want, abs=1e-5)
    assert structural_similarity(images, images).item() == pytest.approx(1.0)


def test_the_critic_sees_reconstructions_and_swaps_not_interventions() -> None:
    seen: list[torch.Tensor] = []

    def critic(images: torch.Tensor) -> torch.Tensor:
        seen.append(images[:, 0, 0, 0])
        return torch.zeros(len(images))

    row = torch.arange(4.0)[:, None, None, None]
    step = made_up(
        batch=Batch(row, answer(EVEN, [0.0])),
        reconstruction=row,
        recombination=row + 10,  # the first two are swaps, the others interventions
        critics=made_up(images=critic),
    )
    Adversarial()(step)
    assert seen[0].tolist() == [2.0, 3.0, 10.0, 11.0]


def test_variation_predictability_counts_the_residual_code_too() -> None:
    codes = Codes(torch.zeros(2, 1), torch.tensor([[0.0], [2.0]]))
    step = made_up(
        codes=codes,
        recombined_codes=codes,
        recombination_encoding=Codes(codes.concepts, codes.residual + 1.0),
    )
    assert VariationPredictability(residual=0.4)(step).item() == pytest.approx(0.4 * 0.5)


def test_proximity_is_the_change_that_an_intervention_made_at_every_scale() -> None:
    images = torch.zeros(3, 1, 2, 2)
    drawn = images.clone()
    drawn[0] = 9.0  # a swap of residual codes: not an intervention
    drawn[1] = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    step = made_up(batch=Batch(images, answer(EVEN, [0.0])), recombination=drawn, swapped=1)
    # Of two intervened images one is off by 1 in two pixels of four, which cancel at scale 2.
    assert Proximity(scales=(1,))(step).item() == pytest.approx(0.25)
    assert Proximity(scales=(1, 2))(step).item() == pytest.approx(0.125)
    none_moved = made_up(batch=step.batch, recombination=drawn, swapped=3)
    assert Proximity()(none_moved).item() == 0.0


def test_composition_is_the_distance_of_what_is_drawn_again() -> None:
    drawn = torch.full((4, 1, 2, 2), 0.5, requires_grad=True)
    again = torch.nn.Parameter(torch.tensor(0.2))
    seen: list[int] = []

    def encode(images: torch.Tensor) -> int:
        seen.append(len(images))
        return len(images)

    step = made_up(
        batch=Batch(drawn.detach(), answer(EVEN, [0.0])),
        reconstruction=drawn,
        recombination=drawn + 1,  # half of what is drawn again
        surrogate=made_up(encode=encode, generate=lambda count: again.expand(count, 1, 2, 2)),
    )
    loss = Composition(share=0.5)(step)
    assert loss.item() == pytest.approx((0.3 + 1.3) / 2)
    loss.backward()
    assert seen == [2] and again.grad is not None
    assert drawn.grad is None  # what was drawn first does not move towards the second


def test_sufficiency_looks_at_swapped_rows_alone() -> None:
    logits = torch.stack([EVEN[0], THREE_TO_ONE[0]])
    step = made_up(
        swapped=1,
        batch=Batch(torch.zeros(2, 1, 2, 2), answer(EVEN, [0.0])),
        recombination_answer=answer(logits, [0.0]),
    )
    assert Sufficiency()(step).item() == pytest.approx(0.0)


def test_adversarial_game_of_a_critic_that_cannot_tell() -> None:
    images = torch.zeros(4, 1, 2, 2)
    step = made_up(
        batch=Batch(images, answer(EVEN, [0.0])),
        reconstruction=images,
        recombination=images,
        critics=made_up(images=lambda x: torch.zeros(len(x))),
    )
    game = Adversarial()
    assert game(step).item() == pytest.approx(math.log(2))
    assert game.critic_loss(step).item() == pytest.approx(2 * math.log(2))


def test_alignment_is_the_squared_error_of_the_first_concepts() -> None:
    step = made_up(
        codes=Codes(torch.tensor([[1.0, 2.0, 9.0]]), torch.zeros(1, 1)),
        batch=Batch(torch.zeros(1, 1, 2, 2), answer(EVEN, [0.0]), torch.tensor([[0.0, 4.0]])),
        surrogate=tiny_surrogate(),
    )
    assert Alignment()(step).item() == pytest.approx((1 + 4) / 2)


def test_alignment_without_context_is_an_error() -> None:
    step = made_up(batch=Batch(torch.zeros(1, 1, 2, 2), answer(EVEN, [0.0])))
    with pytest.raises(ValueError, match="no context"):
        Alignment()(step)


def test_intervention_consistency_reads_the_intended_values() -> None:
    step = made_up(
        aligned=1,
        reading=torch.tensor([[1.0, 9.0], [5.0, 9.0]]),
        reader=True,
        recombined_codes=Codes(torch.tensor([[1.0, 7.0], [2.0, 7.0]]), torch.zeros(2, 1)),
        surrogate=tiny_surrogate(),
    )
    assert InterventionConsistency()(step).item() == pytest.approx(9 / 2)


def test_unnamed_preservation_lets_a_property_follow_as_far_as_it_is_bound() -> None:
    class Reader:
        follows = torch.tensor([[0.5, 0.0]])

        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0, 3.0]]).expand(len(images), 3)

    step = made_up(
        aligned=1,
        of_aligned_alone=slice(1, None, 2),
        reader=Reader(),
        reading=torch.tensor([[9.0, 9.0, 9.0], [9.0, 2.5, 5.0]]),
        reconstruction=torch.zeros(2, 1, 2, 2),
        codes=Codes(torch.tensor([[0.0, 7.0], [1.0, 7.0]]), torch.zeros(2, 1)),
        recombined_codes=Codes(torch.tensor([[0.0, 7.0], [3.0, 7.0]]), torch.zeros(2, 1)),
    )
    # Moved by 2: the first may go from 1 to 2 and is at 2.5, the second is at 5 and not at 3.
    assert UnnamedPreservation()(step).item() == pytest.approx((0.25 + 4) / 2)


def test_half_of_the_interventions_move_aligned_concepts_alone_where_properties_are_read() -> None:
    surrogate = tiny_surrogate()
    kinds = ("aligned", "latent", "latent")
    surrogate.concepts = tuple(
        replace(c, kind=kind) for c, kind in zip(surrogate.concepts, kinds, strict=True)
    )
    images = torch.rand(200, 1, 8, 8) * 2 - 1
    batch = Batch(images, tiny_classifier()(images))
    reader = AttributeReader(("a",), (1, 8, 8), (8, 8), 8, ("brightness",))
    players = Players(surrogate, None, tiny_classifier(), reader)
    step = TwinPass(players, batch, torch.Generator().manual_seed(3), intervened=0.5)
    changed = step.recombined_codes.concepts != step.codes.concepts
    alone = torch.zeros(200, dtype=torch.bool)
    alone[step.of_aligned_alone] = True
    assert alone.sum() == 50 and not alone[:100].any()
    assert not changed[alone, 1:].any() and changed[alone, 0].float().mean() > 0.95
    assert changed[100:][~alone[100:], 1:].any(1).float().mean() > 0.5


def test_variation_predictability_does_not_change_with_the_scale_of_the_code() -> None:
    concepts = torch.tensor([[0.0], [2.0]])
    found = concepts + 1.0
    values = []
    for scale in (1.0, 10.0):
        codes = Codes(scale * concepts, torch.zeros(2, 1))
        step = made_up(
            codes=codes,
            recombined_codes=codes,
            recombination_encoding=Codes(scale * found, torch.zeros(2, 1)),
        )
        values.append(VariationPredictability()(step).item())
    # The variance of {0, 2} is 2, the error 1.
    assert values == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("intervened", [0.0, 0.5, 1.0])
def test_recombination_swaps_residuals_or_moves_concepts_never_both(intervened: float) -> None:
    surrogate = tiny_surrogate()
    images = torch.rand(8, 1, 8, 8) * 2 - 1
    batch = Batch(images, tiny_classifier()(images))
    players = Players(surrogate, None, tiny_classifier())
    step = TwinPass(players, batch, torch.Generator().manual_seed(3), intervened)
    before, after = step.codes, step.recombined_codes
    swapped = slice(0, step.swapped)
    moved = slice(step.swapped, None)
    assert step.swapped == round(8 * (1 - intervened))
    assert torch.equal(before.concepts[swapped], after.concepts[swapped])
    assert torch.equal(before.residual[moved], after.residual[moved])
    if intervened < 1:
        assert not torch.equal(before.residual[swapped], after.residual[swapped])
    if intervened > 0:
        assert not torch.equal(before.concepts[moved], after.concepts[moved])
        for column in range(3):
            assert torch.isin(after.concepts[moved, column], before.concepts[:, column]).all()


def test_the_levels_of_a_feature_are_moved_together() -> None:
    surrogate = tiny_surrogate()
    levels = [replace(c, measure="categorical", feature="kind") for c in surrogate.concepts[:2]]
    surrogate.concepts = (*levels, surrogate.concepts[2])
    images = torch.rand(200, 1, 8, 8) * 2 - 1
    batch = Batch(images, tiny_classifier()(images))
    players = Players(surrogate, None, tiny_classifier())
    step = TwinPass(players, batch, torch.Generator().manual_seed(3), intervened=1.0)
    before, after = step.codes.concepts, step.recombined_codes.concepts
    pairs = {tuple(row) for row in before[:, :2].tolist()}
    assert all(tuple(row) in pairs for row in after[:, :2].tolist())
    moved = (after != before).any(1)
    # A row stays only where its donor is the row itself.
    assert moved.float().mean() > 0.95
    assert (after[:, 0] != before[:, 0]).float().mean().item() == pytest.approx(0.62, abs=0.12)


def test_every_objective_is_registered_under_its_name() -> None:
    assert all(build_objective(name).name == name for name in OBJECTIVES)
    with pytest.raises(KeyError, match=r"colour.*adversarial"):
        build_objective("colour")
