import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from glance_pipeline.config.explain import ExplainParameters
from glance_pipeline.explanations.running.as_ingested import check_image, read_image
from glance_pipeline.explanations.running.selection import (
    check_named,
    choose_images,
    first_of_split,
)
from glance_pipeline.images import Form
from glance_pipeline.support.errors import UserError

IMAGES = np.arange(5 * 16, dtype=np.uint8).reshape(5, 1, 4, 4)
OPAQUE_GREY = Form(channels=1, size=4, transparency="opaque")
RECORDS = pd.DataFrame(
    {"label": list("abcab"), "split": ["train", "test", "train", "test", "test"]}
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        (3, (3,)),
        ("3", (3,)),
        ("3 17 42", (3, 17, 42)),
        ("3;17; 42", (3, 17, 42)),
        ("0-2;7", (0, 1, 2, 7)),
        ("2-2 0", (2, 0)),
        ("3 3 3", (3,)),
        ("my digits/seven 7.png", ("my digits/seven 7.png",)),
        ("a.png;4", ("a.png", 4)),
        ("²", ("²",)),
        ([3, "a.png", "5-6"], (3, "a.png", 5, 6)),
    ],
)
def test_images_can_be_written_in_several_ways(written, meant):
    assert ExplainParameters(images=written).images == meant


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("7-3", "runs backwards"),
        ("", "no image is named"),
        ("5-3", "the range 5-3 of images runs backwards"),
        ([], "no image is named"),
        (-1, "-1 is below"),
        ({"a": 1}, "not by"),
        ([2.5], "not by 2.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(written, told):
    with pytest.raises(ValidationError, match=told):
        ExplainParameters(images=written)


def test_unknown_parameter_is_refused_and_a_digit_may_be_a_class_name():
    with pytest.raises(ValidationError, match="imags"):
        ExplainParameters.model_validate({"imags": 3})
    assert ExplainParameters.model_validate({"target": 3}).target == "3"


def test_default_is_the_first_of_the_test_split():
    assert first_of_split(RECORDS, 2) == (1, 3)
    with pytest.raises(ValueError, match="'validation'"):
        first_of_split(RECORDS, 2, "validation")


def test_images_are_taken_by_number_with_their_label():
    chosen = choose_images((4, 0), IMAGES, RECORDS)
    images, sources = chosen.read(range(2))
    np.testing.assert_array_equal(images, IMAGES[[4, 0]])
    assert [(s.name, s.index, s.label) for s in sources] == [
        ("image 4", 4, "b"),
        ("image 0", 0, "a"),
    ]


def test_an_index_out_of_range_names_value_and_range():
    with pytest.raises(ValueError, match=r"no image 5; 5 images are numbered 0 to 4"):
        choose_images((1, 5), IMAGES, RECORDS)


def test_a_colour_file_becomes_grey_and_small(tmp_path):
    path = tmp_path / "seven 7.png"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(path)
    chosen = choose_images((str(path),), IMAGES, RECORDS)
    images, (source,) = chosen.read(range(1))
    np.testing.assert_array_equal(images, np.full((1, 1, 4, 4), 76))  # 0.299·255
    assert source.index is None and source.notes == ()


def test_a_grey_file_becomes_colour_and_a_squeeze_is_noted(tmp_path):
    path = tmp_path / "wide.jpg"
    Image.new("L", (8, 4), 100).save(path)
    picture, notes = read_image(path, Form(channels=3, size=4))
    assert picture.shape == (3, 4, 4) and abs(picture.astype(int) - 100).max() <= 1
    assert notes == ("The file is 8×4 pixels; it was squeezed to the classifier's 4×4.",)


def test_transparency_is_noted_where_there_is_any(tmp_path):
    path = tmp_path / "clear.png"
    for alpha, noted in ((255, 0), (10, 1)):
        Image.new("RGBA", (4, 4), (90, 90, 90, alpha)).save(path)
        picture, notes = read_image(path, OPAQUE_GREY)
        assert (picture == 90).all() and len(notes) == noted
    assert "transparency" in notes[0]


def test_a_file_of_too_many_pixels_is_named(tmp_path, monkeypatch):
    Image.new("L", (8, 8)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 31)
    with pytest.raises(UserError, match=r"huge\.png .* too many pixels: .*save it smaller"):
        check_image(tmp_path / "huge.png", OPAQUE_GREY)


def test_missing_unreadable_and_deep_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*none\.png"):
        read_image(tmp_path / "none.png", OPAQUE_GREY)
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"text\.png cannot be read as an image"):
        read_image(tmp_path / "text.png", OPAQUE_GREY)
    Image.new("L", (8, 8), 100).save(tmp_path / "whole.png")
    cut = (tmp_path / "whole.png").read_bytes()[:-30]
    (tmp_path / "cut.png").write_bytes(cut)
    with pytest.raises(ValueError, match=r"cut\.png cannot be read"):
        read_image(tmp_path / "cut.png", OPAQUE_GREY)
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match="more than 8 bits"):
        read_image(tmp_path / "deep.png", OPAQUE_GREY)


def test_a_folder_stands_for_its_images_sorted_by_path(tmp_path):
    for name in ("b.png", "a/z.JPG", "a/c/1.bmp", ".hidden.png", ".git/2.png", "readme.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("txt"):
            Image.new("L", (4, 4), 9).save(tmp_path / name)
    (tmp_path / "readme.txt").write_text("no image")
    chosen = choose_images((f"{tmp_path}/", f"{tmp_path}/b.png"), IMAGES, RECORDS)
    assert [choice.name for choice in chosen.choices] == [
        f"{tmp_path}/{name}" for name in ("a/c/1.bmp", "a/z.JPG", "b.png")
    ]
    images, sources = chosen.read(range(1, 3))
    assert images.shape == (2, 1, 4, 4) and sources[1].name == f"{tmp_path}/b.png"


def test_a_folder_without_images_and_a_damaged_file_in_one_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UserError, match=r"the folder .*empty holds no image: found no file at all; looked for"
    ):
        choose_images((str(tmp_path / "empty"),), IMAGES, RECORDS)
    (tmp_path / "empty/bad.png").write_text("no image")
    chosen = choose_images((str(tmp_path / "empty"), 3), IMAGES, RECORDS)
    chosen.check(range(1, 2))
    with pytest.raises(UserError, match=r"bad\.png cannot be read as an image"):
        chosen.check(range(2))


def test_what_can_be_checked_early_is(tmp_path):
    check_named((7,), None)
    for named, told in (((7,), "no image 7"), ((str(tmp_path / "x.png"),), "no file or folder")):
        with pytest.raises(UserError, match=told):
            check_named(named, 5)


def test_a_choice_is_told_from_another_by_what_it_would_read(tmp_path):
    def identity(named, images=IMAGES, records=RECORDS):
        return choose_images(named, images, records).identity()

    file = tmp_path / "a.png"
    Image.new("L", (4, 4), 9).save(file)
    first = identity((0, str(file)))
    assert identity((0, str(file))) == first
    assert identity((0, str(file)), IMAGES + 1) != first
    assert identity((0, str(file)), records=RECORDS.assign(label="c")) != first
    os.utime(file, (1, 1))
    assert identity((0, str(file))) != first
