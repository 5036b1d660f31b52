import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training.data import EpochSampler, PreparedImages, TrainingData
from glance_pipeline.twin.training.reader_training import independence_weights


def of_splits(images: np.ndarray, splits: list[str]) -> TrainingData:
    records = pd.DataFrame({"split": splits})
    return TrainingData.of_split(PreparedImages(images, records), tiny_classifier())


def test_each_image_comes_once_an_epoch() -> None:
    sampler = EpochSampler(10, 4, torch.Generator().manual_seed(0))
    rows = torch.cat([sampler.next() for _ in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))


def test_only_the_rows_of_the_split_are_taken() -> None:
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    records = pd.DataFrame({"split": ["test", "train", "train", "validation"]})
    data = TrainingData.of_split(PreparedImages(images, records), tiny_classifier())
    assert data.images[:, 0, 0, 0].tolist() == [1, 2]
    assert data.logits.shape == (2, 3)


def test_records_that_do_not_match_and_empty_splits_are_explained() -> None:
    images = np.zeros((3, 1, 8, 8), np.uint8)
    with pytest.raises(ValueError, match="2 rows, but there are 3 images"):
        TrainingData.of_split(
            PreparedImages(images, pd.DataFrame({"split": ["train"] * 2})), tiny_classifier()
        )
    with pytest.raises(ValueError, match="no image is in the split 'train'"):
        TrainingData.of_split(
            PreparedImages(images, pd.DataFrame({"split": ["test"] * 3})), tiny_classifier()
        )


def test_images_of_a_shape_the_classifier_does_not_take_are_explained() -> None:
    images = np.zeros((3, 1, 16, 16), np.uint8)
    with pytest.raises(
        ValueError, match=r"shape \(1, 16, 16\), but the classifier takes \(1, 8, 8\)"
    ):
        TrainingData.of_split(
            PreparedImages(images, pd.DataFrame({"split": ["train"] * 3})), tiny_classifier()
        )


def test_a_context_table_that_cannot_be_used_is_refused_before_training() -> None:
    records = pd.DataFrame({"split": ["train"] * 3})
    with pytest.raises(ValueError, match="2 rows, wanted 3"):
        standardise_context(pd.DataFrame({"size": [1.0, 2.0]}), records, {})
    with pytest.raises(ValueError, match="'size' has no finite value in 1"):
        standardise_context(pd.DataFrame({"size": [1.0, np.inf, 2.0]}), records, {})


def test_context_is_standardised_by_the_training_rows_alone() -> None:
    context = pd.DataFrame({"size": [1.0, 3.0, 100.0]})
    records = pd.DataFrame({"split": ["train", "train", "test"]})
    values, concepts = standardise_context(context, records, {"size": "px"})
    assert concepts[0].mean == 2.0 and concepts[0].unit == "px"
    assert concepts[0].std == pytest.approx(2**0.5)
    assert values[:, 0].tolist() == pytest.approx([-(0.5**0.5), 0.5**0.5, 98 / 2**0.5])
    with pytest.raises(ValueError, match=r"\['size'\] do not vary"):
        standardise_context(pd.DataFrame({"size": [1.0, 1.0, 5.0]}), records, {})


def test_weights_take_away_the_correlation_of_two_features() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=4000)
    context = np.column_stack([first, 0.6 * first + 0.8 * rng.normal(size=4000)])
    weights = independence_weights(context, 1.0, 10.0, seed=0)
    assert weights.mean() == pytest.approx(1.0)
    centred = context - np.average(context, axis=0, weights=weights)
    covariance = (weights[:, None] * centred).T @ centred
    weighted = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert np.corrcoef(context.T)[0, 1] == pytest.approx(0.6, abs=0.03)
    assert abs(weighted) < 0.2
    assert np.array_equal(independence_weights(context, 0.0, 10.0, seed=0), np.ones(4000))
