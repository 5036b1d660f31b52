"""Which label means which class: ``init`` and ``ingest`` must read the values in one order."""

from pathlib import Path

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.labels import labels_of, values_in_order
from glance_pipeline.onboarding.inspection.labelling import (
    Around,
    first_come,
    names_for_labels,
    values_of_labels,
)
from glance_pipeline.onboarding.trying.orders import possible_orders

NAMES = tuple(f"class {number}" for number in range(12))


def named(images: tuple[str, ...], wanted: str | None = None) -> dict[str, str]:
    """Return the class name that a run gives each image, by folder."""
    beside = Around(images, pd.DataFrame(index=range(len(images))), (), None)
    column = values_of_labels(beside, {"labels": "folders"}, Path("img"))
    values = values_in_order(column)
    order = possible_orders(values, first_come(column), NAMES, len(NAMES), wanted)[0]
    class_names = names_for_labels(values, NAMES, order)
    parameters = IngestParameters(source="", labels="folders", class_names=class_names)
    labels = labels_of(images, beside.columns, parameters)
    return dict(zip((image.partition("/")[0] for image in images), labels, strict=True))


def test_folders_called_2_and_10_are_classes_2_and_10() -> None:
    found = named(tuple(f"{number}/a.png" for number in range(12)))
    assert found == {str(number): f"class {number}" for number in range(12)}


def test_some_of_the_numbered_classes_keep_their_numbers() -> None:
    found = named(("10/a.png", "2/a.png", "11/a.png"))
    assert found == {"10": "class 10", "2": "class 2", "11": "class 11"}


def test_folders_as_text_are_classes_as_torchvision_numbers_them() -> None:
    found = named(tuple(f"{number}/a.png" for number in range(12)), "text")
    as_text = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"]
    assert found == {value: f"class {number}" for number, value in enumerate(as_text)}


def test_some_of_the_classes_may_be_counted_from_1() -> None:
    found = named(("10/a.png", "2/a.png", "11/a.png"), "numbers-from-1")
    assert found == {"10": "class 9", "2": "class 1", "11": "class 10"}
