"""Image files of every kind that people have, each made here with Pillow and read back."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from glance_pipeline.images import (
    FIRST_FRAME,
    FROM_CMYK,
    MADE_GREY,
    MADE_RGB,
    ON_WHITE,
    SQUEEZED,
    TURNED,
    Form,
    UnreadableImageError,
    decode,
    fit,
)

COLOUR = np.zeros((4, 6, 3), dtype=np.uint8)
COLOUR[:, :3] = (200, 30, 10)
COLOUR[:, 3:] = (10, 30, 200)


def file_of(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(picture: Image.Image, kind: str = "PNG", **options) -> tuple[np.ndarray, list[str]]:
    found, notes = decode(file_of(picture, kind, **options))
    return np.asarray(found), notes


def test_rgb_and_grey_are_read_as_they_are():
    assert np.array_equal(decoded(Image.fromarray(COLOUR))[0], COLOUR)
    grey = COLOUR[..., 0]
    assert np.array_equal(decoded(Image.fromarray(grey))[0], grey)


def test_a_palette_is_its_colours():
    palette = Image.fromarray(COLOUR).quantize(4)
    assert palette.mode == "P"
    assert np.abs(decoded(palette)[0].astype(int) - COLOUR).max() <= 2


def test_black_and_white_is_grey():
    bits = Image.fromarray((np.eye(5) * 255).astype(np.uint8)).convert("1")
    found, _ = decode(file_of(bits))
    assert found.mode == "L"
    assert np.array_equal(np.asarray(found), np.eye(5) * 255)


def test_transparency_is_laid_on_white_and_said():
    alpha = np.full((4, 6, 1), 255, dtype=np.uint8)
    alpha[0] = 0
    found, notes = decoded(Image.fromarray(np.concatenate([COLOUR, alpha], 2)))
    assert (found[0] == 255).all()
    assert np.array_equal(found[1:], COLOUR[1:])
    assert notes == [ON_WHITE]
    alpha[0] = 255
    assert decoded(Image.fromarray(np.concatenate([COLOUR, alpha], 2)))[1] == []


def test_a_grey_image_with_transparency_stays_grey():
    grey = np.dstack([np.full((3, 3), 7, np.uint8), np.full((3, 3), 255, np.uint8)])
    found, _ = decode(file_of(Image.fromarray(grey)))
    assert found.mode == "L"
    assert (np.asarray(found) == 7).all()


def test_cmyk_becomes_rgb():
    found, _ = decode(file_of(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"))
    assert found.mode == "RGB"


def test_exif_rotation_is_undone():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: to be turned 90° clockwise
    found, notes = decoded(Image.fromarray(COLOUR), exif=exif)
    assert np.array_equal(found, np.rot90(COLOUR, -1))
    assert notes == [TURNED]


@pytest.mark.parametrize("values", [np.uint16, np.float32])
def test_more_than_8_bits_are_refused_with_a_word(values):
    picture = Image.fromarray(np.arange(12).reshape(3, 4).astype(values))
    with pytest.raises(UnreadableImageError, match=r"more than 8 bits a channel.*8 bits"):
        decode(file_of(picture, "TIFF"))


def test_a_truncated_jpeg_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = file_of(Image.fromarray(noise), "JPEG")
    with pytest.raises(UnreadableImageError, match="truncated"):
        decode(whole[: len(whole) // 2])


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\nrest"])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(UnreadableImageError):
        decode(content)


def test_an_array_is_taken_as_it_is():
    assert np.array_equal(np.asarray(decode(COLOUR)[0]), COLOUR)
    assert np.array_equal(np.asarray(decode(COLOUR[..., :1])[0]), COLOUR[..., 0])


def test_fitting_gives_channels_first_and_the_size():
    array, notes = fit(Image.fromarray(COLOUR), Form(channels=3, size=8))
    assert array.shape == (3, 8, 8)
    assert array.dtype == np.uint8
    assert notes == [SQUEEZED]
    assert (array[0, :, 0] == 200).all()
    assert (array[2, :, -1] == 200).all()


def test_the_centre_is_cut_out():
    picture = np.arange(6 * 10, dtype=np.uint8).reshape(6, 10)
    square, notes = fit(Image.fromarray(picture), Form(channels=1, size=6, crop="square"))
    assert np.array_equal(square[0], picture[:, 2:8])
    assert notes == []
    less, _ = fit(Image.fromarray(picture), Form(channels=1, size=4, crop=4))
    assert np.array_equal(less[0], picture[1:5, 3:7])
    with pytest.raises(UnreadableImageError, match=r"10×6 px, less than the 7 px of ingest\.crop"):
        fit(Image.fromarray(picture), Form(channels=1, size=4, crop=7))


def test_grey_and_colour_are_converted_and_it_is_said():
    grey, notes = fit(Image.fromarray(COLOUR), Form(channels=1, size=4, crop="square"))
    assert notes == [MADE_GREY]
    assert grey[0, 0, 0] == round(0.299 * 200 + 0.587 * 30 + 0.114 * 10)  # ITU-R 601
    rgb, notes = fit(Image.fromarray(COLOUR[:4, :4, 0]), Form(channels=3, size=4))
    assert notes == [MADE_RGB]
    assert np.array_equal(rgb[0], rgb[2])


def test_whatever_pillow_raises_of_a_broken_file_is_said_of_the_file(monkeypatch):
    def broken(_):
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr(Image.Image, "getexif", broken)
    with pytest.raises(UnreadableImageError, match="a buffer of 4 bytes"):
        decode(file_of(Image.fromarray(COLOUR)))


def tiff_of(array: np.ndarray, photometric: str) -> bytes:
    import tifffile  # comes with scikit-image

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, photometric=photometric)
    return buffer.getvalue()


def deep_png(colour: int, channels: int) -> bytes:
    """Return a PNG of 16 bits a channel; Pillow writes none in colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 4, 4, 16, colour, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(range(8 * channels))) * 4)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    "content",
    [
        deep_png(0, 1),
        deep_png(4, 2),
        deep_png(2, 3),
        deep_png(6, 4),
        tiff_of(np.ones((4, 4, 3), np.uint16), "rgb"),
        tiff_of(np.ones((4, 4, 4), np.uint16), "rgb"),
        tiff_of(np.ones((4, 4), np.int16), "minisblack"),
        b"P6\n4 4\n65535\n" + bytes(96),
        b"P5\n4 4\n1000\n" + bytes(32),
    ],
)
def test_deep_images_of_every_format_are_refused(content):
    with pytest.raises(UnreadableImageError, match=r"more than 8 bits a channel|may be negative"):
        decode(content)


def test_signed_numbers_and_lab_are_refused():
    with pytest.raises(UnreadableImageError, match="may be negative"):
        decode(tiff_of(np.ones((4, 4), np.int8), "minisblack"))
    with pytest.raises(UnreadableImageError, match="its colours are LAB"):
        decode(tiff_of(np.ones((4, 4, 3), np.uint8), "cielab"))


def test_colours_of_print_and_further_frames_are_said():
    _, notes = decode(file_of(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"))
    assert notes == [FROM_CMYK]
    pages = {"save_all": True, "append_images": [Image.new("RGB", (6, 4))]}
    for kind in ("GIF", "PNG", "TIFF", "WEBP"):
        found, notes = decode(file_of(Image.fromarray(COLOUR), kind, **pages))
        assert notes == [FIRST_FRAME], kind
        assert abs(int(np.asarray(found)[0, 0, 0]) - 200) < 20, kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "its format is EPS; wanted one of"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "its format is SVG"),
        (b"8BPS\0\1" + bytes(20), "its format is Photoshop"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "28 bytes which are no complete PNG image"),
    ],
)
def test_formats_that_are_not_read_are_named_and_not_opened(content, said):
    with pytest.raises(UnreadableImageError, match=said):
        decode(content)


def test_more_pixels_than_allowed_are_not_decoded():
    picture = file_of(Image.new("L", (1100, 1000)))
    assert decode(picture, most_megapixels=1.1)[0].size == (1100, 1000)
    said = r"1100×1000 = 1 megapixels, ingest\.limits\.megapixels allows 1;"
    with pytest.raises(UnreadableImageError, match=said):
        decode(picture, most_megapixels=1)
    with pytest.raises(ValueError, match="less than or equal to 178"):
        Form(channels=1, size=8, most_megapixels=179)
