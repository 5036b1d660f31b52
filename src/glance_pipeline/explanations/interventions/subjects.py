"""What every method of explanation starts from, and the one way to ask the teacher."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.classifiers.task import Task
from glance_pipeline.images.form import AT_ONCE, in_batches, to_float, to_uint8
from glance_pipeline.twin.networks import Codes, TwinSurrogate

_FULL = 16


@dataclass(frozen=True)
class Subjects:
    """N images to be explained, with what the surrogate and the teacher make of them.

    Attributes:
        images: uint8, (N, C, H, W).
        codes: codes of the images.
        logits: the teacher's, on the images, (N, K).
        reconstructions: uint8, (N, C, H, W).
        reconstruction_logits: the teacher's, on the reconstructions, (N, K).
        about: number of the output that each image is explained for, (N,): the class that the
            teacher gives it, which is the default; a label; a number.
    """

    images: np.ndarray
    codes: Codes
    logits: Tensor
    reconstructions: np.ndarray
    reconstruction_logits: Tensor
    about: Tensor = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.about is None:
            object.__setattr__(self, "about", self.logits.argmax(1))

    @classmethod
    def see(
        cls,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        images: np.ndarray,
        output: int | None = None,
    ) -> "Subjects":
        """Encode ``images``, uint8 (N, C, H, W), redraw them, and ask the teacher about both.

        They are explained for ``output``, by default the one in question (``Task.in_question``).
        """
        count, full = len(images), images[_full_batch(len(images))]
        codes = surrogate.encode_array(full)[:count]
        with torch.no_grad():
            logits = torch.cat([classifier.logits(batch) for batch in in_batches(full)])[:count]
        reconstructions, reconstruction_logits = draw(surrogate, classifier, codes)
        about = classifier.task.in_question(logits)
        if output is not None:
            about = torch.full_like(about, output)
        return cls(images, codes, logits, reconstructions, reconstruction_logits, about)

    def alike(self, task: Task, image: int) -> bool:
        """Return whether image and reconstruction are answered the same."""
        one, other = (
            task.decisions(logits[[image]]) for logits in (self.logits, self.reconstruction_logits)
        )
        return bool(task.same(one, other)[0])

    def residual_l1(self, image: int) -> float:
        """Return the mean absolute difference of an image and its reconstruction, in [−1, 1]."""
        difference = self.images[image].astype(float) - self.reconstructions[image]
        return float(np.abs(difference).mean() / 127.5)

    def __len__(self) -> int:
        return len(self.images)


@torch.no_grad()
def draw(
    surrogate: TwinSurrogate, classifier: Classifier, codes: Codes, size: int = AT_ONCE
) -> tuple[np.ndarray, Tensor]:
    """Draw codes and ask the teacher about the pictures exactly as they will be seen.

    The teacher is given the picture rounded to 8 bits, so that whatever is claimed here holds for
    the PNG a person opens.

    Returns:
        The pictures, uint8 (N, C, H, W), and the teacher's logits on them, (N, K).
    """
    pictures, logits = [], []
    for start in range(0, len(codes), size):
        part = codes[start : start + size]
        picture = to_uint8(surrogate.generate(padded(part)))
        pictures.append(picture[: len(part)])
        logits.append(classifier.logits(to_float(picture))[: len(part)])
    return np.concatenate(pictures), torch.cat(logits)


def padded(codes: Codes) -> Codes:
    """Repeat the last of N codes until there are a multiple of 16, see ``_full_batch``."""
    return codes[_full_batch(len(codes))]


def _full_batch(count: int) -> list[int]:
    """Return the rows 0 … ``count`` − 1, the last repeated until there are a multiple of 16.

    In a small or an odd batch, products and convolutions take other paths through the processor,
    and sum in another order; from 16 on an image comes out the same in batches of any size.
    """
    return [*range(count), *[count - 1] * (-count % _FULL)]
