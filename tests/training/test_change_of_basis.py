import pytest
import torch

from glance_pipeline.networks import Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.training.basis import align_basis


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
    surrogate = TwinSurrogate(SurrogateShape((1, 8, 8), 3, 3, 2, 1, (8, 8), style=16, hidden=16))
    codes = surrogate.encode(torch.rand(5, 1, 8, 8))
    with pytest.raises(ValueError, match=r"1 context features.*only 1 dimensions"):
        align_basis(surrogate, codes, torch.zeros(5, 1), [Concept("a", "aligned")], 0.1)
