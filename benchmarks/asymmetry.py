"""Does functional asymmetry tell cause from effect on our own renderer, whose truth is known?

python -m benchmarks.asymmetry
"""

import json

import pandas as pd
from scipy.special import logit

from benchmarks.command_line import command_line, publish
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.graph.search.asymmetry import METHODS, Asymmetry, prefer
from glance_pipeline.support.seeding import numpy_generator

_SCALES = ("grey level", "logit")


def judge(seeds: list[int], rows: int = 500) -> pd.DataFrame:
    """Ask both methods for the direction between thickness and intensity of the standard model.

    Args:
        seeds: seeds of the draws.
        rows: digits of each draw.

    Returns:
        A row for each method, scale of the intensity (as it is, or ℓ = logit((intensity − 64)/191),
        on which its noise is added) and seed: ``preferred`` cause (the truth is thickness, None
        where both fit equally), and the p-value of each direction.
    """
    found_rows = []
    for seed in seeds:
        digits = STRUCTURAL_MODELS["standard"].draw(rows, numpy_generator(seed, "asymmetry"))
        thickness, grey = digits["thickness"].to_numpy(), digits["intensity"].to_numpy()
        for scale, intensity in zip(_SCALES, (grey, logit((grey - 64) / 191)), strict=True):
            for name in METHODS:
                method: Asymmetry = name  # type: ignore[assignment]
                found = prefer("thickness", "intensity", thickness, intensity, method)
                p_values = (float("nan"), float("nan"))
                if found is not None:
                    p_values = (found.p_source_first, found.p_target_first)
                    if found.source == "intensity":
                        p_values = p_values[::-1]
                found_rows.append((name, scale, seed, found and found.source, *p_values))
    columns = ["method", "intensity", "seed", "preferred", "p thickness first", "p intensity first"]
    return pd.DataFrame(found_rows, columns=columns)


def main() -> None:
    """Print the table."""
    parser = command_line("asymmetry", __doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="number of draws (default: 5)")
    arguments = parser.parse_args()
    number = 1 if arguments.quick else arguments.seeds
    table = judge([arguments.seed + k for k in range(number)])
    table = table.sort_values(["method", "intensity", "seed"]).set_index(["method", "intensity"])
    shown = table.copy()
    for name in ("p thickness first", "p intensity first"):
        shown[name] = table[name].map("{:.2g}".format)
    rows = json.loads(table.reset_index().to_json(orient="records"))
    publish({"rows": rows}, shown, arguments.json)


if __name__ == "__main__":
    main()
