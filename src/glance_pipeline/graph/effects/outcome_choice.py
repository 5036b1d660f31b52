"""Which outputs a causal graph has predictions of, where the classifier has too many for all."""

import logging
from collections.abc import Sequence

import numpy as np
import torch

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.classifiers.task import Task
from glance_pipeline.config.discover import MOST_OUTCOMES, Outcomes
from glance_pipeline.images.form import AT_ONCE, to_float
from glance_pipeline.support.did_you_mean import known_instead
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)

_NAMED = 50  # classes that the log names


def check_outcomes(outcomes: Outcomes, task: Task) -> None:
    """Raise ``UserError`` if the parameter names what is no output, or asks for too many."""
    one, several = task.nouns
    if isinstance(outcomes, int) and outcomes > len(task.names):
        raise UserError(
            f"discover.outcomes: found {outcomes}, wanted at most {len(task.names)}, the number "
            f"of the classifier's {several}; null takes all of them where they are few"
        )
    if outcomes is None or isinstance(outcomes, int):
        return
    known = set(task.names)
    for name in outcomes:
        if name not in known:
            raise UserError(
                f"discover.outcomes: the classifier has no {one} {name!r}; "
                f"{known_instead(name, task.names)}"
            )


def choose_outcomes(
    outcomes: Outcomes, classifier: Classifier, images: np.ndarray, held_out: np.ndarray
) -> tuple[int, ...]:
    """Return the numbers of the outputs that are predictions of the graph, rising.

    Where a number of classes is wanted those are taken that the teacher calls the most images;
    of classes with equally many, those that are nearest to it, by their mean margin. Labels are
    taken likewise that most images have; of numbers the first. The log names them.

    Args:
        outcomes: names; a number; or None, which takes all outputs up to ``MOST_OUTCOMES`` and
            else that many of those that some image is called.
        classifier: the teacher.
        images: uint8 (N, C, H, W).
        held_out: rows of those that are counted, where a choice is needed.

    Raises:
        UserError: if a name is unknown, or more are wanted than there are.
        ValueError: if a choice is needed and there is no image.
    """
    task, names = classifier.task, classifier.class_names
    check_outcomes(outcomes, task)
    if isinstance(outcomes, tuple):
        numbers = {name: number for number, name in enumerate(names)}
        return tuple(sorted(numbers[name] for name in outcomes))
    most = MOST_OUTCOMES if outcomes is None else outcomes
    if len(names) <= most:
        return tuple(range(len(names)))
    if not len(held_out):
        raise ValueError(
            f"discover.outcomes: the most frequent {most} of {len(names):,} {task.nouns[1]} are "
            "wanted, but no image has the split 'test' to count them on"
        )
    called, nearness = _frequencies(classifier, images, held_out)
    # lexsort goes by its last key first.
    order = np.lexsort((np.zeros(len(called)) if task.kind == "values" else -nearness, -called))
    order = order[:most]
    if outcomes is None:
        order = order[called[order] > 0]
    chosen = tuple(sorted(order.tolist()))
    _log(task, chosen, called, len(held_out))
    return chosen


def numbers_of(labels: Sequence[str], task: Task) -> list[int]:
    """Return the number of each output whose margins a table has.

    Raises:
        ValueError: if the classifier has no such output, as after another one was trained.
    """
    numbers = {name: number for number, name in enumerate(task.names)}
    strange = [label for label in labels if label not in numbers]
    if strange:
        raise ValueError(
            f"concepts: found margins of the {task.nouns[0]} {strange[0]!r}, which the classifier "
            "does not have: run the pipeline discover from its start"
        )
    return [numbers[label] for label in labels]


@torch.no_grad()
def _frequencies(
    classifier: Classifier, images: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many images each output is called for, int64 (K,), and its mean margin, (K,)."""
    classes = len(classifier.class_names)
    called, total = torch.zeros(classes, dtype=torch.int64), torch.zeros(classes).double()
    for start in range(0, len(rows), AT_ONCE):
        batch = to_float(images[rows[start : start + AT_ONCE]])
        logits = classifier.logits(batch)
        called += classifier.task.called(logits).sum(0).cpu()
        total += classifier.task.measures(logits).double().sum(0).cpu()
    return called.numpy(), (total / len(rows)).numpy()


def _log(task: Task, chosen: Sequence[int], called: np.ndarray, images: int) -> None:
    names, several = task.names, task.nouns[1]
    which = {
        "one_of": f"those that {called[list(chosen)].sum()} of {images} held-out images are called",
        "each": f"those that most of {images} held-out images have",
        "values": "the first",
    }[task.kind]
    more = f", … ({len(chosen) - _NAMED} more)" if len(chosen) > _NAMED else ""
    logger.info(
        "predictions of the graph: %d of %s %s, %s: %s%s; %s are left out (discover.outcomes)",
        len(chosen),
        f"{len(names):,}",
        several,
        which,
        ", ".join(names[number] for number in chosen[:_NAMED]),
        more,
        f"{len(names) - len(chosen):,}",
    )
