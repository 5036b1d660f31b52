"""A large work in shards: each is written whole or not at all, and one that is finished is kept.

The shards lie beside each other in a folder that is named after the work, so that processes and
machines that share a disk need nothing else to know what is done. Nothing is locked: a shard comes
into being by one rename, and whoever finds all of them there can put them together.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glance_pipeline.explanations.result.explanation import Explanation
from glance_pipeline.explanations.result.explanation_folder import (
    FolderNames,
    SavedExplanations,
    write_explanations,
)
from glance_pipeline.explanations.running.local import LocalExplanations
from glance_pipeline.explanations.running.selection import ChosenImages
from glance_pipeline.support.fingerprint import fingerprint
from glance_pipeline.support.whole import whole_folder, write_whole

logger = logging.getLogger(__name__)

WORK = "work.json"


@dataclass(frozen=True)
class ShardsToCome:
    """What a shard's run ends with where others are not finished.

    Attributes:
        missing: their indices, from 0.
        number: number of all shards.
    """

    missing: tuple[int, ...]
    number: int


@dataclass(frozen=True)
class Shards:
    """The shards of one work.

    Attributes:
        folder: folder of this work alone.
        number: number of shards.
    """

    folder: Path
    number: int

    @classmethod
    def of_work(cls, root: Path, methods: LocalExplanations, chosen: ChosenImages) -> "Shards":
        """Return the shards of a work, in a folder under ``root`` that its fingerprint names."""
        identity = methods.identity()
        name = fingerprint(images=chosen.identity(), **identity)[:16]
        shards = cls(root / name, methods.parameters.num_shards)
        shards._describe({"images": len(chosen), "parameters": identity["parameters"]})
        return shards

    def path(self, index: int) -> Path:
        """Return the folder of a shard, ``shard_0001_of_0004`` for index 0."""
        return self.folder / f"shard_{index + 1:04d}_of_{self.number:04d}"

    def missing(self) -> tuple[int, ...]:
        """Return the indices of the shards that are not finished."""
        return tuple(index for index in range(self.number) if not self.path(index).is_dir())

    def write(self, index: int, explanations: Iterable[Explanation], names: Sequence[str]) -> None:
        """Write one shard, whole or not at all; where it is finished nothing is computed.

        Args:
            index: index of the shard, from 0.
            explanations: taken one by one.
            names: names of their folders.
        """
        path = self.path(index)
        said = f"shard {index + 1} of {self.number} (explain.shard_index={index})"
        if path.is_dir():
            logger.info("%s is finished already: %s", said, path)
            return
        try:
            with whole_folder(path, replace=False) as unfinished:
                write_explanations(unfinished, explanations, names)
        except OSError:  # it is there by now, or this one's folder was taken for a leftover
            if not path.is_dir():
                raise
            logger.info("%s was finished by another process meanwhile: %s", said, path)

    def union(self) -> SavedExplanations:
        """Return the explanations of all shards in the order of the images."""
        return SavedExplanations.of(*(self.path(index) for index in range(self.number)))

    def _describe(self, work: dict[str, Any]) -> None:
        """Say for people which work this folder is of; all that write it write the same."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / WORK).exists():
            write_whole(self.folder / WORK, json.dumps(work, indent=2, allow_nan=False).encode())


def rows_of_shard(images: int, at_once: int, number: int, index: int) -> range:
    """Return the images of one shard: whole batches, as many for each shard as can be, in order.

    Args:
        images: number of all of them.
        at_once: images of a batch; the last batch may be smaller.
        number: number of shards.
        index: index of the shard, from 0.
    """
    batches = -(-images // at_once)
    first, last = (batches * part // number for part in (index, index + 1))
    return range(first * at_once, min(last * at_once, images))


def folder_names(chosen: ChosenImages) -> list[str]:
    """Return the name of the folder of each image's explanation among all of them."""
    unique = FolderNames()
    return [unique(choice.index, choice.name) for choice in chosen.choices]
