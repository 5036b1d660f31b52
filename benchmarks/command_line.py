"""What every benchmark takes on its command line, and how it hands over its result."""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd


def command_line(name: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks share.

    Args:
        name: of the module, as in ``python -m benchmarks.<name>``.
        description: one sentence for ``--help``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the result here as well")
    parser.add_argument("--seed", type=int, default=0, help="of every random draw (default: 0)")
    parser.add_argument("--quick", action="store_true", help="a look, in about two minutes")
    return parser


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
