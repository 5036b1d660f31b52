"""A world of two pixels whose right answer is known by hand.

The image has two pixels, drawn independently. The concept ``bright`` is the first; the latent
concept is the second pixel minus ``tangle`` times ``bright``: with it held, an intervention on
``bright`` moves the second pixel too.
"""

import numpy as np
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.discover import InterventionParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.effects.unnamed import Unnamed
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.twin.inference import infer_concepts
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate

GREY = 128 / 127.5 - 1


class TwoPixels(TwinSurrogate):
    """Pixel 0 is a quarter of ``bright``, pixel 1 of ``latent_1`` + tangle × ``bright``."""

    tangle = 0.0

    def encode(self, images: Tensor) -> Codes:
        first, second = images[:, 0, 0, 0] * 4, images[:, 0, 0, 1] * 4
        concepts = torch.stack([first, second - self.tangle * first], 1)
        return Codes(concepts, images.new_zeros(len(images), 4))

    def generate(self, codes: Codes) -> Tensor:
        images = torch.full((len(codes), 1, 8, 8), GREY)
        bright, latent = codes.concepts.T
        images[:, 0, 0, 0] = bright / 4
        images[:, 0, 0, 1] = (latent + self.tangle * bright) / 4
        return images


def surrogate_of(tangle: float) -> TwoPixels:
    concepts = [
        Concept("bright", "aligned", "px", low=-2.0, high=2.0),
        Concept("latent_1", "latent", low=-2.0, high=2.0),
    ]
    surrogate = TwoPixels(SurrogateShape((1, 8, 8), 2, 64, 2, 4, (8, 8), 16, 2, 16), concepts)
    surrogate.tangle = tangle
    return surrogate.eval()


def classifier_of(*weights: float) -> Classifier:
    """Its logit of yes is a weighted sum of the two pixels."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.zero_()
        network[1].weight[0, :2] = torch.tensor(weights)
    specification = ClassifierSpecification(
        image_shape=(1, 8, 8), class_names=("yes", "no"), mean=(0.5,), std=(0.5,)
    )
    return Classifier(network, specification)


def images_of(count: int = 600) -> np.ndarray:
    images = np.full((count, 1, 8, 8), 128, np.uint8)  # GREY
    pixels = np.random.default_rng(0).normal(0, 0.25, (count, 2)).clip(-0.9, 0.9)
    images[:, 0, 0, :2] = np.round((pixels + 1) * 127.5)
    return images


def edge_of(
    name: str, tangle: float, *weights: float, unnamed: Unnamed | None = None, **settings: object
) -> tuple[Edge, str]:
    """Return the edge from a concept to yes, and its words."""
    surrogate, classifier = surrogate_of(tangle), classifier_of(*weights)
    images = images_of()
    table = infer_concepts(surrogate, classifier, images, [0])
    nodes = tuple(Node(n, table.kinds[n], n) for n in table.concepts)
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, len(images), 1, 0)
    experiment = Experiment.on(images[:200], surrogate, classifier, [0])
    parameters = InterventionParameters(resamples=100, doses=0, **settings)
    found = measure_effects(
        experiment,
        list(table.concepts),
        parameters,
        0,
        background=surrogate.encode_array(images),
        unnamed=unnamed,
    )
    graph = add_predictions(CausalGraph(nodes, (), (), record), table, found, parameters)
    (edge,) = (e for e in (*graph.edges, *graph.rejected) if e.source == name)
    assert CausalGraph.from_json(graph.to_json()) == graph
    return edge, evidence_in_words(edge, graph)
