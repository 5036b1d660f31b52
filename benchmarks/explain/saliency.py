"""Concept saliency beside Captum's methods, on the same images and the same curves."""

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.explain.agreement import gap_to_quantus
from benchmarks.explain.curves import REPLACEMENTS, background_of, curves, replaced
from benchmarks.explain.rivals import CaptumMethods, cheap_maps, maps_of
from benchmarks.explain.trained_run import TrainedRun
from glance_pipeline.explanations import ConceptSaliency
from glance_pipeline.support.seeding import numpy_generator

OURS = "concept saliency"
RESAMPLES = 2000
COLUMNS = [f"{curve}_{by}" for by in REPLACEMENTS for curve in ("deletion", "insertion")]

NOTES = """
Area under the curve of the softmax probability of the class the teacher gives the image, over the
share of pixels taken in the order of the map; mean over the images, ± its bootstrap standard error.
Deletion: the smaller the better; insertion: the larger. What replaces a pixel: the background (the
most frequent value of the training images), or the image blurred (Gaussian, an eighth of its
height). JSON's `deletion` is by the background and its `insertion` from the blur, as in RISE; all
four are beside them. Second table: how much worse than ours, ± the standard error of the paired
difference. smoothed: blurred as our maps are. ms: of the maps, an image.
"""


@dataclass(frozen=True)
class Maps:
    """What a method made of all images: maps (N, H, W), and the milliseconds an image took."""

    maps: np.ndarray
    milliseconds: float


def measure_saliency(run: TrainedRun, steps: int) -> dict[str, Any]:
    """Compute the maps of all methods and the areas under their curves.

    Args:
        run: a trained run and the images to explain.
        steps: steps of a curve.

    Returns:
        ``saliency``, a list with ``method``, ``deletion``, ``insertion``, ``ms_per_image``, the
        areas by what replaces a pixel (``deletion_background`` …), the standard error of each
        (``…_se``), how much worse than ours (``…_behind``) and the standard error of that
        (``…_behind_se``); and ``curves``: steps, images, the mean probability of the class where
        all pixels are replaced, and the largest gap to Quantus, None if it is not installed.
    """
    background = background_of(run.training)
    found = all_maps(run, background)
    gone = {by: replaced(run.chosen, by, background) for by in REPLACEMENTS}
    areas: dict[str, dict[str, np.ndarray]] = {}
    about: dict[str, Any] = {"steps": steps, "images": len(run.chosen), "gap_to_quantus": None}
    for method, one in tqdm(found.items(), desc="curves", unit="method"):
        areas[method] = {}
        for by in REPLACEMENTS:
            drawn = curves(run.classifier, run.chosen, gone[by], one.maps, steps, run.seed)
            areas[method] |= {f"{curve}_{by}": each for curve, each in drawn.areas.items()}
            if method == OURS:
                about[f"probability_{by}"] = float(drawn.deletion[:, -1].mean())
            if method == OURS and by == "background" and find_spec("quantus"):
                about["gap_to_quantus"] = gap_to_quantus(
                    run.classifier, run.chosen, background, one.maps, drawn, run.seed
                )
    return {"saliency": _rows(areas, found, run.seed), "curves": about}


def all_maps(run: TrainedRun, background: np.ndarray) -> dict[str, Maps]:
    """Return the maps of every method by its name, ours first."""
    subjects, classes = run.subjects, run.subjects.about
    parameters = run.parameters
    ours = ConceptSaliency(
        run.surrogate,
        run.classifier,
        run.background(parameters.importance.backgrounds),
        parameters.saliency,
        measure=parameters.importance.measure,
        seed=run.seed,
    )
    began = time.perf_counter()
    explained = np.stack([one.map for one in ours.explain(subjects)])
    found = {OURS: Maps(explained, _milliseconds(began, len(subjects)))}
    methods = CaptumMethods(run.classifier, background, run.training, run.seed).by_name
    for name, method in tqdm(methods.items(), desc="maps", unit="method"):
        began = time.perf_counter()
        maps = maps_of(method, run.chosen, classes)
        found[name] = Maps(maps, _milliseconds(began, len(subjects)))
    for name in [name for name in methods if name.startswith(("Integrated", "GradientShap"))]:
        smooth = ours.smooth(found[name].maps)
        found[f"{name}, smoothed"] = Maps(smooth, found[name].milliseconds)
    cheap = cheap_maps(run.chosen, background, run.seed)
    return found | {name: Maps(maps, 0.0) for name, maps in cheap.items()}


def saliency_table(rows: list[dict[str, Any]], behind: bool = False) -> pd.DataFrame:
    """Return areas ± standard errors, or how much worse than ours they are, in words."""
    table = pd.DataFrame(index=pd.Index([row["method"] for row in rows], name=""))
    for column in COLUMNS:
        key, sign = (f"{column}_behind", "+") if behind else (column, "")
        table[column] = [f"{row[key]:{sign}.3f} ±{row[f'{key}_se']:.3f}" for row in rows]
    if not behind:
        table["ms"] = [f"{row['ms_per_image']:.1f}" for row in rows]
    return table


def _rows(
    areas: dict[str, dict[str, np.ndarray]], found: dict[str, Maps], seed: int
) -> list[dict[str, Any]]:
    count = len(areas[OURS][COLUMNS[0]])
    drawn = numpy_generator(seed, "curves", "bootstrap").integers(0, count, (RESAMPLES, count))
    rows = []
    for method, each in areas.items():
        row: dict[str, Any] = {
            "method": method,
            "deletion": float(each["deletion_background"].mean()),
            "insertion": float(each["insertion_blur"].mean()),
            "ms_per_image": found[method].milliseconds,
        }
        for column in COLUMNS:
            sign = 1 if column.startswith("deletion") else -1
            behind = sign * (each[column] - areas[OURS][column])
            for name, values in ((column, each[column]), (f"{column}_behind", behind)):
                row[name] = float(values.mean())
                row[f"{name}_se"] = float(values[drawn].mean(1).std(ddof=1))
        rows.append(row)
    return rows


def _milliseconds(began: float, count: int) -> float:
    return 1000 * (time.perf_counter() - began) / count
