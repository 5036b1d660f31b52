"""One case from its teacher to its score."""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.glassbox.cases import Case
from benchmarks.glassbox.configuration import Configuration
from benchmarks.glassbox.effects import Effect, effect_of, found_changes
from benchmarks.glassbox.explainers.compare import ORACLE, OURS, compare_explainers
from benchmarks.glassbox.explainers.question import Question
from benchmarks.glassbox.importances import mean_importances
from benchmarks.glassbox.score import planted_on_top, score
from benchmarks.glassbox.shortcuts import (
    MEASURES,
    digit_effect,
    measured_teacher,
    shortcut_teacher,
)
from benchmarks.glassbox.stock import Stock
from benchmarks.glassbox.teachers import moment_teacher
from benchmarks.glassbox.truth import true_changes
from benchmarks.glassbox.verdicts import judged, score_verdicts, spread_of_margin
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.digits.measured_table import measure_of
from glance_pipeline.evaluation.aligned_concepts import alignment_r2
from glance_pipeline.evaluation.fidelity import fidelity, reconstruction_l1
from glance_pipeline.support.compute import set_threads
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.training.data import PreparedImages
from glance_pipeline.twin.training.stages import StageRun, align, disentangle, distill


def run_case(
    case: Case, stock: Stock, configuration: Configuration, seed: int, folder: Path
) -> dict[str, Any]:
    """Build the teacher, train the surrogate, measure true and found effects, and score them.

    It runs on one thread, so that the result does not depend on what the machine has or does.

    Args:
        case: which.
        stock: images of its scenario.
        configuration: configuration of the benchmark.
        seed: seed of the run.
        folder: where the stages keep their checkpoints; it is removed at the end.

    Returns:
        What JSON can hold; see ``docs/explanation/glass_boxes.md``.
    """
    set_threads(1)
    began, worked = time.perf_counter(), time.process_time()
    classifier = build_teacher(case, stock, configuration, seed)
    surrogate, cost = train_surrogate(classifier, stock, configuration, seed, folder)
    digits, rows = stock.digits, stock.held_out
    true, found, took = effects(case, surrogate, classifier, stock, configuration.glassbox.step)
    question = Question(surrogate, classifier, stock, seed)
    explainers = compare_explainers(case, question, found, true, took)
    importances = mean_importances(
        surrogate,
        classifier,
        digits.images[digits.rows_of("train")],
        digits.images[rows[: configuration.glassbox.importance_images]],
        seed,
    )
    images = digits.images[digits.rows_of("test")]
    shares = fidelity(surrogate, classifier, images, numpy_generator(seed, "glassbox", "fidelity"))
    context = digits.context.iloc[digits.rows_of("test")]
    edges = judged(surrogate, classifier, stock, seed)
    own = spread_of_margin(classifier, digits.images)
    verdicts = score_verdicts(case, edges, found, true, own)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "name": case.name,
        "planted": list(case.planted),
        "scenario": case.scenario,
        "reason": case.reason,
        **verdicts.to_dict(),
        **(score(case, found, true).to_dict() if case.reason != "other" else {}),
        "shapley_top1_right": planted_on_top(case, importances),
        "importances": importances,
        "digit_effect": digit_effect(classifier, digits) if case.is_trained else None,
        **shares,
        "reconstruction_l1": reconstruction_l1(surrogate, images),
        "r2": alignment_r2(surrogate, surrogate.encode_array(images), context),
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - worked,
        "seconds_of_stages": cost,
        "effects": _listed(case, found, true),
        "explainers": explainers,
    }


def build_teacher(case: Case, stock: Stock, configuration: Configuration, seed: int) -> Classifier:
    """Plant the case's reasons in a function of moments, or train a CNN on them."""
    digits = stock.digits
    if case.is_trained:
        reason = case.planted[0]
        if reason in MEASURES:
            return measured_teacher(reason, digits, configuration, seed)
        return shortcut_teacher(reason, digits, configuration, seed, case.noise)
    images = digits.images[digits.rows_of("train")]
    return moment_teacher(case.terms, images, configuration.glassbox.margin)


def train_surrogate(
    classifier: Classifier, stock: Stock, configuration: Configuration, seed: int, folder: Path
) -> tuple[TwinSurrogate, dict[str, float]]:
    """Run the project's three stages; return the surrogate and the seconds of each."""
    digits = stock.digits
    measure = measure_of(digits.images, digits.context, list(map(str, digits.context)), 1)
    prepared = PreparedImages(digits.images, digits.records, digits.context, measure)
    runs = {stage: StageRun(folder / stage, seed) for stage in ("distill", "disentangle", "align")}
    first = distill(prepared, classifier, configuration.distill, runs["distill"])
    players = Players(first.surrogate, first.critics, classifier)
    second = disentangle(prepared, players, configuration.disentangle, runs["disentangle"])
    players = Players(second.surrogate, second.critics, classifier, stock.reader)
    third = align(prepared, players, configuration.align, runs["align"])
    stages = {"distill": first, "disentangle": second, "align": third}
    return third.surrogate, {name: stage.cost["seconds"] for name, stage in stages.items()}


def effects(
    case: Case, surrogate: TwinSurrogate, classifier: Classifier, stock: Stock, step: float
) -> tuple[dict[str, Effect], dict[str, Effect], dict[str, float]]:
    """Return the true effects and the found ones on the held-out images, by concept.

    The last part has the seconds that each took, redrawing and training not among them.

    Where the case has another feature split an effect, it is that of either half of the images too.

    Args:
        case: says what splits an effect.
        surrogate: after alignment.
        classifier: the teacher.
        stock: the images and their redrawings.
        step: standard deviations that a concept is moved, to either side.
    """
    digits, rows = stock.digits, stock.held_out
    halves = {
        name: (digits.context[other] > digits.context[other].median()).to_numpy()[rows]
        for name, other in case.split_by
    }
    began = time.perf_counter()
    true = {
        name: effect_of(true_changes(redrawn, classifier), halves.get(name))
        for name, redrawn in stock.redrawn.items()
    }
    between = time.perf_counter()
    changes = found_changes(surrogate, classifier, digits.images[rows], step)
    found = {name: effect_of(change, halves.get(name)) for name, change in changes.items()}
    took = {ORACLE: between - began, OURS: time.perf_counter() - between}
    return true, found, took


def _listed(case: Case, found: dict[str, Effect], true: dict[str, Effect]) -> list[dict[str, Any]]:
    """List every concept with its true effect (None for a latent one) and its found one."""
    names = [*true, *(name for name in found if name not in true)]
    return [
        {
            "concept": name,
            "kind": "aligned" if name in true else "latent",
            "planted": name in case.planted,
            "true": asdict(true[name]) if name in true else None,
            "found": asdict(found[name]) if name in found else None,
        }
        for name in names
    ]
