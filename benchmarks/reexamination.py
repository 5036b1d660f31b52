"""Level, power and cost of the test by which edges are re-examined.

python -m benchmarks.reexamination
"""

import json
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.command_line import command_line, publish
from glance_pipeline.graph.search.nonparametric import RandomizedTest
from glance_pipeline.support.seeding import numpy_generator

_ROWS = (500, 1000, 2000, 5000)
_LEVEL = 0.01

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def _bent(generator: np.random.Generator, rows: int) -> Drawn:
    """Independent given one cause, which acts on both without being monotone."""
    z, e, f = generator.normal(size=(3, rows, 1))
    return np.sin(2 * z) + 0.5 * e, z**2 / 2 + 0.5 * f, z


def _bent_by_three(generator: np.random.Generator, rows: int) -> Drawn:
    """Independent given three causes, which act on one through a bent link."""
    z, (e, f) = generator.normal(size=(rows, 3)), generator.normal(size=(2, rows, 1))
    total = z.sum(1, keepdims=True)
    return np.tanh(total) + 0.5 * e, total**2 / 3 + 0.5 * f, z


def _weak(generator: np.random.Generator, rows: int) -> Drawn:
    """Linked, with a partial correlation of 0.08 given one common cause."""
    z, e, f = generator.normal(size=(3, rows, 1))
    return 0.5 * z + e, 0.5 * z + 0.08 * e + f, z


def _weak_given_three(generator: np.random.Generator, rows: int) -> Drawn:
    """Linked, with a partial correlation of 0.08 given three common causes."""
    z, (e, f) = generator.normal(size=(rows, 3)), generator.normal(size=(2, rows, 1))
    total = 0.3 * z.sum(1, keepdims=True)
    return total + e, total + 0.08 * e + f, z


CASES: dict[str, Callable[[np.random.Generator, int], Drawn]] = {
    "independent given one": _bent,
    "independent given three": _bent_by_three,
    "linked, given one": _weak,
    "linked, given three": _weak_given_three,
}


def measure(rows: int, draws: int, seed: int) -> dict[str, float]:
    """Return the share of draws with p ≤ 0.01 in each case, and the seconds of a test."""
    measured: dict[str, float] = {"rows": rows}
    seconds = 0.0
    for name, draw in CASES.items():
        p_values = []
        for index in range(draws):
            data = numpy_generator(seed, "re-examination", name, rows, index)
            test = RandomizedTest(numpy_generator(seed, "features", name, rows, index))
            columns = draw(data, rows)
            start = time.process_time()
            p_values.append(test(*columns))
            seconds += time.process_time() - start
        measured[name] = float(np.mean(np.array(p_values) <= _LEVEL))
    return measured | {"seconds": seconds / draws / len(CASES)}


def main() -> None:
    """Print the table."""
    parser = command_line("reexamination", __doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=100, help="of each case (default: 100)")
    arguments = parser.parse_args()
    draws = 5 if arguments.quick else arguments.draws
    table = pd.DataFrame([measure(rows, draws, arguments.seed) for rows in _ROWS]).set_index("rows")
    rows = json.loads(table.reset_index().to_json(orient="records"))
    publish({"draws": draws, "level": _LEVEL, "rows": rows}, table, arguments.json)


if __name__ == "__main__":
    main()
