"""The command: ``python -m benchmarks.glassbox``."""

import argparse
import logging
import sys
from pathlib import Path

from benchmarks.command_line import command_line, publish
from benchmarks.glassbox.cases import CASES, QUICK
from benchmarks.glassbox.configuration import PROJECT, load_configuration, result_key
from benchmarks.glassbox.runner import run_cases
from benchmarks.glassbox.table import LARGEST_LEAK, effect_table, score_table, summary
from glance_pipeline.compute import available_cores

RESULTS = PROJECT / "data" / "08_reporting" / "glassbox"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_line(
        "glassbox", "Explain teachers whose reasons are known, and score the explanations."
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=list(CASES), help="run these cases alone"
    )
    parser.add_argument("--list", action="store_true", help="name the cases, and stop")
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
        help="finished cases are kept in a folder of it, named by a hash of configuration, seed "
        "and code (default: data/08_reporting/glassbox)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the cases that are asked for and print the tables."""
    options = _arguments(arguments)
    if options.list:
        for case in CASES.values():
            kind = "trained CNN" if case.is_trained else "function of moments"
            print(f"{case.name}: {kind}, {', '.join(case.planted)}; {case.scenario} images")
        return
    if options.workers < 1:
        sys.exit(f"--workers: found {options.workers}, wanted 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    configuration = load_configuration(options.quick)
    names = options.only or list(QUICK if options.quick else CASES)
    folder = options.folder / result_key(configuration, options.seed)
    cases = run_cases(names, configuration, options.seed, folder, options.workers)
    counts = summary(cases)
    print("\nTrue → found effects on the margin, in logits for one standard deviation (* planted)")
    print(effect_table(cases).to_string())
    print(
        f"\nOf {counts['cases']} cases: planted on top in {counts['top1_right']} by effect "
        f"and in {counts['shapley_top1_right']} by mean |Shapley value|, signs right in "
        f"{counts['signs_right']}, leak at most {LARGEST_LEAK} in {counts['leak_small']} "
        f"({counts['leak_context_small']} where latent concepts are left out)\n"
    )
    result = {"cases": cases, "summary": counts, "seed": options.seed, "quick": options.quick}
    publish(result, score_table(cases), options.json)


if __name__ == "__main__":
    main()
