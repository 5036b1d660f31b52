"""Image files: what is read of them, and how one becomes the array that the networks take.

``ingest`` brings the images to be trained on into their form here, and ``explain`` a file that it
is given: the classifier is to be asked about the same picture.
"""

from glance_pipeline.images.decoding import (
    FIRST_FRAME,
    FROM_CMYK,
    ON_WHITE,
    OPAQUE,
    TURNED,
    Raw,
    decode,
    open_picture,
    read_content,
    read_picture,
)
from glance_pipeline.images.fitting import (
    MADE_GREY,
    MADE_RGB,
    SQUEEZED,
    Form,
    UnreadableImageError,
    fit,
)
from glance_pipeline.images.formats import SUFFIXES, format_of, is_hidden, is_image_name
from glance_pipeline.images.image_folder import (
    FoundFiles,
    find_image_files,
    left_out_in_words,
    unread_images,
)

__all__ = [
    "FIRST_FRAME",
    "FROM_CMYK",
    "MADE_GREY",
    "MADE_RGB",
    "ON_WHITE",
    "OPAQUE",
    "SQUEEZED",
    "SUFFIXES",
    "TURNED",
    "Form",
    "FoundFiles",
    "Raw",
    "UnreadableImageError",
    "decode",
    "find_image_files",
    "fit",
    "format_of",
    "is_hidden",
    "is_image_name",
    "left_out_in_words",
    "open_picture",
    "read_content",
    "read_picture",
    "unread_images",
]
