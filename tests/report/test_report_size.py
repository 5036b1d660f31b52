"""What pictures take on the page, what they lose there, and that none is on it twice."""

import base64
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glance_pipeline.images import Form, read_picture
from glance_pipeline.report import render_report
from glance_pipeline.report.page import MOST_BYTES, cards_that_fit
from glance_pipeline.report.pictures import COMPRESSIONS, Album, Compression, PageFullError
from helpers.report import explained, graph

FACES = Path(__file__).parents[3] / "shared/data/celeba10k/celeba_10k_89x109.zip"
CONCEPTS, TEXT = 12, 1_100_000  # strips of an image; bytes of a page of 32 besides pictures


@pytest.fixture(scope="module")
def faces():
    """80 faces, uint8 (3, 64, 64)."""
    if not FACES.is_file():
        pytest.skip("no CelebA beside the project: ../shared/data/celeba10k")
    with zipfile.ZipFile(FACES) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:80]
        form = Form(channels=3, size=64, crop="square")
        return [read_picture(archive.read(name), form)[0] for name in names]


def blend(one, other, part):
    return np.round((1 - part) * one + part * other).astype(np.uint8)


def with_faces(one, faces, draws):
    """Return an explanation whose pictures are real faces, changed towards other real faces."""

    def other():
        return faces[draws.integers(len(faces))]

    redrawn = blend(other(), other(), 0.15)
    found = tuple(
        one.counterfactuals.found[0].model_copy(update={"picture": blend(redrawn, other(), 0.25)})
        for _ in range(3)
    )
    strips = []
    for number in range(CONCEPTS):
        end, most = other(), (0.4, 0.2, 0.1, 0.05)[number % 4]
        pictures = np.stack([blend(redrawn, end, part) for part in np.linspace(0, most, 7)])
        values, called = tuple(np.linspace(-1.0, 1.0, 7).tolist()), ("b",) * 7
        fields = {"pictures": pictures, "values": values, "class_names": called}
        fields["probabilities"] = (0.5,) * 7
        strips.append(one.strips[number % 3].model_copy(update=fields))
    saliency = one.saliency.model_copy(update={"map": np.kron(one.saliency.map, np.ones((4, 4)))})
    return one.model_copy(
        update={
            "original": blend(redrawn, other(), 0.15),
            "reconstruction": redrawn,
            "counterfactuals": one.counterfactuals.model_copy(update={"found": found}),
            "strips": tuple(strips),
            "saliency": saliency,
        }
    )


def decode(uri):
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as file:
        return np.asarray(file.convert("RGB"), dtype=int).transpose(2, 0, 1)


def test_thirty_two_faces_fit_their_page_and_its_loss_is_said(faces):
    draws = np.random.default_rng(0)
    one = explained()[0][1]
    two = [with_faces(one, faces, draws) for _ in range(2)]
    room = (MOST_BYTES - TEXT) * 2 // 32
    cards, album = cards_that_fit(two, room)
    uris = [strip.uri for card in cards for strip in card.strips]
    uris += [o.difference for card in cards for o in card.alternatives]
    assert sum(map(len, uris)) < album.size <= room
    for card, shown in zip(cards, two, strict=True):
        assert np.array_equal(decode(card.original), shown.original)
        for strip, row in zip(card.strips, shown.strips, strict=True):
            error = np.abs(decode(strip.uri) - np.concatenate(list(row.pictures), 2))
            assert error.mean() < 5
    mean, most = map(float, re.search(r"([\d.]+) of 255 .* average, (\d+)", album.loss).groups())
    assert 0 < mean < 5 and error.max() <= most


def test_what_was_lost_is_measured_on_what_is_shown():
    noise = np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8)
    album = Album(Compression(strips=50))
    error = np.abs(decode(album.strip(noise)) - noise)
    assert np.array_equal(decode(album.single(noise)), noise)
    assert f"{error.mean():.1f} of 255 grey levels off on average, {error.max()} at most" in (
        album.loss
    )
    assert album.loss.startswith("Rows of pictures and maps are")
    assert Album().loss == ""


def test_an_album_is_full_where_its_room_ends():
    grey = np.random.default_rng(0).integers(0, 256, (1, 16, 16), dtype=np.uint8)
    size = len(Album().single(grey))
    album = Album(room=2 * size)
    assert album.single(grey) == album.single(grey)
    with pytest.raises(PageFullError):
        album.single(grey)


def test_where_nothing_fits_the_strongest_compression_is_taken():
    cards, album = cards_that_fit(explained()[0], 10)
    assert len(cards) == 2 and album.compression == COMPRESSIONS[-1] == Compression(80, 40)


def test_a_row_wider_than_webp_allows_is_a_png():
    assert Album().strip(np.zeros((1, 1, 16384), np.uint8)).startswith("data:image/png")


def test_no_picture_is_on_the_page_twice_and_small_ones_lose_nothing():
    explanations, concepts = explained()
    page = render_report(explanations, graph(), concepts)
    wanted = sum(3 + 2 * len(e.counterfactuals.found) + len(e.strips) for e in explanations)
    assert len(re.findall("data:image/webp", page)) == wanted
    assert "compressed on this page" not in page
