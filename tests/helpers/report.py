"""A small report of a glass box, for the tests of this folder."""

import torch

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations import LocalExplanations, Source
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes
from glance_pipeline.twin.testing import glass_box

HOSTILE = "<script>alert(1)</script>"


def by_tilt(u):
    zero = torch.zeros_like(u[:, 1])
    return torch.stack([zero + 1.0, u[:, 1], zero - 50.0], 1)


def explained(class_names=("a", "b", "c"), source="image 4"):
    surrogate, classifier = glass_box(by_tilt, class_names)
    codes = Codes(torch.tensor([[0.4, 0.2, -0.3], [0.0, 2.0, 0.0]]), torch.zeros(2, 4))
    methods = LocalExplanations(
        surrogate, classifier, torch.zeros(2, 3), ExplainParameters(steps=3)
    )
    sources = [Source(source, 4, class_names[0]), Source("image 5", 5, class_names[2])]
    return methods.explain(to_uint8(surrogate.generate(codes)), sources), surrogate.concepts


def graph(class_names=("a", "b", "c")):
    concepts = [Node("shade", "aligned", "shade", "px"), Node("tilt", "aligned", "tilt", "rad")]
    answers = [Node(f"prediction:{n}", "prediction", n, "logits") for n in class_names]
    effect = Estimate(1.4, 1.2, 1.6, "logits per sd", 0.8, 0.001, 0.002, 1.4)
    edges = (
        Edge("shade", "tilt", "circle", "circle", "association",
             Estimate(0.5, 0.4, 0.6, "correlation", 0.5), frequency=0.9),
        Edge("tilt", answers[1].name, "circle", "arrow", "intervention", None, effect,
             frequency=1.0, verdict="used"),
    )  # fmt: skip
    search = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 20, 500, 500, 0)
    return CausalGraph((*concepts, *answers), edges, (), search)
