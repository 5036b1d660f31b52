"""All kinds of context features at once, from the table to the aligned surrogate."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.evaluation.aligned_concepts import alignment_accuracy, alignment_r2
from glance_pipeline.evaluation.fidelity import random_interventions
from glance_pipeline.images.form import in_batches
from glance_pipeline.twin.basis.standardised_context import standardise_context
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.testing import tiny_classifier
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.engine import StageResult
from glance_pipeline.twin.training.reader_training import train_reader
from glance_pipeline.twin.training.stages import StageRun, align, distill

RECORDS = pd.DataFrame({"split": ["train"] * 240 + ["test"] * 60})
TRAIN, TEST = slice(0, 240), slice(240, 300)


def drawn() -> tuple[np.ndarray, pd.DataFrame]:
    """Grey level, a bright upper edge or none, and a stripe at one of three places."""
    rng = np.random.default_rng(0)
    grey = rng.uniform(40, 120, 300)
    edge = rng.random(300) < 0.4
    place = rng.integers(3, size=300)
    images = np.repeat(grey[:, None, None, None], 64, 1).reshape(300, 1, 8, 8)
    images[edge, :, :2] += 90
    for row, column in enumerate(1 + 2 * place):
        images[row, :, 3:, column : column + 2] += 90
    context = pd.DataFrame(
        {
            "grey": grey,
            "edge": np.where(edge, "bright", "dark"),
            "place": np.array(["left", "middle", "right"], object)[place],
        }
    )
    context.loc[5:20, "place"] = None
    context.loc[[3, 7, 250], "grey"] = np.nan
    return images.astype(np.uint8), context


IMAGES, CONTEXT = drawn()
PREPARED = PreparedImages(IMAGES, RECORDS, CONTEXT)
STAGE = {"batch_size": 16, "log_every": 50, "checkpoint_every": 200, "learning_rate": 5e-3}
SETTINGS = AlignParameters.model_validate(
    {
        "reader": {"widths": [8, 8], "hidden": 16, "steps": 150, "learning_rate": 1e-2},
        "stage": {
            **STAGE,
            "steps": 120,
            "intervened": 0.5,
            "objectives": {
                "alignment": {"weight": 1},
                "intervention_consistency": {"weight": 0.2},
                "variation_predictability": {"weight": 0.01},
            },
        },
    }
)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> StageResult:
    settings = DistillParameters.model_validate(
        {
            "surrogate": {
                "concepts": 2,
                "residual": 8,
                "widths": [8, 8],
                "style": 8,
                "hidden": 16,
            },
            "stage": {**STAGE, "steps": 30, "objectives": {"reconstruction": {"weight": 1}}},
        }
    )
    folder = tmp_path_factory.mktemp("start")
    return distill(PREPARED, tiny_classifier(), settings, StageRun(folder, 0))


def test_every_kind_is_read_and_aligned(start: StageResult, tmp_path: Path) -> None:
    values, concepts = standardise_context(CONTEXT, RECORDS, {})
    reader = train_reader(IMAGES[TRAIN], values[TRAIN], concepts, SETTINGS.reader, 0)
    players = Players(start.surrogate, start.critics, tiny_classifier(), reader)
    twin = align(PREPARED, players, SETTINGS, StageRun(tmp_path, 0)).surrogate
    names = ["grey", "edge", "place=left", "place=middle", "place=right", "latent_1", "latent_2"]
    assert twin.concept_names == names
    # The reader answers in the same codes.
    with torch.no_grad():
        read = torch.cat([reader(batch) for batch in in_batches(IMAGES[TEST])])
    read = Codes(torch.cat([read, torch.zeros(60, 2)], 1), torch.zeros(60, 4))  # type: ignore[assignment]
    for codes in (read, twin.encode_array(IMAGES[TEST])):
        accuracy = alignment_accuracy(twin, codes, CONTEXT[TEST])
        assert set(accuracy) == {"edge", "place"}
        assert min(accuracy.values()) > 0.9
        assert set(alignment_r2(twin, codes, CONTEXT[TEST])) == {"grey"}
    # A code of a binary feature stays on the scale of the standardised column.
    edge = twin.concept("edge")
    assert (edge.low, edge.high) == pytest.approx((edge.standardise(0.0), edge.standardise(1.0)))
    spread = twin.read(twin.encode_array(IMAGES), "edge").std().item()
    assert spread == pytest.approx(1.0, abs=0.3)
    # An intervention takes all levels from one image.
    own = twin.encode_array(IMAGES[TEST]).concepts
    moved = random_interventions(twin, Codes(own, read.residual), np.random.default_rng(0)).concepts  # type: ignore[attr-defined]
    levels = slice(2, 5)
    assert (moved[:, levels] != own[:, levels]).any(1).sum() > 5
    assert (moved[:, None, levels] == own[:, levels]).all(2).any(1).all()


def test_another_kind_is_another_training(start: StageResult, tmp_path: Path) -> None:
    marks = pd.DataFrame({"mark": (CONTEXT["edge"] == "bright").astype(float)})
    for kind in ("binary", "continuous"):
        settings = SETTINGS.model_copy(
            update={
                "kinds": {"mark": kind},
                "stage": SETTINGS.stage.model_copy(update={"steps": 2}),
            }
        )
        values, concepts = standardise_context(marks, RECORDS, {}, settings.kinds)
        quick = settings.reader.model_copy(update={"steps": 1})
        reader = train_reader(IMAGES[TRAIN], values[TRAIN], concepts, quick, 0)
        players = Players(start.surrogate, start.critics, tiny_classifier(), reader)
        prepared = PreparedImages(IMAGES, RECORDS, marks)
        result = align(prepared, players, settings, StageRun(tmp_path, 0))
        assert result.surrogate.concept("mark").measure == kind
    assert len(list(tmp_path.iterdir())) == 2


def test_a_stage_starts_from_an_assignment_as_well(start: StageResult, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(
        update={
            "basis": "assignment",
            "stage": SETTINGS.stage.model_copy(update={"steps": 2}),
        }
    )
    values, concepts = standardise_context(CONTEXT, RECORDS, {})
    quick = settings.reader.model_copy(update={"steps": 1})
    reader = train_reader(IMAGES[TRAIN], values[TRAIN], concepts, quick, 0)
    players = Players(start.surrogate, start.critics, tiny_classifier(), reader)
    twin = align(PREPARED, players, settings, StageRun(tmp_path, 0)).surrogate
    assert twin.concept_names[:5] == [concept.name for concept in concepts]
    # Ten dimensions before, and one more for the levels, which add up.
    assert twin.shape.concepts + twin.shape.residual == 11
