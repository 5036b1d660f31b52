import io
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from scipy.spatial.distance import pdist

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.graph.drawing.figure import draw_graph
from glance_pipeline.graph.drawing.figure_edges import INK, NEGATIVE, POSITIVE, SETTLED
from glance_pipeline.graph.drawing.figure_text import node_lines
from glance_pipeline.graph.model.causal_graph import CausalGraph, Edge, Node
from glance_pipeline.graph.model.evidence import DoseResponse, Estimate, Interaction, Suggestion
from glance_pipeline.graph.model.records import InterventionRecord, SearchRecord


def edge(source, target, strength, marks=("tail", "arrow"), verdict="used", frequency=1.0):
    evidence = "intervention" if verdict == "used" else "association"
    estimate = Estimate(strength, strength, strength, "correlation", strength)
    return Edge(source, target, *marks, evidence, estimate, estimate, frequency, verdict=verdict)  # type: ignore[call-arg, misc]


def graph() -> CausalGraph:
    concepts = [Node("a", "aligned", "a", "px"), Node("b", "latent", "b"), Node("c", "latent", "c")]
    sinks = [Node(f"prediction:{k}", "prediction", str(k), "logits") for k in range(2)]
    edges = [
        edge("a", "b", 0.6, ("circle", "arrow"), None, 0.5),
        edge("a", "prediction:0", 0.9),
        edge("b", "prediction:0", -0.5),
        edge("c", "prediction:0", 0.1),
        edge("c", "prediction:1", -0.3, ("circle", "arrow"), "only_associated", None),
    ]
    search = SearchRecord("FCI", "Fisher-Z", 0.01, 0.5, 3, 10, 100, 100, 0)
    record = InterventionRecord(5, 1.0, 50, 0.05, "Holm", 6, 0.05, 0.1, 0)
    return CausalGraph((*concepts, *sinks), tuple(edges), (), search, record)


def drawn(figure) -> list[PathPatch]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, PathPatch)]


def test_every_node_is_a_box_and_the_strongest_edges_are_lines():
    figure = draw_graph(graph(), FigureParameters(used_per_class=2))
    boxes = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == 5
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"a\n[px]", "b", "c", "0", "1"} <= texts
    assert len(drawn(figure)) == 4  # one among concepts, two used for class 0, one associated


def test_width_colour_opacity_and_dashes_have_their_meanings():
    lines = drawn(draw_graph(graph(), FigureParameters()))
    widths = sorted(line.get_linewidth() for line in lines)
    assert widths[-1] == 0.8 + 4.5 * 0.9
    colours = [line.get_edgecolor() for line in lines]
    assert sum(same_color(colour[:3], NEGATIVE) for colour in colours) == 2
    assert sum(same_color(colour[:3], POSITIVE) for colour in colours) == 3
    assert sum(line.get_linestyle() != "solid" for line in lines) == 1
    assert min(line.get_alpha() for line in lines) < 0.7 < max(line.get_alpha() for line in lines)  # type: ignore[type-var]


def test_a_graph_without_edges_can_be_drawn_and_saved():
    bare = CausalGraph((Node("a", "latent", "a"),), (), (), graph().search)
    buffer = io.BytesIO()
    draw_graph(bare, FigureParameters()).savefig(buffer)
    assert buffer.getvalue().startswith(b"\x89PNG")


def arrows(figure) -> list[FancyArrowPatch]:
    return [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]


def marks_of_colour(figure, colour: str) -> list[str]:
    lines = figure.axes[0].lines
    return sorted(line.get_marker() for line in lines if same_color(line.get_color(), colour))


@pytest.mark.parametrize(("source", "target", "points_up"), [("a", "b", False), ("b", "a", True)])
def test_a_suggestion_is_a_dotted_arrow_from_cause_to_effect(source, target, points_up):
    given = edge("a", "b", 0.6, ("circle", "circle"), None, 0.5)
    hint = Suggestion("LiNGAM", source, target, 0.4, 0.001)
    figure = draw_graph(
        replace(graph(), edges=(replace(given, suggestion=hint),)), FigureParameters()
    )
    (arrow,) = arrows(figure)
    assert arrow.get_linestyle() != "solid"
    first, *_, last = arrow._path_original.vertices  # type: ignore[attr-defined]
    assert (last[1] > first[1]) == points_up  # a lies above b
    assert arrows(draw_graph(graph(), FigureParameters())) == []


def test_marks_from_knowledge_are_black_and_a_tail_becomes_a_bar():
    given = edge("a", "b", 0.6, ("tail", "arrow"), None, 0.5)
    bare = draw_graph(replace(graph(), edges=(given,)), FigureParameters())
    assert marks_of_colour(bare, SETTLED) == []
    assert marks_of_colour(bare, POSITIVE) == [">"]
    known = replace(given, knowledge="a is a cause of b")
    figure = draw_graph(replace(graph(), edges=(known,)), FigureParameters())
    assert marks_of_colour(figure, SETTLED) == [">", "s"]
    open_end = replace(known, mark_at_source="circle")
    figure = draw_graph(replace(graph(), edges=(open_end,)), FigureParameters())
    assert marks_of_colour(figure, SETTLED) == [">"]
    assert marks_of_colour(figure, POSITIVE) == ["o"]


def test_a_concept_used_for_its_curve_has_no_sign():
    curve = DoseResponse((-1, 0, 1), (2, 0, 2), (0,) * 3, (0,) * 3, size=0.3, decisive=True)
    given = replace(edge("a", "prediction:0", 0.01), dose_response=curve)
    (line,) = drawn(draw_graph(replace(graph(), edges=(given,)), FigureParameters()))
    assert same_color(line.get_edgecolor()[:3], INK)
    assert line.get_linewidth() == 0.8 + 4.5 * 0.3


def test_strongest_interactions_are_listed():
    effect = Estimate(0.4, 0.3, 0.5, "logits per sd²", 0.1)
    joint = tuple(Interaction(pair, "prediction:1", effect) for pair in (("a", "b"), ("a", "c")))
    figure = draw_graph(replace(graph(), interactions=joint), FigureParameters(interactions=1))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "Interactions, 1 strongest of 2" in texts
    assert "a × b → 1: +0.40 logits per sd²" in texts
    assert not any("a × c" in text for text in texts)


def test_no_two_edges_meet_a_box_at_the_same_place():
    """Sixteen concepts, each joined with each, and ten classes: boxes grow, none overlap."""
    concepts = [Node(f"c{k}", "latent", f"c{k}") for k in range(16)]
    sinks = [Node(f"prediction:{k}", "prediction", str(k), "logits") for k in range(10)]
    edges = [edge(a.name, b.name, 0.5, ("circle", "circle"), None)
             for a, b in combinations(concepts, 2)]  # fmt: skip
    edges += [edge(c.name, s.name, 0.5) for c in concepts for s in sinks]
    given = replace(graph(), nodes=(*concepts, *sinks), edges=tuple(edges))
    figure = draw_graph(given, FigureParameters(used_per_class=16))
    places = [line.get_xydata()[0] for line in figure.axes[0].lines]
    assert len(places) == 2 * 120 + 160  # tails have no mark
    distances = pdist(np.array(places))
    assert distances.min() > 0.13
    boxes = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    for first, second in combinations(boxes, 2):
        if first.get_x() == second.get_x():
            gap = abs(first.get_y() + first.get_height() / 2
                      - second.get_y() - second.get_height() / 2)  # fmt: skip
            assert gap > (first.get_height() + second.get_height()) / 2


def test_long_labels_are_wrapped_and_levels_counted():
    node = Node("a", "aligned", "a very long name of a feature indeed and more", "", ("x", "y"))
    figure = draw_graph(replace(graph(), nodes=(node,), edges=()), FigureParameters())
    (label,) = [t.get_text() for t in figure.axes[0].texts if "levels" in t.get_text()]
    assert label == "a very long name of\na feature indeed…\n2 levels"


def test_the_title_counts_the_classes_that_are_left_out():
    few = graph()
    shown = len(few.of_kind("prediction"))
    many = replace(few, intervention=replace(few.intervention, other_classes=9_000))  # type: ignore[type-var]
    for one, said in ((few, False), (many, True)):
        texts = " ".join(t.get_text() for t in draw_graph(one, FigureParameters()).axes[0].texts)
        assert (f", {shown} of {shown + 9_000:,} classes drawn" in texts) is said


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Mouth_Slightly_Open", ["Mouth_", "Slightly_Open"]),
        ("High_Cheekbones", ["High_", "Cheekbones"]),
        ("x-ray_dose", ["x-ray_dose"]),
    ],
)
def test_a_long_name_is_broken_after_an_underscore(name, lines):
    assert node_lines(Node(name, "aligned", name), 14) == lines
