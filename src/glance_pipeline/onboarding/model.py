"""Where the classifier is, and what is needed to read it."""

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml
from torch import Tensor

from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.datasets.weights_file import ENTRY, SUFFIX, read_weights
from glance_pipeline.errors import UserError
from glance_pipeline.onboarding.asking import Asker, none_or
from glance_pipeline.onboarding.places import Place, place_of
from glance_pipeline.onboarding.wishes import Wishes
from glance_pipeline.teachers.formats import Format, tell_format
from glance_pipeline.teachers.source import Source
from glance_pipeline.teachers.state_dict import read_state_dict

_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Entries under which checkpoints keep their state dict, the most usual first."""

_NAMED = 6  # weights that a message names


@dataclass(frozen=True)
class Model:
    """A classifier that can be read.

    Attributes:
        form: of its file; ``callable`` without one.
        place: of its file; None without one.
        entry: of the catalog, without ``type`` and ``specification``; paths as they are written.
    """

    form: Format
    place: Place | None
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.place.written if self.place else str(self.entry["network"])

    def dataset(self, specification: Mapping[str, Any]) -> ClassifierDataset:
        """Return the dataset of the catalog's entry, whatever the working directory is."""
        entry = {**self.entry, "specification": dict(specification)}
        if self.place is not None:
            entry["filepath"] = self.place.path.as_posix()
        return ClassifierDataset(**entry)

    def read(self, feature_layer: str | None) -> Source:
        """Read the network and what its file says of itself."""
        told = {} if feature_layer is None else {"feature_layer": feature_layer}
        return self.dataset(told).read_source()


def find_model(wishes: Wishes, root: Path, asker: Asker) -> Model:
    """Find the classifier and settle what is needed to read it.

    Args:
        wishes: of the user.
        root: of the project.
        asker: asks for the class of a state dict.

    Raises:
        UserError: where there is none, or the class of its weights is not known.
    """
    question = "Classifier: a file, a folder, or module:object of a callable"
    place = asker.settle("--model", wishes.model, question, parse=partial(_located, root))
    entry: dict[str, Any] = {}
    if isinstance(place, str):
        entry["network"] = place
        form: Format = "callable"
        arguments = _arguments(wishes.arguments)
        if arguments is not None:
            entry["arguments"] = arguments
        return Model(form, None, entry | _rest(wishes))
    try:
        form = wishes.format or tell_format(place.path)  # type: ignore[assignment]
    except ValueError as error:
        raise UserError(f"--model {place.written}: {error}") from error
    entry["filepath"] = place.written
    if form == "weights":
        entry |= _of_weights(place, wishes, asker)
    elif wishes.key is not None:
        entry["key"] = wishes.key
    return Model(form, place, entry | _rest(wishes))


def _rest(wishes: Wishes) -> dict[str, Any]:
    """Return the fields that need no thought."""
    fields = {
        "prefix": wishes.prefix,
        "format": wishes.format,
        "most_queries": wishes.most_queries,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _located(root: Path, text: str) -> Place | str:
    """Return the place of a model, or the import path that ``module:object`` is."""
    place = place_of(text.strip(), root)
    return place if place.path.exists() else _callable_named(text.strip(), place)


def _callable_named(text: str, place: Place) -> str:
    """Return the import path that ``module:object`` or ``module.object`` is."""
    name = text.replace(":", ".")
    is_path = re.fullmatch(r"[A-Za-z_]\w*([.:][A-Za-z_]\w*)+", text)
    try:
        found = bool(is_path) and importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        raise UserError(
            f"found {text!r}: there is no file or folder {place.path}, and no module "
            f"{name.partition('.')[0]!r} can be imported; wanted the classifier's file or folder, "
            "or module:object of a callable, whose module is installed or lies in src/"
        )
    return name


def _of_weights(place: Place, wishes: Wishes, asker: Asker) -> dict[str, Any]:
    """Settle the class whose weights a file holds."""
    try:
        tensors, key, network = _weights_in(place.path, wishes.key)
    except ValueError as error:
        raise UserError(f"--model {place.written}: {error}") from error
    named = wishes.network or network
    if named is None:
        listing = _listing(tensors)
        if asker.may_ask:
            click.echo(f"{place.written} holds weights alone: {listing}.")
        named = asker.settle(
            "--network",
            None,
            "Import path of the class they are of (package.module.Class)",
            missing=(
                f"{place.written} holds weights alone: {listing}. Name the class they are of, "
                "package.module.Class, or a function that makes it, with --arguments what it is "
                "called with; or describe its layers (docs/bring_your_own.md, State dicts)"
            ),
        )
    entry: dict[str, Any] = {"network": named.replace(":", ".")}
    asked = asker.may_ask and wishes.network is None and network is None
    text = wishes.arguments
    if text is None and asked:
        text = click.prompt("Arguments it is called with, as YAML (or a file)", default="{}")
    arguments = _arguments(text)
    if arguments:
        entry["arguments"] = arguments
    if key is not None:
        entry["key"] = key
    return entry


def _weights_in(path: Path, key: str | None) -> tuple[dict[str, Tensor], str | None, str | None]:
    """Return the weights, the key they lie under, and the class that the file itself names."""
    if path.suffix == SUFFIX:
        tensors, _ = read_weights(path)
        return tensors, None, _network_in_header(path)
    if key is not None:
        return read_state_dict(path, key), key, None
    try:
        return read_state_dict(path, None), None, None
    except ValueError as error:
        for usual in _KEYS:
            try:
                return read_state_dict(path, usual), usual, None
            except ValueError:
                continue
        raise error


def _network_in_header(path: Path) -> str | None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        header = (file.metadata() or {}).get(ENTRY)
    return None if header is None else str(json.loads(header)["network"])


def _listing(tensors: Mapping[str, Tensor]) -> str:
    some = [f"{name} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:_NAMED]]
    more = f", … ({len(tensors)} in all)" if len(tensors) > _NAMED else ""
    return ", ".join(some) + more


def _arguments(text: str | None) -> dict[str, Any] | None:
    """Read arguments: YAML, or a file of it; None where there are none."""
    if text is None or none_or(text) is None:
        return None
    path = Path(text).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # a text too long for a name
        is_file = False
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8") if is_file else text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(
            f"--arguments: {text!r} is no YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"--arguments: found {found!r}, wanted a mapping as '{{classes: 2}}', or a file of one"
        )
    return found
