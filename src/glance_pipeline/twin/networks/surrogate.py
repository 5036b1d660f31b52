"""The twin surrogate: student and generator together, and the only place that knows the code.

The code z is the concept code u ∈ R^L followed by the residual code n ∈ R^M. Nothing outside this
file reaches into its dimensions by index: concepts have names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Answer, Classifier
from glance_pipeline.classifiers.task import Task
from glance_pipeline.images.form import AT_ONCE, in_batches, to_uint8
from glance_pipeline.twin.networks.concept import Concept, by_feature, level_logits, shares
from glance_pipeline.twin.networks.encoder import AnswerScale, Encoder, StudentHead
from glance_pipeline.twin.networks.generator import Generator
from glance_pipeline.twin.networks.layers import channels_last


@dataclass(frozen=True)
class SurrogateShape:
    """Everything needed to build the networks; it is saved in the header of the weights.

    Attributes:
        image_shape: (channels, height, width); height = width, a power of two ≥ 8.
        classes: K, number of the teacher's logits.
        features: F, width of the teacher's penultimate features.
        concepts: L, dimensions of the concept code u.
        residual: M, dimensions of the residual code n.
        widths: feature channels at 4, 8, …, height.
        style: width of w and of the mapping network.
        mapping_layers: its layers.
        hidden: width of the student's hidden layers.
    """

    image_shape: tuple[int, int, int]
    classes: int
    features: int
    concepts: int
    residual: int
    widths: tuple[int, ...]
    style: int = 128
    mapping_layers: int = 2
    hidden: int = 128


@dataclass(frozen=True)
class Codes:
    """What the student infers from N images.

    Attributes:
        concepts: u, float (N, L); aligned dimensions are standardised context features.
        residual: n, float (N, M).
    """

    concepts: Tensor
    residual: Tensor

    def __len__(self) -> int:
        return len(self.concepts)

    def __getitem__(self, rows: Any) -> "Codes":
        """Select images."""
        return Codes(self.concepts[rows], self.residual[rows])

    def moved_along(self, direction: "Codes", amount: Tensor) -> "Codes":
        """Add ``amount`` (N,) times a direction, which is one row, to each image's code."""
        return Codes(
            self.concepts + amount[:, None] * direction.concepts,
            self.residual + amount[:, None] * direction.residual,
        )

    def repeat_interleave(self, times: int) -> "Codes":
        """Repeat each image's code ``times`` times, copies next to each other."""
        return Codes(
            self.concepts.repeat_interleave(times, 0), self.residual.repeat_interleave(times, 0)
        )


class TwinSurrogate(nn.Module):
    """Student E, h, H and generator G on one code.

    It takes images and codes from any device, computes where its weights are, and answers on the
    device of what it was given.

    Args:
        shape: sizes of all networks.
        concepts: name and scale of each dimension of u; by default all latent.
        scale: scale of the teacher's answers, where those are numbers in units of their own.

    Raises:
        ValueError: if ``concepts`` does not have ``shape.concepts`` entries.
    """

    def __init__(
        self,
        shape: SurrogateShape,
        concepts: Sequence[Concept] | None = None,
        scale: AnswerScale | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.concepts: tuple[Concept, ...] = tuple(
            concepts or (Concept(f"latent_{i + 1}", "latent") for i in range(shape.concepts))
        )
        if len(self.concepts) != shape.concepts:
            raise ValueError(
                f"{len(self.concepts)} concepts are described, but the code has {shape.concepts}"
            )
        channels, resolution, _ = shape.image_shape
        code = shape.concepts + shape.residual
        self.encoder = Encoder(code, resolution, channels, shape.widths, shape.hidden)
        self.head = StudentHead(shape.concepts, shape.classes, shape.features, shape.hidden, scale)
        self.generator = Generator(
            code, resolution, channels, shape.widths, shape.style, shape.mapping_layers
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.generator.constant.device

    @property
    def scale(self) -> AnswerScale | None:
        """Scale of the teacher's answers, where those are numbers in units of their own."""
        logits, features = self.head.logits_scale, self.head.features_scale
        return None if logits is None or features is None else AnswerScale(logits, features)

    def task_of(self, classifier: Classifier) -> Task:
        """Return how the teacher's answers are read, on the scale that they had in training."""
        return classifier.task.scaled(None if self.scale is None else self.scale.logits[1])

    @property
    def concept_names(self) -> list[str]:
        """Names of all concepts, in the order of the code."""
        return [concept.name for concept in self.concepts]

    @property
    def active_concepts(self) -> list[str]:
        """Names of the concepts that have an effect on the generated image."""
        return [concept.name for concept in self.concepts if concept.active]

    @property
    def active_features(self) -> dict[str, tuple[str, ...]]:
        """Names of the active concepts by what can be moved by itself, in the order of the code.

        That is every concept, but a categorical feature with all its levels.
        """
        names = {
            feature: tuple(self.concepts[i].name for i in members if self.concepts[i].active)
            for feature, members in by_feature(self.concepts).items()
        }
        return {feature: concepts for feature, concepts in names.items() if concepts}

    @property
    def first_of_feature(self) -> Tensor:
        """For each dimension of u, (L,) integers, the first one of its feature: mostly itself."""
        first = torch.arange(len(self.concepts))
        for members in by_feature(self.concepts).values():
            first[members] = members[0]
        return first

    def concept(self, name: str) -> Concept:
        """Return the concept called ``name``; raises ``KeyError`` naming those there are."""
        return self.concepts[self._index(name)]

    def encode(self, images: Tensor) -> Codes:
        """Infer the codes of images (N, C, H, W) in [−1, 1]."""
        code = self.encoder(images.to(self.device)).to(images.device)
        return Codes(code[:, : self.shape.concepts], code[:, self.shape.concepts :])

    @torch.no_grad()
    def encode_array(self, images: np.ndarray) -> Codes:
        """Infer the codes of a whole uint8 array (N, C, H, W), batch by batch, no gradients."""
        codes = [self.encode(batch) for batch in in_batches(images)]
        return Codes(torch.cat([c.concepts for c in codes]), torch.cat([c.residual for c in codes]))

    def predict(self, codes: Codes) -> Tensor:
        """Return the student's logits h(u), (N, K)."""
        return self.head(codes.concepts.to(self.device))[0].to(codes.concepts.device)

    def respond(self, images: Tensor) -> Answer:
        """Return the student's answer to images (N, C, H, W) in [−1, 1]: h(E(x)) and H(E(x))."""
        said = self.head(self.encode(images.to(self.device)).concepts)
        return Answer(*(part.to(images.device) for part in said))

    def generate(self, codes: Codes) -> Tensor:
        """Draw the images (N, C, H, W), about [−1, 1], of codes."""
        code = torch.cat([codes.concepts, codes.residual], dim=1)
        return self.generator(code.to(self.device)).to(code.device)

    @torch.no_grad()
    def generate_batched(self, codes: Codes, size: int = AT_ONCE) -> Tensor:
        """Draw the images of many codes, batch by batch, without gradients, clamped to [−1, 1]."""
        parts = [
            self.generate(codes[i : i + size]).clamp(-1, 1) for i in range(0, len(codes), size)
        ]
        return torch.cat(parts)

    def pictures(self, codes: Codes, size: int = AT_ONCE) -> np.ndarray:
        """Draw the images of many codes as they are saved, uint8 (N, C, H, W), batch by batch."""
        starts = range(0, len(codes), size)
        # Rounded batch by batch: all of them in float32 would take eight times the memory.
        parts = [to_uint8(self.generate_batched(codes[i : i + size], size)) for i in starts]
        return np.concatenate(parts)

    def read(self, codes: Codes, name: str) -> Tensor:
        """Return the standardised values (N,) of one concept."""
        return codes.concepts[:, self._index(name)]

    def rest_of(self, codes: Codes) -> Tensor:
        """Return what is held while aligned concepts move: latent ones, then the residual code."""
        latent = [i for i, concept in enumerate(self.concepts) if concept.kind == "latent"]
        return torch.cat([codes.concepts[:, latent], codes.residual], 1)

    def intervene(
        self,
        codes: Codes,
        values: Mapping[str, Tensor | float | str],
        moved: Mapping[str, Tensor] | None = None,
    ) -> Codes:
        """do(u_j = v) for each named concept: a direct effect, everything else held.

        Where some levels of a categorical feature are set, its other levels take up the
        difference, in proportion to their probabilities, so that the shares still add up to 1.

        Args:
            codes: codes of N images.
            values: standardised values by concept name, a number for all or (N,) for each; or the
                name of a level by the name of a binary or categorical feature.
            moved: by concept name, the images in which it is set, bool (N,); elsewhere its value
                must be the image's own, and a level may take up what others gained. All images
                where not named.

        Returns:
            New codes; the given ones stay as they are.

        Raises:
            KeyError: if there is no such concept.
            ValueError: if a feature has no such level.
        """
        concepts = codes.concepts.clone()
        set_to: dict[int, Tensor | float] = {}
        for name, value in values.items():
            set_to |= (
                self._level(name, value) if isinstance(value, str) else {self._index(name): value}
            )
        for index, value in set_to.items():
            concepts[:, index] = torch.as_tensor(value, dtype=concepts.dtype)
        held = torch.ones_like(concepts, dtype=torch.bool)
        held[:, list(set_to)] = False
        for name, rows in (moved or {}).items():
            held[:, self._index(name)] = ~rows
        return replace(codes, concepts=self._made_up(codes.concepts, concepts, held))

    def probabilities(self, codes: Codes, feature: str) -> dict[str, Tensor]:
        """Return the probability (N,) of each level of a binary or categorical feature.

        Raises:
            KeyError: if there is no such feature.
        """
        members = self._members(feature)
        first = self.concepts[members[0]]
        if first.measure == "binary":
            yes = first.to_units(codes.concepts[:, members[0]])
            return dict(zip(first.levels, (1 - yes, yes), strict=True))
        levels = [self.concepts[i] for i in members]
        found = level_logits(codes.concepts[:, members], levels).softmax(1)
        return {level.levels[0]: found[:, k] for k, level in enumerate(levels)}

    def to_units(self, name: str, values: Any) -> Any:
        """Bring standardised values of a concept into its units, or into probabilities."""
        return self.concept(name).to_units(values)

    def standardise(self, name: str, values: Any) -> Any:
        """Bring values in units of a concept, or probabilities, into standard deviations."""
        return self.concept(name).standardise(values)

    def to_weights(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and a JSON-able header from which ``from_weights`` builds an equal one."""
        header = {"shape": asdict(self.shape), "concepts": [c.to_header() for c in self.concepts]}
        return dict(self.state_dict()), header

    @classmethod
    def from_weights(cls, tensors: dict[str, Tensor], header: dict[str, Any]) -> "TwinSurrogate":
        """Build the surrogate that ``to_weights`` described."""
        shape = dict(header["shape"])
        for key in ("image_shape", "widths"):
            shape[key] = tuple(shape[key])
        concepts = [Concept.from_header(concept) for concept in header["concepts"]]
        scale = None
        if "head.logits_scale" in tensors:
            scale = AnswerScale(tensors["head.logits_scale"], tensors["head.features_scale"])
        surrogate = cls(SurrogateShape(**shape), concepts, scale)
        surrogate.load_state_dict(tensors)
        return channels_last(surrogate).eval()

    def _index(self, name: str) -> int:
        names = self.concept_names
        if name not in names:
            raise KeyError(f"no concept {name!r}; there are {names}")
        return names.index(name)

    def _members(self, feature: str) -> list[int]:
        """Return the dimensions of a binary or categorical feature."""
        features = {
            name: members
            for name, members in by_feature(self.concepts).items()
            if self.concepts[members[0]].measure != "continuous"
        }
        if feature not in features:
            raise KeyError(f"no feature {feature!r} with levels; there are {list(features)}")
        return features[feature]

    def _level(self, feature: str, level: str) -> dict[int, float]:
        """Return the codes, by dimension, that say ``level`` and no other level."""
        members = self._members(feature)
        levels = [name for index in members for name in self.concepts[index].levels]
        if level not in levels:
            raise ValueError(f"{feature}: there is no level {level!r}; there are {levels}")
        if len(members) == 1:
            return {members[0]: self.concepts[members[0]].standardise(float(levels.index(level)))}
        return {
            index: self.concepts[index].standardise(float(level in self.concepts[index].levels))
            for index in members
        }

    def _made_up(self, before: Tensor, after: Tensor, held: Tensor) -> Tensor:
        """Let the levels that are held take up what the others of their feature gained.

        Args:
            before: codes, (N, L).
            after: codes with new values where not ``held``, (N, L).
            held: bool (N, L).

        Returns:
            Codes (N, L); where no level of a feature is held, they are those of ``after``.
        """
        made_up = after.clone()
        for members in by_feature(self.concepts).values():
            free = held[:, members]
            if len(members) == 1 or not free.any():
                continue
            levels = [self.concepts[i] for i in members]
            gained = shares(after[:, members], levels) - shares(before[:, members], levels)
            logits = level_logits(before[:, members], levels)
            # All −∞, and so not a number, where none is held.
            part = logits.masked_fill(~free, -torch.inf).softmax(1).masked_fill(~free, 0.0)
            std = before.new_tensor([level.std for level in levels])
            taken = gained.sum(1, keepdim=True) * part / std
            made_up[:, members] = after[:, members] - taken
        return made_up
