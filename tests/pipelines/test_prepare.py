from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from omegaconf import OmegaConf
from pydantic import ValidationError

from glance_pipeline.config.prepare import FeatureName, PrepareParameters
from glance_pipeline.datasets.image_array_dataset import ImageArrayDataset
from glance_pipeline.digits.measure import FEATURES
from glance_pipeline.digits.sources import read_embedded_digits
from glance_pipeline.pipelines.prepare import create_pipeline
from glance_pipeline.pipelines.prepare.nodes import read_and_shuffle_source_digits, split_images

CONFIGURATION = Path(__file__).parents[2] / "conf"
OUTPUTS = (
    "images",
    "image_form",
    "context_features",
    "image_records",
    "source_digits",
    "known_graph",
)


def run(folder: Path, workers: int) -> dict[str, Any]:
    """Run the pipeline on 100 digits."""
    inputs = {
        "params:prepare": PrepareParameters(number_of_images=100),
        "params:seed": 0,
        "params:compute.workers": workers,
    }
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in inputs.items()})
    for name in OUTPUTS:
        on_disk = name in ("images", "source_digits")
        catalog[name] = ImageArrayDataset(filepath=f"{folder}/{name}.npy") if on_disk else Kept()
    SequentialRunner().run(create_pipeline(), catalog)
    return {name: catalog.load(name) for name in OUTPUTS}


class Kept(MemoryDataset):
    """In memory, and not released by the runner."""

    def _release(self) -> None:
        pass


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("prepared"), workers=1)


def test_outputs_are_what_the_next_pipelines_expect(prepared):
    assert prepared["images"].shape == (100, 1, 32, 32)
    assert prepared["images"].dtype == np.uint8
    assert prepared["source_digits"].shape == (100, 28, 28)
    context = prepared["context_features"]
    assert list(context.columns) == ["thickness", "intensity", "slant", "length"]
    assert context.index.equals(pd.RangeIndex(100))
    assert prepared["known_graph"]["scenario"] == "standard"
    assert list(prepared["image_records"].columns) == [
        "label",
        "split",
        "source_index",
        "intended_thickness",
        "intended_slant",
        "intended_intensity",
    ]


def test_context_is_measured_and_near_the_intent(prepared):
    for name, most in (("thickness", 0.15), ("slant", 0.01), ("intensity", 2)):
        intended = prepared["image_records"][f"intended_{name}"]
        error = (prepared["context_features"][name] - intended).abs()
        assert 0 < error.mean() < most


def test_every_split_holds_every_class(prepared):
    table = pd.crosstab(prepared["image_records"]["split"], prepared["image_records"]["label"])
    assert table.loc["train"].tolist() == [8] * 10
    assert table.loc["validation"].tolist() == [1] * 10
    assert table.loc["test"].tolist() == [1] * 10


def test_records_point_at_their_source(prepared):
    digits, labels = read_embedded_digits()
    records = prepared["image_records"]
    assert records["source_index"].is_unique
    assert np.array_equal(digits[records["source_index"]], prepared["source_digits"])
    assert np.array_equal(labels[records["source_index"]], records["label"])
    # Shuffled: neighbours of the sorted source are not neighbours here.
    assert (records["label"].diff() == 0).mean() < 0.3


def test_same_seed_same_result_for_any_number_of_workers(prepared, tmp_path):
    again = run(tmp_path, workers=2)
    assert np.array_equal(again["images"], prepared["images"])
    for name in ("context_features", "image_records"):
        pd.testing.assert_frame_equal(again[name], prepared[name], check_exact=True)


def test_another_seed_another_draw(prepared):
    parameters = PrepareParameters(number_of_images=100)
    _, records = read_and_shuffle_source_digits(parameters, 1)
    assert not np.array_equal(
        records["source_index"], prepared["image_records"]["source_index"].to_numpy()
    )


def test_all_digits_are_taken_once_where_no_number_is_given():
    _, records = read_and_shuffle_source_digits(PrepareParameters(), 0)
    assert sorted(records["source_index"]) == list(range(5000))


def test_too_many_or_too_few_digits():
    with pytest.raises(ValueError, match="found 5001, wanted at most 5000"):
        read_and_shuffle_source_digits(PrepareParameters(number_of_images=5001), 0)
    records = pd.DataFrame({"label": np.arange(50) % 10, "source_index": np.arange(50)})
    with pytest.raises(ValueError, match="smallest split gets 5; wanted at least 10"):
        split_images(records, pd.DataFrame(index=records.index), PrepareParameters(), 0)


@pytest.mark.parametrize("environment", ["base", "test"])
def test_configuration_is_valid(environment):
    found = OmegaConf.to_container(
        OmegaConf.load(CONFIGURATION / environment / "parameters_prepare.yml")
    )
    PrepareParameters.model_validate(found["prepare"])  # type: ignore[call-overload]


def test_every_measured_feature_can_be_asked_for():
    assert get_args(FeatureName) == FEATURES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number_of_image": 3}, "number_of_image\n.*Extra inputs are not permitted"),
        ({"number_of_images": "many"}, "number_of_images\n.*valid integer"),
        ({"features": ["colour"]}, "features.0\n.*'area', 'length'"),
        ({"features": ["slant", "slant"]}, "found more than once: slant"),
        ({"features": []}, "at least 1 item"),
        ({"fractions": {"train": 0.5}}, "sum to 0.7, wanted 1"),
        ({"source": "web"}, "'embedded' or 'idx'"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(ValidationError, match=message):
        PrepareParameters.model_validate(changes)
    # Kedro finds them too, before the first node runs.
    with pytest.raises(ParameterValidationError, match=f"(?s)Parameter 'prepare'.*{message}"):
        ParameterValidator({"prepare": create_pipeline()}).validate_raw_params({"prepare": changes})
