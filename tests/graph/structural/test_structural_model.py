from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError, Version
from scipy.special import expit, logit

from glance_pipeline.config.discover import StructuralModelParameters
from glance_pipeline.datasets import StructuralModelsDataset
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.twin.concept_table import ConceptTable

MARKS = {"-": "tail", "<": "arrow", ">": "arrow", "o": "circle"}
SEARCH = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0)
PLAIN = StructuralModelParameters(permutations=0)


def table(columns: dict[str, np.ndarray], **units: str) -> ConceptTable:
    return ConceptTable(
        pd.DataFrame(columns),
        pd.DataFrame({"yes": np.zeros(len(next(iter(columns.values()))))}),
        dict.fromkeys(columns, "aligned"),
        {name: units.get(name, "px") for name in columns},
    )


def graph(columns, *edges: str) -> CausalGraph:
    read = []
    for text in edges:
        source, marks, target = text.split()
        read.append(Edge(source, target, MARKS[marks[0]], MARKS[marks[-1]], "association"))
    nodes = tuple(Node(name, "aligned", name) for name in columns)
    return CausalGraph(nodes, tuple(read), (), SEARCH)


def chain(number: int = 3000) -> dict[str, np.ndarray]:
    """a → b → c, with b = 2a + noise and c = b − a + noise; d by itself."""
    rng = np.random.default_rng(0)
    a, d = rng.normal(5, 1, number), rng.normal(size=number)
    b = 2 * a + rng.normal(0, 0.5, number)
    return {"a": a, "b": b, "c": b - a + rng.normal(0, 0.5, number), "d": d}


@pytest.fixture(scope="module")
def models() -> StructuralModels:
    columns = chain()
    edges = ("a --> b", "b --> c", "a --> c")
    return StructuralModels.fit(table(columns), graph(columns, *edges), PLAIN, 0)


def test_counterfactuals_of_a_linear_model_are_known(models):
    """Abduction keeps each row's noise: b moves by 2 Δa, c by Δb − Δa; d and a's causes stay."""
    rows = models.observed.iloc[:40].set_index(np.arange(100, 140))
    moved = rows["a"] + 0.5
    (found,) = models.counterfactual(rows, {"a": moved.to_numpy()})
    assert (found["a"] == moved).all()
    # Ridge and splines bend a straight line a little.
    assert (found["b"] - rows["b"]).to_numpy() == pytest.approx(np.full(40, 1.0), abs=0.1)
    assert (found["c"] - rows["c"]).to_numpy() == pytest.approx(np.full(40, 0.5), abs=0.15)
    assert (found["d"] == rows["d"]).all()
    (found,) = models.counterfactual(rows, {"b": 11.0})
    assert (found["a"] == rows["a"]).all()
    assert (found["c"] - rows["c"]).to_numpy() == pytest.approx(11 - rows["b"], abs=0.3)
    (same,) = models.counterfactual(rows, {"a": rows["a"].to_numpy()})
    pd.testing.assert_frame_equal(same, rows, check_names=False)


def test_the_renderers_own_counterfactuals_are_carried_over():
    """Its noise enters inside a link, which additive noise only comes near to."""
    known, rng = STRUCTURAL_MODELS["standard"], np.random.default_rng(0)
    features, noise = known.draw(3000, rng), rng.standard_normal(3000)
    features["intensity"] = known.intensity(features["thickness"], features["slant"], noise)
    columns = {name: features[name].to_numpy() for name in features}
    models = StructuralModels.fit(
        table(columns), graph(columns, "thickness --> intensity"), PLAIN, 0
    )
    wanted = rng.permutation(columns["thickness"])
    truth = known.intensity(wanted, columns["slant"], noise)
    (found,) = models.counterfactual(features, {"thickness": wanted})
    error = np.abs(found["intensity"] - truth).mean()
    assert error < 0.15 * np.abs(features["intensity"] - truth).mean()
    assert found["slant"].equals(features["slant"])


def test_effects_of_a_linear_model_are_known(models):
    assert models.effects("a", "b").by_graph == pytest.approx([2.0], rel=0.05)
    assert models.effects("a", "c").by_graph == pytest.approx([1.0], rel=0.1)  # 2 − 1
    assert models.effects("c", "a") == (0.0, 0.0, (0.0,))
    assert models.effects("d", "a").high == 0.0


def test_interventions_draw_from_the_distribution(models):
    (drawn,) = models.intervene({"b": 12.0}, 4000, 1)
    assert (drawn["b"] == 12.0).all()
    assert drawn["a"].mean() == pytest.approx(5, abs=0.1)  # its cause does not follow
    assert (drawn["c"] + drawn["a"]).mean() == pytest.approx(12.0, abs=0.1)
    state = np.random.get_state()[1]  # noqa: NPY002
    pd.testing.assert_frame_equal(models.intervene({"b": 12.0}, 4000, 1)[0], drawn)
    assert not models.intervene({"b": 12.0}, 4000, 2)[0].equals(drawn)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_effect_is_a_range_where_the_direction_is_open():
    columns = chain()
    models = StructuralModels.fit(table(columns), graph(columns, "a o-o b"), PLAIN, 0)
    forward, backward = models.effects("a", "b"), models.effects("b", "a")
    assert forward.low == backward.low == 0.0
    assert forward.high == pytest.approx(2.0, rel=0.05)
    # The regression of a on b: cov / var = 2 / 4.25, for one standard deviation of b.
    assert backward.high == pytest.approx(2 / np.sqrt(4.25), rel=0.05)
    confounded = StructuralModels.fit(table(columns), graph(columns, "a <-> b"), PLAIN, 0)
    assert confounded.effects("a", "b")[:2] == (0.0, 0.0)


def test_probabilities_stay_probabilities():
    rng = np.random.default_rng(0)
    a = rng.normal(size=2000)
    share = expit(2 * a + rng.normal(size=2000))
    columns = {"a": a, "smiling": share}
    models = StructuralModels.fit(
        table(columns, smiling=""), graph(columns, "a --> smiling"), PLAIN, 0
    )
    assert models.shares == ("smiling",)
    rows = models.observed.iloc[:50]
    (found,) = models.counterfactual(rows, {"a": rows["a"].to_numpy() + 1})
    assert logit(found["smiling"]).to_numpy() == pytest.approx(
        logit(rows["smiling"]).to_numpy() + 2, abs=0.5
    )
    assert ((found["smiling"] > 0) & (found["smiling"] < 1)).all()
    (drawn,) = models.intervene({"smiling": 1.0}, 10, 0)
    assert (drawn["smiling"] == 1.0).all()


def test_saved_and_loaded_models_predict_the_same_bytes(tmp_path):
    columns = chain(500)
    settings = StructuralModelParameters(permutations=2, falsification_rows=100)
    edges = ("a o-o b", "b o-> c")
    models = StructuralModels.fit(table(columns), graph(columns, *edges), settings, 0)
    path = f"{tmp_path}/structural_models"
    StructuralModelsDataset(filepath=path, version=Version(None, "v1")).save(models)
    loaded: Any = StructuralModelsDataset(filepath=path, version=Version(None, None)).load()
    rows = models.observed.iloc[:20]
    for one, other in zip(
        models.counterfactual(rows, {"b": 9.0}), loaded.counterfactual(rows, {"b": 9.0}),
        strict=True,
    ):  # fmt: skip
        assert one.to_numpy().tobytes() == other.to_numpy().tobytes()
    assert models.intervene({"a": 4.0}, 9, 0)[1].equals(loaded.intervene({"a": 4.0}, 9, 0)[1])
    assert models.effects("b", "c") == loaded.effects("b", "c")
    assert (loaded.allowed, loaded.falsification) == (models.allowed, models.falsification)
    assert loaded.falsification.permutations == 2
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(DatasetError, match="no complete safetensors file"):
        StructuralModelsDataset(filepath=path, version=Version(None, None)).load()


def test_a_wrong_graph_is_falsified_and_the_right_one_is_not(capfd):
    """Of a → b → c the collider a → b ← c implies a ⫫ c, which is far from true."""
    columns = {name: chain()[name] for name in "abd"} | {"c": chain()["b"] ** 2 / 20}
    columns["c"] += np.random.default_rng(1).normal(0, 0.3, 3000)
    settings = StructuralModelParameters(permutations=24, falsification_rows=500)
    right, wrong = (
        StructuralModels.fit(table(columns), graph(columns, *edges), settings, 0).falsification
        for edges in (("a --> b", "b --> c"), ("a --> b", "c --> b"))
    )
    assert right.violations / right.tests < 0.2 < wrong.violations / wrong.tests
    assert right.p_value <= wrong.p_value
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_modelled_is_named(models):
    levels = {f"f={level}": chain(200)["d"] for level in ("red", "blue")}
    given = replace(
        table(chain(200) | {"e": np.ones(200)} | levels), features=dict.fromkeys(levels, "f")
    )
    nodes = (*graph("abcde").nodes, Node("f", "aligned", "f", levels=("red", "blue")))
    fitted = StructuralModels.fit(given, CausalGraph(nodes, (), (), SEARCH), PLAIN, 0)
    assert fitted.exclusions == {
        "e": "constant",
        "f": "a categorical feature, which has no additive noise",
    }
    with pytest.raises(ValueError, match=r"'f': 'a categorical.*cannot be set; one of \['a'"):
        fitted.counterfactual(fitted.observed, {"f": 1.0})
    with pytest.raises(ValueError, match=r"\['b'\] are wanted as well"):
        models.counterfactual(models.observed.drop(columns="b"), {"a": 1.0})
    with pytest.raises(ValueError, match="both cause and effect"):
        models.effects("a", "a")
