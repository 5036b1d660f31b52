"""The command: ``python -m benchmarks.explain``."""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.command_line import command_line, write_result
from benchmarks.explain.saliency import NOTES, OURS, measure_saliency, saliency_table
from benchmarks.explain.trained_run import TrainedRun, load_run

IMAGES, QUICK_IMAGES = 200, 40
STEPS, QUICK_STEPS = 64, 32


def counterfactual(run: TrainedRun, _: bool) -> dict[str, Any]:
    """Measure counterfactuals, and print the figures."""
    from benchmarks.explain.counterfactual import measure_counterfactuals

    found = measure_counterfactuals(
        run.surrogate, run.classifier, run.chosen, run.parameters, run.seed
    )
    _print("Counterfactuals", pd.DataFrame(found["strategies"]).T)
    return {"counterfactual": found}


def shapley(run: TrainedRun, _: bool) -> dict[str, Any]:
    """Measure importances, and print the figures."""
    from benchmarks.explain.shapley import measure_shapley

    parameters = run.parameters.importance
    background = run.background(parameters.backgrounds)
    found = measure_shapley(
        run.surrogate,
        run.classifier,
        run.subjects,
        background,
        parameters,
        seed=run.seed,
        training=run.training_codes,
    )
    _print("Importances", pd.Series(found).to_frame("").T)
    return {"shapley": found}


def saliency(run: TrainedRun, quick: bool) -> dict[str, Any]:
    """Compare saliency with Captum's methods, and print the table."""
    found = measure_saliency(run, QUICK_STEPS if quick else STEPS)
    _print(f"Saliency, {len(run.chosen)} test images", saliency_table(found["saliency"]))
    _print(f"How much worse than {OURS}", saliency_table(found["saliency"], behind=True))
    print(NOTES)
    print(", ".join(f"{name}: {value}" for name, value in found["curves"].items()))
    return found


PARTS = {"counterfactual": counterfactual, "shapley": shapley, "saliency": saliency}


def _print(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}\n{table.to_string(float_format=lambda value: f'{value:.4g}')}")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_line("explain", "Explanations of a trained run, on held-out images.")
    parser.add_argument(
        "--project", type=Path, default=Path(), help="whose newest run it is (default: here)"
    )
    parser.add_argument("--env", help="Kedro environment of the run")
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="measure these alone"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    options = _arguments(arguments)
    count = QUICK_IMAGES if options.quick else IMAGES
    try:
        run = load_run(options.project, options.env, options.seed, count)
    except ValueError as error:
        sys.exit(str(error))
    result: dict[str, Any] = {"images": len(run.chosen), "seed": options.seed}
    for name in options.only:
        result |= PARTS[name](run, options.quick)
    write_result(result, options.json)


if __name__ == "__main__":
    main()
