import logging
import math

import pytest
import torch
from torch import Tensor

from glance_pipeline.twin.basis.change_of_basis import align_basis
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate


def test_the_new_code_says_the_context_and_draws_the_same() -> None:
    torch.manual_seed(0)
    surrogate = TwinSurrogate(SurrogateShape((1, 8, 8), 3, 3, 3, 6, (8, 8), style=16, hidden=16))
    images = torch.rand(400, 1, 8, 8) * 2 - 1
    with torch.no_grad():
        codes = surrogate.encode(images)
        z = torch.cat([codes.concepts, codes.residual], 1)
        # Two features that are linear in the code, correlated with each other.
        first = z @ torch.linspace(-1, 1, 9)
        second = first + 0.5 * (z @ torch.ones(9))
        context = torch.stack([first, second], 1)
        context = (context - context.mean(0)) / context.std(0)
        concepts = [Concept("first", "aligned"), Concept("second", "aligned")]
        rotated = align_basis(surrogate, codes, context, concepts, ridge=1e-9)
        turned = rotated.encode(images)
        assert rotated.concept_names == ["first", "second", "latent_1", "latent_2", "latent_3"]
        assert rotated.shape.residual == 4
        assert torch.allclose(turned.concepts[:, :2], context, atol=2e-2)
        before, after = surrogate.generate(codes), rotated.generate(turned)
        assert torch.allclose(after, before, atol=1e-3 * before.abs().max().item())
        assert torch.allclose(rotated.predict(turned), surrogate.predict(codes), atol=1e-3)
        assert torch.allclose(turned.residual.std(0), torch.ones(4), atol=1e-2)


def test_rest_of_the_code_does_not_go_along_with_the_context() -> None:
    torch.manual_seed(1)
    surrogate = TwinSurrogate(SurrogateShape((1, 8, 8), 3, 3, 2, 5, (8, 8), style=16, hidden=16))
    images = torch.rand(300, 1, 8, 8) * 2 - 1
    with torch.no_grad():
        codes = surrogate.encode(images)
        context = torch.nn.functional.normalize(images.mean((1, 2, 3)), dim=0)[:, None] * 300**0.5
        rotated = align_basis(surrogate, codes, context, [Concept("mean", "aligned")], 1e-6)
        turned = rotated.encode(images)
    said = turned.concepts[:, 0]
    rest = torch.cat([turned.concepts[:, 1:], turned.residual], 1)
    for column in rest.T:
        correlation = torch.corrcoef(torch.stack([said, column]))[0, 1]
        assert abs(correlation.item()) < 1e-2


def test_more_features_than_residual_dimensions_are_refused() -> None:
    surrogate, _, codes = untrained(concepts=2, residual=1)
    with pytest.raises(ValueError, match=r"1 context features.*only 1 dimensions"):
        align_basis(surrogate, codes, torch.zeros(400, 1), [Concept("a", "aligned")], 0.1)


def test_features_assigned_to_concepts_take_nothing_of_the_residual_code() -> None:
    surrogate, images, codes = untrained(concepts=3, residual=2)
    context = standardised(codes.concepts)
    concepts = [Concept(name, "aligned") for name in ("first", "second", "third")]
    rotated = align_basis(surrogate, codes, context, concepts, 1e-3, "assignment")
    assert (rotated.concept_names, rotated.shape.residual) == (["first", "second", "third"], 2)
    assert_draws_the_same(rotated, surrogate, images, codes)
    with pytest.raises(ValueError, match=r"2 context features would take 2 .* only 2 dimensions"):
        align_basis(
            surrogate, codes, standardised(codes.residual), concepts[:2], 1e-3, "assignment"
        )


def untrained(concepts: int = 3, residual: int = 6) -> tuple[TwinSurrogate, Tensor, Codes]:
    torch.manual_seed(2)
    shape = SurrogateShape((1, 8, 8), 3, 3, concepts, residual, (8, 8), style=16, hidden=16)
    surrogate = TwinSurrogate(shape).eval()
    images = torch.rand(400, 1, 8, 8) * 2 - 1
    with torch.no_grad():
        return surrogate, images, surrogate.encode(images)


def assert_draws_the_same(
    rotated: TwinSurrogate, surrogate: TwinSurrogate, images: Tensor, codes: Codes
) -> None:
    rotated.eval()
    with torch.no_grad():
        turned = rotated.encode(images)
        before, after = surrogate.generate(codes), rotated.generate(turned)
        assert torch.allclose(after, before, atol=1e-3 * before.abs().max().item())
        assert torch.allclose(rotated.predict(turned), surrogate.predict(codes), atol=1e-3)


def standardised(values: Tensor) -> Tensor:
    return (values - values.mean(0)) / values.std(0)


def levels(codes: Tensor) -> tuple[Tensor, list[Concept]]:
    """Three levels that a code tells: below −0.4 sd, above 0.6 sd, between."""
    z = standardised(codes)
    number = (z > -0.4).long() + (z > 0.6).long()
    columns = torch.nn.functional.one_hot(number, 3).float()
    concepts = [
        Concept(
            f"colour={name}",
            "aligned",
            mean=columns[:, k].mean().item(),
            std=columns[:, k].std().item(),
            measure="categorical",
            feature="colour",
            levels=(name,),
        )
        for k, name in enumerate(("red", "green", "blue"))
    ]
    return standardised(columns), concepts


@pytest.mark.parametrize("method", ["regression", "assignment"])
def test_levels_of_a_category_add_up_and_nothing_is_lost(method) -> None:
    surrogate, images, codes = untrained()
    colours, concepts = levels(codes.residual[:, 0])
    context = torch.cat([standardised(codes.concepts[:, :1]), colours], 1)
    rotated = align_basis(
        surrogate, codes, context, [Concept("size", "aligned"), *concepts], 1e-6, method
    )
    names = ["size", "colour=red", "colour=green", "colour=blue"]
    assert rotated.concept_names[:4] == names
    # Nine dimensions, of which the last level repeats what the others say.
    assert rotated.shape.concepts + rotated.shape.residual == 10
    assert_draws_the_same(rotated, surrogate, images, codes)
    with torch.no_grad():
        turned = rotated.encode(images)
    std = torch.tensor([concept.std for concept in concepts])
    mean = torch.tensor([concept.mean for concept in concepts])
    shares = turned.concepts[:, 1:4] * std + mean
    assert torch.allclose(shares.sum(1), torch.ones(400), atol=1e-4)
    # What no image has, a sum other than one, changes nothing.
    off = turned.concepts.clone()
    off[:, 1:4] += std
    with torch.no_grad():
        same = rotated.generate(Codes(off, turned.residual))
        assert torch.allclose(same, rotated.generate(turned), atol=1e-4)


def test_an_assigned_feature_takes_the_place_of_the_dimension_that_goes_with_it(caplog) -> None:
    surrogate, images, codes = untrained()
    # Monotone copies: of one concept falling, of one residual dimension rising.
    fall = -standardised(codes.concepts[:, 1]).exp()
    rise = standardised(codes.residual[:, 4]) ** 3
    context = standardised(torch.stack([rise, fall], 1))
    concepts = [Concept("rise", "aligned"), Concept("fall", "aligned")]
    with caplog.at_level(logging.INFO):
        rotated = align_basis(surrogate, codes, context, concepts, 1e-3, "assignment")
    assert rotated.concept_names == ["rise", "fall", "latent_1", "latent_3"]
    assert rotated.shape.residual == 5
    assert [record.getMessage() for record in caplog.records] == [
        "rise goes best with dimension 5 of the residual code, |Spearman| 1.00",
        "fall goes best with latent_2 of the concept code, |Spearman| 1.00",
    ]
    assert_draws_the_same(rotated, surrogate, images, codes)
    with torch.no_grad():
        turned = rotated.encode(images)
    wanted = torch.stack([codes.residual[:, 4], -codes.concepts[:, 1]], 1)
    assert torch.allclose(turned.concepts[:, :2], standardised(wanted), atol=2e-3)


def test_both_ways_say_where_a_feature_lived(caplog) -> None:
    surrogate, _, codes = untrained()
    context = standardised(codes.concepts[:, 2:] ** 3)
    with caplog.at_level(logging.INFO):
        align_basis(surrogate, codes, context, [Concept("size", "aligned")], 1e-3)
    assert caplog.messages == ["size goes best with latent_3 of the concept code, |Spearman| 1.00"]


@pytest.mark.parametrize("method", ["regression", "assignment"])
def test_rows_without_a_value_take_no_part_in_the_regression(method) -> None:
    surrogate, images, codes = untrained()
    context = standardised(codes.concepts[:, :2])
    holes = context.clone()
    holes[::3, 0] = math.nan
    concepts = [Concept("first", "aligned"), Concept("second", "aligned")]
    rotated = align_basis(surrogate, codes, holes, concepts, 1e-9, method)
    assert_draws_the_same(rotated, surrogate, images, codes)
    with torch.no_grad():
        turned = rotated.encode(images)
    if method == "regression":
        assert torch.allclose(turned.concepts[:, :2], context, atol=1e-2)
    assert torch.allclose(turned.concepts[:, 1], context[:, 1], atol=1e-2)
    assert torch.corrcoef(torch.stack([turned.concepts[:, 0], context[:, 0]]))[0, 1] > 0.999
