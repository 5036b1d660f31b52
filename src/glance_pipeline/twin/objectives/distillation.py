"""Distillation: student and reconstruction answer as the teacher does."""

from torch import Tensor

from glance_pipeline.twin.objectives.reconstruction import relative_square_error
from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Distillation:
    """KL(f(x) ‖ h(u)) + KL(f(x) ‖ f(G(E(x)))) + |φ(x) − H(u)|² / |φ(x)|².

    Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531) at temperature 1, of the student
    and, through the frozen teacher, of the generator. Of labels and numbers KL stands for the
    divergence of their task (``teachers/task.py``), here and in the other objectives.
    """

    name = "distillation"

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch."""
        teacher = step.batch.answer
        return (
            step.task.divergence(teacher.logits, step.student.logits)
            + step.task.divergence(teacher.logits, step.reconstruction_answer.logits)
            + relative_square_error(step.student.features, teacher.features)
        )
