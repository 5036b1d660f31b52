"""The three training stages of ``conf/base`` with untrained networks, ready for a step.

What a step costs does not depend on what the networks have learned.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kedro.config import OmegaConfigLoader

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.align import AlignParameters, ReaderParameters
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.digits.demo_classifier import DemoClassifier
from glance_pipeline.digits.sources import read_embedded_digits
from glance_pipeline.support.seeding import numpy_generator, seeded_torch
from glance_pipeline.twin.networks import Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.attribute_reader import AttributeReader
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.layers import channels_last
from glance_pipeline.twin.training.data import TrainingData

STAGES = ("distill", "disentangle", "align")
PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stage:
    """What a stage starts from.

    ``refreshed`` says how the reader is refreshed on generated images, None that it stays.
    """

    name: str
    parameters: StageParameters
    surrogate: TwinSurrogate
    critics: Critics
    classifier: Classifier
    data: TrainingData
    reader: AttributeReader | None
    refreshed: ReaderParameters | None = None

    def copies(self) -> tuple[TwinSurrogate, Critics]:
        """Return surrogate and critics to be trained."""
        return deepcopy(self.surrogate), deepcopy(self.critics)

    def judges(self) -> tuple[Classifier, AttributeReader | None]:
        """Return copies of the frozen teacher and reader."""
        # A copied teacher would look for its features in the network it was copied from.
        network = deepcopy(self.classifier.network)
        return Classifier(network, self.classifier.specification), deepcopy(self.reader)


def default_parameters(environment: str = "base") -> dict[str, Any]:
    """Return the parameters of ``conf/base`` with those of an environment over them."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"),
        environment,
        base_env="base",
        default_run_env="base",
        merge_strategy={"parameters": "soft"},
    )
    return loader["parameters"]


def untrained_stages(seed: int, images: int = 1024) -> dict[str, Stage]:
    """Return the stages by name, on real digits and context features drawn at random.

    Args:
        seed: seed of weights, order and context.
        images: how many digits.
    """
    parameters = default_parameters()
    prepare = PrepareParameters.model_validate(parameters["prepare"])
    distill = DistillParameters.model_validate(parameters["distill"])
    align = AlignParameters.model_validate(parameters["align"])
    disentangle = DisentangleParameters.model_validate(parameters["disentangle"])
    classify = ClassifyParameters.model_validate(parameters["classify"])
    rng = numpy_generator(seed, "throughput", "data")
    size, names = prepare.image_size, tuple(prepare.features)
    digits = padded(read_embedded_digits()[0], size)
    digits = digits[rng.permutation(len(digits))[:images]]
    context = torch.as_tensor(rng.standard_normal((images, len(names)), np.float32))
    sizes, image_shape = distill.surrogate, (1, size, size)
    with seeded_torch(seed, "throughput", "weights"):
        network = DemoClassifier(1, size, 10, classify.width, classify.features)
        specification = ClassifierSpecification(
            image_shape=image_shape, class_names=tuple(map(str, range(10)))
        )
        classifier = Classifier(channels_last(network), specification)
        reader = AttributeReader(names, image_shape, align.reader.widths, align.reader.hidden)
        channels_last(reader).requires_grad_(False).eval()
        shape = SurrogateShape(image_shape, 10, classify.features, **sizes.model_dump())
        aligned = replace(
            shape,
            concepts=shape.concepts + len(names),
            residual=shape.residual - len(names),
        )
        named = tuple(Concept(name, "aligned") for name in names)
        latent = TwinSurrogate(shape).concepts
        surrogate, rotated = TwinSurrogate(shape), TwinSurrogate(aligned, [*named, *latent])
        critics = Critics(image_shape, sizes.widths, shape.features)
    answers = classifier.answers(digits)
    data = TrainingData(digits, answers.logits, answers.features)
    told = replace(data, context=context)
    starts = (
        Stage("distill", distill.stage, surrogate, critics, classifier, data, None),
        Stage("disentangle", disentangle.stage, surrogate, critics, classifier, data, None),
        Stage("align", align.stage, rotated, critics, classifier, told, reader, align.reader),
    )
    return {stage.name: stage for stage in starts}


def padded(images: np.ndarray, size: int) -> np.ndarray:
    """Return digits (N, H, W) as uint8 (N, 1, size, size), on a black margin."""
    margin = size - images.shape[1]
    before = margin // 2
    sides = (before, margin - before)
    return np.pad(images, ((0, 0), sides, sides))[:, None]
