"""The benchmark's parameters: conf/base with what ``configuration.yml`` overrides."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field

from benchmarks.command_line import PROJECT
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.support.fingerprint import fingerprint

HERE = Path(__file__).parent
PIPELINES = ("prepare", "classify", "distill", "disentangle", "align")
PACKAGE = PROJECT / "src" / "glance_pipeline"


class GlassBoxParameters(BaseModel):
    """What belongs to the glass boxes themselves.

    Attributes:
        held_out: images of the test split that effects are averaged over, at most.
        importance_images: of these, images that importances are averaged over, at most.
        step: standard deviations that a concept is moved, to either side.
        margin: standard deviation of the margin of the teachers that are not trained, in logits.
        shortcut: log-odds of the label for one standard deviation of a planted shortcut.
        agreement: share of images whose digit agrees with the label of a teacher that is trained.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_out: int = Field(ge=2)
    importance_images: int = Field(ge=1)
    step: float = Field(gt=0)
    margin: float = Field(gt=0)
    shortcut: float = Field(gt=0)
    agreement: float = Field(ge=0.5, le=1)


class Configuration(BaseModel):
    """Everything that decides the result of a case, beside the case and the seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prepare: PrepareParameters
    classify: ClassifyParameters
    distill: DistillParameters
    disentangle: DisentangleParameters
    align: AlignParameters
    glassbox: GlassBoxParameters


def load_configuration(quick: bool = False, **overrides: Any) -> Configuration:
    """Read conf/base and put the benchmark's own settings over it.

    Args:
        quick: take ``quick.yml`` as well.
        overrides: by block, over all files.

    Raises:
        pydantic.ValidationError: if a value is not what its parameter wants.
    """
    layers = [
        OmegaConf.load(PROJECT / "conf" / "base" / f"parameters_{name}.yml") for name in PIPELINES
    ]
    layers += [OmegaConf.load(HERE / "configuration.yml")]
    if quick:
        layers += [OmegaConf.load(HERE / "quick.yml")]
    merged = OmegaConf.merge(*layers, OmegaConf.create(overrides))
    return Configuration.model_validate(OmegaConf.to_container(merged, resolve=True))


def result_key(configuration: Configuration, seed: int) -> str:
    """Return a short hash of the configuration, the seed and the code.

    The code counts, for a result of another version of an objective must not be taken for one of
    this.
    """
    return fingerprint(
        configuration=configuration.model_dump(mode="json"),
        seed=seed,
        torch=torch.__version__,
        code=code_of(PACKAGE, HERE),
    )[:12]


def code_of(*folders: Path) -> dict[str, str]:
    """Return the source of every module in folders of the project, by its path."""
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return {str(path.relative_to(PROJECT)): path.read_text() for path in sources}
