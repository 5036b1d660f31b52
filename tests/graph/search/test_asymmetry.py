import numpy as np
import pytest

from benchmarks.asymmetry import judge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.graph.search.asymmetry import METHODS, prefer
from glance_pipeline.graph.search.discovery import discover_concept_graph
from helpers.tables import table


@pytest.fixture(scope="module")
def judged():
    return judge([0, 1, 2], rows=250).set_index(["method", "intensity"]).sort_index()


@pytest.mark.parametrize("method", METHODS)
def test_both_prefer_the_reverse_of_the_renderers_truth(judged, method):
    """docs/explanation/functional_asymmetry.md: the noise enters inside a saturating link."""
    found = judged.loc[method, "grey level"]
    assert (found["preferred"] == "intensity").all()
    assert (found["p thickness first"] < 0.01).all()


def test_additive_noise_fits_either_way_on_the_logit_scale(judged):
    found = judged.loc["additive_noise", "logit"]
    assert (found[["p thickness first", "p intensity first"]] > 0.05).all(axis=None)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_direction_is_found_where_the_assumptions_hold(method, turned):
    rng = np.random.default_rng(0)
    cause = rng.uniform(-1, 1, 300)
    bend = 2 * cause**3 if method == "additive_noise" else cause
    columns = {"cause": cause, "effect": bend + 0.8 * rng.uniform(-1, 1, 300)}
    names = ["effect", "cause"] if turned else ["cause", "effect"]
    found = prefer(*names, *(columns[name] for name in names), method)  # type: ignore[call-arg]
    assert (found.source, found.target) == ("cause", "effect")
    assert found.p_source_first > 0.05 > found.p_target_first
    assert found.method == METHODS[method]


def test_suggestion_sets_no_mark():
    digits = STRUCTURAL_MODELS["collider"].draw(1000, np.random.default_rng(0))
    noise = np.random.default_rng(1).uniform(size=(2, 1000))
    given = table(**digits, other=noise[0], another=noise[0] + 0.5 * noise[1])
    settings = GraphSearchParameters(resamples=6, reexamination=None)
    plain, suggesting = (
        discover_concept_graph(given, settings.model_copy(update={"asymmetry": method}), 0, 1)
        for method in (None, "lingam")
    )
    assert list(map(str, plain.edges)) == list(map(str, suggesting.edges))
    assert [edge.suggestion for edge in plain.edges] == [None] * len(suggesting.edges)
    # Directed edges are left alone.
    assert suggesting.between("thickness", "intensity").suggestion is None
    suggestion = suggesting.between("other", "another").suggestion
    assert (suggestion.source, suggestion.target) == ("other", "another")
