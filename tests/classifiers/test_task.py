import math

import pytest
import torch
import torch.nn.functional as F

from glance_pipeline.classifiers.task import Each, OneOf, OutputSaid, Said, Values, cohens_kappa

NAMES = ("red", "large", "left")


def test_labels_are_decided_each_by_itself():
    task = Each(NAMES)
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -0.25]])
    decided = task.decisions(logits)
    assert decided.tolist() == [[True, False, True], [False, True, False]]
    assert task.in_question(logits).tolist() == [2, 0]
    assert task.measures(logits, [2, 0]).tolist() == [[0.5, 2.0], [-0.25, 0.0]]
    other = torch.tensor([[True, False, True], [False, True, True]])
    assert task.same(decided, other).tolist() == [True, False]
    found = task.agreement(other, decided)
    assert found == {"agreement": 0.5, "label_agreement": pytest.approx(5 / 6)}


def test_labels_are_apart_by_the_mean_of_their_divergences():
    # Of ½ and ¾: ½ ln(½ / ¾) + ½ ln(½ / ¼) = ½ ln(4/3). The other label is as wanted.
    wanted, found = torch.tensor([[0.0, 1.5]]), torch.tensor([[math.log(3), 1.5]])
    apart = float(Each(("a", "b")).divergence(wanted, found))
    assert apart == pytest.approx(0.5 * math.log(4 / 3) / 2)
    assert float(Each(("a", "b")).divergence(torch.tensor([[60.0, -60.0]]), found)) < 40
    torch.manual_seed(0)
    some, others = torch.randn(5, 2), torch.randn(5, 2)
    p = some.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(some, p)
    wanted_here = F.binary_cross_entropy_with_logits(others, p) - entropy
    torch.testing.assert_close(Each(("a", "b")).divergence(some, others), wanted_here)


def test_numbers_are_the_same_within_a_quarter_of_their_spread():
    task = Values(("size", "angle"), ("px", "°"), (4.0, 20.0))
    wanted = torch.tensor([[10.0, 90.0], [12.0, 80.0], [14.0, 100.0]])
    found = wanted + torch.tensor([[1.0, -5.0], [1.1, 0.0], [0.0, 5.1]])
    assert task.same(found, wanted).tolist() == [True, False, False]
    # R² of the first: 1 − (1 + 1.21) / 8; of the second: 1 − (25 + 26.01) / 200.
    r2 = (1 - 2.21 / 8 + 1 - 51.01 / 200) / 2
    agreement = task.agreement(found, wanted)
    assert agreement == {"agreement": pytest.approx(1 / 3), "r2": pytest.approx(r2)}
    constant = task.agreement(torch.ones(2, 2), torch.ones(2, 2))
    assert constant == {"agreement": 1.0}  # and no R², which is not defined
    # In spreads the errors are 0.25, 0.275, 0, −0.25, 0, 0.255: half their mean square.
    squares = 2 * 0.25**2 + 0.275**2 + 0.255**2
    assert float(task.divergence(wanted, found)) == pytest.approx(squares / 2 / 6)
    far = Values(("size",), (), (2.0,)).divergence(torch.tensor([[0.0]]), torch.tensor([[20.0]]))
    assert float(far) == pytest.approx(10 - 0.5)


def test_without_a_spread_numbers_are_not_compared():
    with pytest.raises(RuntimeError, match=r"spread of the answers .* is not known"):
        Values(("size",)).same(torch.ones(1, 1), torch.ones(1, 1))
    scaled = Values(("size",), ("px",)).scaled(torch.tensor([2.0]))
    assert scaled.same(torch.ones(1, 1), torch.tensor([[1.5]])).tolist() == [True]
    assert OneOf(NAMES).scaled(torch.ones(3)) == OneOf(NAMES)


def test_answers_are_said_in_words():
    said = OneOf(NAMES).said(torch.tensor([math.log(3), 0.0, -math.inf]))
    assert said == Said("red", pytest.approx(0.75))
    said = Each(NAMES).said(torch.tensor([math.log(3), -1.0, 0.5]))
    assert (said.name, said.probability) == ("red, left", None)
    assert said.outputs[0] == OutputSaid("red", pytest.approx(0.75), on=True)
    assert not said.outputs[1].on
    assert Each(NAMES).said(torch.full((3,), -1.0)).name == "no label"
    assert Values(("size",), ("px",)).said(torch.tensor([12.345])).name == "12.3 px"
    said = Values(("size", "angle"), ()).said(torch.tensor([-0.5, 1234.0]))
    assert said.name == "size −0.500, angle 1234"


def test_units_stand_for_one_or_for_all():
    assert Values(("a", "b"), ("px",)).unit_of(1) == "px"
    assert Values(("a", "b"), ("px", "s")).unit_of(1) == "s"
    assert Values(("a", "b")).unit_of(1) == ""
    assert (OneOf(NAMES).unit_of(0), Each(NAMES).unit_of(0)) == ("logits", "logits")


def test_skill_is_what_is_beyond_chance():
    # Cohen's own kind of table, by hand: 0.7 agree; by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5.
    found = torch.tensor([0] * 5 + [1] * 5)
    wanted = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 0, 0])
    assert cohens_kappa(found, wanted) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert cohens_kappa(found, found) == 1
    # 90 of 100 agree, and all by always saying the same.
    rare = torch.tensor([1] * 10 + [0] * 90)
    assert cohens_kappa(torch.zeros(100, dtype=torch.int64), rare) == pytest.approx(0)
    assert cohens_kappa(torch.ones(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)) is None
    assert OneOf(("a", "b")).skill(found, wanted) == pytest.approx(0.4)


def test_skill_of_labels_is_the_mean_of_those_that_change():
    task = Each(("a", "b", "c"))
    wanted = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]).bool()
    found = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]]).bool()
    assert task.skill(found, wanted) == pytest.approx((1 - 1) / 2)
    assert task.skill(wanted, wanted) == 1
    assert task.skill(wanted[:, 2:], wanted[:, 2:]) is None


def test_skill_of_numbers_is_r2():
    task = Values(("age",), spread=(1.0,))
    wanted = torch.tensor([[1.0], [2.0], [3.0]])
    assert task.skill(wanted.mean(0).expand(3, 1), wanted) == pytest.approx(0)
    assert task.skill(torch.tensor([[1.0], [2.0], [4.0]]), wanted) == pytest.approx(0.5)
    assert task.skill(wanted, torch.ones(3, 1)) is None
