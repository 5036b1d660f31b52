import json
from dataclasses import replace

import pytest

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.graph.model.evidence import DoseResponse, Suggestion
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words
from glance_pipeline.report.graph_view import graph_view
from helpers.report import graph

ALL = FigureParameters()
NONE = FigureParameters(used_per_class=0, associated_per_class=0)


def test_all_edges_are_there_the_strongest_first_with_their_evidence():
    view = graph_view(graph(), ALL)
    assert [edge["name"] for edge in view["edges"]] == ["tilt → b: used", "shade o-o tilt"]
    assert [edge["words"] for edge in view["edges"]] == [
        evidence_in_words(edge, graph()) for edge in reversed(graph().edges)
    ]
    ends = [(edge["source"], edge["target"]) for edge in view["edges"]]
    names = [node["name"] for node in view["nodes"]]
    assert names == ["shade", "tilt", "prediction:a", "prediction:b", "prediction:c"]
    assert ends == [(1, 3), (0, 1)]
    assert json.loads(json.dumps(view)) == view


def test_boxes_lie_in_the_columns_and_edges_meet_them():
    view = graph_view(graph(), ALL)
    for node in view["nodes"]:
        assert 0 < node["y"] - node["height"] / 2 < node["y"] + node["height"] / 2 < view["height"]
    for edge in view["edges"]:
        for end, number in enumerate((edge["source"], edge["target"])):
            node = view["nodes"][number]
            assert abs(edge["line"]["ends"][end] - node["y"]) < node["height"] / 2


@pytest.mark.parametrize(("settings", "extra"), [(ALL, False), (NONE, True)])
def test_edges_that_the_figure_leaves_out_are_extra(settings, extra):
    among, used = reversed(graph_view(graph(), settings)["edges"])
    assert used["line"]["extra"] == extra
    assert not among["line"]["extra"] and among["line"]["arc"] and not used["line"]["arc"]


def test_boxes_say_unit_and_levels():
    whole = graph()
    nodes = (replace(whole.nodes[0], levels=("red", "green"), unit=""), *whole.nodes[1:])
    shade, tilt, *_ = graph_view(replace(whole, nodes=nodes), ALL)["nodes"]
    assert shade["lines"] == ["shade", "2 levels"]
    assert shade["about"] == "concept with a context feature; red, green"
    assert tilt["lines"] == ["tilt", "[rad]"]


def test_signs_knowledge_and_suggestions():
    among, used = graph().edges
    hint = Suggestion("ANM", "tilt", "shade", 0.4, 0.01)
    curve = DoseResponse((0.0, 1.0), (1.0, 2.0), (0.0, 1.0), (2.0, 3.0), size=0.3, decisive=True)
    edges = (
        replace(among, knowledge="shade is no cause of tilt", suggestion=hint),
        replace(used, dose_response=curve, verdict="only_associated"),
    )
    by_name = {
        e["name"]: e["line"] for e in graph_view(replace(graph(), edges=edges), ALL)["edges"]
    }
    between = by_name["shade o-o tilt"]
    assert between["settled"] and between["suggested"] == "backwards"
    assert between["sign"] == "positive" and not between["dashed"]
    associated = by_name["tilt → b: only associated"]
    assert associated["sign"] == "none" and associated["dashed"]
    assert associated["suggested"] is None
