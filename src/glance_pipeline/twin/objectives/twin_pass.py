"""One batch on its way through the twin surrogate, each quantity computed once, when asked for."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from glance_pipeline.classifiers.classifier import Answer
from glance_pipeline.classifiers.task import Task
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.networks.players import Players


@dataclass(frozen=True)
class Batch:
    """Real images with what is known of them before training.

    Attributes:
        images: float (B, C, H, W) in [−1, 1].
        answer: the teacher's logits and features on them.
        context: standardised context features (B, J), or None before alignment.
        weights: (B,), under which the context features are independent; None weighs all alike.
        told_beside: what measured properties beside them tell of the aligned concepts, (B, J).
    """

    images: Tensor
    answer: Answer
    context: Tensor | None = None
    weights: Tensor | None = None
    told_beside: Tensor | None = None


class TwinPass:
    """What the objectives of one step look at.

    The recombined codes are the interventions of a step. In the first ``swapped`` rows the
    residual code comes from another image and the concepts stay; in the rest a random subset of
    the concepts comes from other images (a do of each on its marginal) and the residual stays.

    Attributes:
        asked: the generated images that the teacher was asked about so far, with its answers, both
            without gradients.

    Args:
        players: the networks of the stage.
        batch: real images.
        generator: source of every random draw, on the CPU, so that a seed draws the same for every
            device.
        intervened: share of rows whose concepts are intervened on, 0 … 1.
    """

    def __init__(
        self,
        players: Players,
        batch: Batch,
        generator: torch.Generator,
        intervened: float = 0.0,
    ) -> None:
        self.surrogate = players.surrogate
        self.classifier = players.classifier
        self.critics = players.critics
        self.reader = players.reader
        self.batch = batch
        self.generator = generator
        self.asked: list[tuple[Tensor, Answer]] = []
        self.swapped = round(len(batch.images) * (1.0 - intervened))

    @cached_property
    def task(self) -> Task:
        """How the teacher's answers are read, and how far two of them are apart."""
        return self.surrogate.task_of(self.classifier)

    @cached_property
    def codes(self) -> Codes:
        """(u, n) = E(x)."""
        codes = self.surrogate.encode(self.batch.images)
        return Codes(codes.concepts.float(), codes.residual.float())

    @cached_property
    def student(self) -> Answer:
        """h(u) and H(u)."""
        logits, features = self.surrogate.head(self.codes.concepts)
        return Answer(logits.float(), features.float())

    @cached_property
    def reconstruction(self) -> Tensor:
        """G(E(x)), (B, C, H, W)."""
        return self.surrogate.generate(self.codes).float()

    @cached_property
    def reconstruction_answer(self) -> Answer:
        """The teacher on the reconstruction."""
        return self._ask(self.reconstruction)

    @cached_property
    def recombined_codes(self) -> Codes:
        """Codes after a swap of residuals or an intervention on concepts."""
        concepts, residual = self.codes.concepts, self.codes.residual
        count = len(concepts)
        order = self._permutation(count)
        swap = (torch.arange(count, device=order.device) < self.swapped)[:, None]
        residual = torch.where(swap, residual[order], residual)
        if self.swapped < count:
            donors = torch.stack([self._permutation(count) for _ in range(concepts.shape[1])], 1)
            # The levels of a categorical feature are moved together.
            first = self.surrogate.first_of_feature.to(donors.device)
            moved = concepts.detach().gather(0, donors[:, first])
            mask = self._intervention_mask(concepts.shape, first)
            concepts = torch.where(mask & ~swap, moved, concepts)
        return Codes(concepts, residual)

    @cached_property
    def recombination(self) -> Tensor:
        """G of the recombined codes, (B, C, H, W)."""
        return self.surrogate.generate(self.recombined_codes).float()

    @cached_property
    def aligned(self) -> int:
        """Number of aligned concepts."""
        return sum(concept.kind == "aligned" for concept in self.surrogate.concepts)

    @cached_property
    def of_aligned_alone(self) -> slice:
        """The rows of the recombination in which aligned concepts move and nothing else.

        Every other row whose concepts move, where the reader reads what is to stay meanwhile.
        """
        watches = bool(getattr(self.reader, "properties", ()))
        return slice(self.swapped if watches else len(self.batch.images), None, 2)

    @cached_property
    def reading(self) -> Tensor:
        """What the reader reads off the recombination, (B, J + P)."""
        assert self.reader is not None
        return self.reader(self.recombination).float()

    @cached_property
    def recombination_answer(self) -> Answer:
        """The teacher on the recombination."""
        return self._ask(self.recombination)

    @cached_property
    def recombination_encoding(self) -> Codes:
        """E of the recombination."""
        codes = self.surrogate.encode(self.recombination)
        return Codes(codes.concepts.float(), codes.residual.float())

    def _ask(self, images: Tensor) -> Answer:
        answer = self.classifier(images)
        answer = Answer(answer.logits.float(), answer.features.float())
        self.asked.append((images.detach(), Answer(*(part.detach() for part in answer))))
        return answer

    def _permutation(self, count: int) -> Tensor:
        return torch.randperm(count, generator=self.generator).to(self.batch.images.device)

    def _intervention_mask(self, shape: torch.Size, first: Tensor) -> Tensor:
        """One concept of each row for certain, each of the others with probability ¼."""
        dimension = torch.arange(shape[1], device=first.device)
        chosen = torch.rand(shape, generator=self.generator).to(first.device)
        stays = torch.zeros(shape, dtype=torch.bool, device=first.device)
        stays[self.of_aligned_alone, self.aligned :] = True
        chosen = chosen.masked_fill((first != dimension) | stays, -1.0)
        certain = chosen.argmax(1, keepdim=True) == dimension
        others = torch.rand(shape, generator=self.generator) < 0.25
        mask = (certain | others.to(first.device)) & ~stays
        return mask[:, first]
