"""The benchmark's settings, and the short configuration that it gives to the pipelines."""

from pathlib import Path
from typing import Any, Literal

import torch
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field

from benchmarks.command_line import PROJECT
from benchmarks.glassbox.cases import Case, Scenario
from benchmarks.glassbox.configuration import PACKAGE, code_of
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.support.fingerprint import fingerprint

HERE = Path(__file__).parent

_SETTINGS = ConfigDict(extra="forbid", frozen=True)


class ShortcutParameters(BaseModel):
    """What is planted.

    Attributes:
        feature: that tells the label.
        agreement: share of images whose digit agrees with the label.
        log_odds: of the label, for one standard deviation of the feature.
    """

    model_config = _SETTINGS

    feature: Literal["thickness", "intensity", "slant", "mark"]
    agreement: float = Field(ge=0.5, le=1)
    log_odds: float = Field(gt=0)


class TeacherParameters(BaseModel):
    """How the teachers are trained: by Adam, the rate falling to 0 as a half cosine.

    Attributes:
        steps: steps of the optimiser.
        batch_size: images per step.
        learning_rate: at the start.
        label_smoothing: keeps logits in a range where effects can be read.
    """

    model_config = _SETTINGS

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    label_smoothing: float = Field(ge=0, lt=1)


class Configuration(BaseModel):
    """Everything that decides the result of a teacher, beside the teacher and the seed.

    Attributes:
        images: digits that are drawn.
        held_out: images of the test split that effects are averaged over, at most.
        step: standard deviations that a concept is moved, to either side.
        shortcut: what is planted.
        teacher: how it is learned.
        pipelines: parameters of the project's pipelines, over conf/base; they check them.
    """

    model_config = _SETTINGS

    images: int = Field(ge=50)
    held_out: int = Field(ge=2)
    step: float = Field(gt=0)
    shortcut: ShortcutParameters
    teacher: TeacherParameters
    pipelines: dict[str, Any]

    @property
    def prepare(self) -> PrepareParameters:
        """How the digits are drawn."""
        return PrepareParameters(number_of_images=self.images)

    def case(self, name: str) -> Case:
        """Return the teacher called ``name`` as a case of the glass boxes, which score it."""
        feature = self.shortcut.feature
        scenario: Scenario = "marked" if feature == "mark" else "independent"
        return Case(name, (feature,), scenario=scenario)


def load_configuration(quick: bool = False, **overrides: Any) -> Configuration:
    """Read ``configuration.yml``.

    Args:
        quick: take ``quick.yml`` as well.
        overrides: by block, over all files.

    Raises:
        pydantic.ValidationError: if a value is not what its setting wants.
    """
    layers = [OmegaConf.load(HERE / "configuration.yml")]
    if quick:
        layers += [OmegaConf.load(HERE / "quick.yml")]
    merged = OmegaConf.merge(*layers, OmegaConf.create(overrides))
    return Configuration.model_validate(OmegaConf.to_container(merged, resolve=True))


def result_key(configuration: Configuration, seed: int) -> str:
    """Return a short hash of the configuration, that of the project, the seed and the code."""
    base = sorted((PROJECT / "conf" / "base").glob("*.yml"))
    return fingerprint(
        configuration=configuration.model_dump(mode="json"),
        base={path.name: path.read_text() for path in base},
        seed=seed,
        torch=torch.__version__,
        code=code_of(PACKAGE, HERE, HERE.parent / "glassbox"),
    )[:12]
