"""What an ONNX file says of its images, in the metadata that the format has names for.

``Image.NominalPixelRange`` and ``Image.BitmapPixelFormat``, as onnx/docs/MetadataProps.md has them.
"""

from collections.abc import Mapping
from typing import Any

from glance_pipeline.support.errors import UserError

_RANGES = {
    "NominalRange_0_255": ((0.0,), (1 / 255,)),
    "Normalized_0_1": ((0.0,), (1.0,)),
    "Normalized_1_1": ((0.5,), (0.5,)),
}
"""Mean and std of images in [0, 1]."""


def said_of_images(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of ``ClassifierSpecification`` that a file's metadata say.

    Args:
        metadata: metadata of the model, by key; keys are compared without regard to case.

    Raises:
        UserError: if the range is one that cannot be expressed.
    """
    said = {key.lower(): value.strip() for key, value in metadata.items()}
    known: dict[str, Any] = {}
    found = said.get("image.nominalpixelrange")
    if found is not None:
        if found not in _RANGES:
            raise UserError(
                f"its metadata say Image.NominalPixelRange: {found}; wanted one of "
                f"{list(_RANGES)}, or none and mean and std in the specification"
            )
        known["mean"], known["std"] = _RANGES[found]
    if said.get("image.bitmappixelformat", "").lower() == "bgr8":
        known["colour"] = "bgr"
    return known
