"""From a path to a source of images, by what lies there."""

from collections.abc import Callable
from pathlib import Path

from glance_pipeline.config.ingest import Kind
from glance_pipeline.images import find_image_files
from glance_pipeline.images.sources.arrays import open_idx, open_npy
from glance_pipeline.images.sources.hugging_face import is_data_set, open_data_set
from glance_pipeline.images.sources.image_files import open_folder
from glance_pipeline.images.sources.image_source import ImageSource, Rules
from glance_pipeline.images.sources.zips import open_zip
from glance_pipeline.support.errors import UserError

_OPEN: dict[Kind, Callable[[Path, Rules], ImageSource]] = {
    "folder": open_folder,
    "zip": open_zip,
    "npy": open_npy,
    "idx": open_idx,
    "hugging_face": open_data_set,
}
_GZIP, _IDX = b"\x1f\x8b", b"\0\0\x08"


def open_source(place: str, kind: Kind | None = None, rules: Rules | None = None) -> ImageSource:
    """Find the images at a place without reading them.

    Args:
        place: a file or folder.
        kind: what it is; None tells by what is there.
        rules: what is read and what is refused; None takes the defaults.

    Raises:
        FileNotFoundError: if there is nothing at that place.
        UserError: if it holds no image, or it cannot be told what it is.
    """
    path = Path(place).expanduser()
    if not path.exists():
        there = path.parent
        while not there.exists():
            there = there.parent
        raise FileNotFoundError(
            f"ingest.source: there is no {path.absolute()}; wanted a folder of images, a zip, an "
            f".npy or idx file, or a Hugging Face data set (what exists is {there.absolute()})"
        )
    if not path.is_dir() and not path.is_file():
        raise UserError(f"ingest.source: {path} is a device or a pipe, wanted a file or a folder")
    if kind is not None and path.is_dir() != (kind in ("folder", "hugging_face")):
        found = "a folder" if path.is_dir() else "a file"
        raise UserError(f"ingest.kind: {path} is {found}, found {kind!r} for its kind")
    return _OPEN[kind or kind_of(path)](path, rules or Rules())


def kind_of(path: Path) -> Kind:
    """Tell what a path is by what it holds: a folder of images even where tables lie beside them.

    Raises:
        UserError: if it is a file of no known kind.
    """
    if path.is_dir():
        return (
            "hugging_face" if is_data_set(path) and not find_image_files(path).files else "folder"
        )
    with path.open("rb") as file:
        head = file.read(8)
    suffix = path.suffix.lower()
    if head.startswith(b"\x93NUMPY") or suffix == ".npy":
        return "npy"
    if suffix == ".zip" or (head.startswith(b"PK") and suffix not in (".npz", ".xlsx")):
        return "zip"
    if head.startswith(_IDX) or (head.startswith(_GZIP) and "idx" in path.name):
        return "idx"
    if "idx" in path.name:
        return "idx"
    more = "; unpack it first" if suffix in (".gz", ".tar", ".tgz", ".7z", ".rar", ".npz") else ""
    raise UserError(
        f"ingest.source: {path} is a file of no known kind, wanted .zip, .npy, or an idx file "
        f"(…-idx3-ubyte, .gz); name it in ingest.kind where the name does not say it{more}"
    )
