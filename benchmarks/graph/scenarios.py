"""Small known models, drawn anew for each seed: is the whole graph right?"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.graph.known_models import KnownModel, confounded_model, digit_model
from benchmarks.graph.score import count, marks_of
from benchmarks.graph.truth import ARROW, Truth, directed_graph, truth_of
from glance_pipeline.config.background_knowledge import Knowledge
from glance_pipeline.config.discover import GraphSearchParameters
from glance_pipeline.graph.search.discovery import discover_concept_graph

ROWS = 5000
SCENARIOS = ("standard", "collider", "confounder", "knowledge")

MEANINGS = {
    "seeds": "runs, each with columns and resamples of its own",
    "skeleton_exact": "runs in which exactly the true pairs are joined",
    "directions_right": "runs in which every true pair is joined and has exactly the arrowheads "
    "that observations can tell; with knowledge, exactly the true marks",
    "wrong_directions": "edges, over all runs, that claim a cause where there is none",
}

KNOWLEDGE = {
    "standard": Knowledge(required=(("thickness", "intensity"),)),
    "collider": Knowledge(
        required=(("thickness", "intensity"), ("slant", "intensity")),
        tiers=(("thickness", "slant"), ("intensity",)),
    ),
}
"""What the user says of each model in the scenario ``knowledge``."""


def judge(found: np.ndarray, truth: Truth, wanted: np.ndarray | None = None) -> dict[str, Any]:
    """Judge the graph of one run.

    Args:
        found: its marks (L, L).
        truth: about the same columns.
        wanted: the marks that it should have, where background knowledge settles them all.
    """
    joined = truth.observable if wanted is None else wanted
    if wanted is None:
        every_pair = bool(np.all(found[joined != 0] != 0))
        heads = (found == ARROW)[joined != 0]
        right = every_pair and np.array_equal(heads, (joined == ARROW)[joined != 0])
    else:
        right = np.array_equal(found[joined != 0], wanted[joined != 0])
    return {
        "skeleton_exact": np.array_equal(found != 0, joined != 0),
        "directions_right": bool(right),
        "wrong_directions": count(found, truth).wrong_directions,
    }


def run_scenarios(
    seeds: Iterable[int], settings: GraphSearchParameters, workers: int
) -> dict[str, dict[str, int]]:
    """Run every scenario for every seed, with a progress bar; return its counts by its name."""
    seeds = list(seeds)
    plain = {
        "standard": digit_model("standard"),
        "collider": digit_model("collider"),
        "confounder": confounded_model(),
    }
    judges: dict[str, Callable[[int], list[dict[str, Any]]]] = {
        name: lambda seed, model=model: [_run(model, settings, seed, workers)]  # type: ignore[misc]
        for name, model in plain.items()
    }
    judges["knowledge"] = lambda seed: [
        _run(digit_model(name), settings, seed, workers, KNOWLEDGE[name]) for name in KNOWLEDGE
    ]
    counts = {}
    with tqdm(total=len(judges) * len(seeds), desc="scenarios", unit="run") as bar:
        for name, judged in judges.items():
            runs = []
            for seed in seeds:
                runs.append(judged(seed))
                bar.update()
            counts[name] = add_up(runs)
    return counts


def add_up(runs: list[list[dict[str, Any]]]) -> dict[str, int]:
    """Count over runs, each of one or more graphs that all have to be right."""
    return {
        "seeds": len(runs),
        "skeleton_exact": sum(all(graph["skeleton_exact"] for graph in run) for run in runs),
        "directions_right": sum(all(graph["directions_right"] for graph in run) for run in runs),
        "wrong_directions": sum(graph["wrong_directions"] for run in runs for graph in run),
    }


def scenario_table(counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    """Return the counts of ``run_scenarios`` as a table."""
    table = pd.DataFrame.from_dict(counts, orient="index")
    return table.rename(columns=lambda name: name.replace("_", " "))


def _run(
    model: KnownModel,
    settings: GraphSearchParameters,
    seed: int,
    workers: int,
    knowledge: Knowledge | None = None,
) -> dict[str, Any]:
    """Search columns of one model and judge the graph."""
    table = model.table(ROWS, seed)
    graph = discover_concept_graph(table, settings, seed, workers, knowledge or Knowledge())
    wanted = None if knowledge is None else directed_graph(model)
    return judge(marks_of(graph, model.observed), truth_of(model), wanted)
