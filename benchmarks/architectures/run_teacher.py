"""One teacher from its training to its row of the table."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.architectures.configuration import Configuration
from benchmarks.architectures.environment import Environment, write_images
from benchmarks.architectures.files import write_file
from benchmarks.architectures.material import read_material
from benchmarks.architectures.teacher_alone import judge_alone
from benchmarks.architectures.teachers import TEACHERS, Teacher
from benchmarks.architectures.training import trained_network
from benchmarks.glassbox.drawn import Drawn
from benchmarks.glassbox.effects import effect_of, found_changes
from benchmarks.glassbox.score import score
from benchmarks.glassbox.truth import true_changes
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.evaluation.fidelity import fidelity
from glance_pipeline.graph import CausalGraph
from glance_pipeline.support.compute import set_threads
from glance_pipeline.support.seeding import numpy_generator
from glance_pipeline.twin.networks import TwinSurrogate

IMAGES = "images.npz"
"""What all teachers share; see ``material.py``."""


def run_teacher(name: str, configuration: Configuration, seed: int, folder: Path) -> dict[str, Any]:
    """Train a teacher, write its file, have the pipelines explain it, and judge what they found.

    It runs on one thread, so that the result depends neither on the number of cores nor on that
    of the processes beside it.

    Args:
        name: name of ``TEACHERS``.
        configuration: configuration of the benchmark.
        seed: seed of the run.
        folder: holds the images; weights and the pipelines' results are written there.

    Returns:
        What JSON can hold; see ``docs/how_to/bring_your_own.md``.
    """
    set_threads(1)
    teacher = TEACHERS[name]
    material = read_material(folder / IMAGES)
    drawn = material.drawn
    network = trained_network(
        teacher, material.train, configuration.teacher, seed, folder / "weights"
    )
    environment = Environment(folder / "runs" / name)
    row = {
        "name": name,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "black_box": teacher.is_black_box,
        "format": teacher.form,
        "shortcut": configuration.shortcut.feature,
        **judge_alone(network, material, configuration, seed),
        "resumed": environment.was_cut_off,
    }
    cost = explain(environment, teacher, network, drawn, configuration, seed)
    surrogate, classifier, graph = environment.load(
        "surrogate_aligned", "classifier", "causal_graph"
    )
    found = judge(surrogate, classifier, drawn, configuration, name, seed)
    environment.forget_checkpoints()
    return {
        **row,
        **found,
        "used_in_graph": used(graph, classifier.class_names[1]),
        "queries": environment.queries(),
        **cost,
    }


def explain(
    environment: Environment,
    teacher: Teacher,
    network: nn.Module,
    drawn: Drawn,
    configuration: Configuration,
    seed: int,
) -> dict[str, float]:
    """Write the teacher's file and the images, and run the pipelines on them.

    Returns:
        ``seconds`` and ``processor_seconds`` of the run, from ``ingest`` to ``discover``.
    """
    entry = write_file(network, teacher.form, environment.folder / "given")
    ingest = write_images(drawn.digits, environment.folder / "given")
    parameters = {"seed": seed, "compute": {"threads": 1, "workers": 1}, "ingest": ingest}
    environment.configure(entry, parameters | configuration.pipelines)
    began, worked = time.perf_counter(), time.process_time()
    environment.run()
    return {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - worked,
    }


def judge(
    surrogate: TwinSurrogate,
    classifier: Classifier,
    drawn: Drawn,
    configuration: Configuration,
    name: str,
    seed: int,
) -> dict[str, Any]:
    """Compare found with true effects as the glass boxes do, and measure the fidelity.

    Args:
        surrogate: after alignment.
        classifier: the teacher, as the catalog loads it.
        drawn: the images and their redrawings.
        configuration: configuration of the benchmark.
        name: name of the teacher.
        seed: seed of the run.
    """
    digits = drawn.digits
    true = {
        feature: effect_of(true_changes(redrawn, classifier))
        for feature, redrawn in drawn.redrawn.items()
    }
    changes = found_changes(
        surrogate, classifier, digits.images[drawn.held_out], configuration.step
    )
    found = {concept: effect_of(change) for concept, change in changes.items()}
    scores = score(configuration.case(name), found, true)
    images = digits.images[digits.rows_of("test")]
    shares = fidelity(
        surrogate, classifier, images, numpy_generator(seed, "architectures", "fidelity")
    )
    return {
        "agreement": shares.pop("reconstruction_agreement"),
        "shortcut_right": scores.top1_right and scores.signs_right,
        "top_concept": max(found, key=lambda concept: abs(found[concept].mean)),
        **scores.to_dict(),
        **shares,
        "effects": {
            "true": {feature: asdict(effect) for feature, effect in true.items()},
            "found": {concept: asdict(effect) for concept, effect in found.items()},
        },
    }


def used(graph: CausalGraph, class_name: str) -> list[str]:
    """Return the concepts that the causal graph says a class's prediction uses, strongest first."""
    edges = [
        edge
        for edge in graph.edges
        if edge.target == f"prediction:{class_name}" and edge.verdict == "used"
    ]
    return [edge.source for edge in sorted(edges, key=lambda edge: -abs(edge.strength))]
