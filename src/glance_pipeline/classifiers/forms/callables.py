"""Teachers that are Python: anything that can be imported and called."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import BlackBox, Queries
from glance_pipeline.classifiers.forms.building import in_float32
from glance_pipeline.support.errors import UserError


def read_callable(
    found: Any, name: str, arguments: dict[str, Any] | None, queries: Queries
) -> LoadedNetwork:
    """Make a teacher of what an import path led to.

    A class is instantiated, and whatever else it is called where ``arguments`` are given: it then
    makes the teacher. The result answers with gradients where it is an ``nn.Module``; any other
    callable is a black box, which maps float32 arrays (N, C, H, W), normalised, to outputs (N, K),
    or to a tuple of those and features (N, F).

    Args:
        found: what was imported.
        name: its import path, for messages.
        arguments: what it is called with to make the teacher; None takes it as it is.
        queries: counts and keeps what a black box says.

    Raises:
        ValueError: if no teacher comes out.
    """
    teacher = found
    if inspect.isclass(found) or arguments is not None:
        try:
            teacher = found(**(arguments or {}))
        except Exception as error:  # whatever the user's own code raises
            raise ValueError(
                f"{name} cannot be made with the arguments {arguments or {}}: "
                f"{type(error).__name__}: {error}"
            ) from error
    if isinstance(teacher, nn.Module):
        return LoadedNetwork(teacher, said=in_float32(teacher))
    if not callable(teacher):
        raise ValueError(
            f"{name} is {type(teacher).__name__}; a function, a class with __call__ or an "
            "nn.Module was wanted"
        )
    return LoadedNetwork(BlackBox(_answering(teacher, name), queries))


def _answering(function: Callable[[np.ndarray], Any], name: str) -> Any:
    def answer(images: np.ndarray) -> tuple[Any, Any]:
        try:
            said = function(images)
        except Exception as error:  # whatever the user's own code raises
            raise UserError(
                f"{name} does not answer a batch {images.shape} of {images.dtype}: "
                f"{type(error).__name__}: {error}"
            ) from error
        return said if isinstance(said, tuple) and len(said) == 2 else (said, None)

    return answer
