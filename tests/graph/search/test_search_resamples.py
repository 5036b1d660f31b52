import numpy as np
import pytest
from joblib import parallel_config

from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.bootstrap import search_resamples
from glance_pipeline.graph.search.discovery import discover_concept_graph
from helpers.tables import dense, normal, nothing_known, table


def resampled(workers: int, method: str = "fci"):
    """Dense columns, so that FCI walks through sets whose order depends on hashes."""
    scores = dense(0, nodes=7)
    settings = GraphSearchParameters(method=method, resamples=4, rows_per_resample=400)
    blocks = tuple((column,) for column in range(7))
    return search_resamples(scores, blocks, settings, nothing_known(7), seed=5, workers=workers)


@pytest.mark.parametrize("method", ["fci", "boss"])
def test_same_bytes_for_any_number_of_workers_and_backend(method):
    one = resampled(1, method)
    with parallel_config(backend="loky"):
        two = resampled(2, method)
    with parallel_config(backend="threading"):
        threads = resampled(3, method)
    for other in (two, threads):
        assert one.marks.tobytes() == other.marks.tobytes()
        assert one.correlations.tobytes() == other.correlations.tobytes()
    assert not np.array_equal(one.correlations[0], one.correlations[1])


def test_same_bytes_through_dask():
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client:
        assert client
        with parallel_config(backend="dask"):
            through_dask = resampled(2)
    assert resampled(1).marks.tobytes() == through_dask.marks.tobytes()


def test_resamples_are_in_their_order():
    """The same four first resamples, however many there are."""
    scores, blocks = dense(0, nodes=7), tuple((column,) for column in range(7))
    few, many = (
        search_resamples(
            scores,
            blocks,
            GraphSearchParameters(resamples=number),
            nothing_known(7),
            seed=5,
            workers=1,
        )
        for number in (2, 4)
    )
    assert np.array_equal(many.marks[:2], few.marks)
    assert np.array_equal(many.correlations[:2], few.correlations)


def test_graph_is_the_same_with_threads():
    a, b, c, d = normal(0, rows=600, columns=4)
    given = table(a=a, b=a + b, c=a + b + c, d=np.tanh(a + d))
    settings = GraphSearchParameters(resamples=4, reexamination_rows=500, reexamination_sets=2)
    graph = discover_concept_graph(given, settings, 1, workers=1)
    with parallel_config(backend="threading"):
        threaded = discover_concept_graph(given, settings, 1, workers=2)
    assert graph.to_json() == threaded.to_json()
    assert any(edge.reexamination for edge in graph.edges)


@pytest.mark.parametrize("method", ["fci", "pc", "ges", "boss"])
def test_only_our_progress_bar_is_printed(method, capfd, recwarn):
    a, b, c = normal(0, rows=600)
    settings = GraphSearchParameters(
        method=method, resamples=2, reexamination_rows=500, asymmetry="lingam"
    )
    discover_concept_graph(table(a=a, b=a + b, c=a + b + c), settings, 0, workers=1)
    out, error = capfd.readouterr()
    assert out == ""
    titles = ("causal search", "re-examination", "functional asymmetry")
    lines = [line for line in error.replace("\r", "\n").split("\n") if line.strip()]
    assert all(line.startswith(titles) for line in lines)
    assert not recwarn.list
