"""Imitation: the student answers generated images as the teacher does."""

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Answer
from glance_pipeline.twin.objectives.reconstruction import relative_square_error
from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Imitation:
    """KL(f(x̂) ‖ h(E(x̂))) + |φ(x̂) − H(E(x̂))|² / |φ(x̂)|² over the step's generated images x̂.

    For a teacher without gradients, whose student lends it its own (docs: Method): it must answer
    as the teacher does where the generator is, not only on real images. Those images are used that
    other objectives have asked the teacher about, so this one comes last and asks nothing. They are
    given: no gradient reaches the generator, which would else learn to draw what student and
    teacher agree about.
    """

    name = "imitation"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where the teacher was asked nothing."""
        if not step.asked:
            return step.batch.images.new_zeros(())
        images = torch.cat([images for images, _ in step.asked])
        answers = [answer for _, answer in step.asked]
        teacher = Answer(*(torch.cat(parts) for parts in zip(*answers, strict=True)))
        student = step.surrogate.respond(images)
        return step.task.divergence(teacher.logits, student.logits.float()) + relative_square_error(
            student.features.float(), teacher.features
        )
