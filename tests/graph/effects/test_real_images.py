"""What real images say: slopes, bends and products that are known by hand."""

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.graph.effects.real_images import regress_on_concepts
from glance_pipeline.twin.concept_table import ConceptTable


def table_of(columns: dict[str, np.ndarray], margin: np.ndarray, **more: object) -> ConceptTable:
    frame = pd.DataFrame(columns)
    kinds = {name: "latent" if name.startswith("latent") else "aligned" for name in columns}
    units = dict.fromkeys(columns, "")
    return ConceptTable(frame, pd.DataFrame({"yes": margin}), kinds, units, **more)


def test_slope_bend_and_product() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    b = 0.8 * a + 0.6 * b
    latent = rng.normal(size=4000)
    margin = 2 * a + 0.5 * (b**2) + 0.7 * a * b + latent + 0.1 * rng.normal(size=4000)
    found = regress_on_concepts(table_of({"a": a * 3 + 5, "b": b, "latent_1": latent}, margin))
    assert found.slopes["a"].value[0] == pytest.approx(2, abs=0.1)
    # It goes along with a, and has nothing of its own on average.
    assert found.slopes["b"].value[0] == pytest.approx(0, abs=0.1)
    assert found.slopes["b"].bend[0] == pytest.approx(0.5, abs=0.1)
    assert found.slopes["latent_1"].value[0] == pytest.approx(1, abs=0.02)
    value, error = found.products["a", "b"]
    assert value[0] == pytest.approx(0.7, abs=0.15) and 0 < error[0] < 0.1
    low, high = found.slopes["b"].interval(0)[1:]
    assert low < 0 < high


def test_an_aligned_concept_is_not_told_by_latent_ones() -> None:
    # A latent that repeats the aligned concept would take its slope away.
    rng = np.random.default_rng(1)
    a = rng.normal(size=2000)
    latent = a + 0.1 * rng.normal(size=2000)
    found = regress_on_concepts(table_of({"a": a, "latent_1": latent}, 2 * latent))
    assert found.slopes["a"].value[0] == pytest.approx(2, abs=0.05)
    assert found.slopes["latent_1"].value[0] == pytest.approx(2, abs=0.05)


def test_levels_are_taken_beside_other_features_and_not_beside_each_other() -> None:
    rng = np.random.default_rng(2)
    level = rng.integers(0, 3, 3000)
    other = rng.normal(size=3000) + level
    columns = {f"kind={k}": (level == k).astype(float) for k in range(3)}
    features = dict.fromkeys(columns, "kind")
    margin = other + 2.0 * (level == 2)
    found = regress_on_concepts(table_of({**columns, "other": other}, margin, features=features))
    assert found.slopes["other"].value[0] == pytest.approx(other.std(), abs=0.1)
    assert found.slopes["kind=2"].value[0] == pytest.approx(2 * (level == 2).std(), abs=0.1)
    assert found.slopes["kind=0"].value[0] < 0


def test_products_are_left_out_where_rows_are_few() -> None:
    rng = np.random.default_rng(3)
    columns = {f"c{k}": rng.normal(size=100) for k in range(4)}
    found = regress_on_concepts(table_of(columns, columns["c0"]))
    assert found.products == {} and set(found.slopes) == set(columns)


def test_latent_concepts_alone() -> None:
    rng = np.random.default_rng(4)
    latent = rng.normal(size=500)
    found = regress_on_concepts(table_of({"latent_1": latent}, 3 * latent))
    assert found.slopes["latent_1"].value[0] == pytest.approx(3 * latent.std())


def test_a_feature_of_two_values_has_all_of_its_slope_and_no_bend() -> None:
    rng = np.random.default_rng(5)
    smile = (rng.random(2000) < 0.2).astype(float)
    other = rng.normal(size=2000)
    margin = 3 * smile + other + 0.1 * rng.normal(size=2000)
    found = regress_on_concepts(table_of({"smile": smile, "other": other}, margin))
    assert found.slopes["smile"].value[0] == pytest.approx(3 * smile.std(), abs=0.02)
    low, high = found.slopes["smile"].interval(0)[1:]
    assert high - low < 0.05
    assert found.slopes["smile"].bend[0] == 0
