"""Parameters as a rehearsal has them: the run's own, but for steps, images and resamples."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.explanations.running.selection import first_named
from glance_pipeline.support.compute import chosen_processes
from glance_pipeline.support.errors import UserError, fields_in_words

STEPS = 3
BATCH = 8

_TYPES: dict[str, type[BaseModel]] = {
    "params:distill": DistillParameters,
    "params:disentangle": DisentangleParameters,
    "params:align": AlignParameters,
    "params:discover": DiscoverParameters,
    "params:evaluate": EvaluateParameters,
    "params:explain": ExplainParameters,
}

_Block = TypeVar("_Block", bound=BaseModel)

_MOST: dict[type[BaseModel], dict[str, Any]] = {
    AlignParameters: {"reader": {"steps": STEPS, "batch_size": BATCH}},
    DiscoverParameters: {
        "search": {"resamples": 2},
        "intervention": {"images": 8, "resamples": 20, "doses": 3, "interactions": 2},
        "structural_model": {
            "largest_number_of_graphs": 2,
            "permutations": 1,
            "falsification_rows": 50,
        },
    },
    ExplainParameters: {
        "count": 2,
        "number_of_counterfactuals": 1,
        "steps": 3,
        "search": {"largest": 2, "starts": 1, "walk_steps": 2, "halvings": 1},
        "importance": {"exact_up_to": 4, "backgrounds": 2, "permutations": 4},
        "saliency": {"paths": 2, "steps": 1},
    },
}
"""The most of each number, by block of parameters."""


def typed(name: str, found: Any) -> Any:
    """Return a block of parameters as its nodes take it.

    Kedro makes it so for the nodes of a run alone; a rehearsal goes on to pipelines beyond it.
    """
    wanted = _TYPES.get(name)
    if wanted is None or isinstance(found, wanted):
        return found
    try:
        return wanted.model_validate(found)
    except ValidationError as error:
        said = fields_in_words(error, name.removeprefix("params:"))
        raise UserError(f"parameter {said}") from error


def for_rehearsal(block: Any, rows: np.ndarray) -> Any:
    """Return a block of parameters as the rehearsal has it.

    Args:
        block: of the run; one that has nothing to be made small of stays as it is.
        rows: the images that the rehearsal takes, of those of the run.
    """
    if not isinstance(block, BaseModel):
        return block
    block = _at_most(block, _MOST.get(type(block), {}))
    if isinstance(block, DistillParameters | DisentangleParameters | AlignParameters):
        changes: dict[str, Any] = {"stage": _short_stage(block.stage)}
        if not isinstance(block, DistillParameters):
            # Which concepts are pruned after a few steps says nothing of those after all of them.
            changes["prune_below"] = 0.0
        return block.model_copy(update=changes)
    if isinstance(block, ExplainParameters):
        images = (
            None
            if block.images is None
            else names_in_rehearsal(first_named(block.images, block.count), rows)
        )
        return block.model_copy(update={"images": images, "num_shards": 1, "shard_index": 0})
    return block


def names_in_rehearsal(images: tuple[int | str, ...], rows: np.ndarray) -> tuple[int | str, ...]:
    """Return how the rehearsal names images that the run names by their row or file."""
    places = {int(row): place for place, row in enumerate(rows)}
    return tuple(places[one] if isinstance(one, int) else one for one in images)


def _short_stage(stage: StageParameters) -> StageParameters:
    """Return a stage of a few steps in which every objective sets in."""
    objectives = {
        name: schedule.model_copy(update={"start": min(schedule.start, 0.5)})
        for name, schedule in stage.objectives.items()
    }
    return stage.model_copy(
        update={
            "steps": min(stage.steps, STEPS),
            "batch_size": min(stage.batch_size, max(BATCH, chosen_processes())),
            "log_every": 1,
            "objectives": objectives,
        }
    )


def _at_most(block: _Block, most: Mapping[str, Any]) -> _Block:
    changes = {
        name: _at_most(getattr(block, name), wanted)
        if isinstance(wanted, Mapping)
        else min(getattr(block, name), wanted)
        for name, wanted in most.items()
    }
    return block.model_copy(update=changes)
