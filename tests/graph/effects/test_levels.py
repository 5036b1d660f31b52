import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.discover import DiscoverParameters, InterventionParameters
from glance_pipeline.graph.effects.average_effects import measure_effects
from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.prediction_edges import add_predictions
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.pipelines.discover import nodes
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate

LEVELS = ("red", "green", "blue")
FREQUENCY = np.array([0.5, 0.3, 0.2])


class Coloured(TwinSurrogate):
    """Pixel k is the share of level k, 0 or 1, brought to [−1, 1]; pixel 3 a tenth of the size."""

    def encode(self, images: Tensor) -> Codes:
        shares = (images[:, 0, 0, :3] + 1) / 2
        std = torch.tensor([c.std for c in self.concepts[:3]])
        mean = torch.tensor([c.mean for c in self.concepts[:3]])
        size = images[:, 0, 0, 3:4] * 10
        return Codes(torch.cat([(shares - mean) / std, size], 1), torch.zeros(len(images), 4))

    def generate(self, codes: Codes) -> Tensor:
        std = torch.tensor([c.std for c in self.concepts[:3]])
        mean = torch.tensor([c.mean for c in self.concepts[:3]])
        images = -torch.ones(len(codes), 1, 8, 8)
        images[:, 0, 0, :3] = 2 * (codes.concepts[:, :3] * std + mean) - 1
        images[:, 0, 0, 3] = codes.concepts[:, 3] / 10
        return images


class Weighted(nn.Module):
    """Margins ± (red: 1, green: 0, blue: −2) for images in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 2, bias=False)
        weights = torch.zeros(2, 64)
        weights[:, :3] = torch.tensor([[0.5, 0.0, -1.0], [-0.5, 0.0, 1.0]])
        self.linear.weight.data = weights

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(images.flatten(1))


@pytest.fixture(scope="module")
def world():
    """300 images of a colour that decides and a size that does not, and who drew and reads them."""
    spread = np.sqrt(FREQUENCY * (1 - FREQUENCY))
    concepts = [
        Concept(
            f"colour={name}",
            "aligned",
            mean=p,
            std=s,
            low=-p / s,
            high=(1 - p) / s,
            measure="categorical",
            feature="colour",
            levels=(name,),
        )
        for name, p, s in zip(LEVELS, FREQUENCY.tolist(), spread.tolist(), strict=True)
    ]
    concepts.append(Concept("size", "aligned", "px"))
    shape = SurrogateShape((1, 8, 8), 2, 64, 4, 4, (8, 8), 16, 2, 16)
    surrogate = Coloured(shape, concepts).eval()
    specification = ClassifierSpecification(image_shape=(1, 8, 8), class_names=("yes", "no"))
    classifier = Classifier(Weighted(), specification)
    rng = np.random.default_rng(0)
    shares = np.eye(3)[rng.choice(3, 300, p=FREQUENCY)]
    size = rng.normal(size=(300, 1)).clip(-2.4, 2.4)
    codes = np.hstack([(shares - FREQUENCY) / spread, size])
    images = to_uint8(surrogate.generate(Codes(torch.tensor(codes).float(), torch.zeros(300, 4))))
    return surrogate, classifier, images, shares, size


@pytest.fixture(scope="module")
def coloured(world):
    surrogate, classifier, images, shares, size = world
    concepts = surrogate.concepts
    margin = shares @ [1.0, 0.0, -2.0]
    table = ConceptTable(
        pd.DataFrame(np.hstack([shares, size]), columns=[c.name for c in concepts]),
        pd.DataFrame({"yes": margin, "no": -margin}),
        {c.name: "aligned" for c in concepts},
        {c.name: c.unit for c in concepts},
    )
    features = {f"colour={name}": "colour" for name in LEVELS}
    settings = InterventionParameters(resamples=100, doses=3)
    experiment = Experiment.on(images, surrogate, classifier)
    measured = measure_effects(
        experiment, surrogate.active_concepts, settings, 0, features=features
    )
    assert measured.exclusions == {}
    return measured, table, np.sqrt(FREQUENCY * (1 - FREQUENCY))


def test_effect_of_each_level_by_hand(coloured):
    """do(blue) leads to −2, the others by their frequency to (0.5·1 + 0.3·0) / 0.8 = 0.625."""
    measured, _, spread = coloured
    effects = measured.nodes["colour"].effects
    assert list(effects) == [f"colour={name}" for name in LEVELS]
    contrasts = np.array([1 - (0.2 * -2) / 0.5, 0 - (0.5 - 0.4) / 0.7, -2 - 0.5 / 0.8])
    found = [effects[f"colour={name}"].value[0] for name in LEVELS]
    assert found == pytest.approx(contrasts * spread, abs=1e-4)
    response = measured.nodes["colour"].response
    assert response.levels == LEVELS
    assert response.margins[:, 0] == pytest.approx([1, 0, -2], abs=1e-4)
    assert list(measured.nodes) == ["colour", "size"]


def test_the_feature_is_one_node_whose_edge_names_its_strongest_level(coloured):
    measured, table, _ = coloured
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 1, 300, 1, 0)
    both = (Node("colour", "aligned", "colour", levels=LEVELS), Node("size", "aligned", "size"))
    graph = add_predictions(
        CausalGraph(both, (), (), record),
        table,
        measured,
        InterventionParameters(),
    )
    edge = graph.between("colour", "prediction:yes")
    assert (edge.verdict, edge.level) == ("used", "blue")
    assert edge.effect.value < 0 < graph.between("colour", "prediction:no").effect.value
    assert edge.dose_response.levels == LEVELS
    assert edge.dose_response.size is None
    assert graph.intervention.tests == 4 * 2
    assert graph.intervention.curve_tests == 2  # of the size alone
    assert [e.source for e in graph.rejected] == ["size", "size"]
    assert CausalGraph.from_json(graph.to_json()) == graph


def test_a_categorical_feature_goes_through_the_whole_of_discover(world):
    surrogate, classifier, images, *_ = world
    parameters = DiscoverParameters.model_validate(
        {"search": {"resamples": 3}, "structural_model": {"permutations": 2}}
    )
    records = pd.DataFrame({"split": ["test"] * len(images)})
    concepts = nodes.infer_concepts_of_all_images(
        surrogate, classifier, images, records, parameters
    )
    assert concepts.nodes() == {"colour": tuple(f"colour={n}" for n in LEVELS), "size": ("size",)}
    among = nodes.discover_causal_graph_among_concepts(concepts, parameters, 0, 1)
    graph = nodes.test_concepts_by_intervention(
        graph=among,
        gate=Gate({}, None, len(images)),
        concepts=concepts,
        surrogate=surrogate,
        classifier=classifier,
        images=images,
        records=records,
        context_features=pd.DataFrame(index=range(len(images))),
        parameters=parameters,
        seed=0,
    )
    assert graph.node("colour").levels == LEVELS
    assert graph.between("colour", "prediction:yes").level == "blue"
    assert graph.between("size", "prediction:yes") is None
    models = nodes.fit_structural_models(concepts, graph, parameters, 0)
    assert "colour" in models.exclusions
    assert "do(colour = blue)" in nodes.list_edges_by_strength(graph)["in_words"].iloc[0]
    assert nodes.export_causal_graph(graph).nodes["colour"]
