import base64
import hashlib
import html
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from glance_pipeline.config.discover import FigureParameters
from glance_pipeline.explanations.result.values import format_logits
from glance_pipeline.graph.drawing.figure import draw_graph
from glance_pipeline.graph.model.causal_graph import Edge, Node
from glance_pipeline.graph.model.evidence import Estimate
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.report import render_report
from glance_pipeline.report.cards import card
from glance_pipeline.report.overview import concept_rows
from glance_pipeline.report.pictures import Album, difference_map
from glance_pipeline.twin.networks import Concept
from helpers.report import HOSTILE, explained, graph


@pytest.fixture(scope="module")
def page():
    explanations, concepts = explained()
    return render_report(explanations, graph(), concepts)


def decode(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def without_scripts(page):
    """Return the page without its scripts and their data, of which there are six."""
    shown, count = re.subn(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    assert count == 6
    return shown


def data_of(page, name):
    """Return what a script of the page reads."""
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', page, re.DOTALL)[1])


def test_page_refers_to_nothing_outside_itself(page):
    picture = r"data:image/(webp|svg\+xml);base64,[A-Za-z0-9+/=]+"
    without_pictures = re.sub(picture, "data:", without_scripts(page))
    assert "http" not in without_pictures.replace("http-equiv", "")
    references = re.findall(r'(?:src|href)="([^"]*)"', without_pictures)
    assert {reference[0] for reference in references} == {"d", "#"}
    for reference in references:
        assert reference.startswith(("data:", "#"))
    assert "url(" not in without_pictures and "@import" not in without_pictures


def test_page_says_what_was_found(page):
    text = re.sub(r"<[^>]+>", " ", page)
    assert "2 of 2" in text
    assert "b: +1.4" in text
    assert "Predicted b (0.73). Mostly because of tilt 0.70 rad" in text
    assert "Its label is c: the classifier is wrong" in text


def test_every_picture_has_a_text_and_every_link_a_target(page):
    images = re.findall(r"<img[^>]*>", page)
    drawings = re.findall(r"<svg[^>]*>", without_scripts(page))
    assert images and all("alt=" in tag for tag in images)
    assert drawings and all("aria-" in tag for tag in drawings)
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= targets


def test_hostile_names_are_shown_as_text():
    names = (HOSTILE, '"><img src=x onerror=alert(2)>', "c")
    explanations, concepts = explained(names, source="<b>x</b>.png")
    page = render_report(explanations, graph(names), concepts)
    shown = without_scripts(page)
    assert "<script" not in shown and "<img src=x" not in page and "<b>x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert {node["label"] for node in data_of(page, "graph-data")["nodes"]} >= set(names)


def test_each_script_may_run_by_its_hash_and_no_other(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = html.unescape(policy)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert len(scripts) == 4
    assert f"script-src {' '.join(f'{chr(39)}sha256-{h}{chr(39)}' for h in hashes)};" in policy
    assert "default-src 'none'" in policy and "script-src 'unsafe-inline'" not in policy


def test_held_out_metrics_come_before_those_of_the_images():
    explanations, concepts = explained()
    metrics = {"fidelity": {"reconstruction_agreement": 0.973}, "version": "2026-11-23"}
    page = render_report(explanations, graph(), concepts, metrics)
    assert "Shares of held-out images are those of <code>metrics.json</code>, version 2026" in page
    assert "<b>97 %</b>of held-out images are called the same when redrawn" in page
    assert "images are called the same when redrawn" in page


def test_warnings_are_shown():
    explanations, concepts = explained()
    told = explanations[0].model_copy(update={"warnings": ("It is <odd>.",)})
    assert "<li>It is &lt;odd&gt;.</li>" in render_report([told], graph(), concepts)


def test_a_level_has_the_effects_that_its_feature_has_by_it():
    explanations, _ = explained()
    levels = [
        Concept(f"colour={level}", "aligned", measure="categorical", feature="colour",
                levels=(level,))
        for level in ("red", "green")
    ]  # fmt: skip
    effect = Estimate(1.4, 1.2, 1.6, "logits per sd", 0.8, 0.001, 0.002, 1.4)
    edge = Edge("colour", "prediction:b", "tail", "arrow", "intervention", None, effect, 1.0,
                verdict="used", level="red")  # fmt: skip
    nodes = (Node("colour", "aligned", "colour", levels=("red", "green")), *graph().nodes)
    rows = concept_rows(levels, replace(graph(), nodes=nodes, edges=(edge,)), explanations)
    assert {row.name: row.effects for row in rows} == {
        "colour=red": ("b: +1.4",),
        "colour=green": (),
    }


def test_a_sign_that_depends_on_another_concept_is_said_everywhere():
    explanations, concepts = explained()
    among, used = graph().edges
    turned = replace(graph(), edges=(among, replace(used, sign_depends_on={"shade": 0.9})))
    rows = {row.name: row.effects for row in concept_rows(concepts, turned, explanations)}
    assert rows["tilt"] == ("b: its sign depends on shade",)
    page = render_report(explanations, turned, concepts)
    assert "b: used, its sign depends on shade" in page
    legend = draw_graph(turned, FigureParameters()).axes[0].get_legend()
    written = [text.get_text() for text in legend.get_texts()]
    assert "used: its sign depends on another" in written


def test_a_twin_that_is_none_is_said_before_anything_else():
    explanations, concepts = explained()
    gate = Gate({"student": 0.1}, 0.6, 50)
    page = render_report(explanations, graph().behind(gate), concepts)
    text = re.sub(r"<[^>]+>|\s+", " ", html.unescape(page[page.index("<body>") :]))
    assert " ".join(text.split()).startswith(f"What the classifier looks at {gate} 2 images")
    assert "that the classifier’s answers depend on" not in text


def test_edges_are_listed_with_their_evidence(page):
    text = re.sub(r"<[^>]+>", " ", page)
    assert "tilt o-&gt; prediction:b" in text
    assert "In 90 % of 20 resamples; correlation 0.50 (0.40 to 0.60); whether shade causes" in text


def test_no_explanation_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        render_report([], graph(), ())


def test_as_many_cards_as_asked_for_and_the_rest_is_counted():
    explanations, concepts = explained()
    page = render_report(list(explanations) * 600, graph(), concepts, most_images=3)
    assert page.count("<article") == 3
    assert "the first 3 of 1,200 explained images, which its figures are of" in page
    assert "leaves out 1,197" in page and "3 of 3" in page
    assert "leaves out" not in render_report(explanations, graph(), concepts)


def test_bars_start_in_the_middle_and_the_largest_reaches_the_edge():
    explanations, _ = explained()
    bars = {bar.concept: bar for bar in card(1, explanations[1]).bars}
    assert (bars["tilt"].left, bars["tilt"].width) == (50, 50)
    contribution = explanations[1].importances.of[0].contribution
    assert bars["tilt"].value == format_logits(contribution, signed=True)


def test_pictures_survive_embedding():
    grey = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    colour = np.random.default_rng(0).integers(0, 255, (3, 4, 4), dtype=np.uint8)
    np.testing.assert_array_equal(decode(Album().single(grey))[..., 0], grey[0])
    np.testing.assert_array_equal(decode(Album().strip(colour)), colour.transpose(1, 2, 0))


def test_difference_is_red_where_brighter_and_blue_where_darker():
    before = np.array([[[0, 255, 9]]], np.uint8)
    red, blue, none = difference_map(before, np.array([[[255, 0, 9]]], np.uint8))[:, 0].T
    assert red[0] > red[2] and blue[2] > blue[0] and none.min() > 240
