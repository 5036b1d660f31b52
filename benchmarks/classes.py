"""What the number of classes costs: the graph's predictions, from concept table to JSON.

python -m benchmarks.classes
"""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.command_line import command_line, publish
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
from glance_pipeline.config.discover import DiscoverParameters
from glance_pipeline.datasets import ConceptTableDataset
from glance_pipeline.graph.model.causal_graph import CausalGraph, Node
from glance_pipeline.graph.model.gate import Gate
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.images.form import to_uint8
from glance_pipeline.pipelines.discover import nodes
from glance_pipeline.support.seeding import numpy_generator, seeded_torch
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate
from glance_pipeline.twin.testing import FirstPixelsSurrogate

CONCEPTS, IMAGES, HELD_OUT, SIZE = 12, 1000, 500, 16
CASES = ((10, None), (300, None), (1_000, None), (10_000, None), (10_000, 1_000))


def world(classes: int, seed: int) -> tuple[TwinSurrogate, Classifier, np.ndarray]:
    """Return a glass box of 12 concepts, a teacher with a random linear head, and 1,000 images."""
    shape = SurrogateShape(
        (1, SIZE, SIZE), classes, SIZE**2, CONCEPTS, 4, (8, 8, 4), style=16, hidden=16
    )
    concepts = [Concept(f"latent_{number}", "latent") for number in range(CONCEPTS)]
    with seeded_torch(seed, "classes"):
        surrogate = FirstPixelsSurrogate(shape, concepts).eval()
        network = nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, classes, bias=False))
    specification = ClassifierSpecification(
        image_shape=(1, SIZE, SIZE),
        class_names=tuple(f"class {k}" for k in range(classes)),
        mean=(0.5,),  # grey, so that what is drawn decides
        std=(0.1,),
    )
    drawn = numpy_generator(seed, "classes").normal(size=(IMAGES, CONCEPTS)).clip(-2.4, 2.4)
    codes = Codes(torch.tensor(drawn).float(), torch.zeros(IMAGES, 4))
    return surrogate, Classifier(network, specification), to_uint8(surrogate.generate(codes))


def measure(classes: int, outcomes: int | None, seed: int) -> dict[str, Any]:
    """Return seconds of the processor and the peak of memory, GB; best in a process of its own."""
    torch.set_num_threads(1)
    surrogate, classifier, images = world(classes, seed)
    records = pd.DataFrame({"split": ["test"] * HELD_OUT + ["train"] * (IMAGES - HELD_OUT)})
    parameters = DiscoverParameters(outcomes=outcomes)
    before, started = _peak(), time.process_time()
    table = nodes.infer_concepts_of_all_images(surrogate, classifier, images, records, parameters)
    size = _saved(table)
    tabled = time.process_time()
    graph = nodes.test_concepts_by_intervention(
        graph=_graph_of(table),
        gate=Gate({}, None, HELD_OUT),
        concepts=table,
        surrogate=surrogate,
        classifier=classifier,
        images=images,
        records=records,
        context_features=pd.DataFrame(index=range(len(images))),
        parameters=parameters,
        seed=seed,
    )
    return {
        "classes": classes,
        "outcomes": table.margins.shape[1],
        "table_s": tabled - started,
        "table_mb": size,
        "interventions_s": time.process_time() - tabled,
        "graph_mb": len(graph.to_json()) / 1e6,
        "peak_gb": _peak(),
        "of_which_before_gb": before,
    }


def _graph_of(table: ConceptTable) -> CausalGraph:
    names = tuple(Node(str(name), "latent", str(name)) for name in table.concepts)
    search = SearchRecord("none", "none", 0.01, 0.5, 3, 1, IMAGES, IMAGES, 0)
    return CausalGraph(names, (), (), search)


def _saved(table: ConceptTable) -> float:
    """Save a table and return the size of its file, MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "concepts.parquet")
        ConceptTableDataset(filepath=str(path)).save(table)
        return path.stat().st_size / 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Measure each case in a process of its own, and print the table."""
    options = command_line("classes", __doc__ or "").parse_args()
    cases = CASES[:-1] if options.quick else CASES
    rows = []
    for case in cases:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (*case, options.seed)))
    publish({"cases": rows}, pd.DataFrame(rows).set_index("classes"), options.json)


if __name__ == "__main__":
    main()
