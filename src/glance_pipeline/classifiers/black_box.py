"""Teachers that only answer: no gradients, every question counted, cached and capped."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifiers.penultimate import WithFeatures
from glance_pipeline.classifiers.steadiness import Beside
from glance_pipeline.support.errors import UserError

Ask = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]
"""Maps a network's input, float32 (N, C, H, W), to outputs (N, K) and features (N, F) or None."""

Said = tuple[np.ndarray, np.ndarray | None]
"""Outputs and features of one image, (K,) and (F,), or of several."""


class QueriesSpentError(UserError, RuntimeError):
    """A black box may be asked no more: the cap that its user set is reached."""


class Queries:
    """How often a black box was asked, what it said, and how often it may still be asked.

    Answers are kept by a digest of the image's content, the least recently used go first.

    Args:
        most: images it may be asked about; None sets no cap.
        cache_mb: most memory for answers, MB; 0 keeps none.
        origin: what messages call the teacher.

    Attributes:
        asked: images it was asked about.
        recalled: images whose answer was known.
        beside: how far it was tried whether an answer depends on the other images of a batch.
    """

    def __init__(
        self, most: int | None = None, cache_mb: float = 256.0, origin: str = "classifier"
    ) -> None:
        if most is not None and most < 1:
            raise ValueError(f"{origin}: most_queries: found {most}, wanted 1 or more, or null")
        self.most = most
        self.cache_mb = cache_mb
        self.origin = origin
        self.asked = 0
        self.recalled = 0
        self.beside = Beside()
        self._answers: OrderedDict[bytes, Said] = OrderedDict()
        self._bytes = 0

    def spend(self, images: int) -> None:
        """Count ``images`` more.

        Raises:
            QueriesSpentError: if they are more than the cap leaves; nothing is counted then.
        """
        if self.most is not None and self.asked + images > self.most:
            raise QueriesSpentError(
                f"{self.origin}: it was asked about {self.asked} images and would now be asked "
                f"about {images} more, but most_queries is {self.most}. Raise it in the catalog "
                "entry of the classifier and run again: a training continues from its last "
                "checkpoint"
            )
        self.asked += images

    def recall(self, key: bytes) -> Said | None:
        """Return the answer kept under ``key``, None if there is none."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
            self.recalled += 1
        return answer

    def keep(self, key: bytes, answer: Said) -> None:
        """Keep an answer, and let go of the oldest ones where memory is short."""
        self._answers[key] = answer
        self._bytes += _size(answer)
        while self._bytes > self.cache_mb * 1e6:
            self._bytes -= _size(self._answers.popitem(last=False)[1])

    def __str__(self) -> str:
        """Say it in words."""
        cap = "" if self.most is None else f" of at most {self.most}"
        return f"asked about {self.asked} images{cap}; {self.recalled} answers were known already"


class BlackBox(WithFeatures):
    """A network that is only asked: no weights, no gradients.

    Args:
        function: answers a batch.
        queries: counts and keeps what it says; shared by all teachers made of one catalog entry.
    """

    def __init__(self, function: Ask, queries: Queries | None = None) -> None:
        super().__init__()
        self.function = function
        self.queries = queries or Queries()

    def answer(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return outputs, and features where there are any."""
        return self.ask(images)

    def ask(self, images: Tensor, remember: bool = True) -> tuple[Tensor, Tensor | None]:
        """Return outputs, and features (N, F) or None.

        Args:
            images: normalised, float32 (N, C, H, W).
            remember: whether known answers are taken from the cache and new ones kept. Images
                that are generated while training never come twice, and would push out others.

        Raises:
            QueriesSpentError: if the cap is reached.
            ValueError: if the function does not answer with arrays of numbers, one row per image.
        """
        inputs = np.ascontiguousarray(images.detach().float().cpu().numpy())
        if not remember:
            self.queries.spend(len(inputs))
            return _tensors(self._call(inputs))
        keys = [hashlib.blake2b(image.data, digest_size=16).digest() for image in inputs]
        recalled = {key: self.queries.recall(key) for key in dict.fromkeys(keys)}
        known = {key: said for key, said in recalled.items() if said is not None}
        rows = sorted({key: row for row, key in enumerate(keys) if key not in known}.values())
        if rows:
            self.queries.spend(len(rows))
            outputs, features = self._call(inputs[rows])
            for k, row in enumerate(rows):  # copies, so that no row keeps its batch in memory
                own = None if features is None else features[k].copy()
                known[keys[row]] = (outputs[k].copy(), own)
                self.queries.keep(keys[row], known[keys[row]])
        outputs = np.stack([known[key][0] for key in keys])
        told = [part for key in keys if (part := known[key][1]) is not None]
        return _tensors((outputs, np.stack(told) if told else None))

    def _call(self, inputs: np.ndarray) -> Said:
        outputs, features = self.function(inputs)
        outputs = _numbers("outputs", outputs, len(inputs))
        if features is None:
            return outputs, None
        return outputs, _numbers("features", features, len(inputs)).reshape(len(inputs), -1)


def _numbers(name: str, found: Any, images: int) -> np.ndarray:
    """Return what a function answered as float32 rows, one for each image."""
    try:
        numbers = np.array(found, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"the classifier's {name} are of the type {type(found).__name__}; an array of "
            f"numbers was wanted ({error})"
        ) from error
    if numbers.ndim < 1 or len(numbers) != images:
        raise UserError(
            f"the classifier's {name} are of shape {numbers.shape}; a row for each of {images} "
            "images was wanted"
        )
    return numbers


def _tensors(said: Said) -> tuple[Tensor, Tensor | None]:
    outputs, features = said
    return torch.from_numpy(outputs), None if features is None else torch.from_numpy(features)


def _size(answer: Said) -> int:
    """Return about how many bytes an answer takes, with its key and its place in the table."""
    return 400 + sum(part.nbytes for part in answer if part is not None)
