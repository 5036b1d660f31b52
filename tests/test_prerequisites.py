from pathlib import Path

from kedro.io import DataCatalog, Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from glance_pipeline.prerequisites import explain_stale

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
