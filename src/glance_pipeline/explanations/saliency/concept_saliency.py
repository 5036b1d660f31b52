"""Saliency: where the picture changes when concepts move, and what that does to the answer.

Paths of pictures x₀, x₁, …, x_T lead from pictures in which nothing is known of the concepts to the
image's reconstruction, and each pixel p is given its part of what the teacher's answer m gains on
the way. Of one step it is, by the trapezoid rule,

    part(p) = w(p) · ½ [∂m/∂x(x_t) + ∂m/∂x(x_{t+1})](p) · [x_{t+1} − x_t](p)

with a weight w that is larger where the image stands out from its own median: what is seen counts
for more than what is missing, though that counts too (pertinent positives and negatives, Dhurandhar
et al. 2018, arXiv 1802.07623). What the step gained beyond the sum of these parts is shared among
the pixels in proportion to |part|. So a map adds up to m(x_T) − m(x_0) with any number of steps.

This is a path integral (Sundararajan, Taly, Yan 2017, arXiv 1703.01365, §3). Theirs, and that of
Integrated Gradients, is straight in pixels and leads through faded pictures; this one is made by
moving concepts, as in Enhanced Integrated Gradients, whose paths run through an autoencoder's
latent space (Jha et al. 2020, doi 10.1186/s13059-020-02055-7), and Manifold Integrated Gradients
(Zaher et al. 2024, arXiv 2405.09800). Sharing out exactly what each step gained follows IDGI (Yang
et al. 2023, arXiv 2303.14242), which shares by the squared gradient.

The concepts of training images stand for "not known", as in ``importance``, and the image's
residual code is held: a map splits over pixels what the Shapley values split over concepts. Where
the parts of single concepts are asked for, concepts take their own values one after the other, in
random orders, each also walked backwards; a concept's part is what its steps gained, and it adds up
to its sampled Shapley value: as there, those that have their own value are set on the background,
and with a causal intervention what they cause follows in it. Where all concepts move together all
are set, nothing follows, and the map is the same for both effects.
"""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.explain import SaliencyParameters
from glance_pipeline.explanations.importance.shapley import named_measure
from glance_pipeline.explanations.interventions.intervention import DirectIntervention, Intervention
from glance_pipeline.explanations.interventions.subjects import Subjects
from glance_pipeline.explanations.result.explanation import Saliency
from glance_pipeline.images.form import to_float, to_uint8
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import Codes, TwinSurrogate

AT_ONCE = 64
"""Pictures that are drawn and asked about together; bounds memory."""


class ConceptSaliency:
    """Maps of what concepts do where, for the class, label or number each image is explained for.

    Args:
        surrogate: draws the pictures.
        classifier: the teacher.
        background: standardised values of the active concepts of training images, (B, D), see
            ``background.background_codes``; the first ``parameters.paths`` of them are used.
        parameters: parameters of the paths.
        measure: ``margin`` or ``logit``, as in ``ImportanceParameters``.
        seed: seed of the orders in which single concepts move.
        intervention: what becomes of an image when concepts are set; by default the rest is held.
    """

    def __init__(
        self,
        surrogate: TwinSurrogate,
        classifier: Classifier,
        background: Tensor,
        parameters: SaliencyParameters | None = None,
        *,
        measure: str = "margin",
        seed: int = 0,
        intervention: Intervention | None = None,
    ) -> None:
        self.surrogate = surrogate
        self.classifier = classifier
        self.parameters = parameters or SaliencyParameters()
        self.background = background[: self.parameters.paths]
        self.measure = measure
        self.seed = seed
        self.intervene = intervention or DirectIntervention(surrogate)
        self.names = surrogate.active_concepts
        features = surrogate.active_features
        self.players = list(features)
        self._player_of = [j for j, names in enumerate(features.values()) for _ in names]
        self._movers: Tensor | None = None  # who moves in each step, where it is one player
        if self.parameters.by_concept:
            self._shares, self._movers = self._one_by_one()
        else:
            self._shares = self._together()

    def explain(self, subjects: Subjects) -> list[Saliency]:
        """Return the saliency of each image."""
        return [
            self._explain(subjects.codes[[image]], subjects.images[image], class_index)
            for image, class_index in enumerate(subjects.about.tolist())
        ]

    def _explain(self, code: Codes, image: np.ndarray, class_index: int) -> Saliency:
        pictures, measured, gradients = self._walk(code, class_index)
        weights = standing_out(image, self.parameters.emphasis)
        parts, shared = parts_of_steps(pictures, measured, gradients, weights)
        paths = len(parts)
        by_concept = None
        if self._movers is not None:
            # What a path gained while concept j moved, (paths, P, H, W), averaged over the paths.
            order = self._movers.argsort(1)[..., None, None].expand_as(parts)
            by_concept = self.smooth(parts.gather(1, order).mean(0).numpy())
        return Saliency(
            measure=named_measure(self.classifier.task, self.measure),
            class_name=self.classifier.class_names[class_index],
            unit=self.classifier.task.unit_of(class_index),
            prediction=float(measured[0, -1]),
            baseline=float(measured[:, 0].mean()),
            shared=float(shared.sum() / paths),
            map=self.smooth(parts.sum(1).mean(0).numpy()),
            concepts=tuple(self.players) if by_concept is not None else (),
            by_concept=by_concept,
        )

    def _together(self) -> Tensor:
        """Return how far each player is from background to own at each stage but the last.

        Returns:
            Float, (paths, steps, P), from 0 upwards.
        """
        steps = self.parameters.steps
        stages = torch.arange(steps) / steps
        return stages[None, :, None].expand(len(self.background), -1, len(self.players))

    def _one_by_one(self) -> tuple[Tensor, Tensor]:
        """Return the same for players that move one after the other, (paths, P, P), and who moves.

        The orders are the same for every image, so that an image's result depends on no other.

        Returns:
            Shares, and the player of each step, (paths, P).
        """
        size, paths = len(self.players), len(self.background)
        generator = numpy_generator(self.seed, "saliency", "orders")
        forwards = [generator.permutation(size) for _ in range((paths + 1) // 2)]
        orders = [order[::way] for order in forwards for way in (1, -1)][:paths]
        movers = torch.tensor(np.stack(orders))
        place = movers.argsort(1)
        moved = place[:, None, :] < torch.arange(size)[:, None]
        return moved.float(), movers

    def _walk(self, code: Codes, class_index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw all paths of one image and ask the teacher about every picture.

        Returns:
            Pictures as they would be saved, (paths, T + 1, C, H, W) in [−1, 1]; the measure on
            them, float64 (paths, T + 1); its gradients, of the pictures' shape. All paths end at
            one picture.
        """
        paths, steps, _ = self._shares.shape
        shares = self._shares.flatten(0, 1)[:, self._player_of]
        own = torch.stack([self.surrogate.read(code, name) for name in self.names], 1)
        start = self.background.repeat_interleave(steps, 0)
        values = torch.where(shares == 1, own, start + shares * (own - start))
        unknown = self.surrogate.intervene(
            code.repeat_interleave(len(start)), dict(zip(self.names, start.unbind(1), strict=True))
        )
        on_the_way = self.intervene(
            unknown,
            dict(zip(self.names, values.unbind(1), strict=True)),
            dict(zip(self.names, (shares > 0).unbind(1), strict=True)),
        )
        codes = Codes(
            torch.cat([on_the_way.concepts, code.concepts]),
            torch.cat([on_the_way.residual, code.residual]),
        )
        drawn = [
            self._ask(codes[i : i + AT_ONCE], class_index) for i in range(0, len(codes), AT_ONCE)
        ]
        pictures, measured, gradients = map(torch.cat, zip(*drawn, strict=True))

        def as_paths(rows: Tensor) -> Tensor:
            first = rows[:-1].unflatten(0, (paths, steps))
            return torch.cat([first, rows[-1].expand(paths, 1, *rows.shape[1:])], 1)

        return as_paths(pictures), as_paths(measured), as_paths(gradients)

    def _ask(self, codes: Codes, class_index: int) -> tuple[Tensor, Tensor, Tensor]:
        with torch.no_grad():
            pictures = to_float(to_uint8(self.surrogate.generate(codes)))
        with torch.enable_grad():
            seen = pictures.clone().requires_grad_(True)
            logits = self.classifier.logits(seen)
            task = self.classifier.task
            values = task.measures(logits) if self.measure == "margin" else logits
            values = values[:, class_index]
            (gradients,) = torch.autograd.grad(values.sum(), seen)
        return pictures, values.detach().double(), gradients

    def smooth(self, maps: np.ndarray) -> np.ndarray:
        """Blur maps (…, H, W) as parameters say, float32; what each adds up to stays as it is."""
        width = self.parameters.smoothing * maps.shape[-2]
        if width:
            maps = gaussian_filter(maps, width, mode="reflect", axes=(-2, -1))
        return maps.astype(np.float32)


def standing_out(image: np.ndarray, emphasis: float) -> Tensor:
    """Return the weight of each pixel, float (H, W), largest 1.

    Args:
        image: uint8, (C, H, W).
        emphasis: 1 − emphasis is the weight of a pixel that equals the image's median; from there
            weights rise in proportion to the distance from the median, summed over channels.
    """
    values = image.astype(np.float32)
    distance = np.abs(values - np.median(values, axis=(1, 2), keepdims=True)).sum(0)
    largest = float(distance.max()) or 1.0
    return torch.as_tensor(1 - emphasis + emphasis * distance / largest)


def parts_of_steps(
    pictures: Tensor, measured: Tensor, gradients: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Split what a measure gains along paths of pictures over steps and pixels.

    Args:
        pictures: (paths, T + 1, C, H, W).
        measured: the measure on each, (paths, T + 1).
        gradients: gradients of the measure in the pictures, of their shape.
        weights: weights of the pixels, (H, W).

    Returns:
        The parts, float64 (paths, T, H, W), channels summed, which add up to what each step
        gained; and what of it had to be shared, (paths, T). Where no pixel changes nothing can be
        gained, and the parts are 0.
    """
    middle = (gradients[:, 1:] + gradients[:, :-1]) / 2
    parts = weights * (middle * pictures.diff(dim=1)).sum(2).double()
    missed = measured.diff(dim=1) - parts.sum((2, 3))
    sizes = parts.abs()
    portions = sizes / sizes.sum((2, 3), keepdim=True).clamp_min(1e-30)
    return parts + missed[..., None, None] * portions, missed
