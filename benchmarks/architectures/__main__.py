"""The command: ``python -m benchmarks.architectures``."""

import argparse
import logging
import sys
from pathlib import Path

from benchmarks.architectures.configuration import load_configuration, result_key
from benchmarks.architectures.runner import run_teachers
from benchmarks.architectures.table import teacher_table
from benchmarks.architectures.teachers import QUICK, TEACHERS
from benchmarks.command_line import command_line, publish
from benchmarks.glassbox.configuration import PROJECT
from glance_pipeline.compute import available_cores

RESULTS = PROJECT / "data" / "08_reporting" / "architectures"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_line(
        "architectures", "Plant one shortcut in many architectures, and explain each from its file."
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=list(TEACHERS), help="run these teachers alone"
    )
    parser.add_argument("--list", action="store_true", help="name the teachers, and stop")
    parser.add_argument(
        "--workers",
        type=int,
        default=available_cores(),
        help="processes, one thread each; the result does not depend on it (default: every core)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=RESULTS,
        help="finished teachers are kept in a folder of it, named by a hash of configuration, seed "
        "and code (default: data/08_reporting/architectures)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the teachers that are asked for and print the table."""
    options = _arguments(arguments)
    if options.list:
        for teacher in TEACHERS.values():
            print(f"{teacher.name}: {teacher.title}, {teacher.form}")
        return
    if options.workers < 1:
        sys.exit(f"--workers: found {options.workers}, wanted 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    configuration = load_configuration(options.quick)
    names = options.only or list(QUICK if options.quick else TEACHERS)
    folder = options.folder / result_key(configuration, options.seed)
    rows = run_teachers(names, configuration, options.seed, folder, options.workers)
    planted = configuration.shortcut.feature
    right = sum(row["shortcut_right"] for row in rows)
    print(
        f"\nThe planted shortcut is {planted}: the concept with the largest effect, with the right "
        f"sign, for {right} of {len(rows)} teachers\n"
    )
    result = {"teachers": rows, "seed": options.seed, "quick": options.quick}
    publish(result, teacher_table(rows), options.json)


if __name__ == "__main__":
    main()
