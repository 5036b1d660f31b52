import pytest
import torch

from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import Counterfactual
from glance_pipeline.explanations.trust.limits import Rarity, doubts_about, limits_of
from glance_pipeline.explanations.trust.training_distance import TrainingDistance

LINE = torch.arange(100.0)[:, None]


def test_further_out_counts_training_images_by_hand():
    """On 0 … 99 the 2nd neighbour is 1 away, of the two ends 2."""
    distance = TrainingDistance(LINE, neighbours=2)
    found = distance.further_out(torch.tensor([[50.5], [50.7], [100.5], [99.0], [50.0]]))
    # Distances 0.5, 0.7 and 2.5; and of the training images 99 and 50, themselves left out.
    assert found.tolist() == [100, 100, 0, 0, 2]


def test_units_do_not_matter_and_a_constant_column_does_no_harm():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(300, 2, generator=generator)
    wide = torch.cat([codes * torch.tensor([1.0, 1000.0]), torch.ones(300, 1)], 1)
    tried = torch.tensor([[0.1, 0.2], [2.0, -2.0], [5.0, 0.0]])
    also = torch.cat([tried * torch.tensor([1.0, 1000.0]), torch.ones(3, 1)], 1)
    found = TrainingDistance(codes).further_out(tried)
    assert found.tolist() == TrainingDistance(wide).further_out(also).tolist()
    assert found[0] > found[1] > found[2] == 0
    with pytest.raises(ValueError, match="found 1, at least 2 are wanted"):
        TrainingDistance(LINE[:1])


def test_what_goes_together_in_training_is_far_where_it_does_not():
    """Two columns that differ by 0.1: half a standard deviation apart is far, two along is not."""
    generator = torch.Generator().manual_seed(0)
    shade = torch.randn(400, 1, generator=generator)
    codes = torch.cat([shade, shade + 0.1 * torch.randn(400, 1, generator=generator)], 1)
    tried = torch.tensor([[1.5, 1.5], [0.3, -0.3]])
    along, across = TrainingDistance(codes).further_out(tried).tolist()
    assert along > 40 and across == 0


@pytest.mark.parametrize(
    ("further", "number", "text"),
    [
        (0, 4500, "none of the 4,500 training images lies further out"),
        (1, 4500, "1 of the 4,500 training images lies further out"),
        (12, 4500, "12 of the 4,500 training images lie further out"),
    ],
)
def test_rarity_is_said_in_number(further, number, text):
    assert str(Rarity(further, number, 0.01)) == text


def test_few_training_images_make_nothing_rare():
    assert not Rarity(0, 50, 0.01).is_rare  # (0 + 1) / (50 + 1) = 2 %
    assert Rarity(0, 100, 0.01).is_rare
    assert Rarity(43, 4500, 0.01).is_rare  # 44 / 4501 < 1 % < 46 / 4501
    assert not Rarity(45, 4500, 0.01).is_rare
    assert not Rarity(0, 4500, 0.0).is_rare
    assert Rarity(9, 4500, 0.01).share == pytest.approx(0.002)


def answer(name, probability=0.8):
    return Prediction(class_name=name, probability=probability, logits=(1.0, 0.0))


def test_every_doubt_is_said_shortly_and_in_full():
    assert doubts_about(answer("7"), answer("7"), 0.15, 0.15, Rarity(900, 4500, 0.01)) == []
    assert doubts_about(answer("7"), answer("7"), 0.1, 0.15, None) == []
    doubts = doubts_about(answer("7"), answer("1", 0.55), 0.231, 0.15, Rarity(2, 4500, 0.005))
    assert [doubt.reason for doubt in doubts] == [
        "the classifier calls the reconstruction 1",
        "part of the image is missing in the reconstruction",
        "few training images are like it",
    ]
    assert [doubt.warning for doubt in doubts] == [
        "The classifier calls the reconstruction 1 (0.55), not 7: what is said here about concepts "
        "holds for the reconstruction and may not hold for the image.",
        "The reconstruction differs from the image by 0.23 on average (images in −1 to 1; more "
        "than 0.15 is much): part of the image is not explained.",
        "The concept values of this image, taken together, are rare: 2 of the 4,500 training "
        "images lie further out (fewer than 0.5 % are few). The surrogate has seen little of the "
        "kind.",
    ]


def test_a_counterfactual_says_where_it_is_rare_and_where_graphs_disagree():
    found = Counterfactual(
        prediction=answer("1"), changes=(), distance=1, picture=LINE.numpy(), graphs_agreeing=0.25
    )
    assert limits_of(found, Rarity(1, 4500, 0.01)) == (
        "Taken together, its concept values are rare: 1 of the 4,500 training images lies further "
        "out.",
        "It is read as 1 in 25 % of the causal graphs that the evidence allows; in the others it "
        "is not, as something else follows.",
    )
    assert limits_of(found.model_copy(update={"graphs_agreeing": 1.0}), None) == ()
