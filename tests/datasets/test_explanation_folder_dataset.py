import json

import numpy as np
import pytest
import torch
from kedro.io import DatasetError, Version
from PIL import Image

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.datasets.explanation_folder_dataset import ExplanationFolderDataset
from glance_pipeline.explanations import LocalExplanations, Source
from glance_pipeline.twin.testing import tiny_classifier, tiny_surrogate


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def explanations(request):
    surrogate, classifier = (
        tiny_surrogate(channels=request.param),
        tiny_classifier(8, request.param),
    )
    images = np.random.default_rng(0).integers(0, 255, (3, request.param, 8, 8), dtype=np.uint8)
    sources = [Source("image 7", 7, "a"), Source("x/a b.png"), Source("y/a b.png")]
    parameters = ExplainParameters(steps=3)
    return LocalExplanations(surrogate, classifier, torch.zeros(2, 3), parameters).explain(
        images, sources
    )


def test_what_is_saved_is_loaded(tmp_path, explanations):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"), version=Version(None, "v1"))
    dataset.save(explanations)
    again = dataset.load()
    assert [e.to_document() for e in again] == [e.to_document() for e in explanations]
    for one, other in zip(again, explanations, strict=True):
        for name, picture in other.pictures().items():
            np.testing.assert_array_equal(one.pictures()[name], picture)
        assert one.arrays().keys() == {"saliency.npy"}
        assert one.saliency.map.dtype == np.float32
        np.testing.assert_array_equal(one.saliency.map, other.saliency.map)


def test_maps_of_concepts_are_saved_and_loaded(tmp_path):
    parameters = ExplainParameters(steps=2, saliency={"by_concept": True})
    methods = LocalExplanations(tiny_surrogate(), tiny_classifier(), torch.zeros(2, 3), parameters)
    explained = methods.explain(np.zeros((1, 1, 8, 8), np.uint8), [Source("image 0", 0)])
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    dataset.save(explained)
    saved, again = explained[0].saliency, dataset.load()[0].saliency
    assert again.concepts == ("size", "tilt", "latent_1")
    np.testing.assert_array_equal(again.by_concept, saved.by_concept)


def test_explanations_without_saliency_are_read(tmp_path, explanations):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    dataset.save([explanations[0].model_copy(update={"saliency": None})])
    path = tmp_path / "e/image_000007/explanation.json"
    document = json.loads(path.read_text())
    del document["saliency"]
    path.write_text(json.dumps(document))
    assert dataset.load()[0].saliency is None


def test_folder_has_a_folder_for_each_image(tmp_path, explanations):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    assert not dataset.exists()
    dataset.save(explanations)
    names = sorted(path.name for path in (tmp_path / "e").iterdir())
    assert names == ["file_a_b.png", "file_a_b.png_2", "image_000007", "index.json"]
    files = {path.name for path in (tmp_path / "e/image_000007").iterdir()}
    assert {"explanation.json", "original.png", "reconstruction.png", "strip_tilt.png"} <= files
    assert {"saliency.npy", "saliency.png"} <= files
    assert dataset.exists()


def test_a_failed_save_leaves_nothing_and_keeps_what_was_there(tmp_path, explanations, monkeypatch):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    dataset.save(explanations)
    before = json.loads((tmp_path / "e/index.json").read_text())

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("glance_pipeline.explanations.result.explanation_folder.as_picture", full)
    with pytest.raises(DatasetError, match="No space left"):
        dataset.save(explanations)
    assert [path.name for path in tmp_path.iterdir()] == ["e"]
    assert json.loads((tmp_path / "e/index.json").read_text()) == before
    assert len(dataset.load()) == 3


def test_a_damaged_folder_is_named(tmp_path, explanations):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    dataset.save(explanations)
    (tmp_path / "e/image_000007/original.png").unlink()
    with pytest.raises(ValueError, match=r"explanation .*image_000007: .*original\.png"):
        dataset.load()[0]
    (tmp_path / "e/index.json").write_text("{")
    with pytest.raises(DatasetError, match=r"explanations .*e: .*index\.json: no index"):
        dataset.load()


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/tmp"])
def test_an_index_names_folders_beside_it_alone(tmp_path, name):
    (tmp_path / "e").mkdir()
    (tmp_path / "e/index.json").write_text(json.dumps({"explanations": [name]}))
    with pytest.raises(DatasetError, match="what lies in e itself was wanted"):
        ExplanationFolderDataset(filepath=str(tmp_path / "e")).load()


def test_pictures_are_png_whatever_their_names_say(tmp_path, explanations):
    dataset = ExplanationFolderDataset(filepath=str(tmp_path / "e"))
    dataset.save(explanations[:1])
    Image.new("RGB", (8, 8)).save(tmp_path / "e/image_000007/original.png", "EPS")
    with pytest.raises(ValueError, match="cannot identify image file"):
        dataset.load()[0]
