import io

from matplotlib.colors import same_color
from matplotlib.patches import FancyBboxPatch, PathPatch

from glance_pipeline.graph.drawing.comparison_figure import COLOURS, draw_comparison
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.comparison import compare_graphs
from glance_pipeline.graph.model.records import SearchRecord
from helpers.causal_words import edge, effect


def graph(*edges: str, nodes: str = "abcde", latent: str = "", **excluded: str) -> CausalGraph:
    record = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0, excluded)
    concepts = [Node(name, "aligned", name) for name in nodes]
    concepts += [Node(name, "latent", name) for name in latent]
    return CausalGraph(tuple(concepts), tuple(map(edge, edges)), (), record)


DATA = graph("a o-o b", "b o-> c", "c o-o d", "a --> e")
PERCEIVED = graph("b o-o a", "c --> b", "a o-o d", "a o-> e")


def test_differences_by_hand():
    found = compare_graphs(PERCEIVED, DATA)
    assert found.features == tuple("abcde")
    assert found.same == (("a", "b"), ("a", "e"))  # tails and circles are not told apart
    assert found.arrowheads == (("b", "c"),)
    assert found.only_data == (("c", "d"),)
    assert found.only_perceived == (("a", "d"),)
    assert found.left_out == {}
    assert found.difference("c", "b") == "arrowheads"
    assert found.difference("b", "d") is None


def test_a_graph_is_the_same_as_itself():
    found = compare_graphs(DATA, DATA)
    assert len(found.same) == 4
    assert found.arrowheads == found.only_data == found.only_perceived == ()


def test_features_that_one_search_could_not_use_are_not_compared():
    perceived = graph("a o-o b", "b o-o z", nodes="abd", latent="z", d="constant")
    data = graph("a o-o c", "a o-o b", "b o-o e", nodes="abcde", e="no value is known")
    found = compare_graphs(perceived, data)
    assert found.features == ("a", "b")
    assert found.same == (("a", "b"),)
    assert found.only_data == found.only_perceived == ()
    assert found.left_out == {
        "c": "no active concept of the surrogate",
        "d": "among the concepts: constant",
        "e": "in the data: no value is known",
    }


def test_predictions_take_no_part():
    sink = Node("prediction:a", "prediction", "a", "logits")
    used = edge(
        "a --> prediction:a",
        evidence="intervention",
        verdict="used",
        effect=effect(1.0, 0.01, 0.5, 1.0),
    )
    with_sink = CausalGraph((*DATA.nodes, sink), (*DATA.edges, used), (), DATA.search)
    assert compare_graphs(with_sink, DATA) == compare_graphs(DATA, DATA)
    assert len(lines(draw_comparison(with_sink, DATA))) == 8


def lines(figure) -> list[PathPatch]:
    return [patch for axes in figure.axes for patch in axes.patches if isinstance(patch, PathPatch)]


def test_every_edge_is_drawn_in_its_colour():
    figure = draw_comparison(PERCEIVED, DATA)
    colours = [line.get_edgecolor()[:3] for line in lines(figure)]
    wanted = {"same": 4, "arrowheads": 2, "only_data": 1, "only_perceived": 1}
    for kind, number in wanted.items():
        assert sum(same_color(colour, COLOURS[kind]) for colour in colours) == number, kind
    boxes = [p for axes in figure.axes for p in axes.patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == 10
    buffer = io.BytesIO()
    figure.savefig(buffer)
    assert buffer.getvalue().startswith(b"\x89PNG")


def test_nothing_to_compare_can_be_drawn():
    figure = draw_comparison(graph(nodes="a"), graph(nodes="b"))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts.count("no feature can be compared") == 2
    assert figure.texts[0].get_text() == "not compared: a, b"
