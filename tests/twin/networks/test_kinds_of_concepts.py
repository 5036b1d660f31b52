import json
import math

import numpy as np
import pytest
import torch

from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.networks.concept import by_feature, level_logits

SURE = 1 / (1 + math.exp(-4))  # 0.982
SMILING = Concept("smiling", "aligned", mean=0.25, std=0.5, measure="binary", levels=("no", "yes"))


def level(name: str, share: float) -> Concept:
    return Concept(
        f"colour={name}",
        "aligned",
        mean=share,
        std=0.5,
        measure="categorical",
        feature="colour",
        levels=(name,),
    )


COLOURS = [level("red", 0.5), level("green", 0.25), level("blue", 0.25)]


def mixed_surrogate() -> TwinSurrogate:
    torch.manual_seed(0)
    concepts = [
        Concept("size", "aligned", "px", mean=3.0, std=0.5),
        SMILING,
        *COLOURS,
        Concept("latent_1", "latent"),
    ]
    shape = SurrogateShape((1, 8, 8), 3, 3, 6, 2, (8, 8), style=8, hidden=8)
    return TwinSurrogate(shape, concepts).eval()


def shares(codes: Codes) -> torch.Tensor:
    """b = u·std + mean of red, green and blue."""
    return codes.concepts[:, 2:5] * 0.5 + torch.tensor([0.5, 0.25, 0.25])


def codes_of(*colours: list[float]) -> Codes:
    """Codes whose colours have the given shares and whose other concepts are 0.1."""
    concepts = torch.full((len(colours), 6), 0.1)
    concepts[:, 2:5] = (torch.tensor(colours) - torch.tensor([0.5, 0.25, 0.25])) / 0.5
    return Codes(concepts, torch.zeros(len(colours), 2))


def test_a_binary_code_is_a_probability_and_a_label_stops_short_of_certainty() -> None:
    # No is (0 − ¼)/½ = −½, yes is (1 − ¼)/½ = 1½, undecided (½ − ¼)/½ = ½.
    assert SMILING.to_units(torch.tensor([-0.5, 0.5, 1.5])).tolist() == pytest.approx(
        [1 - SURE, 0.5, SURE]
    )
    assert SMILING.to_units(1.5) == pytest.approx(SURE)
    for certain, code in ((0.0, -0.5), (1.0, 1.5)):
        assert SMILING.standardise(certain) == pytest.approx(code)
    assert SMILING.standardise(np.array([0.5])) == pytest.approx([0.5])
    between = torch.tensor([0.1, 0.7])
    assert torch.allclose(SMILING.to_units(SMILING.standardise(between)), between)


def test_levels_are_as_sure_as_a_binary_feature_whatever_their_number() -> None:
    found = level_logits(codes_of([1.0, 0.0, 0.0]).concepts[:, 2:5], COLOURS).softmax(1)
    assert found[0].tolist() == pytest.approx([SURE, (1 - SURE) / 2, (1 - SURE) / 2])


def test_probabilities_by_level() -> None:
    surrogate = mixed_surrogate()
    codes = codes_of([0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3])
    found = surrogate.probabilities(codes, "colour")
    assert list(found) == ["red", "green", "blue"]
    assert found["green"].tolist() == pytest.approx([SURE, 1 / 3])
    smiling = surrogate.probabilities(codes, "smiling")
    # 0.1 is a share of 0.3, and so a logit of 4·(0.6 − 1).
    assert smiling["yes"].tolist() == pytest.approx([1 / (1 + math.exp(1.6))] * 2)
    with pytest.raises(KeyError, match=r"'size' with levels; there are \['smiling', 'colour'\]"):
        surrogate.probabilities(codes, "size")


def test_do_a_level_sets_the_whole_group_and_nothing_else() -> None:
    surrogate = mixed_surrogate()
    codes = codes_of([0.2, 0.5, 0.3])
    moved = surrogate.intervene(codes, {"colour": "blue", "smiling": "yes"})
    assert shares(moved)[0].tolist() == pytest.approx([0, 0, 1], abs=1e-6)
    assert surrogate.read(moved, "smiling").item() == pytest.approx(1.5)
    for name in ("size", "latent_1"):
        assert torch.equal(surrogate.read(moved, name), surrogate.read(codes, name))
    with pytest.raises(
        ValueError, match=r"colour: .*'mauve'; there are \['red', 'green', 'blue'\]"
    ):
        surrogate.intervene(codes, {"colour": "mauve"})
    with pytest.raises(KeyError, match="'size' with levels"):
        surrogate.intervene(codes, {"size": "large"})


def test_one_level_moved_is_made_up_for_by_the_others_by_their_probabilities() -> None:
    surrogate = mixed_surrogate()
    codes = codes_of([0.2, 0.4, 0.4])
    moved = surrogate.intervene(codes, {"colour=red": (0.8 - 0.5) / 0.5})
    # Green and blue are equally likely, so each gives 0.3.
    assert shares(moved)[0].tolist() == pytest.approx([0.8, 0.1, 0.1], abs=1e-6)
    own = surrogate.read(codes, "colour=red")
    assert torch.allclose(surrogate.intervene(codes, {"colour=red": own}).concepts, codes.concepts)
    # Nearly all of what red gains is taken from green, which had it.
    sure = surrogate.intervene(codes_of([0.0, 1.0, 0.0]), {"colour=red": 1.0})
    part = math.exp(4 + math.log(2)) / (1 + math.exp(4 + math.log(2)))
    assert shares(sure)[0].tolist() == pytest.approx([1, 1 - part, part - 1], abs=1e-5)


def test_what_is_moved_may_differ_from_image_to_image() -> None:
    surrogate = mixed_surrogate()
    codes = codes_of([0.2, 0.4, 0.4], [0.2, 0.4, 0.4], [0.2, 0.4, 0.4])
    red, green = torch.tensor([0.8, 0.8, 0.2]), torch.tensor([0.4, 0.9, 0.4])
    values = {"colour=red": (red - 0.5) / 0.5, "colour=green": (green - 0.25) / 0.5}
    moved = {
        "colour=red": torch.tensor([True, True, False]),
        "colour=green": torch.tensor([False, True, False]),
    }
    found = shares(surrogate.intervene(codes, values, moved))
    assert found[0].tolist() == pytest.approx([0.8, 0.1, 0.1], abs=1e-6)
    assert found[1].tolist() == pytest.approx([0.8, 0.9, -0.7], abs=1e-6)
    assert found[2].tolist() == pytest.approx([0.2, 0.4, 0.4], abs=1e-6)


def test_codes_come_back_from_probabilities_beyond_a_label() -> None:
    for concept in (SMILING, COLOURS[0], Concept("size", "aligned", "px", 3.0, 0.5)):
        codes = np.array([-3.0, -0.7, 0.2, 1.4, 2.6])
        assert concept.to_code(concept.to_units(codes)) == pytest.approx(codes, abs=1e-6)


def test_what_is_moved_together() -> None:
    surrogate = mixed_surrogate()
    assert by_feature(surrogate.concepts)["colour"] == [2, 3, 4]
    assert surrogate.first_of_feature.tolist() == [0, 1, 2, 2, 2, 5]
    assert surrogate.active_features == {
        "size": ("size",),
        "smiling": ("smiling",),
        "colour": ("colour=red", "colour=green", "colour=blue"),
        "latent_1": ("latent_1",),
    }


def test_kinds_come_back_from_a_file_and_old_files_have_none() -> None:
    surrogate = mixed_surrogate()
    tensors, header = surrogate.to_weights()
    header = json.loads(json.dumps(header))
    assert TwinSurrogate.from_weights(tensors, header).concepts == surrogate.concepts
    old = {"name", "kind", "unit", "mean", "std", "low", "high", "active"}
    assert set(header["concepts"][0]) == old
    header["concepts"] = [{k: concept[k] for k in old} for concept in header["concepts"]]
    again = TwinSurrogate.from_weights(tensors, header)
    assert {concept.measure for concept in again.concepts} == {"continuous"}
