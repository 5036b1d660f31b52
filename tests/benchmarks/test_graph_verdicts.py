import numpy as np
import pytest
import torch

from benchmarks.graph.planted import LIMIT, Plan, draw_pixels, margin_of, planted
from benchmarks.graph.redrawn import RedrawnDigits, draw_features
from benchmarks.graph.verdicts import follow, planted_edges
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.digits.measure import measure_digits
from glance_pipeline.pipelines.prepare.nodes import read_and_shuffle_source_digits

SMALL = Plan(nulls=4, effects=2, background=1.5)


def test_planted_effects_are_as_large_as_planned():
    """On fresh images, by the teacher's own answers: 0.1 from one sd below to one sd above."""
    surrogate, classifier = planted(SMALL, 3)
    codes = surrogate.encode_array(draw_pixels(4000, np.random.default_rng(0)))
    own = surrogate.read(codes, "planted_1")
    yes = [
        classifier.logits(
            surrogate.generate(
                surrogate.intervene(codes, {"planted_1": (own + step).clamp(-LIMIT, LIMIT)})
            )
        )
        .softmax(1)[:, 1]
        .mean()
        .item()
        for step in (1.0, -1.0)
    ]
    assert yes[0] - yes[1] == pytest.approx(0.1, abs=0.01)


def test_margin_by_hand():
    """One null u₀ and one planted u₁, their signs r₀ = 2, r₁ = −1, and the background."""
    plan = Plan(nulls=1, effects=1, background=3.0)
    values = torch.zeros(1, 64)
    values[0, :5] = torch.tensor([1.0, 0.5, 2.0, -1.0, 0.1])
    # 0.4 · (u₁ + r₀ u₀ + r₁ u₁) + 3 · 0.1
    assert margin_of(values, plan, 0.4).item() == pytest.approx(0.4 * (0.5 + 2.0 - 0.5) + 0.3)


def test_verdicts_on_planted_concepts():
    verdicts = {edge.source: edge.verdict for edge in planted_edges(1, SMALL)}
    assert verdicts == {f"null_{i}": "neither" for i in range(4)} | {
        f"planted_{i}": "used" for i in range(2)
    }


def test_redrawn_digits_are_what_they_are_set_to():
    sources, _ = read_and_shuffle_source_digits(PrepareParameters(number_of_images=6), 0)
    features = draw_features(6, np.random.default_rng(0))
    surrogate = RedrawnDigits(sources, features, 32, 1)
    codes = surrogate.encode_array(surrogate.images)
    assert codes.residual[:, 0].tolist() == list(range(6))
    again = surrogate.generate_batched(codes)
    assert ((again + 1) * 127.5).numpy() == pytest.approx(surrogate.images, abs=1)
    thicker = surrogate.intervene(codes, {"thickness": 1.0})
    drawn = ((surrogate.generate(thicker) + 1) * 127.5).round().byte().numpy()
    measured = measure_digits(drawn, n_jobs=1, progress=False)
    wanted = surrogate.concept("thickness").to_units(1.0)
    assert measured["thickness"].median() == pytest.approx(wanted, abs=0.15)
    assert measured["intensity"].to_numpy() == pytest.approx(
        features["intensity"].to_numpy(), abs=6
    )


def test_features_follow_one_another_as_said():
    features = draw_features(5000, np.random.default_rng(1))
    assert features["thickness"].corr(features["intensity"]) == pytest.approx(0.8, abs=0.02)
    assert abs(features["slant"].corr(features["intensity"])) < 0.05


def test_a_follower_is_only_associated():
    found = follow(0, digits=50, redrawn=10)
    assert found.verdicts["thickness"] == "used"
    assert found.verdicts["intensity"] == "only_associated"
    assert abs(found.effect) < 0.05
