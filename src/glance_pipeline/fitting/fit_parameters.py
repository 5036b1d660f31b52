"""The parameters of ``Explainer.fit``: those of a new project, in the size of the images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.config.reading.conf_files import Configuration
from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.support.did_you_mean import known_instead
from glance_pipeline.support.errors import UserError, validated
from glance_pipeline.template import template_files
from glance_pipeline.twin.networks.sizes import residual_for, widths_for

_BLOCKS: dict[str, type[BaseModel]] = {
    "distill": DistillParameters,
    "disentangle": DisentangleParameters,
    "align": AlignParameters,
    "discover": DiscoverParameters,
    "evaluate": EvaluateParameters,
    "explain": ExplainParameters,
}
"""The parameters of each pipeline that ``fit`` runs, or that explains afterwards."""


@dataclass(frozen=True)
class FitParameters:
    """Parameters of a training without a project.

    Attributes:
        blocks: blocks of each pipeline, by its name.
        shared: of them all.
    """

    blocks: dict[str, BaseModel]
    shared: SharedParameters

    def __getitem__(self, name: str) -> Any:
        """Return the parameters of a pipeline."""
        return self.blocks[name]


def packaged_configuration() -> Path:
    """Return the ``conf/`` that is installed with this package."""
    return template_files()["conf/base/parameters.yml"].parents[1]


def parameters_for(size: int, told: Mapping[str, Any], taken: int = 0) -> FitParameters:
    """Return the parameters of a new project, with sizes that fit the images and their context.

    Args:
        size: size of the images, px.
        told: what is to be otherwise: ``{"seed": 1, "distill": {"stage": {"steps": 500}}}``.
        taken: dimensions of the residual code that the context features take.

    Raises:
        UserError: if a parameter is unknown or wrong.
    """
    _refuse_unknown(told)
    base = Configuration.read(packaged_configuration(), "base").parameters
    surrogate = base["distill"]["surrogate"]
    surrogate["widths"], base["align"]["reader"]["widths"] = widths_for(size)
    surrogate["residual"] = residual_for(surrogate["residual"], taken)
    base["align"]["units"] = {}  # those of conf/base are of digits
    found = merged(base, told)
    blocks = {name: validated(kind, found[name], name) for name, kind in _BLOCKS.items()}
    return FitParameters(blocks, validated(SharedParameters, found))


def merged(base: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested parameters in which those of ``told`` take the place of those of ``base``."""
    both = dict(base)
    for name, value in told.items():
        inner = both.get(name)
        if isinstance(inner, Mapping) and isinstance(value, Mapping):
            value = merged(inner, value)
        both[name] = value
    return both


def _refuse_unknown(told: Mapping[str, Any]) -> None:
    known = [*_BLOCKS, *SharedParameters.model_fields]
    for name, value in told.items():
        if name not in known:
            raise UserError(f"parameters: found {name!r}: {known_instead(name, known)}")
        if name in (*_BLOCKS, "compute") and not isinstance(value, Mapping):
            raise UserError(f"parameters: {name}: found {value!r}, wanted names and values")
