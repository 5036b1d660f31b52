"""The teacher: the user's frozen classifier behind one small protocol."""

import copy
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.errors import UserError, in_one_line
from glance_pipeline.images import in_batches, to_float, to_uint8
from glance_pipeline.teachers.black_box import BlackBox
from glance_pipeline.teachers.entrance import Entrance
from glance_pipeline.teachers.features import AnswerBoth, answering
from glance_pipeline.teachers.input_shape import shapes_that_fit
from glance_pipeline.teachers.output import (
    check_finite,
    check_output,
    check_range,
    to_logits,
    varied_images,
)
from glance_pipeline.teachers.specification import ClassifierSpecification
from glance_pipeline.teachers.task import Task, margins

__all__ = [
    "Answer",
    "Classifier",
    "ClassifierSpecification",
    "StandIn",
    "in_quickest_layout",
    "margins",
    "on_device",
]

logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What the teacher says of a batch: logits (N, K) and penultimate features (N, F)."""

    logits: Tensor
    features: Tensor


StandIn = Callable[[Tensor], Answer]
"""Answers images (N, C, H, W) in [−1, 1] much as a teacher does, and has gradients."""


class Classifier(nn.Module):
    """A frozen classifier f with logits f(x) and penultimate features φ(x).

    It takes images as the rest of the project has them, float (N, C, H, W) in [−1, 1], and
    brings them into the network's own input range. Gradients flow through it to the images, none
    to its weights. Images may be on any device; the answer is on theirs.

    A network may be a black box (``teachers/black_box.py``): it is shown images rounded to 8 bits,
    and what it says has no gradient. Where one is needed a stand-in lends it: the answer is the
    teacher's in value, the stand-in's in slope (``guided_by``).

    Args:
        network: maps normalised images to outputs (N, K), or (N, 1); see ``output`` in the
            specification.
        specification: input shape, class names, normalisation.
        origin: what messages call it: the file it came from.

    Attributes:
        differentiable: whether gradients flow through the network itself.
        entrance: brings images into the network's own size, colour and range.
        again: makes the same classifier anew, also in another process to which it is pickled:
            from its network, unless it was loaded by something that says otherwise.

    Raises:
        ValueError: where no layer is found that answers and none is named, or where the network's
            output does not fit the specification.
    """

    def __init__(
        self,
        network: nn.Module,
        specification: ClassifierSpecification,
        origin: str = "the classifier",
    ) -> None:
        super().__init__()
        self.origin = origin
        self.network = network.eval().requires_grad_(False)
        self.specification = specification
        self.differentiable = not isinstance(network, BlackBox)
        self.entrance = Entrance(specification)
        self._stand_in: StandIn | None = None
        self.again: Callable[[], Classifier] = partial(Classifier, network, specification, origin)
        self._answer_both = self._checked_network()

    def train(self, mode: bool = True) -> "Classifier":
        """Stay in evaluation mode: a teacher is frozen, its batch statistics too."""
        return super().train(False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each logit, in their order."""
        return self.specification.class_names

    @property
    def task(self) -> Task:
        """How its logits are read."""
        return self.specification.task

    @property
    def device(self) -> torch.device:
        """Where it answers."""
        return self.entrance.mean.device

    def guided_by(self, stand_in: StandIn) -> "Classifier":
        """Return the teacher with gradients: itself where it has them, else the stand-in's.

        The values of all answers stay the teacher's own.
        """
        if self.differentiable:
            return self
        guided = copy.copy(self)
        guided._stand_in = stand_in
        return guided

    def forward(self, images: Tensor) -> Answer:
        """Return logits (N, K) and penultimate features (N, F) of ``images`` in [−1, 1].

        Raises:
            RuntimeError: where gradients are wanted of a black box that no stand-in guides.
        """
        if self.differentiable:
            said, features = self._answer_both(self.entrance(images.to(self.device)))
            logits = to_logits(said, self.specification.output).to(images.device)
            return Answer(logits, logits if features is None else features.to(images.device))
        if not (torch.is_grad_enabled() and images.requires_grad):
            return self._answer_of_black_box(images, remember=True)
        if self._stand_in is None:
            raise RuntimeError("this teacher is a black box: it has no gradients of its own")
        answer = self._answer_of_black_box(images.detach(), remember=False)
        guess = self._stand_in(images)
        # guess − guess.detach() is exactly 0: the value is the teacher's to the last bit.
        return Answer(*(a + (g - g.detach()) for a, g in zip(answer, guess, strict=True)))

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of ``images`` in [−1, 1].

        Raises:
            ValueError: where they are not finite, and no gradients are asked for.
            RuntimeError: where gradients are wanted of a black box that no stand-in guides.
        """
        if not self.differentiable:
            return self(images).logits
        said = self.network(self.entrance(images.to(self.device)))
        logits = to_logits(said, self.specification.output).to(images.device)
        if not torch.is_grad_enabled():
            check_finite(logits, self.origin)
        return logits

    @torch.no_grad()
    def answers(self, images: np.ndarray) -> Answer:
        """Answer for a whole uint8 array (N, C, H, W), batch by batch, without gradients.

        Raises:
            ValueError: where a logit or a feature is not finite.
        """
        answers = [self(batch) for batch in in_batches(images)]
        logits, features = (torch.cat(parts) for parts in zip(*answers, strict=True))
        check_finite(logits, self.origin)
        check_finite(features, self.origin)
        return Answer(logits, features)

    @torch.no_grad()
    def decisions(self, images: np.ndarray) -> Tensor:
        """Return what is decided, batch by batch: of classes the number of one, int64 (N,).

        Of labels which are on, bool (N, K); of numbers these, (N, K). Nothing else of the answers
        is kept, so that memory does not grow with the classes.

        Args:
            images: uint8 (N, C, H, W).

        Raises:
            ValueError: where a logit is not finite.
        """
        batches = in_batches(images)
        return torch.cat([self.task.decisions(self.logits(batch)) for batch in batches])

    def _answer_of_black_box(self, images: Tensor, remember: bool) -> Answer:
        # A black box that runs on torch inside must not run in bfloat16 because a stage does.
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            seen = self.entrance(to_float(to_uint8(images)).contiguous())
            assert isinstance(self.network, BlackBox)
            said, features = self.network.ask(seen, remember)
        logits = to_logits(said, self.specification.output)
        check_finite(logits, self.origin)
        answer = Answer(logits, logits if features is None else features)
        return Answer(*(part.to(images.device) for part in answer))

    def _checked_network(self) -> AnswerBoth:
        """Ask about two plain images, and about one of them alone; return how to ask for features.

        None is of one grey level, which a network may divide by the spread of.
        """
        shape = self.specification.image_shape
        rising = torch.linspace(-1, 1, shape[2]).expand(1, *shape)
        falling = torch.linspace(1, -1, shape[1])[:, None].expand(1, *shape)
        with torch.no_grad():
            alone = self._said(rising)
            check_output(alone, self.specification, 1)
            both = self._said(torch.cat([rising, falling]))
            check_output(both, self.specification, 2)
            if check_range(both, self.specification):  # of two images it may be chance
                more = self._said(varied_images(shape, exaggerated=self.differentiable))
                check_range(torch.cat([both, more]), self.specification, enough=True)
        if not torch.allclose(both[:1], alone, rtol=1e-2, atol=1e-2):
            raise ValueError(
                "the classifier answers an image differently beside another one: found "
                f"{both[0].flatten()[:6].tolist()} and {alone[0].flatten()[:6].tolist()} alone; "
                "was it exported in training mode (dropout, batch statistics)?"
            )
        if isinstance(self.network, BlackBox):
            return self.network.answer  # its features come of themselves, and asking may cost
        with torch.no_grad():
            inputs = self.entrance(torch.cat([rising, falling])).contiguous()
            answer_both = answering(self.network, self.specification.feature_layer, inputs)
            features = answer_both(inputs)[1]
            if features is not None:
                check_finite(features, f"{self.origin}, by its features,")
        return answer_both

    def _said(self, images: Tensor) -> Any:
        """Return the network's own outputs; where it cannot take the images, say what it got."""
        inputs = self.entrance(images).contiguous()
        try:
            return self.network(inputs)
        except UserError:
            raise
        except Exception as error:  # whatever the layers of the user's network raise
            fitting = shapes_that_fit(self.network) if self.differentiable else []
            wanted = f"; it does take {' or '.join(map(str, fitting))}" if fitting else ""
            raise ValueError(
                f"the network does not take a batch of {len(inputs)} of the shape "
                f"{tuple(inputs.shape[1:])} that the specification says (image_shape, or "
                f"input_size and colour): {in_one_line(error)}{wanted}"
            ) from error


def on_device(classifier: Classifier, device: torch.device) -> Classifier:
    """Move the weights to ``device``, in place, where the network works there; return it.

    A network that keeps tensors of its own on the CPU stays there as a whole, and the log says so;
    so does a black box, which is asked with arrays.
    """
    if not classifier.differentiable or classifier.device == device:
        return classifier
    before = classifier.device
    classifier.to(device)
    try:
        with torch.no_grad():
            classifier.logits(torch.zeros(2, *classifier.specification.image_shape))
    except Exception as error:  # whatever the layers of the user's network raise
        classifier.to(before)
        said = in_one_line(error)
        logger.warning("%s stays on %s: on %s, %s", classifier.origin, before, device, said)
    return classifier


def in_quickest_layout(classifier: Classifier) -> Classifier:
    """Lay the weights out channels last, in place, where the network works with that; return it.

    Its convolutions then take half the time on a CPU. The values stay as they are. A network that
    reshapes features with ``view`` cannot read them in this layout and keeps its own; a black box
    has no weights, and is not asked.
    """
    if not classifier.differentiable:
        return classifier
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.zeros(2, *classifier.specification.image_shape)
    try:
        with torch.no_grad():
            classifier.logits(images.contiguous(memory_format=torch.channels_last))
    except RuntimeError:
        classifier.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return classifier
