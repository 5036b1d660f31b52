import math

import pytest

from glance_pipeline.explanations.result.explanation import Change
from glance_pipeline.explanations.result.overlay import overlay
from glance_pipeline.report import render_report
from glance_pipeline.report.cards import card
from glance_pipeline.report.pictures import Album
from glance_pipeline.report.strips import slider_texts, strip_on_page
from helpers.report import explained, graph


@pytest.fixture(scope="module")
def one():
    """The second image: tilt 2 sd = 0.70 rad, called b."""
    return explained()[0][1]


def strip_of(one, name):
    return next(strip for strip in one.strips if strip.concept == name)


@pytest.mark.parametrize(
    ("own", "start"), [(-9.0, 0), (-0.3, 0), (-0.2, 1), (0.4, 1), (0.5, 2), (9.0, 2)]
)
def test_a_slider_starts_at_the_nearest_frame(one, own, start):
    assert strip_of(one, "tilt").values == pytest.approx((-0.65, 0.1, 0.85), abs=1e-6)
    values = tuple(
        value.model_copy(update={"value": own}) if value.name == "tilt" else value
        for value in one.concepts
    )
    changed = one.model_copy(update={"concepts": values})
    assert strip_on_page(strip_of(one, "tilt"), changed, Album()).start == start


def test_a_slider_says_what_the_explanation_says(one):
    wide = strip_of(one, "tilt").model_copy(update={"values": (-0.64, 0.11, 0.86)})
    (texts,) = slider_texts([strip_on_page(wide, one, Album())])
    assert texts["concept"] == "tilt"
    said = [(value, *other) for value, _, *other in texts["frames"]]
    assert said == [("−0.6 rad", "a"), ("0.1 rad", "a"), ("0.9 rad",)]  # the image is called b
    # u = −2.5, 0, 2.5, drawn in 8 bits; logits 1, u, −50; so p(b) = 1 / (1 + exp(1 − u))
    expected = [1 / (1 + math.exp(1 - u)) for u in (-2.5, 0, 2.5)]
    assert [float(frame[1]) for frame in texts["frames"]] == pytest.approx(expected, abs=0.02)


def test_the_strip_of_a_level_belongs_to_its_feature(one):
    values = tuple(
        value.model_copy(update={"feature": "colour"}) if value.name == "shade" else value
        for value in one.concepts
    )
    changed = one.model_copy(update={"concepts": values})
    assert strip_on_page(strip_of(one, "shade"), changed, Album()).node == "colour"
    assert strip_on_page(strip_of(one, "tilt"), changed, Album()).node == "tilt"


def test_the_page_says_which_effect_it_shows(one):
    concepts = explained()[1]
    assert "One concept moved, the rest held" in render_report([one], graph(), concepts)
    causal = one.model_copy(update={"effect": "causal"})
    page = render_report([causal], graph(), concepts)
    assert "One concept moved, what depends on it follows" in page
    assert "the rest held" not in page


def test_what_follows_a_change_and_in_how_many_graphs_it_holds_is_shown(one):
    first = one.counterfactuals.found[0].model_copy(
        update={
            "following": (
                Change(concept="shade", unit="px", before=3.0, after=2.0, standard_deviations=-2),
            ),
            "graphs_agreeing": 0.75,
            "warnings": ("Far <out>.",),
        }
    )
    found = one.counterfactuals.model_copy(update={"found": (first,)})
    changed = one.model_copy(update={"counterfactuals": found})
    assert card(1, changed).alternatives[0].following == (("shade", "3.0 px", "2.0 px"),)
    page = render_report([changed], graph(), explained()[1])
    assert "shade follows, 3.0 px → <b>2.0 px</b>" in page
    assert "The same answer in 75 % of the graphs that the marks allow." in page
    assert "Far &lt;out&gt;." in page


def test_saliency_is_shown_where_there_is_one(one):
    concepts = explained()[1]
    assert card(1, one).saliency == Album().strip(overlay(one.original, one.saliency.map))
    assert "Where it matters" in render_report([one], graph(), concepts)
    without = one.model_copy(update={"saliency": None})
    assert card(1, without).saliency is None
    assert "Where it matters" not in render_report([without], graph(), concepts)


@pytest.mark.parametrize("is_probability", [False, True])
def test_only_probabilities_are_said_to_go_from_no_to_yes(one, is_probability):
    """The unit does not tell them: a continuous feature may be measured in percent too."""
    told = {"unit": "%", "is_probability": is_probability}
    wide = strip_of(one, "tilt").model_copy(update={"values": (0.0, 50.0, 100.0), **told})
    concepts = tuple(value.model_copy(update=told) for value in one.concepts)
    strips = tuple(wide if strip.concept == "tilt" else strip for strip in one.strips)
    changed = one.model_copy(update={"concepts": concepts, "strips": strips})
    (texts,) = slider_texts([strip_on_page(wide, changed, Album())])
    ends = ("under 1 %", "over 99 %") if is_probability else ("0 %", "100 %")
    assert (texts["frames"][0][0], texts["frames"][-1][0]) == ends
    page = render_report([changed], graph(), explained()[1])
    assert ("in percent from a clear no to a clear yes" in page) is is_probability
