"""Where the classifier is, and what is needed to read it."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml
from torch import Tensor

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.forms.file_formats import (
    PROGRAMS,
    Format,
    is_safetensors,
    tell_format,
)
from glance_pipeline.classifiers.forms.state_dict import read_state_dicts
from glance_pipeline.classifiers.forms.weight_names import StateDicts
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.datasets.weights_file import SUFFIX, network_in_header, read_weights
from glance_pipeline.onboarding.terminal.asking import Asker, none_or, tell
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.user_paths import Place, place_of
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.untrusted_files import read_text

_NAMED = 6  # weights that a message names


@dataclass(frozen=True)
class Model:
    """A classifier that can be read.

    Attributes:
        form: form of its file; ``callable`` without one.
        place: place of its file; None without one.
        entry: entry of the catalog, without ``type`` and ``specification``; paths as they are
            written.
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

    def read(self, feature_layer: str | None) -> LoadedNetwork:
        """Read the network and what its file says of itself; what it settles joins the entry."""
        told = {} if feature_layer is None else {"feature_layer": feature_layer}
        source = self.dataset(told).read_source()
        self.entry.update(source.entry)
        return source


def find_model(wishes: Wishes, root: Path, asker: Asker) -> Model:
    """Find the classifier and settle what is needed to read it.

    Args:
        wishes: of the user.
        root: root of the project.
        asker: asks for the class of a state dict.

    Raises:
        UserError: if there is none, or the class of its weights is not known.
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
        return Model(form, None, entry | _trust(form, place, wishes, asker) | _rest(wishes))
    try:
        form = wishes.format or tell_format(place.path)  # type: ignore[assignment]
    except ValueError as error:
        raise UserError(f"--model {place.written}: {error}") from error
    entry["filepath"] = place.written
    entry |= _trust(form, place.written, wishes, asker)
    if form == "weights":
        entry |= _of_weights(place, wishes, asker)
    elif wishes.key is not None:
        entry["key"] = wishes.key
    return Model(form, place, entry | _rest(wishes))


def _trust(form: Format, name: str, wishes: Wishes, asker: Asker) -> dict[str, Any]:
    """Return the field that lets a program be loaded, where the user says so.

    Raises:
        UserError: if it is a program and the user does not.
    """
    if form not in PROGRAMS:
        return {}
    what = (
        f"{name} is {PROGRAMS[form]}, which is a program: loading it runs what its author wrote, "
        "with your rights on this machine"
    )
    if not wishes.trust and asker.may_ask:
        tell(f"{what}.")
        if not click.confirm("Do you trust its author?", default=False):
            raise UserError(f"{what}; it was not loaded, and nothing was written")
    elif not wishes.trust:
        raise UserError(
            f"--trust is missing: {what}. Where you trust its author, add --trust; otherwise ask "
            "for safetensors, a state dict or ONNX, which are data"
        )
    return {"trust": True}


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
            "or module:object of a callable, whose module is installed or lies in the "
            "project's source_dir (pyproject.toml)"
        )
    return name


def _of_weights(place: Place, wishes: Wishes, asker: Asker) -> dict[str, Any]:
    """Settle the class whose weights a file holds, by the user's word alone."""
    try:
        found, claimed = _weights_in(place.path, wishes.key)
    except ValueError as error:
        raise UserError(f"--model {place.written}: {error}") from error
    named = wishes.network
    if named is None:
        listing = _listing(found)
        hint = f" Its header says {claimed}, which is not imported on its word." if claimed else ""
        if asker.may_ask:
            tell(f"{place.written} holds weights alone: {listing}.{hint}")
        named = asker.settle(
            "--network",
            None,
            "Import path of the class they are of (package.module.Class)",
            missing=(
                f"{place.written} holds weights alone: {listing}.{hint} Name the class they are "
                "of, package.module.Class, or a function that makes it, with --arguments what it "
                "is called with; or describe its layers (docs/how_to/your_classifier.md)"
            ),
        )
    entry: dict[str, Any] = {"network": named.replace(":", ".")}
    text = wishes.arguments
    if text is None and asker.may_ask and wishes.network is None:
        text = click.prompt("Arguments it is called with, as YAML (or a file)", default="{}")
    arguments = _arguments(text)
    if arguments:
        entry["arguments"] = arguments
    key = wishes.key
    if key is None and len(found) > 1 and asker.may_ask:
        key = asker.settle(
            "--key",
            None,
            f"Which of its state dicts ({', '.join(found)})",
            parse=partial(_of, found),
        )
    if key is not None:
        entry["key"] = key
    return entry


def _of(found: StateDicts, text: str) -> str:
    if text.strip() not in found:
        raise UserError(f"found {text!r}, wanted one of {list(found)}")
    return text.strip()


def _weights_in(path: Path, key: str | None) -> tuple[StateDicts, str | None]:
    """Return the weights, and the class that the file itself names, which is not imported."""
    if is_safetensors(path) or path.suffix.lower() == SUFFIX:
        tensors, _ = read_weights(path)
        return {"": tensors}, network_in_header(path)
    return read_state_dicts(path, key), None


def _listing(found: StateDicts) -> str:
    """Name some weights, of each state dict where there are several."""
    return "; ".join(
        (f"under {place!r} " if place else "") + _some(tensors) for place, tensors in found.items()
    )


def _some(tensors: Mapping[str, Tensor]) -> str:
    some = [f"{name} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:_NAMED]]
    more = f", … ({len(tensors)} in all)" if len(tensors) > _NAMED else ""
    return ", ".join(some) + more


def _arguments(text: str | None) -> dict[str, Any] | None:
    """Read arguments: YAML, or a file of it; None if there are none."""
    if text is None or none_or(text) is None:
        return None
    path = Path(text).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # a text too long for a name
        is_file = False
    try:
        found = yaml.safe_load(read_text(path) if is_file else text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(
            f"--arguments: {text!r} is no YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"--arguments: found {found!r}, wanted a mapping as '{{classes: 2}}', or a file of one"
        )
    return found
