"""Tables of every type that parquet has, and what the log says of how a CSV file was read."""

import decimal
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glance_pipeline.support.errors import UserError
from glance_pipeline.tables import TableReading, read_table


def csv(folder: Path, text: str | bytes, name: str = "t.csv", **reading) -> pd.DataFrame:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(folder / name, TableReading(**reading))


def test_types_of_parquet_stay_what_they_are(tmp_path):
    columns = {
        "cat": pa.array(["b", "a", None]).dictionary_encode(),
        "price": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2")]),
        "flag": pa.array([True, False, None]),
        "whole": pa.array([1, 2, 3], pa.int8()),
        "who": pa.array([2**53 + 1, None, 2**53], pa.int64()),
        "word": pa.array(["NA", "None", ""]),
        "list": pa.array([[1], None, []]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.pq")
    frame = read_table(tmp_path / "t.pq", TableReading())
    assert frame["cat"].dtype == "category"
    assert frame["price"].fillna(0).tolist() == [1.5, 0, 2]
    assert frame["who"].fillna("missing").tolist() == [str(2**53 + 1), "missing", str(2**53)]
    assert frame["word"].tolist() == ["NA", "None", ""]
    assert frame["flag"].tolist() == [True, False, None]
    assert frame["whole"].tolist() == [1, 2, 3]


def test_names_that_come_twice_and_tables_that_are_too_large_are_refused(tmp_path):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"more than one column named \['a'\]"):
        read_table(tmp_path / "t.parquet", TableReading())
    pq.write_table(pa.table({"a": np.arange(10_000)}), tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"it has 10,000 rows of 1 columns, .*limits\.table_mb"):
        read_table(tmp_path / "t.parquet", TableReading(most_megabytes=1))
    pq.write_table(pa.table({"a": ["x" * 3_000_000]}), tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"larger than the 1 MB of ingest\.limits\.table_mb"):
        read_table(tmp_path / "t.parquet", TableReading(most_megabytes=1))
    with pytest.raises(UserError, match=r"larger than the 1 MB of ingest\.limits\.table_mb"):
        csv(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 300_000), most_megabytes=1)
    with pytest.raises(UserError, match=r"found 10,001 columns, wanted at most 10,000"):
        csv(tmp_path, "a" + ",a" * 10_000 + "\n")


def test_the_log_says_how_a_csv_file_is_read(tmp_path, caplog):
    caplog.set_level("INFO")
    csv(tmp_path, ",size;cm,n,d\n0,1,NA,x\n1,2,5,\n".replace(";", " "))
    assert "its first column has no name and is called (unnamed) here" in caplog.text
    assert "n is missing where it says ['NA'] (1)" in caplog.text
    frame = csv(tmp_path, "a;b;c\n1,5;x;1,234\n2;y;2,345\n")
    assert frame["a"].tolist() == [1.5, 2] and frame["c"].tolist() == ["1,234", "2,345"]
    assert "its values are separated by semicolons" in caplog.text
    assert "the values of c, as 1,234, are taken for words" in caplog.text
    assert "the comma in a is read as a decimal point" in caplog.text
    csv(tmp_path, 'a,b\n"1,234",x\n"5,678",y\n')
    assert "the values of a, as 1,234, are taken for words; write numbers with" in caplog.text
    csv(tmp_path, "a,b,\n1,2,\n")
    assert "its rows end in a separator; the empty column there is left out" in caplog.text
    csv(tmp_path, "a,b\n99999999999999999999,2\n")
    assert "the numbers of a are too long for numbers and stay words" in caplog.text


def test_a_key_or_label_is_as_it_is_written(tmp_path):
    text = "id,n\nNA,NA\n1.0,1.0\n2,2\n"
    assert csv(tmp_path, text)["id"].astype(object).fillna("missing").tolist() == ["missing", 1, 2]
    assert csv(tmp_path, text, as_words=frozenset({"ID"}))["id"].tolist() == ["NA", "1.0", "2"]
    whole = csv(tmp_path, "id\n1.0\n2\n", as_words=frozenset({"id"}))
    assert whole["id"].tolist() == [1, 2]  # 3.0 is 3, as pandas writes numbers beside missing ones


@pytest.mark.parametrize("name", ["t.xlsx", "t.json", "t.pkl", "t.zip", "t.sqlite", "t.sav"])
def test_other_tables_are_refused_by_name(tmp_path, name):
    with pytest.raises(UserError, match=rf"\({Path(name).suffix}\), wanted CSV or parquet; save"):
        csv(tmp_path, "a,b\n1,2\n", name)


def test_an_empty_line_is_a_missing_value_of_one_column_and_none_of_several(tmp_path):
    assert csv(tmp_path, "a\n1\n\n3\n")["a"].isna().tolist() == [False, True, False]
    assert csv(tmp_path, "a,b\n1,2\n\n3,4\n")["a"].tolist() == [1, 3]
    with pytest.raises(UserError, match="its first line is empty"):
        csv(tmp_path, "\n5.5\n6.5\n")
