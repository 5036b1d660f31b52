"""What moved beside the concept: a world whose right answer is known by hand."""

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.graph.effects.experiment import Experiment
from glance_pipeline.graph.effects.unnamed import Unnamed, find_unnamed
from glance_pipeline.twin.concept_table import ConceptTable
from helpers.two_pixels import classifier_of, edge_of, images_of, surrogate_of


def squares(count: int = 1500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bright squares: how bright each is, and how far to the right; the two go together (0.8)."""
    rng = np.random.default_rng(0)
    light = rng.uniform(-1, 1, count)
    place = 0.8 * light + 0.6 * rng.uniform(-1, 1, count)
    images = np.zeros((count, 1, 16, 16), np.uint8)
    for image, one, left in zip(images, light, place, strict=True):
        at = round(6 + 3.5 * left)
        image[0, 6:10, at : at + 4] = round(160 + 80 * one)
    return images, light, place


def table_of(light: np.ndarray, margin: np.ndarray) -> ConceptTable:
    return ConceptTable(
        pd.DataFrame({"light": light}),
        pd.DataFrame({"yes": margin}),
        {"light": "aligned"},
        {"light": ""},
    )


def test_a_property_that_no_feature_tells_has_the_slope_and_one_that_is_told_is_named() -> None:
    images, light, place = squares()
    found = find_unnamed(images, table_of(light, 2 * place))
    slopes = dict(zip(found.names, found.slopes[:, 0], strict=True))
    assert "brightness" not in slopes and "contrast" not in slopes  # light tells them
    assert "upper left corner" not in slopes  # it never changes
    assert max(slopes, key=lambda name: abs(slopes[name])) == "centre across"
    assert slopes["centre across"] == pytest.approx(2 * place.std(), rel=0.15)


def test_a_reason_in_the_table_leaves_nothing_to_what_is_unnamed() -> None:
    images, light, _ = squares()
    found = find_unnamed(images, table_of(light, 2 * light))
    assert np.abs(found.slopes).max() < 0.1


def test_how_far_it_moved_and_what_went_with_it() -> None:
    images = images_of()
    surrogate = surrogate_of(1.0)
    experiment = Experiment.on(images[:100], surrogate, classifier_of(0.0, 4.0), [0])
    unnamed = Unnamed(("brightness",), np.array([0.001]), np.array([[0.5]]))
    # One standard deviation moves two of 64 pixels by an eighth of the whole range of grey levels.
    assert unnamed.moved(experiment, "bright", 1.0)[0] == pytest.approx(
        2 / 8 / 64 / 0.001, rel=0.03
    )
    assert unnamed.shares(np.array([3.0])) == pytest.approx(np.array([[1.5]]))


def test_an_effect_that_goes_with_what_is_unnamed_cannot_be_told() -> None:
    # Both pixels move; the picture's brightness is said to be what the classifier looks at.
    spread = 2 / 8 / 64
    alone = {"choices": ("unnamed_held",)}
    unnamed = Unnamed(("brightness", "contrast"), np.array([spread, 1e3]), np.array([[1.0], [0.0]]))
    edge, words = edge_of("bright", 1.0, 0.0, 4.0, unnamed=unnamed, **alone)
    assert edge.verdict == "cannot_be_told"
    (moved,) = edge.moved  # contrast hardly moved
    assert moved.property == "brightness"
    assert moved.by == pytest.approx(1, abs=0.05) and moved.share == pytest.approx(1, abs=0.05)
    assert "moved what no feature names: brightness (1.0" in words
    harmless = Unnamed(("brightness",), np.array([spread]), np.array([[0.0]]))
    edge, _ = edge_of("bright", 1.0, 0.0, 4.0, unnamed=harmless, **alone)
    assert edge.verdict == "used" and edge.moved[0].share == 0


def test_without_any_aligned_concept_all_properties_are_unnamed() -> None:
    images, _, place = squares()
    latent = pd.DataFrame({"latent_1": place})
    table = ConceptTable(latent, pd.DataFrame({"yes": place}), {"latent_1": "latent"}, {})
    assert {"brightness", "centre across"} <= set(find_unnamed(images, table).names)
