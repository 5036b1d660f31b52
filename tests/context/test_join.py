"""Rows of a table find their images by path, file name, number or order."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from glance_pipeline.context.join import join_tables

NAMES = ("b/00002.jpg", "a/00001.jpg", "a/00010.jpg")


def written(tmp_path, text: str, name: str = "t.csv") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


@pytest.mark.parametrize(
    "keys",
    [
        ("a/00001.jpg", "b/00002.jpg", "a/00010.jpg"),
        ("./a/00001.jpg", "./b/00002.jpg", "./a/00010.jpg"),
        ("a/00001", "b/00002", "a/00010"),
        ("00001.jpg", "00002.jpg", "00010.jpg"),
        ("00001", "00002", "00010"),
        ("1", "2", "10"),
    ],
)
@pytest.mark.parametrize("key", [None, "file"])
def test_keys_of_every_form_find_their_image(tmp_path, keys, key):
    rows = "\n".join(f"{age},{k}" for age, k in zip((31, 32, 33), keys, strict=True))
    joined = join_tables([written(tmp_path, f"age,file\n{rows}\n")], key, NAMES)
    assert joined.to_dict("list") == {"age": [32, 31, 33]}


def test_parquet_and_zipped_csv_are_joined_one_after_another(tmp_path):
    pd.DataFrame({"n": [10, 1, 2], "smile": [0.5, 0.1, 0.2]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"file": ["00001", "00002"], "age": [31, 32]}).to_csv(
        tmp_path / "b.csv.gz", index=False
    )
    tables = [str(tmp_path / "a.parquet"), str(tmp_path / "b.csv.gz")]
    joined = join_tables(tables, None, NAMES)
    assert joined["smile"].tolist() == [0.2, 0.1, 0.5]
    assert joined["age"].fillna(-1).tolist() == [32, 31, -1]


def test_composed_and_decomposed_names_are_the_same(tmp_path):
    name = "été.png"
    table = written(tmp_path, f"file,age\n{unicodedata.normalize('NFD', name)},3\n")
    assert join_tables([table], None, [unicodedata.normalize("NFC", name)])["age"].tolist() == [3]


def test_images_without_a_row_are_missing(tmp_path):
    table = written(tmp_path, "file,age,who\n00010.jpg,5,x\n00001.jpg,6,y\n77,7,z\n")
    joined = join_tables([table], "file", NAMES)
    assert np.isnan(joined["age"][0])
    assert joined["age"][1:].tolist() == [6, 5]
    assert joined["who"].isna().tolist() == [True, False, False]


def test_a_row_for_each_image_of_an_array_is_taken_in_order(tmp_path):
    table = written(tmp_path, "area,label\n5.5,x\n6.5,y\n7.5,z\n")
    joined = join_tables([table], None, ("0", "1", "2"), has_order=True)
    assert joined["area"].tolist() == [5.5, 6.5, 7.5]
    with pytest.raises(ValueError, match="matches no image"):
        join_tables([table], None, NAMES)


def test_a_table_that_matches_no_file_is_named_with_both_sides(tmp_path):
    table = written(tmp_path, "file,age\nx.jpg,1\ny.jpg,2\n")
    with pytest.raises(
        ValueError,
        match=r"t\.csv: it matches no image: its column 'file' says \['x.jpg', 'y.jpg'\].*"
        r"images are \['b/00002.jpg', 'a/00001.jpg', 'a/00010.jpg'\].*ingest\.context\.key",
    ):
        join_tables([table], None, NAMES)


def test_an_image_named_by_two_rows_is_refused(tmp_path):
    table = written(tmp_path, "file,age\n00001.jpg,1\n00002.jpg,2\n00001.jpg,3\n")
    with pytest.raises(ValueError, match=r"rows 1 and 3 both say '00001.jpg'"):
        join_tables([table], "file", NAMES)


def test_a_key_that_may_be_two_images_is_refused(tmp_path):
    table = written(tmp_path, "file,age\n1.jpg,1\n")
    with pytest.raises(ValueError, match=r"'1.jpg' may be a/1.jpg or b/1.jpg; wanted paths"):
        join_tables([table], "file", ("a/1.jpg", "b/1.jpg"))


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("file,age\n1,2\n", "name", r"has no column 'name'; found \['file', 'age'\]"),
        ("file,file\n1,2\n", None, r"found more than one column named \['file'\]"),
        ("file,age\n", None, "found no row"),
        ("", None, "cannot be read"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, key, message):
    with pytest.raises(ValueError, match=rf"t\.csv.*{message}"):
        join_tables([written(tmp_path, text)], key, NAMES)


def test_a_table_that_is_not_there_and_columns_of_one_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone\.csv"):
        join_tables([str(tmp_path / "gone.csv")], None, NAMES)
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match=r"x\.parquet: it cannot be read"):
        join_tables([str(tmp_path / "x.parquet")], None, NAMES)
    one = written(tmp_path, "file,age\n00001,2\n", "one.csv")
    two = written(tmp_path, "file,age\n00001,2\n", "two.csv")
    with pytest.raises(ValueError, match=r"two\.csv: an earlier table has columns \['age'\] too"):
        join_tables([one, two], "file", NAMES)


def test_a_running_number_of_the_rows_does_not_name_images_where_a_file_name_does(tmp_path):
    text = "id,file,age\n1,00010.jpg,5\n2,00001.jpg,6\n10,00002.jpg,7\n"
    assert join_tables([written(tmp_path, text)], None, NAMES)["age"].tolist() == [7, 6, 5]


def test_a_join_is_shown_with_three_pairs(tmp_path, caplog):
    caplog.set_level("INFO")
    rows = "".join(f"{number:05}.jpg,{number},{'x' * 60},0.5\n" for number in (1, 2, 10))
    join_tables([written(tmp_path, f"file,age,who,size\n{rows}")], None, (*NAMES, "c/00011.jpg"))
    assert "t.csv has a row for 3 of 4 images (75 %), by file name in its column 'file': " in (
        caplog.text
    )
    assert f"b/00002.jpg ↔ 00002.jpg (age 2, who {'x' * 39}…); a/00001.jpg ↔" in caplog.text


IMAGES = tuple(f"{number}.png" for number in range(1, 31))


def running(tmp_path, first: int, count: int = 30) -> str:
    rows = "".join(f"{first + row},{row / 2}\n" for row in range(count))
    return written(tmp_path, f"index,x\n{rows}")


def test_a_running_number_is_joined_one_to_one_or_as_stated(tmp_path, caplog):
    caplog.set_level("INFO")
    assert join_tables([running(tmp_path, 1)], None, IMAGES)["x"].tolist()[:2] == [0, 0.5]
    assert "1.png ↔ 1 (x 0.0); 2.png ↔ 2 (x 0.5)" in caplog.text
    table = running(tmp_path, 0)
    with pytest.raises(
        ValueError,
        match=r"29 of 30 images and of 30 rows match, but all images would match numbers of one "
        r"less; that may be one off.*say ingest\.context\.key: index",
    ):
        join_tables([table], None, IMAGES)
    assert join_tables([table], "index", IMAGES)["x"].isna().sum() == 1
    assert "its column 'index' may be one off" in caplog.text


def test_a_running_number_that_leaves_rows_over_is_refused_too(tmp_path):
    with pytest.raises(ValueError, match=r"running number of the rows, 0 … 39, by which 30 of 30"):
        join_tables([running(tmp_path, 0, 40)], None, IMAGES)


def test_numbers_with_gaps_that_name_all_images_are_no_running_number(tmp_path):
    rows = "".join(f"{number},{number / 2}\n" for number in (*range(1, 31), 77, 99))
    joined = join_tables([written(tmp_path, f"id,x\n{rows}")], None, IMAGES)
    assert joined["x"].tolist() == [number / 2 for number in range(1, 31)]


def test_an_index_that_pandas_wrote_is_a_key_or_left_out(tmp_path, caplog):
    caplog.set_level("INFO")
    frame = pd.DataFrame({"file": IMAGES[::-1], "x": range(30)})
    frame.to_csv(tmp_path / "t.csv")
    joined = join_tables([str(tmp_path / "t.csv")], None, IMAGES)
    assert joined.to_dict("list") == {"x": list(range(30))[::-1]}
    assert "(unnamed) numbers the rows and is left out" in caplog.text
    frame.set_index("file").to_parquet(tmp_path / "t.parquet")
    assert join_tables([str(tmp_path / "t.parquet")], None, IMAGES)["x"].tolist()[0] == 29
    frame[["x"]].set_axis(list(IMAGES[::-1])).to_csv(tmp_path / "named.csv")
    assert join_tables([str(tmp_path / "named.csv")], None, IMAGES)["x"].tolist()[0] == 29
