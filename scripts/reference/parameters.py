"""The reference of all parameters, from the pydantic models that check them.

The text of a parameter stands in one place: the ``Attributes`` section of its model's docstring.
A parameter without one raises ``MissingDescriptionError``, and the site is not built.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, get_args

import griffe
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.classify import ClassifyParameters
from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.config.disentangle import DisentangleParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.evaluate import EvaluateParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.config.shared import SharedParameters
from glance_pipeline.config.training import ObjectiveSchedule, StageParameters
from scripts.reference.words import type_in_words, value_in_words

MODELS: dict[str, type[BaseModel]] = {
    "": SharedParameters,
    "prepare": PrepareParameters,
    "ingest": IngestParameters,
    "classify": ClassifyParameters,
    "distill": DistillParameters,
    "disentangle": DisentangleParameters,
    "align": AlignParameters,
    "discover": DiscoverParameters,
    "explain": ExplainParameters,
    "evaluate": EvaluateParameters,
}
"""The model of each block of parameters; those at the top belong to every pipeline."""

STAGES = ("distill", "disentangle", "align")
CONF = Path(__file__).parents[2] / "conf" / "base"
_ABSENT = object()


class MissingDescriptionError(ValueError):
    """A parameter is not described in its model's docstring."""


@dataclass(frozen=True)
class Parameter:
    """One parameter, as the reference shows it; all but the key is Markdown."""

    key: str
    kind: str
    default: str
    description: str


@dataclass(frozen=True)
class Section:
    """A model whose parameters stand together.

    Attributes:
        key: key of the model, as ``explain.search``; empty for the parameters of all pipelines.
        summary: first line of its docstring.
        parameters: its own, without those of the models in it.
    """

    key: str
    summary: str
    parameters: tuple[Parameter, ...]


def parameters_page() -> str:
    """Return the generated part of the page on parameters, in Markdown."""
    base = shipped_values()
    parts = []
    for section in sections(base):
        level = "##" if "." not in section.key else "###"
        title = f"`{section.key}`" if section.key else "All pipelines"
        parts += [f"{level} {title}", section.summary, *map(_entry, section.parameters)]
    return "\n\n".join([*parts, _objectives(base)])


def sections(base: Mapping[str, Any]) -> Iterator[Section]:
    """Yield the sections of the reference in their order, the three training stages as one.

    Args:
        base: the values under ``conf/base``.
    """
    for block, model in MODELS.items():
        yield from _sections(block, model, [(block, _at(base, block))])
    found = [(block, _at(base, f"{block}.stage")) for block in STAGES]
    yield from _sections("stage", StageParameters, found)


def shipped_values() -> dict[str, Any]:
    """Return the parameters of ``conf/base``, which ``kedro run`` takes unless told otherwise."""
    files = sorted(CONF.glob("parameters*.yml"))
    return {k: v for file in files for k, v in yaml.safe_load(file.read_text("utf-8")).items()}


def described(model: type[BaseModel]) -> dict[str, str]:
    """Return the description of each field, from the docstring of its model.

    Raises:
        MissingDescriptionError: if a field has none.
    """
    found: dict[str, str] = {}
    for ancestor in reversed(model.__mro__[:-1]):
        text = inspect.cleandoc(ancestor.__dict__.get("__doc__") or "")
        for part in griffe.Docstring(text).parse("google", warnings=False):
            if part.kind is griffe.DocstringSectionKind.attributes:
                found |= {one.name: " ".join(one.description.split()) for one in part.value}
    missing = [name for name in model.model_fields if not found.get(name)]
    if missing:
        raise MissingDescriptionError(
            f"{model.__module__}.{model.__name__} does not describe {', '.join(missing)}; "
            "add a line for each to the Attributes section of its docstring"
        )
    return found


def _sections(key: str, model: type[BaseModel], found: list[tuple[str, Any]]) -> Iterator[Section]:
    """Yield the section of a model and those of the models in it."""
    descriptions, parameters, inner = described(model), [], []
    for name, field in model.model_fields.items():
        path = ".".join(filter(None, [key, name]))
        below = [(block, _at(values, name)) for block, values in found]
        nested = _nested(field)
        if nested in (StageParameters, ObjectiveSchedule):
            target = "stage" if nested is StageParameters else "objectives"
            text = f"{descriptions[name]} See [the parameters of {target}](#{target})."
            parameters.append(Parameter(path, "mapping", "", text))
        elif nested is not None:
            if type(None) in get_args(field.annotation):  # null leaves the whole model out
                text = f"{descriptions[name]} See [its parameters](#{_anchor(path)})."
                kind = "null or a mapping"
                parameters.append(Parameter(path, kind, _default(field, below), text))
                below = [(block, {}) for block, _ in below[:1]]
            inner.append((path, nested, below))
        else:
            kind = type_in_words(field.annotation, field.metadata)
            default = _default(field, below)
            parameters.append(Parameter(path, kind, default, descriptions[name]))
    summary = (inspect.getdoc(model) or "").partition("\n\n")[0]
    yield Section(key, " ".join(summary.split()), tuple(parameters))
    for path, nested, below in inner:
        if key or not path.count("."):
            yield from _sections(path, nested, below)


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model that a field holds, alone, beside null or as the values of a mapping."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _default(field: FieldInfo, found: list[tuple[str, Any]]) -> str:
    """Return the value that ``conf/base`` gives a parameter, else that of its model."""
    said = {}
    for block, value in found:
        default = field.get_default(call_default_factory=True)
        chosen = default if value is _ABSENT else value
        if chosen is not PydanticUndefined:
            said[block] = value_in_words(chosen)
    if len(set(said.values())) == 1 and len(said) == len(found):
        return next(iter(said.values()))
    return ", ".join(f"{value} in `{block}`" for block, value in said.items())


def _at(values: Any, path: str) -> Any:
    """Return what lies at a dotted path in nested mappings, or ``_ABSENT``."""

    def step(here: Any, name: str) -> Any:
        return here.get(name, _ABSENT) if isinstance(here, Mapping) else _ABSENT

    return reduce(step, path.split("."), values) if path else values


def _anchor(key: str) -> str:
    """Return the address on the page of a parameter or section."""
    return key.replace(".", "").replace("`", "")


def _entry(parameter: Parameter) -> str:
    """Return a parameter as an item of a definition list."""
    key, text = parameter.key, parameter.description
    facts = parameter.kind
    if parameter.default:
        facts += f" · default {parameter.default}"
    text = text[0].upper() + text[1:]
    return (
        f"[`{key}`](#{key}){{ #{key} }}\n"
        f":   {facts}\n{{ .facts }}\n\n    {text if text.endswith('.') else f'{text}.'}"
    )


def _objectives(base: Mapping[str, Any]) -> str:
    """Return the section on objectives: their schedules' parameters, and their weights."""
    (section,) = _sections("objectives.<name>", ObjectiveSchedule, [("", _ABSENT)])
    entries = [
        _entry(one).replace("#objectives.<name>", "#objectives") for one in section.parameters
    ]
    weights = {block: _at(base, f"{block}.stage.objectives") for block in STAGES}
    names = dict.fromkeys(name for block in weights.values() for name in block)
    rows = [f"| objective | {' | '.join(STAGES)} |", "| --- " * (1 + len(STAGES)) + "|"]
    for name in names:
        cells = [value_in_words(weights[b][name]) if name in weights[b] else "" for b in STAGES]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    told = "The objectives of each stage under `conf/base`:"
    return "\n\n".join(["## `objectives`", section.summary, *entries, told, "\n".join(rows)])
