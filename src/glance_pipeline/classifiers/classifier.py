"""The teacher: the user's frozen classifier behind one small protocol."""

import copy
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.entrance import Entrance
from glance_pipeline.classifiers.input_shape import shapes_that_fit
from glance_pipeline.classifiers.output import (
    check_finite,
    check_output,
    check_range,
    to_logits,
    varied_images,
)
from glance_pipeline.classifiers.penultimate import AnswerBoth, answering
from glance_pipeline.classifiers.specification import ClassifierSpecification
from glance_pipeline.classifiers.steadiness import (
    Beside,
    alike,
    check_beside_others,
    check_steady,
    plain_pictures,
)
from glance_pipeline.classifiers.task import Task, margins
from glance_pipeline.images.form import in_batches, to_float, to_uint8
from glance_pipeline.support.compute import as_given
from glance_pipeline.support.errors import UserError, in_one_line

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

    The network is always asked in float32, as it is when it is loaded and checked, whatever the
    images come in and whatever a stage or a search around it runs in: in bfloat16 its answer would
    be another one, and not every operation is there (a resize with antialiasing is not).

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
        ValueError: if no layer is found that answers and none is named, or where the network's
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
        self._layout: torch.memory_format = torch.contiguous_format
        self._beside = network.queries.beside if isinstance(network, BlackBox) else Beside()
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
            RuntimeError: if gradients are wanted of a black box that no stand-in guides.
        """
        if self.differentiable:
            with as_given(self.device):
                said, features = self._answer_both(self._inputs(images))
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
            ValueError: if they are not finite, and no gradients are asked for.
            RuntimeError: if gradients are wanted of a black box that no stand-in guides.
        """
        if not self.differentiable:
            return self(images).logits
        with as_given(self.device):
            said = self.network(self._inputs(images))
        logits = to_logits(said, self.specification.output).to(images.device)
        if not torch.is_grad_enabled():
            check_finite(logits, self.origin)
        return logits

    @torch.no_grad()
    def plain_answers(self) -> Tensor:
        """Return the logits (4, K) of plain pictures, which tell this classifier from others."""
        pictures = plain_pictures(self.specification.image_shape)
        if self.differentiable:
            return self.logits(pictures)
        return to_logits(self._said(pictures), self.specification.output)

    @torch.no_grad()
    def answers(self, images: np.ndarray) -> Answer:
        """Answer for a whole uint8 array (N, C, H, W), batch by batch, without gradients.

        Raises:
            ValueError: if a logit or a feature is not finite, or where an image alone has
                another answer than in its batch.
        """
        answers = []
        for batch in in_batches(images):
            answers.append(self(batch))
            self._check_alone(batch, answers[-1].logits)
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
            ValueError: if a logit is not finite, or where an image alone has another answer
                than in its batch.
        """
        decisions = []
        for batch in in_batches(images):
            logits = self.logits(batch)
            self._check_alone(batch, logits)
            decisions.append(self.task.decisions(logits))
        return torch.cat(decisions)

    def _inputs(self, images: Tensor) -> Tensor:
        """Return the network's inputs, in the dtype and the order of memory it is asked in."""
        images = images.to(self.device, torch.float32)
        return self.entrance(images).contiguous(memory_format=self._layout)

    def _answer_of_black_box(self, images: Tensor, remember: bool) -> Answer:
        # A black box that runs on torch inside must not run in bfloat16 because a stage does.
        with torch.no_grad(), as_given(images.device):
            seen = self._inputs(to_float(to_uint8(images)))
            assert isinstance(self.network, BlackBox)
            said, features = self.network.ask(seen, remember)
        logits = to_logits(said, self.specification.output)
        check_finite(logits, self.origin)
        answer = Answer(logits, logits if features is None else features)
        return Answer(*(part.to(images.device) for part in answer))

    def _check_alone(self, batch: Tensor, logits: Tensor) -> None:
        """Ask about the last image of a larger batch than any before by itself, and compare.

        Some answer as they should among a few images and not among as many as a service cuts its
        requests into, or as are scaled together.
        """
        if len(batch) <= self._beside.largest:
            return
        self._beside.largest = len(batch)
        if self.differentiable:
            alone = self.logits(batch[-1:])
        else:  # what is remembered would be compared with itself
            alone = self._answer_of_black_box(batch[-1:], remember=False).logits
        check_beside_others(alone, logits, self.origin)

    def _checked_network(self) -> AnswerBoth:
        """Try the network on plain pictures; return how to ask for features too."""
        pictures = plain_pictures(self.specification.image_shape)
        known = self._beside.largest >= len(pictures)  # it was tried when it was loaded before
        with torch.no_grad():
            alone = self._said(pictures[-1:], known)
            check_output(alone, self.specification, 1)
            together = self._said(pictures, known)
            check_output(together, self.specification, len(pictures))
            check_steady(alone, together, self._said(pictures))
            if check_range(together, self.specification):  # of so few it may be chance
                exaggerated = varied_images(
                    self.specification.image_shape, exaggerated=self.differentiable
                )
                check_range(
                    torch.cat([together, self._said(exaggerated)]),
                    self.specification,
                    enough=True,
                )
        self._beside.largest = max(self._beside.largest, len(pictures))
        if isinstance(self.network, BlackBox):
            return self.network.answer  # its features come of themselves, and asking may cost
        self._layout = self._settled_layout(pictures, together)
        self._check_slope(pictures[:1])
        with torch.no_grad():
            inputs = self._inputs(pictures)
            answer_both = answering(self.network, self.specification.feature_layer, inputs)
            features = answer_both(inputs)[1]
            if features is not None:
                check_finite(features, f"{self.origin}, by its features,")
        return answer_both

    def _said(self, images: Tensor, remember: bool = True) -> Any:
        """Return the network's own outputs; where it cannot take the images, say what it got.

        Args:
            images: in [−1, 1].
            remember: whether a black box may answer from memory.
        """
        inputs = self._inputs(images)
        try:
            with as_given(self.device):
                if isinstance(self.network, BlackBox):
                    return self.network.ask(inputs, remember)[0]
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

    def _settled_layout(self, pictures: Tensor, said: Tensor) -> torch.memory_format:
        """Return the order of memory in which the network is shown its inputs from now on.

        Images here lie channels last, which convolutions on a CPU read in half the time. A network
        that reshapes features with ``view`` cannot read them so, and one that strides over them by
        itself reads them wrongly.

        Args:
            pictures: that it was asked about.
            said: what it said, shown them in the usual order.
        """
        before, self._layout = self._layout, torch.channels_last
        try:
            with torch.no_grad():
                same = alike(self._said(pictures), said)
        except ValueError:
            same = False
        return torch.channels_last if same else before

    def _check_slope(self, picture: Tensor) -> None:
        """Raise if no gradient comes from the network's answer to a picture (1, C, H, W)."""
        with torch.enable_grad():
            seen = picture.clone().requires_grad_(True)
            try:
                said = self._said(seen)
                (slope,) = torch.autograd.grad(said.float().sum(), seen)
            except Exception as error:  # whatever the layers of the user's network raise
                raise ValueError(
                    f"the network's answer has no gradient with respect to the image "
                    f"({in_one_line(error)}): give it as a Python callable, which is explained "
                    "without gradients"
                ) from error
        check_finite(slope, f"{self.origin}, by its gradient,")


def on_device(classifier: Classifier, device: torch.device) -> Classifier:
    """Move the weights to ``device``, in place, where the network works there; return it.

    A network that keeps tensors of its own on the CPU stays there as a whole, and the log says so;
    so does a black box, which is asked with arrays.
    """
    if not classifier.differentiable or classifier.device == device:
        return classifier
    pictures, before = _asked(classifier)
    classifier.to(device)
    try:
        said = None if alike(_asked(classifier)[1], before) else "it answers differently"
    except Exception as error:  # whatever the layers of the user's network raise
        said = in_one_line(error)
    if said is not None:
        home = pictures.device
        classifier.to(home)
        logger.warning("%s stays on %s: on %s, %s", classifier.origin, home, device, said)
    return classifier


def in_quickest_layout(classifier: Classifier) -> Classifier:
    """Lay the weights out channels last, in place, where the network works with that; return it.

    Its convolutions then take half the time on a CPU. The values stay as they are. A network that
    reshapes features with ``view`` cannot read them in this layout and keeps its own; a black box
    has no weights, and is not asked.
    """
    if not classifier.differentiable:
        return classifier
    _, before = _asked(classifier)
    classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    try:
        same = alike(_asked(classifier)[1], before)
    except Exception:  # whatever the layers of the user's network raise
        same = False
    if not same:
        classifier.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return classifier


@torch.no_grad()
def _asked(classifier: Classifier) -> tuple[Tensor, Tensor]:
    """Return plain pictures, where the network is, and its logits on them."""
    pictures = plain_pictures(classifier.specification.image_shape).to(classifier.device)
    return pictures, classifier.logits(pictures)
