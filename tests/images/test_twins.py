"""Images that come twice, or nearly, in two splits."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from glance_pipeline.digits.sources import read_embedded_digits
from glance_pipeline.images.twins import MOST_BITS, Fingerprints, find_twins, say_twins


def records(*splits: str) -> pd.DataFrame:
    return pd.DataFrame({"split": splits, "file": [f"{n}.png" for n in range(len(splits))]})


def pictures(count: int, size: int = 32, channels: int = 3) -> np.ndarray:
    """Return pictures of some detail, as photographs have it, no two alike."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, 24, 24, channels), dtype=np.uint8)
    large = [Image.fromarray(one.squeeze()).resize((size, size), 3) for one in small]
    return np.stack([np.asarray(one).reshape(size, size, -1).transpose(2, 0, 1) for one in large])


def test_the_same_and_nearly_the_same_are_found_in_other_splits_alone(caplog):
    images = pictures(8)
    images[4] = images[0]  # the same as one of train
    images[5] = np.clip(images[1].astype(int) + 4, 0, 255)  # nearly
    images[7] = images[6]  # both of validation
    images[3] = images[2]  # both of train
    where = records(*["train"] * 4, "test", "test", "validation", "validation")
    prints = Fingerprints.of(images)
    found = find_twins(prints, where)
    assert found.to_dict("records") == [
        {"file": "4.png", "split": "test", "twin": "0.png", "twin_split": "train", "same": True},
        {"file": "5.png", "split": "test", "twin": "1.png", "twin_split": "train", "same": False},
    ]
    caplog.set_level("INFO")
    say_twins(prints, where, found)
    assert "1 of test (50 %) are the same as one of another split" in caplog.text
    assert "1 of test (50 %) are nearly the same" in caplog.text
    assert "4.png and 0.png (train)" in caplog.text
    assert "3 of 8 are the same as another" in caplog.text


def test_a_twin_in_training_goes_before_one_in_validation():
    images = pictures(3)
    images[:] = images[0]
    found = find_twins(Fingerprints.of(images), records("test", "validation", "train"))
    assert found[["split", "twin_split"]].to_numpy().tolist() == [
        ["test", "train"],
        ["validation", "train"],
    ]


def test_a_jpeg_of_a_picture_is_nearly_it():
    images = pictures(20, channels=1)
    changed = []
    for image in images[:10]:
        file = io.BytesIO()
        Image.fromarray(image[0]).save(file, "JPEG", quality=75)
        changed.append(np.asarray(Image.open(file))[None])
    both = np.concatenate([images, changed])
    found = find_twins(Fingerprints.of(both), records(*["train"] * 20, *["test"] * 10))
    assert found["file"].tolist() == [f"{n}.png" for n in range(20, 30)]
    assert found["twin"].tolist() == [f"{n}.png" for n in range(10)]


def test_a_picture_in_other_colours_is_another_one():
    grey = pictures(5, channels=1).repeat(3, axis=1)
    red, blue = grey.copy(), grey.copy()
    red[:, 0, 8:16, 8:16], blue[:, 2, 8:16, 8:16] = 255, 255
    red[:, 2, 8:16, 8:16], blue[:, 0, 8:16, 8:16] = 0, 0  # of one brightness
    prints = Fingerprints.of(np.concatenate([red, blue]))
    assert np.array_equal(prints.signs[:5], prints.signs[5:])
    assert not len(find_twins(prints, records(*["train"] * 5, *["test"] * 5)))


def test_blocks_and_sizes():
    for size, channels in ((8, 1), (16, 3), (64, 3)):
        images = pictures(6, size, channels)
        whole = Fingerprints.of(images)
        parts = Fingerprints.joined([Fingerprints.of(images[:2]), Fingerprints.of(images[2:])])
        assert np.array_equal(whole.exact, parts.exact)
        assert np.array_equal(whole.signs, parts.signs)
        assert whole.signs.shape == (6, 0 if size < 16 else 4)
        assert not len(find_twins(whole, records(*["train"] * 3, *["test"] * 3)))


def test_the_threshold_is_the_most_at_which_one_digit_in_a_thousand_has_a_near_twin():
    digits, _ = read_embedded_digits()
    images = np.pad(digits[:, None], ((0, 0), (0, 0), (2, 2), (2, 2)))
    prints = Fingerprints.of(images)
    assert len(np.unique(prints.exact)) == len(images)  # all are different drawings
    share = {MOST_BITS: 0.0, MOST_BITS + 2: 0.0}  # distances are even
    for start in range(0, len(images), 100):
        block = slice(start, start + 100)
        words = (prints.signs[block, word][:, None] ^ prints.signs[:, word] for word in range(4))
        bits = sum(np.bitwise_count(word).astype(np.uint16) for word in words)
        bits[np.arange(100), np.arange(start, start + 100)] = 999
        for most in share:
            near = np.zeros(100, bool)
            for one, other in zip(*np.nonzero(bits <= most), strict=True):
                parts = prints.parts[[start + one, other]].astype(int)
                near[one] |= np.abs(parts[0] - parts[1]).max() <= 32
            share[most] += near.sum() / len(images)
    assert share[MOST_BITS] <= 0.001 < share[MOST_BITS + 2]
