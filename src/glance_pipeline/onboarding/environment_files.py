"""The files of an environment: YAML that says what was found, and what may be changed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.table import Kind
from glance_pipeline.support.names import made_visible
from glance_pipeline.twin.networks.sizes import widths_for

_ALWAYS_SAID = ("source", "size", "channels", "labels")


def as_yaml(value: Any) -> str:
    r"""Write a value in one line of YAML, in which OmegaConf finds nothing to put something in."""
    value = _without_interpolations(value)
    text = yaml.dump(
        value, Dumper=_Quoting, default_flow_style=True, allow_unicode=True, width=2**20
    )
    return text.strip().removesuffix("\n...")


class _Quoting(yaml.SafeDumper):  # type: ignore[misc]
    """Puts in quotes what OmegaConf, unlike YAML 1.1, takes for a number, as 7e3, and odd signs."""


def _words(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    odd = not text.isprintable() or re.match(r"[-+.\d]", text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if odd else None)


_Quoting.add_representer(str, _words)


def _without_interpolations(value: Any) -> Any:
    r"""Have each ``${`` stand for itself: a backslash before it, and each one before that twice."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: f"{2 * found[1]}\\${{", value)
    if isinstance(value, Mapping):
        return {key: _without_interpolations(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_interpolations(inner) for inner in value]
    return value


def globals_yml(name: str) -> str:
    """Return the file that says where data lie."""
    return (
        f"# Made by `kedro glance init`. What runs of this environment leave behind lies apart.\n"
        f"data_root: {as_yaml(f'data/{name}')}\n"
    )


def catalog_yml(
    entry: Mapping[str, Any], specification: Mapping[str, Any], said: str, normalisation: str
) -> str:
    """Return the catalog: the classifier alone, everything else is in conf/base.

    Args:
        entry: without ``type`` and ``specification``.
        specification: specification of the classifier.
        said: what was found about it, lines of a comment.
        normalisation: how it is known, in words.
    """
    lines = [f"# {made_visible(line)}" for line in said.splitlines()]
    lines += ["classifier:", "  type: glance_pipeline.datasets.ClassifierDataset"]
    for key, value in entry.items():
        lines += _block(key, value, "  ")
    lines += ["  specification:"]
    comments = {
        "image_shape": "channels, height, width of the images that are explained",
        "input_size": "height and width that the network takes",
        "fit": "how images come to it: resize, crop or pad",
        "class_names": "in the order of the network's answers",
        "mean": f"of images in [0, 1]; {' '.join(normalisation.split())}",
    }
    for key, value in specification.items():
        lines.append(f"    {key}: {as_yaml(value)}{_comment(comments.get(key))}")
    lines += ["  metadata:", "    kedro-viz:", "      layer: models"]
    return "\n".join(lines) + "\n"


def _block(key: str, value: Any, indent: str) -> list[str]:
    """Return an entry, mappings with a line for each of theirs."""
    if not isinstance(value, Mapping) or not value:
        return [f"{indent}{as_yaml(key)}: {as_yaml(value)}"]
    inside = [line for k, v in value.items() for line in _block(str(k), v, indent + "  ")]
    return [f"{indent}{as_yaml(key)}:", *inside]


def _comment(text: str | None) -> str:
    return f" # {made_visible(text)}" if text else ""


def ingest_yml(
    ingest: IngestParameters, kinds: Mapping[str, Kind], left_out: Sequence[str], images: str
) -> str:
    """Return the parameters of the images and their context table.

    Args:
        ingest: what differs from the defaults is written.
        kinds: kinds of the context features.
        left_out: sentences on columns that are none.
        images: what was found of the images.
    """
    fields = ingest.model_dump(mode="json", exclude={"context", "fractions", "limits"})
    default = IngestParameters(source="").model_dump(mode="json")
    comments = {
        "source": images,
        "size": "px, a power of two; distill and align have a width for each of 4, 8, …, this",
        "channels": "1: grey; 3: RGB",
        "crop": "side of the centre square that is cut out first, px, or square; null squeezes",
        "labels": "folders, column, file; null: none",
        "group": "its equal values never come into two splits",
        "split_column": "says train, validation, test",
        "class_names": "of the labels' values in sorted order",
    }
    lines = ["# Everything else, with what it means: conf/base/parameters_ingest.yml", "ingest:"]
    for key, value in fields.items():
        if value != default[key] or key in _ALWAYS_SAID:
            lines.append(f"  {key}: {as_yaml(value)}{_comment(comments.get(key))}")
    lines += _context_lines(ingest, kinds, left_out)
    return "\n".join(lines) + "\n"


def _context_lines(
    ingest: IngestParameters, kinds: Mapping[str, Kind], left_out: Sequence[str]
) -> list[str]:
    context = ingest.context
    if context.features is None:
        return ["  context:", "    tables: [] # none: all concepts will be latent, without names"]
    lines = ["  context:", f"    tables: {as_yaml(list(context.tables))}"]
    if context.key is not None:
        lines.append(f"    key: {as_yaml(context.key)} # names the images")
    for name in ("separator", "encoding"):
        if getattr(context, name) is not None:
            lines.append(f"    {name}: {as_yaml(getattr(context, name))} # of CSV files")
    lines += [f"    # {made_visible(' '.join(reason.split()))}" for reason in left_out]
    if not context.features:
        return [*lines, "    features: [] # no column can be used"]
    lines.append("    features: # each becomes a concept; leave out what a picture cannot show")
    return [*lines, *(f"      - {as_yaml(n)} # {kinds[n]}" for n in context.features)]


def distill_yml(size: int, concepts: int, dimensions: int, residual: int) -> str:
    """Return the sizes of the surrogate.

    Args:
        size: size of the images, px.
        concepts: that align will add.
        dimensions: dimensions of the residual code as conf/base has it.
        residual: dimensions of the residual code in which the context features leave room.
    """
    widths, _ = widths_for(size)
    lines = [
        "# Sizes of the twin surrogate; its training: conf/base/parameters_distill.yml",
        "distill:",
        "  surrogate:",
        f"    widths: {as_yaml(widths)} # feature channels at {_sizes(size)} px",
    ]
    if residual != dimensions:
        lines.append(f"    residual: {residual} # dimensions; align takes up to {concepts} of them")
    return "\n".join(lines) + "\n"


def align_yml(size: int, kinds: Mapping[str, Kind], units: Mapping[str, str]) -> str:
    """Return the size of the attribute reader, and where kinds and units may be named.

    Args:
        size: size of the images, px.
        kinds: kinds of the context features.
        units: as conf/base has them, by feature; what is named there is named here too.
    """
    _, widths = widths_for(size)
    lines = [
        "# Everything else: conf/base/parameters_align.yml",
        "align:",
        "  reader:",
        f"    widths: {as_yaml(widths)} # feature channels at {_sizes(size)} px",
    ]
    continuous = [name for name, kind in kinds.items() if kind == "continuous"]
    known = {name: units[name] for name in continuous if name in units}
    if known:
        lines.append(
            f"  units: {as_yaml(known)} # as in conf/base, for digits; change what differs"
        )
    elif continuous:
        lines.append(f"  units: {{}} # of context features, as {as_yaml({continuous[0]: 'cm'})}")
    if kinds:
        lines.append("  kinds: {} # of a feature taken for another kind than it is, as above")
    return "\n".join(lines) + "\n"


def _sizes(size: int) -> str:
    return ", ".join(str(2**power) for power in range(2, size.bit_length()))
