"""From a path to a source of images, by what lies there."""

from pathlib import Path

from glance_pipeline.config.ingest import Kind
from glance_pipeline.errors import UserError
from glance_pipeline.ingest.arrays import open_idx, open_npy
from glance_pipeline.ingest.files import is_image_name, open_folder, open_zip
from glance_pipeline.ingest.hugging_face import is_data_set, open_data_set
from glance_pipeline.ingest.source import ImageSource

_OPEN = {
    "folder": open_folder,
    "zip": open_zip,
    "npy": open_npy,
    "idx": open_idx,
    "hugging_face": open_data_set,
}


def open_source(place: str, kind: Kind | None = None) -> ImageSource:
    """Find the images at a place without reading them.

    Args:
        place: a file or folder.
        kind: what it is; None tells by what is there.

    Raises:
        FileNotFoundError: where there is nothing at that place.
        UserError: where it holds no image, or it cannot be told what it is.
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
    if kind is not None and path.is_dir() != (kind in ("folder", "hugging_face")):
        found = "a folder" if path.is_dir() else "a file"
        raise UserError(f"ingest.kind: {path} is {found}, found {kind!r} for its kind")
    return _OPEN[kind or kind_of(path)](path)


def kind_of(path: Path) -> Kind:
    """Tell what a path is by its suffix or, for a folder, by what it holds.

    Raises:
        UserError: where the suffix is none of the known ones.
    """
    if path.is_dir():
        some = any(is_image_name(one.relative_to(path).as_posix()) for one in path.rglob("*"))
        return "folder" if some or not is_data_set(path) else "hugging_face"
    if path.suffix in (".npy", ".zip"):
        return "npy" if path.suffix == ".npy" else "zip"
    if "idx" in path.name:
        return "idx"
    raise UserError(
        f"ingest.source: {path} is a file of no known kind, wanted .zip, .npy, or an idx file "
        "(…-idx3-ubyte, .gz); name it in ingest.kind where the name does not say it"
    )
