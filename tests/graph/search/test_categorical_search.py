import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.algorithms.independence import ResampledTest
from glance_pipeline.graph.search.algorithms.scored import ResampledScore
from glance_pipeline.graph.search.columns import search_columns
from glance_pipeline.graph.search.correlations import Sample, associate, correlate
from glance_pipeline.graph.search.discovery import discover_concept_graph
from glance_pipeline.twin.concept_table import ConceptTable
from helpers.tables import normal, one_hot, sample_of, table

QUICK = {"resamples": 6, "reexamination": None}


def coloured(seed: int = 0, rows: int = 2000) -> ConceptTable:
    """size → colour (four levels) ← shape, and gloss apart; no order among the colours."""
    size, shape, gloss = normal(seed, rows)
    noise = np.random.default_rng(seed + 1).gumbel(size=(4, rows))
    pull = np.stack([np.zeros(rows), 1.5 * size, 1.5 * shape, -1.5 * size - 1.5 * shape])
    levels = one_hot((pull + noise).argmax(0), "colour")
    features = dict.fromkeys(levels, "colour")
    return table(features, size=size, **levels, shape=shape, gloss=gloss)


@pytest.mark.parametrize("method", ["fci", "pc", "ges", "boss"])
def test_feature_is_one_node_among_quantities(method):
    settings = GraphSearchParameters(method=method, **QUICK)
    graph = discover_concept_graph(coloured(), settings, 0, workers=1)
    mark = "o" if method == "fci" else "-"
    assert sorted(map(str, graph.edges)) == [f"shape {mark}-> colour", f"size {mark}-> colour"]
    assert [node.name for node in graph.nodes] == ["size", "colour", "shape", "gloss"]
    assert graph.node("colour").levels == ("0", "1", "2", "3")
    assert graph.node("size").levels == ()
    association = graph.between("size", "colour").association
    assert 0.3 < association.low < association.value < association.high < 1


def test_one_level_is_left_out():
    columns = search_columns(coloured())
    assert columns.names == ["size", "colour", "shape", "gloss"]
    assert [len(block) for block in columns.blocks] == [1, 3, 1, 1]
    # The others are 0 or 1, standardised; they are no normal scores.
    block = columns.scores[:, columns.blocks[1]]
    assert all(len(np.unique(column)) == 2 for column in block.T)
    assert np.linalg.cond(np.corrcoef(columns.scores, rowvar=False)) < 100


def test_likelihood_ratio_by_hand():
    """One column on two, correlations 0.3 and 0.4, the two unrelated: Λ = 1 − 0.09 − 0.16."""
    correlations = np.array([[1, 0.3, 0.4], [0.3, 1, 0], [0.4, 0, 1]])
    sample = Sample(correlations, ((0,), (1, 2)), 100.0)
    assert ResampledTest(sample, 3)(0, 1) == pytest.approx(
        stats.chi2.sf(-(100 - (1 + 2 + 3) / 2) * np.log(0.75), 2)
    )
    assert associate(sample)[0, 1] == pytest.approx(0.5)  # R = √(0.09 + 0.16)
    score = ResampledScore(sample, penalty=1.0)
    assert score.score(0, [1]) == pytest.approx(-50 * np.log(0.75) - np.log(100))
    assert score.score(1, [0]) == pytest.approx(score.score(0, [1]))


def test_likelihood_ratio_agrees_with_fisher_z_on_single_columns():
    values = normal(0, rows=400, columns=4).T
    values[:, 1] += 0.1 * values[:, 0] + values[:, 2]
    test = ResampledTest(sample_of(values), 3)
    for given in ((), (2,), (2, 3)):
        ratio = test._likelihood_ratio(0, 1, given)
        assert ratio == pytest.approx(test(0, 1, given), rel=0.05)


@pytest.mark.parametrize("given", [(), (2,)])
def test_level_with_categories(given):
    """Unrelated, or related through a third alone: 5 % of p-values are below 5 %."""
    passed, rounds = 0, 300
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=300) if given else np.zeros(300)
        levels = (rng.gumbel(size=(3, 300)) + np.outer([0, 0.5, -0.5], z)).argmax(0)
        values = np.stack([rng.normal(size=300) + z, *one_hot(levels, "c").values(), z], axis=1)
        sample = Sample(correlate(values), ((0,), (1, 2), (4,)), 300.0)
        passed += ResampledTest(sample, 3)(0, 1, given) < 0.05
    assert 0.02 <= passed / rounds <= 0.09


def test_levels_that_cannot_be_used():
    a, b, _ = normal(0)
    levels = one_hot((a > 0).astype(int) + (a > 1), "size")
    features = dict.fromkeys(levels, "size") | {"kind=only": "kind"}
    given = table(features, **levels, red=(a > 1) * 1.0, b=b, **{"kind=only": np.ones(2000)})
    columns = search_columns(given)
    assert columns.exclusions == {
        "red": "duplicate of 'size=2' (rank correlation 1.0000)",
        "kind": "constant",
    }
    # The other way round the feature goes, by name.
    turned = table(features, red=(a > 1) * 1.0, b=b, **levels, **{"kind=only": np.ones(2000)})
    assert search_columns(turned).exclusions["size"].startswith("'size=2': duplicate of 'red'")


def test_table_keeps_its_features():
    given = coloured(rows=40)
    renamed = ConceptTable(
        given.concepts.rename(columns=lambda c: c.replace("colour", 'a "b=c": d')),
        given.margins,
        {c.replace("colour", 'a "b=c": d'): k for c, k in given.kinds.items()},
        {c.replace("colour", 'a "b=c": d'): u for c, u in given.units.items()},
        {c.replace("colour", 'a "b=c": d'): 'a "b=c": d' for c in given.features},
    )
    for before in (given, renamed):
        after = ConceptTable.from_frame(before.to_frame())
        assert after.features == before.features
        assert after.nodes() == before.nodes()
        assert after.kinds == before.kinds
        assert list(after.concepts) == list(before.concepts)


def test_names_with_brackets_are_read_as_they_were_written():
    names = ["size [log]", "size [log] of box", "plain"]
    frame = pd.DataFrame({name: [1.0, 2.0] for name in names})
    units = dict(zip(names, ["px", "", "px"], strict=True))
    kinds, margins = dict.fromkeys(names, "aligned"), pd.DataFrame(index=frame.index)
    written = ConceptTable(frame, margins, kinds, units)
    read = ConceptTable.from_frame(written.to_frame())
    assert list(read.concepts) == names
    assert read.units == units
