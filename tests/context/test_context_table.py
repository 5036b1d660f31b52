import numpy as np
import pandas as pd
import pytest

from glance_pipeline.context.table import as_levels, check_context, kinds_of, levels_of


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


def test_names_of_latent_concepts_are_refused(context):
    with pytest.raises(ValueError, match=r"columns \['latent_1'\] have names of latent concepts"):
        check_context(context.assign(latent_1=[3.0, 2.0, 2.0]), range(3))
    check_context(context.assign(latent_heat=[3.0, 2.0, 2.0]), range(3))


def test_missing_values_may_be_allowed_but_infinite_ones_never(context):
    check_context(context.assign(slant=[1.0, np.nan, 2.0]), range(3), missing=True)
    with pytest.raises(ValueError, match="'slant' has no finite value in 1"):
        check_context(context.assign(slant=[1.0, np.nan, np.inf]), range(3), missing=True)
    with pytest.raises(ValueError, match="'slant' has no value at all"):
        check_context(context.assign(slant=np.nan), range(3), missing=True)


def test_kinds_are_read_off_the_values():
    context = pd.DataFrame(
        {
            "age": [30.0, 41.5, np.nan],
            "count": [1, 2, 2],
            "glasses": [True, False, True],
            "mark": [0.0, 1.0, np.nan],
            "smiling": ["yes", None, "no"],
            "hair": pd.Categorical(["fair", "dark", "red"], ["red", "dark", "fair", "none"]),
        }
    )
    assert kinds_of(context, {}) == {
        "age": "continuous",
        "count": "continuous",
        "glasses": "binary",
        "mark": "binary",
        "smiling": "binary",
        "hair": "categorical",
    }
    assert kinds_of(context, {"count": "categorical", "mark": "continuous"})["count"] == (
        "categorical"
    )
    assert levels_of(context["hair"]) == ("red", "dark", "fair")
    assert levels_of(context["count"]) == ("1", "2")
    assert levels_of(pd.Series([10.0, 9.0, np.nan])) == ("9", "10")
    assert as_levels(context["mark"]).tolist() == ["0", "1", None]
    assert as_levels(context["hair"]).tolist() == ["fair", "dark", "red"]


@pytest.mark.parametrize(
    ("values", "declared", "message"),
    [
        (["a", "b", "c"], {"x": "binary"}, "'x' is declared binary, but has 3 values, wanted 2"),
        (["a", "b", "c"], {"x": "continuous"}, "'x' is declared continuous, but its values are"),
        (
            [1.0, 1.0, np.nan],
            {"x": "categorical"},
            r"'x' has the one level \['1'\], wanted at least",
        ),
        ([1.0, 2.0, 3.0], {"y": "binary"}, r"align.kinds: \['y'\] are no .*there are \['x'\]"),
    ],
)
def test_a_kind_that_the_values_cannot_have_is_refused(values, declared, message):
    with pytest.raises(ValueError, match=message):
        kinds_of(pd.DataFrame({"x": values}), declared)


def test_more_levels_than_can_be_aligned_are_refused():
    names = [f"person {k}" for k in range(51)]
    with pytest.raises(ValueError, match="'name' has 51 levels, wanted at most 50"):
        kinds_of(pd.DataFrame({"name": names}), {})
    assert kinds_of(pd.DataFrame({"name": names[1:]}), {}) == {"name": "categorical"}
