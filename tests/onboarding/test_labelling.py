"""Which label means which class: ``init`` and ``ingest`` must read the values in one order."""

import pandas as pd

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.ingest.labels import labels_of
from glance_pipeline.onboarding.labelling import Around, names_for_labels, values_of_labels

NAMES = tuple(f"class {number}" for number in range(12))


def named(images: tuple[str, ...]) -> dict[str, str]:
    """Return the class name that a run gives each image, by folder."""
    beside = Around(images, pd.DataFrame(index=range(len(images))), (), None)
    values = values_of_labels(beside, {"labels": "folders"}, None)  # type: ignore[arg-type]
    class_names = names_for_labels(values, NAMES)
    parameters = IngestParameters(source="", labels="folders", class_names=class_names)
    labels = labels_of(images, beside.columns, parameters)
    return dict(zip((image.partition("/")[0] for image in images), labels, strict=True))


def test_folders_called_2_and_10_are_classes_2_and_10() -> None:
    found = named(tuple(f"{number}/a.png" for number in range(12)))
    assert found == {str(number): f"class {number}" for number in range(12)}


def test_some_of_the_numbered_classes_keep_their_numbers() -> None:
    found = named(("10/a.png", "2/a.png", "11/a.png"))
    assert found == {"10": "class 10", "2": "class 2", "11": "class 11"}
