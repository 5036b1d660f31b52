"""The classifier that a caller hands to ``Explainer.fit`` or ``Explainer.load``."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from torch import nn

from glance_pipeline.classifiers.black_box import BlackBox, Queries
from glance_pipeline.classifiers.classifier import Classifier, on_device
from glance_pipeline.classifiers.forms.callables import read_callable
from glance_pipeline.classifiers.specification import specify
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.support.compute import chosen_device
from glance_pipeline.support.errors import UserError, fields_in_words

GivenClassifier = Classifier | nn.Module | Callable[[np.ndarray], Any] | str | Path
"""A network, a black box that maps float32 arrays (N, C, H, W) to outputs (N, K), or a file."""


def teacher_of(
    given: GivenClassifier, told: Mapping[str, Any], image_shape: tuple[int, ...]
) -> Callable[[], Classifier]:
    """Return what makes the classifier anew, so that nobody shares one that is being trained on.

    The caller's own network stays as it is: in its mode, on its device, with its gradients.

    Args:
        given: an ``nn.Module``, a callable, a ``Classifier``, or the path of a file that is data
            alone (ONNX, transformers, or the safetensors of a network of this project).
        told: fields of ``ClassifierSpecification``.
        image_shape: (C, H, W) of the images, which is ``image_shape`` where ``told`` says none.

    Raises:
        UserError: if it is none of these, or there is a specification twice or not at all.
    """
    if isinstance(given, Classifier):
        if told:
            raise UserError(f"specification: found {dict(told)}, but the Classifier has its own")
        return lambda: _on_device(_copied(given))
    wanted = {"image_shape": list(image_shape), **told}
    if isinstance(given, str | Path):
        return ClassifierDataset(filepath=str(given), specification=wanted).load
    if inspect_failure := _why_not(given):
        raise UserError(inspect_failure)
    if "class_names" not in wanted:
        raise UserError(
            "specification: class_names is missing; wanted a name for each output, in their "
            "order: specification={'class_names': ['cat', 'dog']}"
        )
    name = getattr(given, "__qualname__", type(given).__qualname__)
    queries = Queries(origin=f"classifier {name}")
    return lambda: _on_device(_made(given, name, wanted, queries))


def _why_not(given: Any) -> str:
    """Say why something cannot be a classifier; empty if it can."""
    wanted = "wanted an nn.Module, a callable, a Classifier or the path of a file"
    if isinstance(given, type):
        return f"classifier: found the class {given.__name__}, {wanted}: make one of it first"
    return "" if callable(given) else f"classifier: found {type(given).__name__}, {wanted}"


def _made(given: Any, name: str, wanted: Mapping[str, Any], queries: Queries) -> Classifier:
    try:
        mine = copy.deepcopy(given) if isinstance(given, nn.Module) else given
        source = read_callable(mine, name, None, queries)
        return Classifier(source.network, specify(source.known, wanted), f"classifier {name}")
    except ValidationError as error:
        raise UserError(f"classifier {name}: specification: {fields_in_words(error)}") from error
    except UserError:
        raise
    except (ValueError, RuntimeError) as error:
        raise UserError(f"classifier {name}: {error}") from error


def _copied(given: Classifier) -> Classifier:
    network = given.network
    mine = network if isinstance(network, BlackBox) else copy.deepcopy(network)
    return Classifier(mine, given.specification, given.origin)


def _on_device(classifier: Classifier) -> Classifier:
    return on_device(classifier, chosen_device())
