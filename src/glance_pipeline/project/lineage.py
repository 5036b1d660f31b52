"""What each saved version was made from, and whether what a run loads belongs together.

Beside each version lies ``made_from.json``: the versions that its node loaded, the parameters, and
what the classifier was: its class names, and its answers to plain pictures. A version's name says
when it was made, and nothing of what from.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import CatalogProtocol
from pydantic import BaseModel, ConfigDict, ValidationError

from glance_pipeline.project.prerequisites import version_to_load
from glance_pipeline.project.tracking.mlflow_run import flatten
from glance_pipeline.support.whole import write_whole

if TYPE_CHECKING:
    from glance_pipeline.classifiers.classifier import Classifier  # imports torch

logger = logging.getLogger(__name__)

FILE = "made_from.json"

_BOUND = {
    name: frozenset(("images", "image_records", "surrogate_aligned", "concepts", "causal_graph"))
    for name in ("concepts", "causal_graph", "structural_models")
}
"""What each must have been made from, to the version, where a run loads both: a row for a row, a
concept for a concept. Of others a newer version may be meant."""

_NAMED = frozenset(_BOUND)
"""Datasets in which classes go by their names; networks know them by their order."""

_PREPARED = ("images", "image_records", "context_features")
"""Datasets with one row for each image."""

_WITHOUT_EFFECT = ("log_every", "checkpoint_every", "report_images")


class ClassifierThen(BaseModel):
    """What a classifier was when something was made with it.

    Attributes:
        class_names: in the order of its answers.
        answers: its logits on plain pictures, which change with its weights, its normalisation,
            and how images come to its size and colours.
    """

    model_config = ConfigDict(frozen=True)

    class_names: tuple[str, ...]
    answers: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, classifier: "Classifier") -> "ClassifierThen":
        """Describe a classifier; a black box has answered this before."""
        return cls(
            class_names=classifier.class_names,
            answers=tuple(map(tuple, classifier.plain_answers().tolist())),
        )

    def answers_as(self, other: "ClassifierThen") -> bool:
        """Return whether both give the same answers, but for rounding."""
        import torch

        from glance_pipeline.classifiers.steadiness import alike

        return alike(torch.tensor(self.answers), torch.tensor(other.answers))


class MadeFrom(BaseModel):
    """What one version was made from.

    Attributes:
        node: that made it.
        pipeline: pipeline of the node.
        inputs: versions by the name of the dataset.
        parameters: with dotted keys.
        classifier: where one was asked.
    """

    model_config = ConfigDict(frozen=True)

    node: str
    pipeline: str
    inputs: dict[str, str]
    parameters: dict[str, Any]
    classifier: ClassifierThen | None = None

    def write(self, folder: Path) -> None:
        """Write it into the folder of a version."""
        write_whole(folder / FILE, self.model_dump_json(indent=2).encode())

    @classmethod
    def read(cls, folder: Path) -> "MadeFrom | None":
        """Return what a version was made from; None if nothing, or nothing legible, says it."""
        try:
            return cls.model_validate(json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError):
            return None


def used(parameters: Mapping[str, Any], blocks: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of some blocks with dotted keys, without those that change no result.

    Args:
        parameters: as the files have them.
        blocks: ``distill``, ``seed``, …
    """
    wanted = {name: parameters[name] for name in blocks if name in parameters}
    return {
        ".".join(keys): value
        for keys, value in flatten(wanted)
        if keys[-1] not in _WITHOUT_EFFECT and keys[0] != "compute"
    }


def version_folder(name: str, catalog: CatalogProtocol[Any, Any], version: str) -> Path | None:
    """Return the folder of a version of a dataset that lies in a file."""
    dataset = catalog.get(name) if name in catalog else None
    path = getattr(dataset, "_get_versioned_path", None)
    return None if path is None else Path(path(version)).parent


@dataclass(frozen=True)
class Judgement:
    """Whether what a run loads belongs together.

    Attributes:
        refusals: why it may not be run.
        doubts: what its user should know.
        known: inputs of which it is known what they were made from.
    """

    refusals: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)


def judge_lineage(
    inputs: Iterable[str],
    made: Iterable[str],
    catalog: CatalogProtocol[Any, Any],
    classifier: "Classifier | None",
    parameters: Mapping[str, Any],
) -> Judgement:
    """Compare what each input was made from with what is loaded beside it.

    Args:
        inputs: that the run is given.
        made: what the run makes itself, which is not compared with.
        catalog: catalog of the run.
        classifier: that the run loads; None if it loads none.
        parameters: as the files have them now.
    """
    now = None if classifier is None else ClassifierThen.of(classifier)
    judging = _Judging(frozenset(inputs), frozenset(made), catalog, now, parameters)
    judging.rows()
    seen: set[str] = set()
    for given in sorted(judging.given):
        version = version_to_load(given, catalog)
        ancestry = list(_ancestry(given, version, catalog)) if version else []
        for one in ancestry:
            judging.versions(one)
            # What the run makes anew is mended by it; what was made from the old one is not.
            blamed = ancestry[0] if one.name in judging.made else one
            if one.name not in seen:
                judging.classifier(one, blamed)
                judging.parameters(one, blamed)
            seen.add(one.name)
    refusals, doubts = (list(dict.fromkeys(said)) for said in (judging.refusals, judging.doubts))
    return Judgement(refusals, doubts, seen)


@dataclass(frozen=True)
class _Version:
    """A version of a dataset, and what it was made from."""

    name: str
    version: str
    origin: MadeFrom

    def __str__(self) -> str:
        return f"{self.name} of {self.version}"

    @property
    def again(self) -> str:
        """What makes it anew."""
        return f"run {self.origin.pipeline} again"

    @property
    def all_again(self) -> str:
        """What makes it anew with all that is made from it."""
        return f"run {self.origin.pipeline} and what follows it again"


def _ancestry(name: str, version: str, catalog: CatalogProtocol[Any, Any]) -> Iterator[_Version]:
    """Yield a dataset and all that it was made from."""
    waiting, seen = [(name, version)], set()
    while waiting:
        name, version = waiting.pop()
        folder = version_folder(name, catalog, version)
        origin = None if folder is None else MadeFrom.read(folder)
        if origin is None or (name, version) in seen:
            continue
        seen.add((name, version))
        yield _Version(name, version, origin)
        waiting += origin.inputs.items()


@dataclass(frozen=True)
class _Judging:
    """What versions are compared with, and what is found.

    Attributes:
        given: datasets that are loaded.
        made: datasets that the run makes.
        catalog: catalog of the run.
        now: the classifier that is loaded.
        wanted: parameters as the files have them.
    """

    given: frozenset[str]
    made: frozenset[str]
    catalog: CatalogProtocol[Any, Any]
    now: ClassifierThen | None
    wanted: Mapping[str, Any]
    refusals: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def rows(self) -> None:
        """Judge whether what has one row for each image is of one version."""
        found = {name: version_to_load(name, self.catalog) for name in _PREPARED}
        versions = {n: version for n, version in found.items() if version and n in self.given}
        if len(set(versions.values())) > 1:
            each = ", ".join(f"{name} of {version}" for name, version in versions.items())
            same = ",".join(f"{name}:{min(versions.values())}" for name in versions)
            self.refusals.append(
                "images and what is known of them must be of one version, row for row: found "
                f"{each}; say --load-versions {same}, or make all of them again"
            )

    def versions(self, one: _Version) -> None:
        """Judge whether it was made from the versions that are loaded."""
        for source, then in one.origin.inputs.items():
            now = version_to_load(source, self.catalog)
            if source in self.made or now is None or now == then:
                continue
            both = {one.name, source} <= self.given
            loads = "but this run loads that" if both else "and there is one"
            said = f"{one} was made from {source} of {then}, {loads} of {now}"
            if both and source in _BOUND.get(one.name, ()):
                self.refusals.append(
                    f"{said}: they do not belong together; {one.again}, or say --load-versions "
                    f"{source}:{then}"
                )
            else:
                self.doubts.append(f"{said}: they may not belong together; {one.again}")

    def classifier(self, one: _Version, blamed: _Version) -> None:
        """Judge whether it was made with this classifier; ``blamed`` is what is made anew."""
        then, now = one.origin.classifier, self.now
        if then is None or now is None:
            return
        if not then.answers_as(now):
            self.refusals.append(
                f"{blamed} was made with a classifier that answers differently: a plain picture "
                f"with {_rounded(then)}, the classifier answers now with {_rounded(now)} (other "
                f"weights, normalisation or outputs); {blamed.all_again}"
            )
        elif one.name in _NAMED and then.class_names != now.class_names:
            self.refusals.append(
                f"{blamed} was made with the classes {_listed(then.class_names)}, the classifier "
                f"now has {_listed(now.class_names)}: {blamed.all_again}"
            )

    def parameters(self, one: _Version, blamed: _Version) -> None:
        """Judge whether it was made with these parameters; ``blamed`` is what is made anew."""
        then = one.origin.parameters
        now = used(self.wanted, {key.partition(".")[0] for key in then})
        changed = [
            f"{key} {then.get(key)!r}, now {now.get(key)!r}"
            for key in sorted(then.keys() | now.keys())
            if json.dumps(then.get(key), default=str) != json.dumps(now.get(key), default=str)
        ]
        if changed:
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            self.doubts.append(
                f"{blamed} was made with other parameters: {'; '.join(changed[:3])}{more}; "
                f"{blamed.again} where that matters"
            )


def _rounded(classifier: ClassifierThen) -> list[float]:
    return [round(value, 3) for value in classifier.answers[0][:6]]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names[:6])) + (", …" if len(names) > 6 else "")
