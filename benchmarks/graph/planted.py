"""A surrogate and a teacher of which the effect of every concept is known, on each image.

The surrogate stands for a perfect one: a concept is the grey level of one pixel, so the code is
read off the image and drawn again without error. What is tested is the verdict, not the training.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import expit
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.images.form import to_uint8
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate

SIZE = 8
RANGE = 3.0
"""Standard deviations that a pixel's range, −1 to 1, stands for."""
LIMIT = 2.33
"""1 % and 99 % quantile of a standard normal pixel; interventions stay within."""


@dataclass(frozen=True)
class Plan:
    """What is planted in one teacher.

    Attributes:
        nulls: concepts that change the margin of every image, but not on average.
        effects: concepts that change it on average, on each image by another number of logits.
        probability: by which these change the probability of a class, on average over images, as
            they go from one standard deviation below an image's own value to one above.
        background: standard deviation of what else the margin depends on, in logits.
    """

    nulls: int = 20
    effects: int = 5
    probability: float = 0.1
    background: float = 2.0


class Pixels(TwinSurrogate):
    """Concept j is pixel j, the residual code the other pixels; both in units of ``RANGE``."""

    def encode(self, images: Tensor) -> Codes:
        """Read the code off images (N, 1, 8, 8) in [−1, 1]."""
        values = images.flatten(1) * RANGE
        concepts = self.shape.concepts
        return Codes(values[:, :concepts], values[:, concepts:])

    def generate(self, codes: Codes) -> Tensor:
        """Draw the images (N, 1, 8, 8) of codes."""
        values = torch.cat([codes.concepts, codes.residual], 1) / RANGE
        return values.view(-1, 1, SIZE, SIZE)


class PlantedNetwork(nn.Module):
    """Logits (−m/2, m/2) with m = w·Σ u_j over planted + w·Σ r_j·u_j over all + background.

    Each concept has a residual pixel r_j of its own, of mean 0, variance 1 and independent of
    everything. So the effect of a null on an image is w·r_j: as strong as a planted one, which is
    w·(1 + r_j), one way or the other.
    """

    def __init__(self, plan: Plan, weight: float) -> None:
        super().__init__()
        self.plan = plan
        self.weight = weight
        self.features = nn.Linear(2, 2)  # what the teacher's features are taken from; not used

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) in [0, 1] to logits (N, 2)."""
        values = (2 * images.flatten(1) - 1) * RANGE
        half = margin_of(values, self.plan, self.weight) / 2
        self.features(torch.stack([half, half], 1))
        return torch.stack([-half, half], 1)


def margin_of(values: Tensor, plan: Plan, weight: float) -> Tensor:
    """Return the margin (N,) of pixel values (N, 64) in standard deviations."""
    nulls, concepts = plan.nulls, plan.nulls + plan.effects
    varying = values[:, concepts : 2 * concepts] * values[:, :concepts]
    own = values[:, nulls:concepts].sum(1) + varying.sum(1)
    return weight * own + plan.background * values[:, 2 * concepts]


def draw_pixels(number: int, generator: np.random.Generator) -> np.ndarray:
    """Draw uint8 images (N, 1, 8, 8) of independent standard normal pixels, within ``RANGE``."""
    values = generator.normal(size=(number, 1, SIZE, SIZE)).clip(-RANGE, RANGE)
    return to_uint8(torch.tensor(values / RANGE).float())


def planted(plan: Plan, seed: int) -> tuple[Pixels, Classifier]:
    """Return a surrogate and a teacher whose planted effects are as large as the plan says.

    The weight is solved for on 20,000 drawn images.
    """
    generator = numpy_generator(seed, "planted")
    values = torch.tensor(generator.normal(size=(20_000, SIZE * SIZE)).clip(-RANGE, RANGE))

    def excess(weight: float) -> float:
        sides = []
        for step in (1.0, -1.0):
            moved = values.clone()
            moved[:, plan.nulls] = (moved[:, plan.nulls] + step).clamp(-LIMIT, LIMIT)
            sides.append(expit(margin_of(moved, plan, weight).numpy()))
        return float((sides[0] - sides[1]).mean()) - plan.probability

    concepts = plan.nulls + plan.effects
    names_of = [f"null_{i}" for i in range(plan.nulls)]
    names_of += [f"planted_{i}" for i in range(plan.effects)]
    shape = SurrogateShape(
        (1, SIZE, SIZE), 2, 2, concepts, SIZE * SIZE - concepts, (8, 8), 16, 2, 16
    )
    surrogate = Pixels(
        shape, [Concept(name, "aligned", low=-LIMIT, high=LIMIT) for name in names_of]
    )
    specification = ClassifierSpecification(
        image_shape=(1, SIZE, SIZE), class_names=("no", "yes"), feature_layer="features"
    )
    network = PlantedNetwork(plan, brentq(excess, 0.0, 5.0, xtol=1e-4))
    return surrogate.eval(), Classifier(network, specification)
