"""Choices of what is held, where the classifier looks at the second of two pixels alone."""

import pytest

from glance_pipeline.graph.effects.choices import by_regression, by_smallest_change
from glance_pipeline.graph.effects.experiment import Experiment
from helpers.two_pixels import classifier_of, edge_of, images_of, surrogate_of


def test_a_reason_that_only_the_generator_makes_cannot_be_told() -> None:
    edge, words = edge_of("bright", 1.0, 0.0, 4.0)
    assert edge.effect.value == pytest.approx(1.0, rel=0.05)  # a do moves both pixels
    told = {one.choice: one for one in edge.choices}
    assert told["regauged"].value == pytest.approx(0, abs=0.15)
    assert told["smallest_change"].value == pytest.approx(0, abs=0.15)
    assert told["real_images"].value == pytest.approx(0, abs=0.15)
    assert not any(one.agrees for one in edge.choices)
    assert edge.verdict == "cannot_be_told"
    assert (edge.mark_at_source, edge.evidence) == ("circle", "intervention")
    assert edge.effect_range[1] == edge.effect.value
    assert "cannot be told" in words and "real images" in words


def test_it_would_be_used_if_nothing_else_was_asked() -> None:
    edge, _ = edge_of("bright", 1.0, 0.0, 4.0, choices=())
    assert edge.verdict == "used" and edge.choices == ()


@pytest.mark.parametrize("tangle", [0.0, 1.0, -0.5])
def test_a_true_reason_is_used_however_the_code_is_tangled(tangle: float) -> None:
    # The smallest change of the picture leaves the second pixel alone in any case.
    edge, _ = edge_of("latent_1", tangle, 0.0, 4.0)
    assert edge.verdict == "used"
    assert {one.choice for one in edge.choices} == {"smallest_change", "real_images"}
    edge, _ = edge_of("bright", 0.0, 4.0, 0.0)
    assert edge.verdict == "used" and all(one.agrees for one in edge.choices)
    assert [round(one.value, 1) for one in edge.choices] == [1.0, 1.0, 1.0]


def test_an_effect_that_what_is_held_hides_cannot_be_told() -> None:
    # The classifier looks at the difference of the pixels; do(bright) moves both alike.
    edge, _ = edge_of("bright", 1.0, 4.0, -4.0)
    assert edge.effect.value == pytest.approx(0, abs=0.1)
    assert edge.verdict == "cannot_be_told"


def test_directions_by_hand() -> None:
    surrogate, images = surrogate_of(0.7), images_of()
    codes = surrogate.encode_array(images)
    regressed = by_regression(surrogate, ["bright", "latent_1"], codes)
    assert list(regressed) == ["bright"]
    assert regressed["bright"].concepts[0, 1] == pytest.approx(-0.7, abs=0.1)
    experiment = Experiment(surrogate, classifier_of(1.0, 1.0), codes)
    smallest = by_smallest_change(experiment, ["bright", "latent_1"])
    # With the latent moved by d the second pixel moves by 0.7 + d.
    assert smallest["bright"].concepts[0, 1] == pytest.approx(-0.7, abs=0.05)
    assert smallest["bright"].concepts[0, 0] == 0
    assert smallest["latent_1"].concepts.abs().max() == 0  # it must not undo its own move
