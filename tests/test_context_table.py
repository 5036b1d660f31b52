import numpy as np
import pandas as pd
import pytest

from glance_pipeline.context import check_context


@pytest.fixture
def context() -> pd.DataFrame:
    return pd.DataFrame({"thickness": [1.0, 2.0, 3.0], "smiling": ["yes", "no", "yes"]})


def test_a_good_table_passes(context):
    check_context(context, np.zeros((3, 1, 4, 4)))


def test_rows_must_match(context):
    with pytest.raises(ValueError, match="found 3 rows, wanted 5"):
        check_context(context, range(5))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan, np.inf], "'slant' has no finite value in 2 of its 3 rows"),
        (["left", None, "right"], "'slant' has no finite value in 1 of its 3 rows"),
        ([0.5, 0.5, 0.5], "'slant' is constant, .*0.5.* in all of its 3 rows"),
        ([1.0, 2.0, 3.0], "'thickness' and 'slant' hold the same values in all 3 rows"),
    ],
)
def test_a_useless_column_is_refused(context, values, message):
    with pytest.raises(ValueError, match=message):
        check_context(context.assign(slant=values), range(3))


def test_no_column_and_two_of_one_name(context):
    with pytest.raises(ValueError, match="found no column"):
        check_context(context[[]], range(3))
    context.columns = pd.Index(["slant", "slant"])
    with pytest.raises(ValueError, match="more than one column named"):
        check_context(context, range(3))
