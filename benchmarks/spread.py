"""Mean and spread of the metrics of several runs, such as one run each for three seeds.

kedro run --params seed=0        # and 1, and 2
python -m benchmarks.spread data/08_reporting/metrics.json/*/metrics.json
"""

import argparse
import json
from pathlib import Path

import pandas as pd


def spread(files: list[Path]) -> pd.DataFrame:
    """Return mean, standard deviation, least and largest of every number that all files hold.

    Args:
        files: files of nested numbers, as ``metrics.json``; at least two.

    Returns:
        Frame with one row for each key, its parts joined by dots; columns ``mean``, ``sd`` (with
        N − 1), ``min`` and ``max``.

    Raises:
        ValueError: if fewer than two files are given.
    """
    if len(files) < 2:
        raise ValueError(f"a spread takes the metrics of two runs at least, found {len(files)}")
    runs = pd.concat(
        [pd.json_normalize(json.loads(file.read_text())) for file in files], join="inner"
    )
    return (
        runs.select_dtypes("number")
        .agg(["mean", "std", "min", "max"])
        .T.rename(columns={"std": "sd"})
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.spread", description=__doc__.splitlines()[0]
    )
    parser.add_argument("files", type=Path, nargs="+", help="metrics.json of each run")
    parser.add_argument("--only", nargs="+", default=[""], help="keys that begin so (default: all)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the result here as well")
    arguments = parser.parse_args()
    table = spread(arguments.files)
    table = table[table.index.str.startswith(tuple(arguments.only))]
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))
    if arguments.json is not None:
        arguments.json.write_text(table.to_json(orient="index", indent=2) + "\n")


if __name__ == "__main__":
    main()
