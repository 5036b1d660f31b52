"""The reference of commands, from the click commands and the registry of pipelines."""

import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
from kedro.pipeline import Pipeline

from glance_pipeline.cli import cli
from glance_pipeline.pipeline_registry import CHAIN, register_pipelines

_ROOT = Path(__file__).parents[2]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command of the project with the words that call it.

    Those are the ones that the project adds to ``kedro``, and the scripts that it installs.
    """
    for name, command in cli.commands.items():
        yield from _with_subcommands(f"kedro {name}", command)
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for name, place in project.get("scripts", {}).items():
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, click.Command):
            yield from _with_subcommands(name, command)


def commands_page() -> str:
    """Return the generated part of the page on commands, in Markdown."""
    first: dict[click.Command, str] = {}
    parts = []
    for name, command in commands():
        if command in first:
            parts.append(f"### `{name}`\n\nThe same as `{first[command]}`.")
        else:
            first[command] = name
            parts.append(_command(name, command))
    return "\n\n".join(parts)


def pipelines_page() -> str:
    """Return the section on each pipeline, in Markdown."""
    found = register_pipelines()
    parts = []
    for name, pipeline in found.items():
        if name in CHAIN or name == "ingest":
            parts.append(_pipeline(name, pipeline))
    rows = ["| pipeline | runs |", "| --- | --- |"]
    for name, pipeline in found.items():
        if name in CHAIN or name == "ingest":
            continue
        runs = [one for one in ("ingest", *CHAIN) if _shares(pipeline, found[one])]
        label = "none named" if name == "__default__" else f"`{name}`"
        rows.append(f"| {label} | {', '.join(f'`{one}`' for one in runs)} |")
    return "\n\n".join(["\n".join(rows), *parts])


def _with_subcommands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _with_subcommands(f"{name} {inner}", one)
    else:
        yield name, command


def _command(name: str, command: click.Command) -> str:
    """Return a command with its help and its options."""
    with click.Context(command, info_name=name) as context:
        usage = " ".join(["$", name, *command.collect_usage_pieces(context)])
    entries = []
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            first = max(option.opts, key=len)
            kind = "" if option.is_flag else f" *{_values(option)}*"
            default = option.default if option.show_default else None
            told = "" if default is None else f" Default: `{default}`."
            anchor = f"{name}-{first.lstrip('-')}".replace(" ", "-")
            entries.append(f"`{first}`{kind} {{ #{anchor} }}\n:   {_escaped(option.help)}{told}")
    body = _help(command.help or "")
    return "\n\n".join([f"### `{name}`", f"```text\n{usage}\n```", body, *entries])


def _values(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(map(str, option.type.choices))
    return option.type.name.replace(" range", "")


def _help(text: str) -> str:
    """Return click's help as Markdown; a paragraph that click does not wrap is shown as it is."""
    parts = []
    for part in inspect.cleandoc(text).replace("\b\n", "\b").split("\n\n"):
        if part.startswith("\b"):
            parts.append(f"```text\n{inspect.cleandoc(' ' * 2 + part[1:].lstrip())}\n```")
        else:
            parts.append(_escaped(part))
    return "\n\n".join(parts)


def _escaped(text: str | None) -> str:
    """Return text in which Markdown and HTML find nothing of theirs."""
    escaped = text or ""
    for sign in "\\*_[":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped.replace("<", "&lt;")


def _pipeline(name: str, pipeline: Pipeline) -> str:
    """Return what a pipeline reads and writes, and its nodes in their order."""
    reads = sorted(one for one in pipeline.inputs() if not one.startswith("params:"))
    writes = sorted(pipeline.outputs() | (pipeline.all_outputs() - pipeline.all_inputs()))
    kept = sorted(pipeline.all_outputs() - set(writes))
    nodes = "\n".join(f"- `{node.name}`: {_summary(node.func)}" for node in pipeline.nodes)
    lines = [f"### `{name}`", nodes]
    for word, names in (("Reads", reads), ("Writes", [*writes, *kept])):
        if names:
            lines.append(f"{word} {', '.join(f'`{one}`' for one in names)}.")
    return "\n\n".join(lines)


def _summary(function: object) -> str:
    return (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


def _shares(pipeline: Pipeline, part: Pipeline) -> bool:
    return bool({one.name for one in pipeline.nodes} & {one.name for one in part.nodes})
