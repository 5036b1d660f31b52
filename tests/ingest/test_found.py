"""Folder, table, labels and splits together, before an image is read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.ingest.agreement import disagreements
from glance_pipeline.ingest.found import FoundImages, find_images

COUNT = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """60 pictures, named 00.png … 59.png, in two folders, and a table beside them."""
    root = tmp_path_factory.mktemp("own")
    for number in range(COUNT):
        path = root / "images" / ("dog" if number % 2 else "cat") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9), number, np.uint8)).save(path)
    pd.DataFrame(
        {
            "file": [f"{number:02}.png" for number in range(COUNT)],
            "age": np.arange(COUNT) ** 1.5,
            "pet": np.arange(COUNT) % 3,
            "who": np.arange(COUNT) // 4,
            "part": ["train"] * 40 + ["test"] * 20,
            "one": "x",
        }
    ).to_csv(root / "table.csv", index=False)
    return root


def found(folder: Path, seed: int = 0, **changes) -> FoundImages:
    tables = [str(folder / "table.csv")]
    context = {"tables": tables, "features": ["age"], **changes.pop("context", {})}
    fields = {"source": str(folder / "images"), "size": 8, "context": context, **changes}
    return find_images(IngestParameters.model_validate(fields), {}, seed)


def test_records_and_context_stay_with_their_images(folder):
    one = found(folder, labels="folders")
    assert list(one.records) == ["label", "split", "file"]
    numbers = one.records["file"].str[-6:-4].astype(int)
    assert sorted(numbers) == list(range(COUNT))
    assert numbers.tolist() != sorted(numbers)  # shuffled
    assert (one.records["label"] == np.where(numbers % 2, "dog", "cat")).all()
    assert np.allclose(one.context["age"], numbers**1.5)
    for row, reader in zip(one.rows, one.source.read(one.rows.tolist()), strict=True):
        assert one.source.names[row].endswith(one.records["file"][list(one.rows).index(row)])
        assert reader().startswith(b"\x89PNG")


def test_what_was_not_read_is_left_out(folder):
    one = found(folder)
    records, context = one.that_were(one.rows[[5, 2]])
    assert records["file"].tolist() == one.records["file"].iloc[[5, 2]].tolist()
    assert context["age"].tolist() == one.context["age"].iloc[[5, 2]].tolist()


def test_same_seed_same_order_and_split(folder):
    assert found(folder).records.equals(found(folder).records)
    assert not found(folder, seed=1).records.equals(found(folder).records)


def test_without_labels_there_is_no_column_of_them(folder):
    assert list(found(folder).records) == ["split", "file"]


def test_labels_of_a_column_get_their_names(folder):
    names = ["ant", "bee", "cow"]
    one = found(folder, labels="column", label_column="pet", class_names=names)
    numbers = one.records["file"].str[-6:-4].astype(int)
    assert (one.records["label"] == np.array(names)[numbers % 3]).all()


def test_a_group_stays_in_one_split(folder):
    one = found(folder, group="who")
    who = one.records["file"].str[-6:-4].astype(int) // 4
    assert one.records["split"].groupby(who).nunique().max() == 1


def test_a_column_says_the_split(folder):
    one = found(folder, split_column="part")
    numbers = one.records["file"].str[-6:-4].astype(int)
    assert ((one.records["split"] == "test") == (numbers >= 40)).all()
    assert (one.records["split"] == "validation").sum() == 4  # 0.1 / 0.9 of 40


def test_images_without_a_row_are_kept_or_dropped(folder, tmp_path, caplog):
    frame = pd.read_csv(folder / "table.csv")
    frame.iloc[:50].to_csv(tmp_path / "half.csv", index=False)
    table = {"tables": [str(tmp_path / "half.csv")]}
    kept = found(folder, context=table)
    assert kept.context["age"].isna().sum() == 10
    assert "10 of 60 images have no row" in caplog.text
    assert len(found(folder, context=table | {"without_row": "drop"}).rows) == 50


def test_some_images_at_random(folder):
    assert len(found(folder, number_of_images=30).rows) == 30
    with pytest.raises(ValueError, match="number_of_images: found 61, wanted at most 60"):
        found(folder, number_of_images=61)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": "column", "label_column": "cls"}, r"label_column: there is no column 'cls'"),
        ({"labels": "column", "label_column": "one"}, r"found the one class 'x' in 60 images"),
        ({"group": "family"}, r"ingest\.group: there is no column 'family'; found \['age'"),
        ({"split_column": "fold"}, r"ingest\.split_column: there is no column 'fold'"),
        ({"split_column": "folders"}, r"split_column 'folders': found 'cat' in 60 of 60"),
        ({"number_of_images": 8, "labels": "folders"}, "found 8 images, .* smallest split gets 1"),
        (
            {"labels": "column", "label_column": "pet", "class_names": ["a", "b"]},
            r"class_names: found 2 names \['a', 'b'\], wanted 3, one for each of \['0', '1', '2'\]",
        ),
    ],
)
def test_parameters_that_do_not_fit_the_data_are_named(folder, changes, message):
    with pytest.raises(ValueError, match=message):
        found(folder, **changes)


def test_labels_by_folder_want_folders(tmp_path):
    for number in range(3):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / f"{number}.png")
    parameters = IngestParameters(source=str(tmp_path), labels="folders")
    with pytest.raises(ValueError, match=r"no image lies in a sub-folder, as '0\.png' does not"):
        find_images(parameters, {}, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "found 0 px, wanted 8, 16, 32"),
        ({"size": 48}, "found 48 px, wanted 8, 16, 32"),
        ({"crop": 0}, "crop"),
        ({"channels": 2}, "channels"),
        ({"most_corrupt": 2}, "most_corrupt"),
        ({"number_of_images": 0}, "number_of_images"),
        ({"group": "a", "split_column": "b"}, "group 'a' and split_column 'b' were both found"),
        ({"fractions": {"train": 0.5}}, "sum to 0.7, wanted 1"),
        ({"context": {"table": "x.csv"}}, "table\n.*Extra inputs"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(ValidationError, match=message):
        IngestParameters.model_validate({"source": "x", **changes})


def test_what_does_not_fit_the_classifier_or_the_networks_is_said():
    parameters = IngestParameters(source="x", size=64, channels=3)
    assert disagreements(parameters, (3, 64, 64), {"widths": (1, 2, 3, 4, 5)}) == []
    assert disagreements(parameters, (1, 32, 32), {"widths": (1, 2)}) == [
        "ingest.size is 64, but the classifier takes images of 32×32 px",
        "ingest.channels is 3, but the classifier takes images of 1 channels",
        "widths has 2 values [1, 2], but ingest.size 64 wants 5: one for each of 4, 8, …, 64 px",
    ]


def test_class_names_go_by_the_numbers_of_folders_not_by_their_words(tmp_path):
    for number in range(120):
        path = tmp_path / str(number % 12) / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    months = [f"month {number + 1}" for number in range(12)]
    fields = {"source": str(tmp_path), "size": 8, "labels": "folders", "class_names": months}
    fields["fractions"] = {"train": 0.6, "validation": 0.2, "test": 0.2}
    records = find_images(IngestParameters.model_validate(fields), {}, 0).records
    folders = records["file"].str.split("/").str[0].astype(int)
    assert (records["label"] == [months[number] for number in folders]).all()
