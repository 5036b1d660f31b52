import io

from matplotlib.colors import same_color
from matplotlib.patches import FancyBboxPatch, PathPatch

from glance_pipeline.causal.evidence import Estimate
from glance_pipeline.causal.figure import NEGATIVE, POSITIVE, draw_graph
from glance_pipeline.causal.graph import CausalGraph, Edge, Node
from glance_pipeline.causal.records import InterventionRecord, SearchRecord
from glance_pipeline.config.discover import FigureParameters


def edge(source, target, strength, marks=("tail", "arrow"), verdict="used", frequency=1.0):
    evidence = "intervention" if verdict == "used" else "association"
    estimate = Estimate(strength, strength, strength, "correlation", strength)
    return Edge(source, target, *marks, evidence, estimate, estimate, frequency, verdict=verdict)


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
    assert min(line.get_alpha() for line in lines) < 0.7 < max(line.get_alpha() for line in lines)


def test_a_graph_without_edges_can_be_drawn_and_saved():
    bare = CausalGraph((Node("a", "latent", "a"),), (), (), graph().search)
    buffer = io.BytesIO()
    draw_graph(bare, FigureParameters()).savefig(buffer)
    assert buffer.getvalue().startswith(b"\x89PNG")
