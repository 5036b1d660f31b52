"""Formats of image files, told by the suffix of a name or by the first bytes of a file."""

import re
from pathlib import PurePosixPath

READ = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF")
"""Pillow's names of the formats that are opened. None of them starts another program or is one, as
EPS is; a format that Pillow learns later is not opened before it is named here."""

SUFFIXES = frozenset(
    (
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".bmp", ".dib", ".gif"),
        *(".tif", ".tiff", ".webp", ".avif", ".ppm", ".pgm", ".pbm", ".pnm"),
    )
)
"""What an image in a folder is known by."""

OTHER_IMAGES = frozenset(
    (
        *(".heic", ".heif", ".jp2", ".j2k", ".jxl", ".svg", ".svgz", ".eps", ".ps", ".ai", ".pdf"),
        *(".psd", ".xcf", ".tga", ".pcx", ".ico", ".icns", ".dds", ".exr", ".hdr", ".fits", ".fit"),
        *(".dcm", ".nii", ".mha", ".wmf", ".emf", ".cr2", ".nef", ".arw", ".dng", ".sgi", ".pfm"),
    )
)
"""Suffixes of images that are not read."""

NO_IMAGES = frozenset(
    (
        *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yml", ".yaml", ".md", ".html"),
        *(".py", ".ipynb", ".log", ".ini", ".cfg", ".toml", ".sh", ".zip", ".gz", ".tar", ".npy"),
        *(".npz", ".parquet", ".arrow", ".xlsx", ".xls", ".pt", ".pth", ".onnx", ".safetensors"),
        *(".db", ".mp4", ".avi", ".mov"),
    )
)
"""Suffixes of files whose content is not looked at: they say that it is no image."""

FIRST_BYTES = 160
"""Bytes that ``format_of`` wants."""

_BEGINNINGS: tuple[tuple[str, bytes], ...] = (
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("JPEG", rb"\xff\xd8\xff"),
    ("GIF", rb"GIF8[79]a"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("WEBP", rb"RIFF.{4}WEBP"),
    ("AVIF", rb".{4}ftypavi[fs]"),
    ("BMP", rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    ("PPM", rb"P[1-6][ \t\r\n]"),
    ("EPS", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("PDF", rb"%PDF"),
    ("SVG", rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg|<svg)"),
    ("Photoshop", rb"8BPS"),
    ("HEIC", rb".{4}ftyp(hei|hev|mif1|msf1)"),
    ("JPEG 2000", rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    ("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL "),
    ("FITS", rb"SIMPLE  ="),
    ("OpenEXR", rb"v/1\x01"),
    ("DirectDraw", rb"DDS "),
    ("icon", rb"\0\0[\1\2]\0"),
    ("PFM", rb"P[fF][ \t\r\n]"),
    ("DICOM", rb".{128}DICM"),
)
_KNOWN = tuple((name, re.compile(begins, re.DOTALL)) for name, begins in _BEGINNINGS)


def format_of(content: bytes) -> str | None:
    """Tell an image's format by the first ``FIRST_BYTES`` of its file.

    Returns:
        Its name, one of ``READ`` where it can be read; None if it is none of the known ones.
    """
    head = content[:FIRST_BYTES]
    return next((name for name, begins in _KNOWN if begins.match(head)), None)


def is_hidden(name: str) -> bool:
    """Say whether something on a path is hidden, or was put there by a system and not a person."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def suffix_of(name: str) -> str:
    """Return a name's suffix in lower case."""
    return PurePosixPath(name).suffix.lower()


def is_image_name(name: str) -> bool:
    """Say whether a path looks like an image's: by its suffix, and nothing hidden on its way."""
    return suffix_of(name) in SUFFIXES and not is_hidden(name)


def may_be_an_image(name: str) -> bool:
    """Say whether a name leaves open what a file is, so that its content has to be looked at."""
    return suffix_of(name) not in SUFFIXES | OTHER_IMAGES | NO_IMAGES and not is_hidden(name)
