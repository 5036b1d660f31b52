"""Checkpoints: everything needed to go on as if nothing had happened, written whole or not."""

import logging
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from glance_pipeline.support.errors import UserError, in_one_line
from glance_pipeline.support.space import in_words

logger = logging.getLogger(__name__)


class CannotKeepError(OSError, UserError):
    """A checkpoint that cannot be written, in one line."""


class Checkpoints:
    """The checkpoints of one training, in a folder of their own under ``root``.

    The folder is named by the fingerprint of configuration, data and teacher, so a training is
    only ever taken up where all of them are equal, and another one's checkpoints stay untouched.

    Args:
        root: folder of all trainings of a stage.
        fingerprint: hash of what decides the outcome.
        keep: how many of the newest checkpoints stay.
    """

    def __init__(self, root: Path, fingerprint: str, keep: int = 2) -> None:
        self.folder = root / fingerprint[:16]
        self.fingerprint = fingerprint
        self.keep = keep

    def latest(self) -> dict[str, Any] | None:
        """Return the newest checkpoint's state, or None if there is none.

        A checkpoint that cannot be read is passed over for the one before; the log says so.

        Raises:
            ValueError: if the file carries another fingerprint than its folder says.
        """
        for path in reversed(self._paths()):
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
            except (RuntimeError, EOFError, OSError, UnpicklingError) as error:
                logger.warning("%s cannot be read and is passed over: %s", path, in_one_line(error))
                continue
            if state.get("fingerprint") != self.fingerprint:
                raise ValueError(
                    f"{path}: its fingerprint is {state.get('fingerprint')!r}, but this "
                    f"configuration, data and teacher give {self.fingerprint!r}; "
                    "move the file away to train again from the start"
                )
            return state
        return None

    def newest_step(self) -> int:
        """Return the step of the newest checkpoint, 0 where there is none; none is read."""
        paths = self._paths()
        return int(paths[-1].stem.removeprefix("step_")) if paths else 0

    def save(self, step: int, state: dict[str, Any]) -> Path:
        """Write a checkpoint whole, then remove those beyond ``keep``.

        Raises:
            CannotKeepError: if the disk is full or the folder cannot be written; the checkpoints
                that were there stay as they were.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step_{step:08d}.pt"
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                torch.save({**state, "fingerprint": self.fingerprint}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException as error:
            part.unlink(missing_ok=True)
            if (said := in_words(error, path)) is not None:
                raise CannotKeepError(
                    f"the checkpoint {said}; the next run continues from the one before"
                ) from error
            raise
        for old in self._paths()[: -self.keep]:
            old.unlink()
        return path

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step_*.pt"))
