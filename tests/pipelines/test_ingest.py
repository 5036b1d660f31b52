"""The ingest pipeline, from files on disk to the three datasets."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from omegaconf import OmegaConf
from PIL import Image

from glance_pipeline.config.align import AlignParameters, ReaderParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.config.training import StageParameters
from glance_pipeline.datasets import ImageArrayDataset
from glance_pipeline.explanations.running.as_ingested import read_image
from glance_pipeline.images import Form
from glance_pipeline.pipelines.classify.nodes import (
    measure_classifier_accuracy,
    train_demo_classifier,
)
from glance_pipeline.pipelines.ingest import create_pipeline
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.twin.testing import tiny_classifier

CONFIGURATION = Path(__file__).parents[2] / "conf"
OUTPUTS = ("context_features", "image_records", "unreadable_images", "image_twins")
ALIGN = AlignParameters(
    reader=ReaderParameters(widths=(8, 8)),
    stage=StageParameters(steps=1, objectives={"reconstruction": {"weight": 1}}),
)


class Kept(MemoryDataset):
    """In memory, and not released by the runner."""

    def _release(self) -> None:
        pass


NONE = pd.DataFrame()


def write_images(folder: Path) -> None:
    """Write 40 pictures of the red value 6·number; 07 is cut short, 12 has 16 bits."""
    folder.mkdir()
    for number in range(40):
        colour = np.zeros((12, 12, 3), np.uint8)
        colour[..., 0] = 6 * number
        Image.fromarray(colour).save(folder / f"Bild {number:02} ä.png")
    noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "Bild 07 ä.jpg")
    (folder / "Bild 07 ä.png").unlink()
    whole = (folder / "Bild 07 ä.jpg").read_bytes()
    (folder / "Bild 07 ä.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((12, 12), np.uint16)).save(folder / "Bild 12 ä.png")


def run(folder: Path, workers: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {"source": str(folder / "images"), "size": 8, "most_corrupt": 0.1, **changes}
    inputs = {
        "params:ingest": IngestParameters.model_validate(fields),
        "params:align": ALIGN,
        "params:seed": 0,
        "params:compute.workers": workers,
    }
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in inputs.items()})
    for name in ("found_images", "resized_images"):
        catalog[name] = MemoryDataset(copy_mode="assign")
    for name in OUTPUTS:
        catalog[name] = Kept()
    catalog["images"] = ImageArrayDataset(filepath=f"{folder}/{workers}/images.npy")
    SequentialRunner().run(create_pipeline(), catalog)
    return {name: catalog.load(name) for name in ("images", *OUTPUTS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("own")
    write_images(root / "images")
    names = [f"Bild {number:02} ä" for number in range(40)]
    table = pd.DataFrame({"name": names, "red": 6.0 * np.arange(40)})
    table.to_parquet(root / "table.parquet")
    return root


def test_images_records_and_context_are_of_the_same_rows(folder):
    made = run(folder, context={"tables": [str(folder / "table.parquet")]})
    assert made["images"].shape == (38, 3, 8, 8)
    assert len(made["image_records"]) == len(made["context_features"]) == 38
    red = made["images"][:, 0].mean((1, 2))
    assert np.array_equal(red, made["context_features"]["red"])
    numbers = made["image_records"]["file"].str[5:7].astype(int)
    assert np.array_equal(red, 6 * numbers)
    assert set(made["image_records"]["split"]) == {"train", "validation", "test"}
    unreadable = made["unreadable_images"].sort_values("file")
    assert unreadable["file"].tolist() == ["Bild 07 ä.jpg", "Bild 12 ä.png"]
    assert unreadable["reason"].iloc[0].startswith("image file is truncated")
    assert "more than 8 bits" in unreadable["reason"].iloc[1]


def test_same_seed_same_result_for_any_number_of_workers(folder):
    one, two = run(folder, workers=1), run(folder, workers=2)
    assert np.array_equal(one["images"], two["images"])
    for name in OUTPUTS:
        pd.testing.assert_frame_equal(one[name], two[name])


def test_without_a_table_there_is_a_row_and_no_column(folder):
    assert run(folder)["context_features"].shape == (38, 0)


def test_one_channel_makes_all_grey(folder):
    assert run(folder, channels=1)["images"].shape == (38, 1, 8, 8)


def test_too_many_corrupt_images_are_an_error_and_leave_nothing(folder, tmp_path):
    (tmp_path / "images").symlink_to(folder / "images")
    with pytest.raises(Exception, match=r"2 of the 40 images so far .* allows 0 of 40: Bild"):
        run(tmp_path, most_corrupt=0.01)
    assert not list(tmp_path.rglob("*.npy")) and not list(tmp_path.rglob(".unfinished*"))


def test_a_classifier_is_trained_and_measured_on_named_classes(folder):
    images = np.zeros((8, 1, 8, 8), np.uint8)
    images[::2] = 255
    labels = ["light", "dark"] * 3 + [None, "dark"]
    records = pd.DataFrame({"label": labels, "split": ["train"] * 6 + ["test"] * 2})
    parameters = {"width": 4, "features": 4, "steps": 40, "batch_size": 8, "shift": 0}
    from glance_pipeline.config.classify import ClassifyParameters

    teacher = train_demo_classifier(images, records, ClassifyParameters(**parameters), 0)
    assert teacher.class_names == ("dark", "light")
    found = measure_classifier_accuracy(images, records, teacher, NONE)["classifier"]
    assert found == {"accuracy_test": 1.0, "accuracy_train": 1.0}


def test_without_labels_no_classifier_is_trained_and_no_accuracy_measured(caplog):
    images, records = np.zeros((4, 1, 8, 8), np.uint8), pd.DataFrame({"split": ["train"] * 4})
    assert measure_classifier_accuracy(images, records, tiny_classifier(), NONE) == {}
    assert "no image has a label" in caplog.text
    with pytest.raises(ValueError, match=r"no column 'label'.*ingest\.labels"):
        train_demo_classifier(images, records, None, 0)


def test_labels_that_the_classifier_does_not_know_are_named(caplog):
    images = np.zeros((2, 1, 8, 8), np.uint8)
    records = pd.DataFrame({"label": ["a", "zebra"], "split": ["train"] * 2})
    measure_classifier_accuracy(images, records, tiny_classifier(), NONE)
    assert "the labels ['zebra'] are no class of the classifier" in caplog.text


def test_what_does_not_fit_is_said_before_an_image_is_read(project, folder):
    source = {"source": str(folder / "images")}
    with pytest.raises(CannotRunError, match=r"distill\.surrogate\.widths has 4 values .* wants 5"):
        with project.session() as session:
            session.load_context().catalog.save("classifier", tiny_classifier_of(project))
        project.run("own_data", params={"ingest": {**source, "size": 64}})
    assert not (project.data / "05_model_input").exists()


def test_files_that_are_not_there_are_named_before_anything_runs(project, folder):
    tables = {"source": f"{folder}/gone", "context": {"tables": [f"{folder}/none.csv"]}}
    said = rf"ingest.source: there is no {folder}/gone; ingest.context.tables, .* no {folder}/none"
    with pytest.raises(CannotRunError, match=said):
        project.run("ingest", params={"ingest": tables})


def tiny_classifier_of(project):
    """Return a demo classifier for 32 px, such as the catalog's entry can save."""
    from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification
    from glance_pipeline.digits.demo_classifier import DemoClassifier

    specification = ClassifierSpecification(image_shape=(1, 32, 32), class_names=("a", "b"))
    return Classifier(DemoClassifier(1, 32, 2, 4, 4), specification)


@pytest.mark.parametrize("environment", ["base", "celeba", "ffhq"])
def test_configuration_is_valid(environment):
    base = OmegaConf.load(CONFIGURATION / "base" / "parameters_ingest.yml")
    own = OmegaConf.load(CONFIGURATION / environment / "parameters_ingest.yml")
    merged = OmegaConf.to_container(OmegaConf.merge(base, own))
    IngestParameters.model_validate(merged["ingest"])  # type: ignore[call-overload]


@pytest.mark.parametrize("environment", ["celeba", "ffhq"])
def test_the_faces_networks_are_of_the_size_of_their_images(environment):
    found = {
        name: OmegaConf.load(CONFIGURATION / environment / f"parameters_{name}.yml")[name]
        for name in ("ingest", "distill", "align")
    }
    wanted = int(np.log2(found["ingest"].size)) - 1
    assert len(found["distill"].surrogate.widths) == len(found["align"].reader.widths) == wanted


def test_limits_hold_and_are_kept_for_files_that_are_explained(folder, tmp_path):
    (tmp_path / "images").symlink_to(folder / "images")
    huge = Image.new("L", (1001, 1000))
    huge.save(folder / "images" / "Bild 99 ä.png")
    try:
        made = run(tmp_path, limits={"megapixels": 1})
    finally:
        (folder / "images" / "Bild 99 ä.png").unlink()
    reasons = made["unreadable_images"].set_index("file")["reason"]
    assert "ingest.limits.megapixels allows 1" in reasons["Bild 99 ä.png"]
    form = Form(channels=3, size=8, most_megapixels=1)
    huge.save(tmp_path / "huge.png")
    with pytest.raises(ValueError, match=r"huge\.png cannot .* 1001×1000 .*megapixels allows 1"):
        read_image(tmp_path / "huge.png", form)


def test_images_of_the_test_split_that_were_trained_on_are_named(tmp_path, caplog):
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        if number % 20 < 19:
            picture = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        picture.save(tmp_path / "images" / f"{number:02}.png")  # 19 is 18, and 39 is 38
    part = {"file": [f"{n:02}.png" for n in range(40)], "part": ["train"] * 19 + ["test"] * 21}
    pd.DataFrame(part).to_csv(tmp_path / "t.csv", index=False)
    table = {"tables": [str(tmp_path / "t.csv")]}
    twins = run(tmp_path, context=table, split_column="part")["image_twins"]
    mine = twins[twins["split"] == "test"]
    assert mine[["file", "twin", "same"]].to_numpy().tolist() == [["19.png", "18.png", True]]
    assert "1 of test (5 %) are the same as one of another split" in caplog.text
