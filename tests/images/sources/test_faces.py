"""The faces' configurations on the faces beside the project; skipped where there are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.table import kinds_of
from glance_pipeline.images import Form
from glance_pipeline.images.sources.resized import ResizedImages
from glance_pipeline.ingest.found import find_images

PROJECT = Path(__file__).parents[3]
SHARED = PROJECT.parent / "shared" / "data"
CELEBA = (SHARED / "celeba10k/celeba_10k_89x109.zip", SHARED / "celeba10k/list_attr_celeba_10k.csv")
FFHQ = (SHARED / "ffhq1100/ffhq_1100_256.zip", SHARED / "ffhq1100/ffhq_features_70k.csv.gz")

beside = pytest.mark.skipif(
    not all(path.exists() for path in (*CELEBA, *FFHQ)), reason=f"no faces in {SHARED}"
)


def parameters(environment: str, place: tuple[Path, Path], **changes: Any) -> IngestParameters:
    files = [PROJECT / "conf" / name / "parameters_ingest.yml" for name in ("base", environment)]
    merged = OmegaConf.merge(*map(OmegaConf.load, files))
    ingest: Any = merged["ingest"]
    ingest = OmegaConf.to_container(ingest)
    ingest["context"]["tables"] = [str(place[1])]
    return IngestParameters.model_validate({**ingest, "source": str(place[0]), **changes})


@beside
def test_celeba_has_nobody_in_two_splits_and_binary_attributes():
    wanted = parameters("celeba", CELEBA, crop=75)  # of images of half the original size
    found = find_images(wanted, {}, 0)
    identity = pd.read_csv(CELEBA[1], index_col="image")["identity"]
    who = identity[found.records["file"]].to_numpy()
    assert found.records["split"].groupby(who).nunique().max() == 1
    assert found.records["split"].value_counts(normalize=True)["train"] == pytest.approx(0.8, 0.01)
    assert set(kinds_of(found.context, {}).values()) == {"binary"}
    smiling = pd.read_csv(CELEBA[1], index_col="image")["Smiling"][found.records["file"]] == 1
    assert np.array_equal(found.context["Smiling"] == 1, smiling)
    assert np.array_equal(found.records["label"] == "smiling", smiling)
    form = Form(channels=3, size=wanted.size, crop=wanted.crop)
    images = np.concatenate(list(ResizedImages(found.source, found.rows[:20], form, 0, 1)))
    assert images.shape == (20, 3, 64, 64)


@beside
def test_ffhq_has_kinds_of_every_sort_and_missing_values():
    found = find_images(parameters("ffhq", FFHQ), {}, 0)
    kinds = kinds_of(found.context, {})
    assert kinds["glasses"] == "categorical"
    assert kinds["gender"] == kinds["lip_makeup"] == "binary"
    assert kinds["age"] == kinds["yaw"] == "continuous"
    assert len(found.records) == 1100
    assert found.context["age"].isna().sum() == 10  # 1,090 have attributes
    assert "label" not in found.records  # the smile classifier has no class of this table


@beside
def test_all_columns_that_can_be_used_are_where_none_is_named(caplog):
    for environment, place in (("celeba", CELEBA), ("ffhq", FFHQ)):
        wanted = parameters(environment, place).model_dump()
        wanted["context"]["features"] = None
        context = find_images(IngestParameters.model_validate(wanted), {}, 0).context
        assert context.shape[1] > 15
        assert not {"identity", "index", "image", "Smiling"} & set(context)
