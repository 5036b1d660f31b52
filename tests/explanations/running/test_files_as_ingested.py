"""A file that is explained becomes the very array that ``ingest`` made of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.explanations.running.as_ingested import form_of, read_image
from glance_pipeline.explanations.running.selection import choose_images
from glance_pipeline.images import Form
from glance_pipeline.ingest.found import find_images
from glance_pipeline.pipelines.ingest.nodes import resize_images
from glance_pipeline.pipelines.prepare.nodes import describe_the_form_of_a_digit
from glance_pipeline.support.errors import UserError

ROTATED = Image.Exif()
ROTATED[0x0112] = 6


def write_files(folder: Path) -> None:
    """Write one image of every kind that the two readers once took differently."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 52, 4), dtype=np.uint8)
    rgb = Image.fromarray(noise[..., :3])
    rgb.save(folder / "wide.png")
    rgb.save(folder / "turned.jpg", exif=ROTATED)
    Image.fromarray(noise).save(folder / "clear.png")
    Image.fromarray(noise[..., 0]).save(folder / "grey.png")
    Image.fromarray(noise[..., 2:].copy(), "LA").save(folder / "clear_grey.png")
    rgb.quantize(16).save(folder / "palette.gif")
    rgb.convert("CMYK").save(folder / "cmyk.tif")


def ingested(folder: Path, **changes):
    """Return the arrays that ``ingest`` makes, the form it writes down, and the files."""
    parameters = IngestParameters(source=str(folder), most_corrupt=0, **changes)
    found = find_images(parameters, {}, 0)
    blocks, _, form = resize_images(found, parameters, 1)
    return np.concatenate(list(blocks)), form, [folder / n for n in found.records["file"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 16},
        {"size": 16, "crop": "square", "channels": 1},
        {"size": 8, "crop": 24, "resampling": "bilinear"},
        {"size": 64, "crop": 40, "resampling": "box", "channels": 3},
    ],
)
def test_a_file_gives_the_same_bytes_to_ingest_and_to_explain(tmp_path, changes):
    write_files(tmp_path)
    images, form, files = ingested(tmp_path, **changes)
    chosen = choose_images(files, images, pd.DataFrame(index=range(len(images))), form)
    explained, sources = chosen.read(range(len(files)))
    assert len(files) == 7
    assert np.array_equal(explained, images)
    squeezed = [source.notes for source in sources if source.notes]
    assert len(squeezed) == (0 if "crop" in changes else 7)


def test_what_prepare_writes_keeps_a_light_digit_on_a_transparent_ground(tmp_path):
    from glance_pipeline.config.prepare import PrepareParameters

    digit = np.zeros((32, 32, 2), np.uint8)
    digit[8:24, 14:18] = 255
    Image.fromarray(digit, "LA").save(tmp_path / "one.png")
    form = describe_the_form_of_a_digit(PrepareParameters())
    images = np.zeros((1, 1, 32, 32), np.uint8)
    for known in (form, None):  # None: prepared before there was such a file
        chosen = choose_images([tmp_path / "one.png"], images, pd.DataFrame(index=[0]), known)
        (read,), (source,) = chosen.read(range(1))
        assert np.array_equal(read[0], digit[..., 0])
        assert source.notes == ("The file was taken as opaque, its transparency left out.",)


def test_a_file_smaller_than_the_crop_and_a_form_of_other_images_are_named(tmp_path):
    write_files(tmp_path)
    images, form, _ = ingested(tmp_path, size=16, crop=40)
    records = pd.DataFrame(index=range(len(images)))
    Image.new("L", (39, 60)).save(tmp_path / "small.png")
    chosen = choose_images([tmp_path / "small.png"], images, records, form)
    with pytest.raises(UserError, match=r"small\.png .* 39×60 px, less than the 40 px of ingest"):
        chosen.read(range(1))
    with pytest.raises(UserError, match=r"found 3 channels and 16 px, wanted 3 and 8"):
        choose_images([tmp_path / "small.png"], images[..., ::2, ::2], records, form)
    assert len(choose_images([0], images[..., ::2, ::2], records, form)) == 1  # no file is read


def test_a_form_that_is_damaged_is_one_line():
    images = np.zeros((1, 3, 16, 16), np.uint8)
    with pytest.raises(UserError) as raised:
        form_of(images, {"channels": 2, "size": 16})
    assert "channels: Input should be 1 or 3" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_turned_upright_and_squeezed_has_the_size_that_is_seen(tmp_path):
    Image.new("RGB", (52, 40)).save(tmp_path / "turned.jpg", exif=ROTATED)
    _, notes = read_image(tmp_path / "turned.jpg", Form(channels=3, size=16))
    assert notes == ("The file is 40×52 pixels; it was squeezed to the classifier's 16×16.",)
