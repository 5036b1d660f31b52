"""The concept table with context features as they were measured."""

import numpy as np
import pandas as pd

from glance_pipeline.twin.concept_table import ConceptTable


def test_measured_values_take_the_place_of_what_was_read() -> None:
    read = pd.DataFrame(
        {"size": [1.0, 2.0, 3.0], "kind=a": [0.1, 0.9, 0.5], "latent_1": [0.0, 1.0, 2.0]}
    )
    kinds = {"size": "aligned", "kind=a": "aligned", "latent_1": "latent"}
    margins = pd.DataFrame({"yes": [0.0, 1.0, 2.0]})
    table = ConceptTable(read, margins, kinds, dict.fromkeys(kinds, ""), {"kind=a": "kind"})
    context = pd.DataFrame(
        {"size": [1.1, np.nan, 3.3], "kind": ["a", "b", "a"], "latent_1": [9.0] * 3},
        index=[7, 8, 9],
    )
    found = table.with_measured(context)
    assert found.concepts["size"].tolist() == [1.1, 2.0, 3.3]  # what is missing is read
    assert found.concepts["kind=a"].tolist() == [0.1, 0.9, 0.5]
    assert found.concepts["latent_1"].tolist() == [
        0.0,
        1.0,
        2.0,
    ]  # no feature, whatever it is called
    assert table.concepts["size"].tolist() == [1.0, 2.0, 3.0]
    assert table.with_measured(pd.DataFrame(index=range(3))).concepts.equals(read)
