"""The ``explain`` pipeline on a tiny surrogate, in this process or another."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.runner import SequentialRunner
from kedro_datasets.text import TextDataset

from glance_pipeline.config.discover import StructuralModelParameters
from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets import (
    CheckpointFolderDataset,
    OptionalDataset,
)
from glance_pipeline.explanations.running.selection import ChosenImages
from glance_pipeline.graph.model.causal_graph import CausalGraph
from glance_pipeline.graph.model.causal_graph import Edge as GraphEdge
from glance_pipeline.graph.model.causal_graph import Node as GraphNode
from glance_pipeline.graph.model.records import SearchRecord
from glance_pipeline.graph.structural.structural_model import StructuralModels
from glance_pipeline.pipelines.explain import create_pipeline
from glance_pipeline.twin.concept_table import ConceptTable
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate

SMALL = {
    "steps": 2,
    "at_once": 2,
    "search": {"largest": 2, "halvings": 1},
    "importance": {"backgrounds": 2},
}


def make_catalog(folder: Path, parameters: dict[str, Any], images: int = 12) -> DataCatalog:
    """Return a catalog that saves to ``folder``, the last quarter of its images a test split."""
    surrogate = tiny_surrogate()
    draws = np.random.default_rng(0)
    concepts = pd.DataFrame(draws.normal(size=(images, 3)), columns=surrogate.active_concepts)
    margins = pd.DataFrame(draws.normal(size=(images, 3)), columns=list("abc"))
    kinds = {name: surrogate.concept(name).kind for name in concepts}
    table = ConceptTable(concepts, margins, kinds, dict.fromkeys(concepts, ""))
    nodes = tuple(GraphNode(name, kinds[name], name) for name in concepts)
    edge = GraphEdge("size", "tilt", "tail", "arrow", "association")
    graph = CausalGraph(nodes, (edge,), (), SearchRecord("FCI", "z", 0.01, 0.5, 3, 2, 12, 12, 0))
    models = StructuralModels.fit(table, graph, StructuralModelParameters(permutations=0), 0)
    splits = ["train"] * (images * 3 // 4) + ["test"] * (images - images * 3 // 4)
    memory = {
        "images": draws.integers(0, 255, (images, 1, 8, 8), dtype=np.uint8),
        "image_records": pd.DataFrame({"label": ["a"] * images, "split": splits}),
        "surrogate_aligned": surrogate,
        "classifier": tiny_classifier(),
        "concepts": table,
        "causal_graph": graph,
        "structural_models": models,
        "params:seed": 0,
        "params:explain": ExplainParameters.model_validate(parameters),
    }
    kept = "glance_pipeline.datasets.ExplanationFolderDataset"
    return DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in memory.items()}
        | {
            "chosen_images": MemoryDataset(copy_mode="assign"),
            "explained": MemoryDataset(copy_mode="assign"),
            "explanation_shards": CheckpointFolderDataset(filepath=str(folder / "shards")),
            "explanations": OptionalDataset(dataset=kept, filepath=str(folder / "explanations")),
            "report": TextDataset(filepath=str(folder / "report.html")),
            "image_form": OptionalDataset(
                dataset="json.JSONDataset", filepath=str(folder / "image_form.json")
            ),
            "metrics": OptionalDataset(
                dataset="json.JSONDataset",
                filepath=str(folder / "metrics.json"),
                version=Version(None, None),
                version_as="version",
            ),
        }
    )


def run(folder: Path, **parameters: Any) -> DataCatalog:
    """Run the pipeline once on 80 images in batches of 2."""
    torch.set_num_threads(1)
    catalog = make_catalog(folder, {**SMALL, "images": "0-79", **parameters}, images=80)
    SequentialRunner().run(create_pipeline(), catalog)
    return catalog


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


if __name__ == "__main__":  # one shard of four, slowly, so that it can be killed midway
    read = ChosenImages.read

    def read_slowly(self: ChosenImages, rows: range) -> Any:
        time.sleep(float(sys.argv[3]))
        return read(self, rows)

    ChosenImages.read = read_slowly  # type: ignore[method-assign]
    run(Path(sys.argv[1]), num_shards=4, shard_index=int(sys.argv[2]))
