"""The command: ``python -m benchmarks.glassbox``."""

import logging

from benchmarks.command_line import command_line_of_many, publish
from benchmarks.glassbox.cases import CASES, QUICK
from benchmarks.glassbox.configuration import load_configuration, result_key
from benchmarks.glassbox.explainers.table import explainer_summary, explainer_table
from benchmarks.glassbox.runner import run_cases
from benchmarks.glassbox.table import LARGEST_LEAK, effect_table, score_table, summary


def main(arguments: list[str] | None = None) -> None:
    """Run the cases that are asked for and print the tables."""
    description = "Explain teachers whose reasons are known, and score the explanations."
    parser = command_line_of_many("glassbox", description, CASES, "case")
    options = parser.parse_args(arguments)
    if options.list:
        for case in CASES.values():
            kind = "trained CNN" if case.is_trained else "function of moments"
            print(f"{case.name}: {kind}, {', '.join(case.planted)}; {case.scenario} images")
        return
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
    explainers = explainer_summary(cases)
    print(f"Explainers, on the same held-out images\n{explainer_table(explainers)}\n")
    result = {
        "cases": cases,
        "summary": counts,
        "explainers": explainers,
        "seed": options.seed,
        "quick": options.quick,
    }
    publish(result, score_table(cases), options.json)


if __name__ == "__main__":
    main()
