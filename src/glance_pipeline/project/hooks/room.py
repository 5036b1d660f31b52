"""Before any work: whether there is room, and a name that fits, for all that a run will write."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.tracking.mlflow_store import MlflowConfiguration
from glance_pipeline.support.names import LONGEST_FILE_NAME, is_reserved
from glance_pipeline.support.space import as_size, existing, free_bytes

logger = logging.getLogger(__name__)

_VERSION = "2026-01-01T00.00.00.000Z"
_WITHIN = 2 * (LONGEST_FILE_NAME + 16)  # bytes of path below a folder of explanations
_REST = 4_000_000  # bytes: tables, pictures, the report, MLflow's own
_STAGES = ("surrogate_distilled", "surrogate_disentangled", "surrogate_aligned")
_BYTES_A_WEIGHT = 120  # of a stage: networks, critics, MLflow's copies, two checkpoints with Adam's


@dataclass(frozen=True)
class OutputPlace:
    """A place that a run will write to.

    Attributes:
        name: name of the dataset, or what is kept there.
        path: path of its file or folder, without a version.
        versioned: whether it goes into a folder of a version.
        size: bytes, as far as they can be told.
    """

    name: str
    path: Path
    versioned: bool = False
    size: int = 0

    @property
    def longest(self) -> Path:
        """The longest path that is written."""
        return self.path / _VERSION / self.path.name if self.versioned else self.path


def check_room(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], context: KedroContext
) -> None:
    """Raise if a run would end for want of room, of rights, or of a shorter name.

    Raises:
        CannotRunError: naming the folder, what is there and what is wanted.
    """
    parameters = context.config_loader["parameters"]
    mlflow = MlflowConfiguration.model_validate(context.config_loader["mlflow"])
    targets = list(_targets(pipeline, catalog, parameters, mlflow, context.project_path))
    wrong = [said for target in targets for said in _unfit(target)]
    wrong += _no_temporary_folder()
    wrong = wrong or list(_too_full(targets))
    if wrong:
        raise CannotRunError("; ".join(dict.fromkeys(wrong)))
    for part in {part for target in targets for part in target.path.parts if is_reserved(part)}:
        if part not in (".", ".."):
            logger.warning("the folder %r cannot be copied to Windows, which keeps its name", part)


def _targets(
    pipeline: Pipeline,
    catalog: CatalogProtocol[Any, Any],
    parameters: Mapping[str, Any],
    mlflow: MlflowConfiguration,
    project: Path,
) -> Iterator[OutputPlace]:
    outputs = pipeline.all_outputs()
    for name in sorted(outputs | {one for one in pipeline.inputs() if "checkpoints" in one}):
        dataset = catalog.get(name) if name in catalog else None
        path = getattr(dataset, "_filepath", None)
        if path is None or getattr(dataset, "_protocol", "file") not in ("file", "local", ""):
            continue
        versioned = getattr(dataset, "_version", None) is not None
        size = _size_of(name, pipeline.inputs(), parameters) + (_REST if name == "report" else 0)
        yield OutputPlace(name, Path(path), versioned, size)
    if mlflow.file is not None:
        yield OutputPlace("MLflow's runs", mlflow.file, size=_REST // 2)
    if "://" not in mlflow.artifact_location:
        yield OutputPlace("MLflow's files", Path(mlflow.artifact_location) / "0" / "artifacts")


def _size_of(name: str, inputs: set[str], parameters: Mapping[str, Any]) -> int:
    """Return how many bytes a dataset will take at least, 0 where that cannot be told yet."""
    if name in _STAGES:
        widths = parameters.get("distill", {}).get("surrogate", {}).get("widths", [])
        pairs = zip([0, *widths], widths, strict=False)
        return _BYTES_A_WEIGHT * sum(9 * width * (before + width) for before, width in pairs)
    prepared = parameters.get("prepare", {})
    if name == "images" and "params:prepare" in inputs:
        return int(prepared.get("number_of_images") or 0) * int(prepared.get("image_size", 0)) ** 2
    ingested = parameters.get("ingest", {})
    if name == "images" and "params:ingest" in inputs and ingested.get("number_of_images"):
        form = (ingested.get("channels") or 1) * int(ingested.get("size") or 0) ** 2
        return int(ingested["number_of_images"]) * int(form)
    return 0


def _unfit(target: OutputPlace) -> Iterator[str]:
    """Yield what keeps a target from being written whatever room there is."""
    path = target.longest.absolute()
    there = existing(path)
    for link in (one for one in (path, *path.parents) if os.path.islink(one)):  # noqa: PTH114
        if not link.exists():
            yield f"{target.name}: {link} is a link that leads nowhere"
    if there != path and not there.is_dir():
        yield f"{target.name}: {there} is a file, wanted a folder"
    elif not os.access(there, os.W_OK):
        yield f"{target.name}: {there} may not be written by this user, or is read-only"
    longest_name, longest_path = _limits(there)
    for part in path.parts:
        if len(os.fsencode(part)) > longest_name:
            yield (
                f"{target.name}: the name {part!r} has {len(os.fsencode(part))} bytes, wanted at "
                f"most {longest_name} on this file system"
            )
    room = _WITHIN if target.name == "explanations" else 0
    if (found := len(os.fsencode(path)) + room) > longest_path:
        yield (
            f"{target.name}: the path {path} comes to {found} bytes with what lies below it, "
            f"wanted at most {longest_path}: move the project to a shorter one"
        )


def _limits(folder: Path) -> tuple[int, int]:
    """Return how long a name and a path may be, in bytes."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX"), os.pathconf(folder, "PC_PATH_MAX")
    except (AttributeError, OSError, ValueError):  # Windows has no such question
        return 255, 32_767 if os.name == "nt" else 4096


def _no_temporary_folder() -> list[str]:
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        return [f"no folder for temporary files can be written (TMPDIR): {error}"]
    return []


def _too_full(targets: list[OutputPlace]) -> Iterator[str]:
    """Yield a sentence for each disk that has less room than will be written to it."""
    disks: dict[int, list[OutputPlace]] = {}
    for target in targets:
        disks.setdefault(existing(target.path.absolute()).stat().st_dev, []).append(target)
    for some in disks.values():
        folder = existing(some[0].path.absolute())
        free, wanted = free_bytes(folder), sum(target.size for target in some)
        if free is not None and free < wanted:
            yield (
                f"the disk of {folder} has {as_size(free)} free, and this run will write about "
                f"{as_size(wanted)} to it: make room, or let data_root (globals.yml) or "
                "mlflow.yml name another disk"
            )
