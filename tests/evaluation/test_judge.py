"""A judge of interventions on images without morphometry, where what it must find is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from glance_pipeline.evaluation.intervention_matrix import intervention_matrix
from glance_pipeline.evaluation.judge import as_aligned, measure_by, quality_of
from glance_pipeline.images.form import to_uint8
from glance_pipeline.support.errors import UserError
from glance_pipeline.twin.networks import Codes, Concept
from glance_pipeline.twin.testing import GlassBoxSurrogate, glass_box


class Reader(nn.Module):
    """Reads shade and tilt as they were drawn, the second one ``blurred`` by the first."""

    def __init__(self, surrogate: GlassBoxSurrogate, blurred: float = 0.0) -> None:
        super().__init__()
        self.surrogate, self.blurred = surrogate, blurred

    def forward(self, images: Tensor) -> Tensor:
        read = self.surrogate.encode(images).concepts[:, :2]
        return read + self.blurred * torch.stack([0 * read[:, 0], read[:, 0]], 1)


@pytest.fixture
def drawn() -> tuple[GlassBoxSurrogate, Codes, np.ndarray]:
    surrogate, _ = glass_box(lambda concepts: concepts)
    concepts = torch.randn(60, 3, generator=torch.Generator().manual_seed(0)).clamp(-2, 2)
    codes = Codes(concepts, torch.zeros(60, 4))
    return surrogate, codes, to_uint8(surrogate.generate_batched(codes))


def test_a_judge_that_sees_what_is_drawn_finds_each_effect_and_no_other(drawn):
    surrogate, codes, _ = drawn
    matrix = intervention_matrix(surrogate, codes, measure_by(Reader(surrogate), surrogate), 1.0)
    wanted = [[1, 0], [0, 1], [0, 0]]
    np.testing.assert_allclose(matrix.to_numpy(), wanted, atol=0.03)  # of 8 bits


def test_a_judge_answers_in_units(drawn):
    surrogate, codes, images = drawn
    read = measure_by(Reader(surrogate), surrogate)(images)
    np.testing.assert_allclose(read["shade"], 3 + 0.5 * codes.concepts[:, 0], atol=0.02)
    np.testing.assert_allclose(read["tilt"], 0.1 + 0.3 * codes.concepts[:, 1], atol=0.02)


def test_how_well_a_judge_reads_real_images_is_said(drawn):
    surrogate, codes, images = drawn
    context = pd.DataFrame(
        {"shade": 3 + 0.5 * codes.concepts[:, 0], "tilt": 0.1 + 0.3 * codes.concepts[:, 1]}
    )
    r2 = quality_of(Reader(surrogate, blurred=0.5), surrogate, images, context)["r2"]
    assert r2["shade"] == pytest.approx(1, abs=0.01)
    shade, tilt = codes.concepts[:, 0], codes.concepts[:, 1]
    lost = (0.5 * shade).square().mean() / tilt.var(correction=0)
    assert r2["tilt"] == pytest.approx(1 - lost.item(), abs=0.02)


def test_a_table_that_is_newer_than_the_alignment_is_read_in_the_surrogates_codes(drawn):
    surrogate = drawn[0]  # shade 3 ± 0.5, tilt 0.1 ± 0.3
    concepts = [
        Concept("tilt", "aligned", mean=1.0, std=2.0),
        Concept("new", "aligned", mean=5.0, std=1.0),
        Concept("shade", "aligned", mean=4.0, std=1.0),
    ]
    context = torch.tensor([[0.0, 0.0, 0.0], [0.5, torch.nan, -1.0]])
    codes, aligned = as_aligned(context, concepts, surrogate)
    assert [concept.name for concept in aligned] == ["shade", "tilt"]
    torch.testing.assert_close(codes, torch.tensor([[2.0, 3.0], [0.0, 1.9 / 0.3]]))
    with pytest.raises(UserError, match=r"found \['tilt', 'new'\], wanted \['shade'\] too"):
        as_aligned(context[:, :2], concepts[:2], surrogate)
