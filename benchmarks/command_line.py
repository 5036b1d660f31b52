"""What every benchmark takes on its command line, and how it hands over its result."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from glance_pipeline.support.compute import available_cores

PROJECT = Path(__file__).parents[1]


def command_line(name: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks share.

    Args:
        name: name of the module, as in ``python -m benchmarks.<name>``.
        description: one sentence for ``--help``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the result here as well")
    parser.add_argument("--seed", type=int, default=0, help="of every random draw (default: 0)")
    parser.add_argument("--quick", action="store_true", help="a look, in about two minutes")
    return parser


def command_line_of_many(
    name: str, description: str, pieces: Iterable[str], noun: str
) -> argparse.ArgumentParser:
    """Return a parser for a benchmark of many pieces of work, which ``finished.py`` runs and keeps.

    Args:
        name: name of the module, as in ``python -m benchmarks.<name>``.
        description: one sentence for ``--help``.
        pieces: their names.
        noun: what a piece is called.
    """
    parser = command_line(name, description)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=list(pieces), help=f"run these {noun}s alone"
    )
    parser.add_argument("--list", action="store_true", help=f"name the {noun}s, and stop")
    parser.add_argument(
        "--workers",
        type=_at_least_one,
        default=available_cores(),
        help="processes, one thread each; the result does not depend on it (default: every core)",
    )
    folder = Path("data", "08_reporting", name)
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / folder,
        help=f"finished {noun}s are kept in a folder of it, named by a hash of configuration, seed "
        f"and code (default: {folder})",
    )
    return parser


def _at_least_one(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text}, wanted 1 or more")
    return number


def publish(result: dict[str, Any], table: pd.DataFrame, path: Path | None) -> None:
    """Print ``table``, and write ``result`` to ``path`` where one is given."""
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))
    write_result(result, path)


def write_result(result: dict[str, Any], path: Path | None) -> None:
    """Write ``result`` to ``path`` where one is given."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n")
        print(f"written to {path}")
