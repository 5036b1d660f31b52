"""The two adversaries: on images, and on the features of teacher and student."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glance_pipeline.twin.networks.discriminator import r1_penalty
from glance_pipeline.twin.objectives.adaptive_augmentation import AdaptiveAugmentation
from glance_pipeline.twin.objectives.twin_pass import TwinPass


class Adversarial:
    """Non-saturating logistic loss on half reconstructions, half swaps of residual codes.

    Surrogate: mean softplus(−D(x̂)). Critic: mean softplus(D(x̂)) + mean softplus(−D(x)), and
    lazily γ/2 · R1 (Goodfellow et al. 2014; Karras et al. 2020, §B for lazy regularisation).

    Interventions on concepts are not shown to the critic where there are swaps to show: where
    features go together in the data, an image in which they do not is no real image to it, and it
    would pull every intervention back to what the data has.

    Args:
        gamma: γ of R1.
        lazy: R1 is applied every ``lazy``-th step of the critic, times ``lazy``.
        augmentation: what all images pass through on their way to the critic; None shows them as
            they are.
    """

    name = "adversarial"

    def __init__(
        self,
        gamma: float = 0.1,
        lazy: int = 16,
        augmentation: AdaptiveAugmentation | None = None,
    ) -> None:
        self.gamma = gamma
        self.lazy = lazy
        self.augmentation = augmentation

    def __call__(self, step: TwinPass) -> Tensor:
        """Return the surrogate's loss, a scalar."""
        return F.softplus(-self._judge(step, self._generated(step))).mean()

    def critic_loss(self, step: TwinPass) -> Tensor:
        """Return the critic's loss, a scalar, without R1; the augmentation adapts to it."""
        fake = self._judge(step, self._generated(step).detach())
        real = self._judge(step, step.batch.images)
        if self.augmentation is not None:
            self.augmentation.observe(real)
        return F.softplus(fake).mean() + F.softplus(-real).mean()

    def penalty(self, step: TwinPass) -> Tensor:
        """Return the lazy R1 term, a scalar."""
        # Taken where the critic looks: bilinear sampling has no second derivative in torch.
        penalty = r1_penalty(step.critics.images, self._shown(step, step.batch.images))
        return penalty * (self.gamma / 2 * self.lazy)

    def state_dict(self) -> dict[str, float]:
        """Return what changes from step to step, for a checkpoint."""
        return {} if self.augmentation is None else self.augmentation.state_dict()

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take up what ``state_dict`` returned."""
        if self.augmentation is not None:
            self.augmentation.load_state_dict(state)

    def _shown(self, step: TwinPass, images: Tensor) -> Tensor:
        return images if self.augmentation is None else self.augmentation(images, step.generator)

    def _judge(self, step: TwinPass, images: Tensor) -> Tensor:
        return step.critics.images(self._shown(step, images)).float()

    def _generated(self, step: TwinPass) -> Tensor:
        half = len(step.batch.images) // 2
        # The first rows of the recombination are the swaps, if `intervened` leaves so many.
        return torch.cat([step.reconstruction[half:], step.recombination[:half]])


class FeatureAdversarial:
    """The same game on features: the teacher's φ(x) against the student's H(u) (docs: Method)."""

    name = "feature_adversarial"

    def __init__(self, gamma: float = 0.1, lazy: int = 16) -> None:
        self.gamma = gamma
        self.lazy = lazy

    def __call__(self, step: TwinPass) -> Tensor:
        """Return the student's loss, a scalar."""
        return F.softplus(-step.critics.features(step.student.features).float()).mean()

    def critic_loss(self, step: TwinPass) -> Tensor:
        """Return the critic's loss, a scalar, without R1."""
        fake = step.critics.features(step.student.features.detach()).float()
        real = step.critics.features(step.batch.answer.features).float()
        return F.softplus(fake).mean() + F.softplus(-real).mean()

    def penalty(self, step: TwinPass) -> Tensor:
        """Return the lazy R1 term, a scalar."""
        penalty = r1_penalty(step.critics.features, step.batch.answer.features)
        return penalty * (self.gamma / 2 * self.lazy)
