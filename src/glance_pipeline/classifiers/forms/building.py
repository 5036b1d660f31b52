"""The network whose weights a file holds, made of the class or function that the user named."""

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as registration

from glance_pipeline.classifiers.forms.weight_names import StateDicts

_OWN = "glance_pipeline."
_MOST_LAYERS = 100_000


def imported(name: str) -> Any:
    """Return what an import path leads to.

    Args:
        name: as the user gave it, never as a file says it.

    Raises:
        ValueError: if it cannot be imported.
    """
    place, _, last = name.rpartition(".")
    try:
        if not place:
            raise ImportError("it names no module")
        return getattr(import_module(place), last)
    except Exception as error:  # whatever the user's own module raises
        raise ValueError(
            f"the network {name} cannot be imported: {error}. The package must be installed, or "
            "lie in the project's source_dir (pyproject.toml) or on PYTHONPATH"
        ) from error


def build(name: str, arguments: dict[str, Any]) -> nn.Module:
    """Make a network of what the user named: a class of ``nn.Module``, or a function that makes it.

    Args:
        name: import path.
        arguments: what it is called with.

    Raises:
        ValueError: if it is neither, which is found before it is called; or it fails.
    """
    kind = imported(name)
    _refuse_what_makes_no_network(kind, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of first weights, which those of the file replace
            network = kind(**arguments)
    except Exception as error:  # whatever the user's own code raises
        raise ValueError(
            f"the network {name} cannot be made with the arguments {arguments}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(network, nn.Module):
        raise ValueError(
            f"the network {name} makes {type(network).__name__}; an nn.Module was wanted"
        )
    return network


def arguments_of_header(name: str, arguments: Any, found: StateDicts) -> dict[str, Any]:
    """Return the arguments that a file's header says, where they may be used.

    A class of this project's own takes them, once it is known that it becomes no larger than the
    file with them. A class of the user's may do anything with an argument, such as open a path, so
    what it is called with is the user's to say.

    Args:
        name: import path of the class that the user named.
        arguments: arguments of the header.
        found: weights of the file.

    Raises:
        ValueError: if they may not be used.
    """
    if not isinstance(arguments, dict):
        raise ValueError(f"its header says the arguments {arguments!r:.200}; a mapping was wanted")
    if not arguments:
        return {}
    raised = [key for key in arguments if key.startswith("most_")]
    if raised:
        raise ValueError(f"its header would raise the bounds {raised}, which are the user's to say")
    if not name.startswith(_OWN):
        raise ValueError(
            f"its header says that {name} was called with {arguments!s:.200}; a file's word is "
            "not taken for that: write them under `arguments` where they are right"
        )
    # Twice, for DescribedNetwork makes a sketch of itself first.
    most = 2 * sum(tensor.numel() for each in found.values() for tensor in each.values())
    with torch.device("meta"), of_bounded_size(most, _MOST_LAYERS):
        build(name, arguments)
    return arguments


def in_float32(network: nn.Module, *, stored: set[torch.dtype] | None = None) -> tuple[str, ...]:
    """Bring a network to float32, which everything that is asked of it is in.

    Args:
        network: changed in place.
        stored: types of its file's numbers, where they are known.

    Returns:
        Sentences on what was changed; none where all was float32.
    """
    held = [*network.parameters(), *network.buffers()]
    found = {tensor.dtype for tensor in held if tensor.is_floating_point()} | (stored or set())
    network.float()
    others = sorted(str(kind).removeprefix("torch.") for kind in found - {torch.float32})
    return (f"its weights are {' and '.join(others)}; it runs in float32",) if others else ()


@contextmanager
def of_bounded_size(most_weights: int, most_layers: int) -> Iterator[None]:
    """Let networks be made of bounded size alone.

    Args:
        most_weights: numbers in parameters and buffers together.
        most_layers: modules within modules.

    Raises:
        ValueError: from within, as soon as there is more.
    """
    weights = layers = 0

    def count_weights(_module: nn.Module, _name: str, weight: Tensor | None) -> None:
        nonlocal weights
        weights += 0 if weight is None else weight.numel()
        if weights > most_weights:
            raise ValueError(f"it would have more than {most_weights:,} weights")

    def count_layers(_module: nn.Module, _name: str, _layer: nn.Module | None) -> None:
        nonlocal layers
        layers += 1
        if layers > most_layers:
            raise ValueError(f"it would have more than {most_layers:,} layers")

    handles = (
        registration.register_module_parameter_registration_hook(count_weights),
        registration.register_module_buffer_registration_hook(count_weights),
        registration.register_module_module_registration_hook(count_layers),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _refuse_what_makes_no_network(kind: Any, name: str) -> None:
    if inspect.isclass(kind):
        if issubclass(kind, nn.Module):
            return
        raise ValueError(f"the network {name} is a class that is no nn.Module, so it is not called")
    if not inspect.isfunction(kind):
        raise ValueError(
            f"the network {name} is {type(kind).__name__}, so it is not called; a class derived "
            "from nn.Module, or a function that makes one, was wanted"
        )
    promised = inspect.signature(kind).return_annotation
    if inspect.isclass(promised) and not issubclass(promised, (nn.Module, inspect.Signature.empty)):
        raise ValueError(
            f"the network {name} is a function that returns {promised.__name__}, so it is not "
            "called; one that makes an nn.Module was wanted"
        )
