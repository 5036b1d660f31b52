"""When one way of reading images is clearly better than another, and which classes fit labels."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, ttest_rel
from torch import Tensor

ALPHA = 0.01
"""Chance that something is called clearly worse than the best although it is as good."""

_PAIR = 0.05
_TEMPERATURES = torch.logspace(0, 1.7, 12)  # 1 … 50


def as_good(one: np.ndarray, other: np.ndarray) -> bool:
    """Say whether one way may well be right as often as another, by the same test at 5 %.

    Args:
        one: whether it is right, bool (n,).
        other: likewise, of the same images.
    """
    wins, losses = int((one & ~other).sum()), int((other & ~one).sum())
    return wins >= losses or bool(binomtest(wins, wins + losses).pvalue >= _PAIR)


def as_likely(one: np.ndarray, other: np.ndarray) -> bool:
    """Say whether labels may well be as likely under one way as another, by a paired t test at 5 %.

    Args:
        one: logarithms of the labels' probabilities, (n,).
        other: likewise, of the same images.
    """
    if len(one) < 2 or np.allclose(one, other):
        return True
    return bool(ttest_rel(one, other, alternative="less").pvalue >= _PAIR)


def clearly_better(one: np.ndarray, other: np.ndarray, tests: int) -> bool:
    """Say whether one way is right on more images than another by McNemar's exact test.

    Args:
        one: whether it is right, bool (n,).
        other: likewise, of the same images.
        tests: number that share ``ALPHA`` (Bonferroni).
    """
    wins, losses = int((one & ~other).sum()), int((other & ~one).sum())
    if wins <= losses:
        return False
    return bool(binomtest(wins, wins + losses).pvalue * tests < ALPHA)


def better_than_chance(right: np.ndarray, frequent: float) -> bool:
    """Say whether more images are right than by always the most frequent label, exactly, at 1 %.

    Args:
        right: bool (n,).
        frequent: share of that label.
    """
    found = binomtest(int(right.sum()), len(right), frequent, alternative="greater")
    return bool(found.pvalue < ALPHA)


def likelihoods_of(logits: Tensor, numbers: np.ndarray) -> np.ndarray:
    """Return logarithms of the probabilities of the labels, nats, at the best temperature.

    A temperature is fitted, since a network that reads images too strongly is only too sure.

    Args:
        logits: (n, K).
        numbers: numbers of the answers that the labels stand for, int (n,); images whose label
            stands for none (−1) are left out.
    """
    known = numbers >= 0
    rows = torch.from_numpy(known)
    told = torch.from_numpy(numbers[known])[:, None]
    said = logits[rows] - logits[rows].amax(1, keepdim=True)
    each = [(said / t).log_softmax(1).gather(1, told)[:, 0] for t in _TEMPERATURES.tolist()]
    return max(each, key=lambda found: float(found.sum())).double().numpy()


def decidedness(logits: Tensor) -> float:
    """Return how sure and how varied answers are: their information on the image, bits.

    The entropy of the mean answer less the mean entropy of the answers. A network that reads images
    too strongly is sure of one class for all of them, one that reads them too faintly is unsure.

    Args:
        logits: (n, K).
    """
    shares = logits.double().softmax(1)
    mean = shares.mean(0)
    entropies = -torch.special.xlogy(shares, shares).sum(1)
    total = -torch.special.xlogy(mean, mean).sum()
    return float((total - entropies.mean()) / np.log(2))


def matching(
    answers: np.ndarray, labels: np.ndarray, count: int
) -> tuple[dict[str, int], np.ndarray]:
    """Match labels with answers one to one so that most images are right.

    Args:
        answers: number of the answer, int (n,).
        labels: their values, (n,).
        count: K of the answers.

    Returns:
        The answer that fits each label; and whether images of the second half are right by the
        matching of the first half alone, bool.
    """
    half = len(answers) // 2
    numbers = _matched(answers[:half], labels[:half], count)
    rest = zip(answers[half:], labels[half:], strict=True)
    fits = np.array([numbers.get(label) == answer for answer, label in rest], dtype=bool)
    return _matched(answers, labels, count), fits


def _matched(answers: np.ndarray, labels: np.ndarray, count: int) -> dict[str, int]:
    values = sorted(set(labels))
    place = {value: number for number, value in enumerate(values)}
    table = np.zeros((len(values), count))
    for label, answer in zip(labels, answers, strict=True):
        table[place[label], answer] += 1
    rows, columns = linear_sum_assignment(table, maximize=True)
    return {values[row]: int(column) for row, column in zip(rows, columns, strict=True)}
