from pathlib import Path

from kedro.io import DataCatalog, Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from glance_pipeline.project.prerequisites import explain_missing, explain_stale

CHAIN = Pipeline(
    [
        Node(lambda a: a, "images", "concepts", name="infer", tags="discover"),
        Node(lambda b: b, "concepts", "report", name="write", tags="explain"),
    ]
)
WRITE = CHAIN.only_nodes("write")


def catalog_with(folder: Path, **versions: str) -> DataCatalog:
    names = ("images", "concepts")
    for name in names:
        if name in versions:
            path = (folder / name).as_posix()
            JSONDataset(filepath=path, version=Version(None, versions[name])).save({})
    return DataCatalog(
        {
            n: JSONDataset(filepath=(folder / n).as_posix(), version=Version(None, None))
            for n in names
        }
    )


def test_what_was_made_before_its_source_is_named_with_what_to_run(tmp_path: Path) -> None:
    catalog = catalog_with(tmp_path, images="2026-02-01", concepts="2026-01-01")
    (sentence,) = explain_stale(WRITE, catalog, CHAIN)
    assert "concepts of 2026-01-01 was made before images of 2026-02-01" in sentence
    assert "run discover again" in sentence


def test_what_belongs_together_is_not_complained_of(tmp_path: Path) -> None:
    catalog = catalog_with(tmp_path, images="2026-01-01", concepts="2026-01-01")
    assert explain_stale(WRITE, catalog, CHAIN) == []
    assert explain_stale(CHAIN, catalog, CHAIN) == []


def test_what_is_not_there_yet_is_no_matter(tmp_path: Path) -> None:
    assert explain_stale(WRITE, catalog_with(tmp_path, images="2026-02-01"), CHAIN) == []


def test_all_pipelines_that_make_what_is_missing_are_named_and_the_chain_s_is_run(tmp_path: Path):
    prepare = Pipeline([Node(lambda: 1, None, "images", name="render")])
    other = Node(lambda: {}, None, "found", name="find")
    ingest = Pipeline([other, Node(lambda f: f, "found", "images", name="resize")])
    pipelines = {"prepare": prepare, "discover": CHAIN, "ingest": ingest, "own": ingest + CHAIN}
    message = explain_missing({"images"}, catalog_with(tmp_path), pipelines)
    assert message is not None
    assert "made by the pipeline prepare or ingest" in message
    assert message.endswith("Run first: kedro run --pipeline prepare")
