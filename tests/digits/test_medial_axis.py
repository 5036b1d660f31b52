import numpy as np
from scipy import ndimage
from skimage.morphology import medial_axis as reference
from skimage.transform import pyramid_expand

from glance_pipeline.digits.medial_axis import medial_axis
from glance_pipeline.digits.upscaling import SCALE, upscale


def blobs(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((60, 60))
    # The reference takes the image's border for foreground, so nothing may touch it.
    return np.pad((ndimage.gaussian_filter(noise, 4) > 0.02)[2:-2, 2:-2], 2)


def test_axis_of_a_bar_is_its_middle_line_with_a_spur_to_each_corner():
    mask = np.zeros((11, 30), dtype=bool)
    mask[3:8, 4:26] = True
    axis, distance = medial_axis(mask)
    assert axis[5, 7:23].all()
    assert axis[:, 10:20].sum() == 10
    assert axis[[3, 3, 7, 7], [4, 25, 4, 25]].all()
    assert distance[5, 15] == 3


def test_axis_keeps_the_topology():
    for seed in range(3):
        mask = blobs(seed)
        axis, _ = medial_axis(mask)
        assert not (axis & ~mask).any()
        # As many strokes, and as many holes, as before.
        assert ndimage.label(axis, np.ones((3, 3)))[1] == ndimage.label(mask, np.ones((3, 3)))[1]
        assert ndimage.label(~np.pad(axis, 1))[1] == ndimage.label(~np.pad(mask, 1))[1]


def test_axis_has_the_length_of_the_reference():
    for seed in range(3):
        mask = blobs(seed)
        ours, theirs = medial_axis(mask)[0].sum(), reference(mask, rng=0).sum()
        assert abs(ours - theirs) <= 0.05 * theirs


def test_upscaling_is_that_of_scikit_image():
    image = np.random.default_rng(0).integers(0, 256, (28, 20)) / 255
    np.testing.assert_allclose(upscale(image), pyramid_expand(image, SCALE, order=3), atol=1e-12)
