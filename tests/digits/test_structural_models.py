import json

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.digits.known_models import (
    SLANT_RANGE,
    STRUCTURAL_MODELS,
    THICKNESS_RANGE,
)


def draw(scenario: str, number: int = 20_000) -> pd.DataFrame:
    return STRUCTURAL_MODELS[scenario].draw(number, np.random.default_rng(1))


@pytest.mark.parametrize("scenario", STRUCTURAL_MODELS)
def test_features_have_the_distributions_of_the_model(scenario):
    drawn = draw(scenario)
    assert drawn["thickness"].mean() == pytest.approx(0.5 + 10 / 5, abs=0.03)
    assert drawn["thickness"].std() == pytest.approx(np.sqrt(10) / 5, abs=0.03)
    assert drawn["thickness"].between(*THICKNESS_RANGE).all()
    assert drawn["slant"].mean() == pytest.approx(0, abs=0.01)
    assert drawn["slant"].between(*SLANT_RANGE).all()
    assert drawn["intensity"].between(64, 255).all()
    # Truncated, not clipped: no two digits sit on a bound.
    assert not drawn.duplicated().any()
    assert drawn["thickness"].nunique() == len(drawn)


def test_intensity_by_hand():
    standard, collider = STRUCTURAL_MODELS["standard"], STRUCTURAL_MODELS["collider"]
    assert standard.intensity(2.5, 0.3, 0.0) == 64 + 191 / 2
    assert standard.intensity(2.5, 0.0, 2.0) == pytest.approx(64 + 191 / (1 + np.exp(-1)))
    assert collider.intensity(2.5, 0.25, 0.0) == pytest.approx(64 + 191 / (1 + np.exp(-1)))


def test_what_depends_on_what():
    correlations = {name: draw(name).corr("spearman") for name in STRUCTURAL_MODELS}
    for found in correlations.values():
        assert abs(found.loc["thickness", "slant"]) < 0.03
        assert found.loc["thickness", "intensity"] > 0.5
    assert abs(correlations["standard"].loc["slant", "intensity"]) < 0.03
    assert correlations["collider"].loc["slant", "intensity"] > 0.4


@pytest.mark.parametrize("scenario", STRUCTURAL_MODELS)
def test_known_graph_is_json_and_agrees_with_itself(scenario):
    graph = json.loads(json.dumps(STRUCTURAL_MODELS[scenario].known_graph()))
    assert graph["scenario"] == scenario
    true = {frozenset(edge.values()) for edge in graph["edges"]}
    seen = {frozenset((edge["source"], edge["target"])) for edge in graph["observable_edges"]}
    assert true == seen
    assert all(node in graph["nodes"] for edge in true for node in edge)


def test_only_the_collider_shows_its_arrowheads():
    marks = {
        name: {edge.mark_at_target for edge in model.observable_edges}
        for name, model in STRUCTURAL_MODELS.items()
    }
    assert marks == {"standard": {"circle"}, "collider": {"arrow"}}
