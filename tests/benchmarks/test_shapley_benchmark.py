import pytest
import torch

from benchmarks.explain.shapley import measure_shapley
from glance_pipeline.config.explain import ImportanceParameters
from glance_pipeline.explanations import Subjects
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

BACKGROUND = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


def measured(answer, **parameters):
    surrogate, classifier = glass_box(answer)
    codes = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    images = to_uint8(surrogate.generate(Codes(codes, torch.zeros(5, 4))))
    subjects = Subjects.see(surrogate, classifier, images)
    settings = ImportanceParameters(permutations=40, **parameters)
    return measure_shapley(surrogate, classifier, subjects, BACKGROUND, settings)


def test_exact_values_add_up_and_sampled_ones_are_as_far_off_as_they_say():
    def product(u):
        zero = torch.zeros_like(u[:, 0])
        return torch.stack([9 + 3 * u[:, 0] * u[:, 1] * u[:, 2], zero, zero - 50], 1)

    result = measured(product, exact_pictures=24)
    assert result["max_gap"] < 1e-4
    assert (result["exact_backgrounds"], result["concepts"], result["images"]) == (3, 3, 5)
    assert result["sampled_standard_error"] > 0
    # Twenty pairs of three values: stated and true errors agree within their own chance.
    assert 0.2 < result["sampled_error"] / result["sampled_error_stated"] < 3
    assert result["exact_ms_per_image"] > 0 and result["sampled_ms_per_image"] > 0


def test_too_many_concepts_for_exact_values_are_refused(monkeypatch):
    surrogate, classifier = glass_box(lambda u: u)
    many = {str(k): (str(k),) for k in range(13)}
    monkeypatch.setattr(type(surrogate), "active_features", many)
    with pytest.raises(ValueError, match="has 13 active concepts; at most 12"):
        measure_shapley(surrogate, classifier, None, BACKGROUND)
